package peers

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"example.com/berth/internal/testnet"
	"example.com/berth/socket"
)

// closedPort is one that nobody has, on either side.
const closedPort = 9

// TestRefused connects and sends to ports that nobody has.
func TestRefused(t *testing.T) {
	tun(t, nil).each(func(w *world, f family) {
		w.Run("TCP from berth", func(t *testing.T) {
			s := w.socket(t, f, "tcp")
			if err := s.Connect(w.ctx, netip.AddrPortFrom(f.kernel, closedPort)); err != syscall.ECONNREFUSED {
				t.Errorf("Connect: %v", err)
			}
		})
		w.Run("UDP from berth", func(t *testing.T) {
			s := w.socket(t, f, "udp")
			if err := s.Connect(w.ctx, netip.AddrPortFrom(f.kernel, closedPort)); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Send([]byte("anybody?"), 0); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Recv(make([]byte, 10), 0); err != syscall.ECONNREFUSED {
				t.Errorf("Recv: %v", err)
			}
		})
		w.Run("UDP from berth, error queue", func(t *testing.T) {
			s := w.socket(t, f, "udp")
			to := netip.AddrPortFrom(f.kernel, closedPort)
			m := w.provoke(t, f, s, to)
			e := m.Control.Err
			if m.Addr != to || e.Errno != syscall.ECONNREFUSED || e.Offender != f.kernel {
				t.Errorf("about %v: %+v", m.Addr, e)
			}
		})
		w.Run("TCP from the kernel", func(t *testing.T) {
			if err := w.dialFromKernel(netip.AddrPortFrom(f.berth, closedPort), "tcp", nil); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("dial: %v", err)
			}
		})
		w.Run("UDP from the kernel", func(t *testing.T) {
			err := w.dialFromKernel(netip.AddrPortFrom(f.berth, closedPort), "udp", func(c net.Conn) error {
				if _, err := c.Write([]byte("anybody?")); err != nil {
					return err
				}
				_, err := c.Read(make([]byte, 10))
				return err
			})
			if !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("read: %v", err)
			}
		})
	})
}

// provoke sends a datagram that cannot arrive, and waits for the entry in the
// socket's error queue.
func (w *world) provoke(t *testing.T, f family, s socket.Socket, to netip.AddrPort) *socket.Message {
	t.Helper()
	recverr := socket.IP_RECVERR
	if f.berth.Is6() {
		recverr = socket.IPV6_RECVERR
	}
	if err := socket.Set(s, recverr, 1); err != nil {
		t.Fatal(err)
	}
	const data = "anybody?"
	if _, err := s.SendTo([]byte(data), 0, to); err != nil {
		t.Fatal(err)
	}
	fds := []socket.PollFD{{Socket: s}}
	if _, err := w.berth.Poll(w.ctx, fds, -1); err != nil || fds[0].Revents != socket.POLLERR {
		t.Fatalf("Poll: %v, %v", fds[0].Revents, err)
	}
	b := make([]byte, 100)
	m := &socket.Message{Buffers: [][]byte{b}}
	n, err := s.RecvMsg(m, socket.MSG_ERRQUEUE)
	if err != nil || string(b[:n]) != data || !m.Control.Has(socket.ControlErr) {
		t.Fatalf("RecvMsg: %q, %v, %+v", b[:n], err, m.Control)
	}
	return m
}

// dialFromKernel connects from the kernel's side and lets f talk, if not nil.
func (w *world) dialFromKernel(to netip.AddrPort, network string, f func(net.Conn) error) (err error) {
	deadline, _ := w.ctx.Deadline()
	w.kernel.Do(func() {
		d := net.Dialer{Deadline: deadline}
		c, dialErr := d.Dial(network, to.String())
		if err = dialErr; err != nil || f == nil {
			return
		}
		defer c.Close()
		if err = c.SetDeadline(deadline); err == nil {
			err = f(c)
		}
	})
	return err
}

// TestTraceroute ends at berth, whatever is sent.
func TestTraceroute(t *testing.T) {
	testnet.NeedTool(t, "traceroute")
	tun(t, nil).each(func(w *world, f family) {
		for _, method := range []string{"default", "udp", "icmp", "tcp"} {
			w.Run(method, func(t *testing.T) {
				hops := w.traceroute(t, w.kernel, f.berth, method)
				if len(hops) != 1 || hops[0] != f.berth.String() {
					t.Errorf("the way: %q", hops)
				}
			})
		}
	})
}

// traceroute returns the hops on the way to an address. The default method is UDP
// to ports that nobody has, "udp" is UDP to that of DNS.
func (w *world) traceroute(t *testing.T, from *testnet.NS, to netip.Addr, method string) (hops []string) {
	t.Helper()
	out, err := from.Command(w.ctx, "traceroute", "-M", method, "-n", "-q1", "-w2", "-m4", to.String()).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n")[1:] { // the first says what is done
		if words := strings.Fields(line); len(words) > 1 {
			hops = append(hops, words[1])
		}
	}
	return hops
}
