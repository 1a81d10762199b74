package peers

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"example.com/berth/netconn"
)

// connect joins the kernel, which calls, and berth, which listens.
func (w *world) connect(t *testing.T, f family) (kernel *net.TCPConn, onBerth *netconn.TCPConn) {
	t.Helper()
	ln, err := netconn.Listen(w.berth, "tcp", netip.AddrPortFrom(f.berth, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	kernel, err = w.kernelDial(t, netip.AddrPort{}, ln.Addr().(*net.TCPAddr).AddrPort())
	if err != nil {
		t.Fatal(err)
	}
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	deadline, _ := w.ctx.Deadline()
	if err := c.SetDeadline(deadline); err != nil {
		t.Fatal(err)
	}
	return kernel, c.(*netconn.TCPConn)
}

// kernelDial connects from the kernel's side, from an address that was in use
// before if need be; the zero one leaves the choice to the kernel.
func (w *world) kernelDial(t *testing.T, from, to netip.AddrPort) (*net.TCPConn, error) {
	t.Helper()
	deadline, _ := w.ctx.Deadline()
	d := net.Dialer{Deadline: deadline, Control: func(_, _ string, c syscall.RawConn) (err error) {
		if controlErr := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		}); controlErr != nil {
			return controlErr
		}
		return err
	}}
	if from.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(from)
	}
	var c net.Conn
	var err error
	w.kernel.Do(func() { c, err = d.Dial("tcp", to.String()) })
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(deadline); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn), nil
}

// TestReset lets either end drop the connection.
func TestReset(t *testing.T) {
	tun(t, nil).each(func(w *world, f family) {
		type end interface {
			io.ReadCloser
			SetLinger(int) error
		}
		for _, by := range []string{"kernel", "berth"} {
			w.Run("by "+by, func(t *testing.T) {
				kernel, berth := w.connect(t, f)
				from, to := end(kernel), end(berth)
				if by == "berth" {
					from, to = to, from
				}
				if err := from.SetLinger(0); err != nil {
					t.Fatal(err)
				}
				if err := from.Close(); err != nil {
					t.Fatal(err)
				}
				if _, err := to.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("Read: %v", err)
				}
			})
		}
		w.Run("by data for a closed socket", func(t *testing.T) {
			kernel, berth := w.connect(t, f)
			if err := berth.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := kernel.Read(make([]byte, 1)); err != io.EOF {
				t.Fatal(err)
			}
			if _, err := kernel.Write([]byte("hello?")); err != nil {
				t.Fatal(err)
			}
			// The kernel gives EPIPE to those who are told of a reset behind an end.
			for err := error(nil); err == nil; {
				if _, err = kernel.Write([]byte("hello?")); err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
					t.Error(err)
				}
			}
		})
	})
}

// TestZeroWindow lets either end send to one that does not read until the window
// is closed, and then reads everything.
func TestZeroWindow(t *testing.T) {
	tun(t, nil).each(func(w *world, f family) {
		data := contentBytes(little())
		send := func(c net.Conn) <-chan error {
			done := make(chan error, 1)
			go func() {
				_, err := c.Write(data)
				done <- err
			}()
			return done
		}
		check := func(t *testing.T, c net.Conn, sent <-chan error) {
			t.Helper()
			got := make([]byte, len(data))
			if n, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes, %v", n, err)
			}
			if err := <-sent; err != nil {
				t.Error(err)
			}
		}
		w.Run("of the kernel", func(t *testing.T) {
			kernel, berth := w.connect(t, f)
			if err := kernel.SetReadBuffer(64 << 10); err != nil {
				t.Fatal(err)
			}
			probes := &w.berth.Counters().TCP.Machine.ZeroWindowProbes
			before := probes.Load()
			sent := send(berth)
			await(t, "a probe from berth", func() bool { return probes.Load() > before })
			check(t, kernel, sent)
		})
		w.Run("of berth", func(t *testing.T) {
			kernel, berth := w.connect(t, f)
			if err := berth.SetReadBuffer(64 << 10); err != nil {
				t.Fatal(err)
			}
			sent := send(kernel)
			await(t, "a probe from the kernel", func() bool { return kernelProbes(t, kernel) > 0 })
			check(t, berth, sent)
		})
	})
}

// await looks for something until it is there.
func await(t *testing.T, what string, there func() bool) {
	t.Helper()
	for start := time.Now(); !there(); time.Sleep(time.Millisecond) {
		if time.Since(start) > patience/2 {
			t.Fatalf("no sign of %s", what)
		}
	}
}

// kernelProbes is how many window probes of the kernel's are not answered with an
// open window.
func kernelProbes(t *testing.T, c *net.TCPConn) (n uint8) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		info, infoErr := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if infoErr != nil {
			t.Error(infoErr)
			return
		}
		n = info.Backoff
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestTimeWait opens a connection with the addresses of one that is in TIME-WAIT
// (RFC 6191).
func TestTimeWait(t *testing.T) {
	tun(t, nil).each(func(w *world, f family) {
		w.Run("of berth", func(t *testing.T) {
			at := netip.AddrPortFrom(f.berth, 80)
			ln, err := netconn.Listen(w.berth, "tcp", at.String())
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			var from netip.AddrPort
			reused := &w.berth.Counters().TCP.Machine.TimeWaitReused
			before := reused.Load()
			for range 3 {
				var kernel *net.TCPConn
				await(t, "the kernel's end being gone", func() bool {
					kernel, err = w.kernelDial(t, from, at)
					return !errors.Is(err, syscall.EADDRNOTAVAIL)
				})
				if err != nil {
					t.Fatal(err)
				}
				from = kernel.LocalAddr().(*net.TCPAddr).AddrPort()
				c, err := ln.Accept()
				if err != nil {
					t.Fatal(err)
				}
				end(t, c, kernel)
			}
			if n := reused.Load() - before; n != 2 {
				t.Errorf("TIME-WAIT ended %d times", n)
			}
		})
		w.Run("of the kernel", func(t *testing.T) {
			ln := w.kernelListen(t, netip.AddrPortFrom(f.kernel, 80))
			defer ln.Close()
			var from netip.AddrPort
			for range 3 {
				s := w.socket(t, f, "tcp")
				if from.IsValid() {
					await(t, "berth's end being gone", func() bool { return s.Bind(from) == nil })
				}
				if err := s.Connect(w.ctx, ln.Addr().(*net.TCPAddr).AddrPort()); err != nil {
					t.Fatal(err)
				}
				from = s.LocalAddr()
				kernel, err := ln.Accept()
				if err != nil {
					t.Fatal(err)
				}
				end(t, kernel, netconn.NewTCPConn(s))
			}
		})
	})
}

// end closes the one end first, which takes it to TIME-WAIT, and then the other.
func end(t *testing.T, first, second net.Conn) {
	t.Helper()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Read(make([]byte, 1)); err != io.EOF {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}
