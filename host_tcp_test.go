package berth_test

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// distant returns alice and bob with a round trip of 100 ms between them, and
// the device that can be made worse.
func distant(t *testing.T, cfg berth.Config) (alice, bob *berth.Host, line *impair.Device) {
	t.Helper()
	half := impair.Config{Delay: 50 * time.Millisecond}
	alice, bob = pairWith(t, cfg, func(d link.Device) link.Device {
		line = impair.New(d, half)
		if err := line.SetInput(half); err != nil {
			t.Fatal(err)
		}
		return line
	}, wire.Offload(0))
	return alice, bob, line
}

// cut makes a line lose everything.
func cut(t *testing.T, line *impair.Device) {
	t.Helper()
	dead := impair.Config{Loss: 1}
	if err := errors.Join(line.SetOutput(dead), line.SetInput(dead)); err != nil {
		t.Fatal(err)
	}
}

func mend(t *testing.T, line *impair.Device) {
	t.Helper()
	half := impair.Config{Delay: 50 * time.Millisecond}
	if err := errors.Join(line.SetOutput(half), line.SetInput(half)); err != nil {
		t.Fatal(err)
	}
}

func stateOf(t *testing.T, s socket.Socket) socket.TCPState {
	t.Helper()
	info, err := socket.Get(s, socket.TCP_INFO)
	if err != nil {
		t.Fatal(err)
	}
	return info.State
}

func wantState(t *testing.T, s socket.Socket, want socket.TCPState) {
	t.Helper()
	if got := stateOf(t, s); got != want {
		t.Errorf("state %v, want %v", got, want)
	}
}

// wantEnd receives the end of the stream.
func wantEnd(t *testing.T, s socket.Socket) {
	t.Helper()
	if n, err := s.Recv(make([]byte, 10), 0); n != 0 || err != nil {
		t.Errorf("received %d bytes, %v, want the end", n, err)
	}
}

// recvError is the error that a Recv ends with.
func recvError(s socket.Socket) error {
	_, err := s.Recv(make([]byte, 10), 0)
	return err
}

// states are those of all TCP sockets of a host.
func states(h *berth.Host) (all []socket.TCPState) {
	for _, s := range h.Sockets() {
		if s.Type == socket.STREAM {
			all = append(all, s.State)
		}
	}
	return all
}

// MUST-10.
func TestBothOpenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, ends := range [][2]netip.AddrPort{
			{netip.AddrPortFrom(alice4, 1000), netip.AddrPortFrom(bob4, 2000)},
			{netip.AddrPortFrom(alice6, 1000), netip.AddrPortFrom(bob6, 2000)},
		} {
			alice, bob, _ := distant(t, berth.Config{})
			var socks [2]socket.Socket
			var wg sync.WaitGroup
			for i, h := range []*berth.Host{alice, bob} {
				socks[i] = newSocket(t, h, domainOf(ends[i].Addr()), socket.STREAM, 0)
				if err := socks[i].Bind(ends[i]); err != nil {
					t.Fatal(err)
				}
				wg.Go(func() {
					if err := socks[i].Connect(t.Context(), ends[1-i]); err != nil {
						t.Errorf("%v: %v", ends[i], err)
					}
				})
			}
			wg.Wait()
			transfer(t, socks[0], socks[1], 100_000)
			transfer(t, socks[1], socks[0], 100_000)
		}
	})
}

func TestOneHalfEndsBeforeTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob, _ := distant(t, berth.Config{})
		c, s := connected(t, alice, bob, bob4)
		if err := c.Shutdown(socket.SHUT_WR); err != nil {
			t.Fatal(err)
		}
		wantEnd(t, s)
		time.Sleep(time.Hour)
		wantState(t, c, socket.TCP_FIN_WAIT2)
		wantState(t, s, socket.TCP_CLOSE_WAIT)
		if _, err := c.Send([]byte("x"), 0); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("send after the end: %v", err)
		}
		transfer(t, s, c, 1<<20)
		time.Sleep(time.Second)
		c.Close()
		s.Close()
		time.Sleep(2 * time.Minute)
		if a, b := states(alice), states(bob); len(a)+len(b) != 0 {
			t.Errorf("left over: %v, %v", a, b)
		}
	})
}

// MUST-13, MAY-2.
func TestTimeWaitLastsAndMakesRoomForANewConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob, _ := distant(t, berth.Config{})
		l := listenOn(t, bob, netip.AddrPortFrom(bob4, 80), 8)
		local := netip.AddrPortFrom(alice4, 1000)
		open := func() (c, s socket.Socket) {
			c = newSocket(t, alice, socket.INET, socket.STREAM, 0)
			set(t, c, socket.SO_REUSEADDR, 1)
			if err := c.Bind(local); err != nil {
				t.Fatal(err)
			}
			if err := c.Connect(t.Context(), l.LocalAddr()); err != nil {
				t.Fatal(err)
			}
			s, _, err := l.Accept(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return c, s
		}
		// The server ends first: TIME-WAIT is its.
		c, s := open()
		s.Close()
		wantEnd(t, c)
		c.Close()
		time.Sleep(time.Second)
		if got := states(bob); len(got) != 2 || got[0] != socket.TCP_TIME_WAIT && got[1] != socket.TCP_TIME_WAIT {
			t.Fatalf("bob's sockets: %v", got)
		}
		// A SYN with the same ends, and newer, opens it again (RFC 9293 3.6.1).
		c, s = open()
		exchange(t, c, s, 10_000)
		s.Close()
		wantEnd(t, c)
		c.Close()
		time.Sleep(59 * time.Second)
		if got := states(bob); len(got) != 2 {
			t.Errorf("after 59 s bob's sockets are %v", got)
		}
		time.Sleep(2 * time.Second)
		if got := states(bob); len(got) != 1 {
			t.Errorf("after 61 s bob's sockets are %v", got)
		}
	})
}

// DEF-51.
func TestAcceptQueueOverflows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob, _ := distant(t, berth.Config{TCP: berth.TCPConfig{SYNCookies: berth.SYNCookiesOff}})
		l := listenOn(t, bob, netip.AddrPortFrom(bob4, 80), 3)
		var conns []socket.Socket
		results := make(chan error, 20)
		for range 10 {
			c := newSocket(t, alice, socket.INET, socket.STREAM, 0)
			conns = append(conns, c)
			go func() { results <- c.Connect(t.Context(), l.LocalAddr()) }()
		}
		time.Sleep(10 * time.Second)
		if n := bob.Counters().TCP.ListenOverflows.Load() + bob.Counters().TCP.SYNQueueFull.Load(); n == 0 {
			t.Error("nothing was counted")
		}
		accepted := 0
		for range 4 { // the backlog and one
			if _, _, err := l.Accept(t.Context()); err != nil {
				t.Fatal(err)
			}
			accepted++
		}
		// The others come in as there is room.
		for accepted < len(conns) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			_, _, err := l.Accept(ctx)
			cancel()
			if err != nil {
				t.Fatalf("after %d: %v", accepted, err)
			}
			accepted++
		}
		for range conns {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
	})
}

// MUST-28.
func TestKeepaliveFindsThatThePeerIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob, line := distant(t, berth.Config{})
		c, s := connected(t, alice, bob, bob4)
		set(t, c, socket.SO_KEEPALIVE, 1)
		exchange(t, c, s, 100)
		time.Sleep(10 * time.Hour) // answered
		wantState(t, c, socket.TCP_ESTABLISHED)
		exchange(t, c, s, 100)
		start := time.Now()
		cut(t, line)
		if err := recvError(c); !errors.Is(err, syscall.ETIMEDOUT) {
			t.Errorf("recv: %v", err)
		}
		// Two hours, and nine probes 75 s apart.
		if took := time.Since(start); took < 2*time.Hour+11*time.Minute || took > 2*time.Hour+12*time.Minute {
			t.Errorf("it took %v, want 2h11m", took)
		}
	})
}

// MUST-21.
//
// DEF-53.
func TestUserTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob, line := distant(t, berth.Config{})
		c, s := connected(t, alice, bob, bob4)
		set(t, c, socket.TCP_USER_TIMEOUT, 30_000)
		exchange(t, c, s, 100)
		cut(t, line)
		send(t, c, "hello")
		start := time.Now()
		if err := recvError(c); !errors.Is(err, syscall.ETIMEDOUT) {
			t.Errorf("recv: %v", err)
		}
		if took := time.Since(start); took < 30*time.Second || took > time.Minute {
			t.Errorf("it took %v, want some 30 s", took)
		}
	})
}

// MUST-20, SHLD-11.
func TestRetransmissionGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob, line := distant(t, berth.Config{})
		c, s := connected(t, alice, bob, bob4)
		exchange(t, c, s, 100)
		cut(t, line)
		send(t, c, "hello")
		start := time.Now()
		if err := recvError(c); !errors.Is(err, syscall.ETIMEDOUT) {
			t.Errorf("recv: %v", err)
		}
		if took := time.Since(start); took < 13*time.Minute || took > 30*time.Minute {
			t.Errorf("it took %v, want some 15 minutes", took)
		}
	})
}

// What is lost for ten minutes arrives when the line is mended.
func TestAConnectionOutlivesALongOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob, line := distant(t, berth.Config{})
		c, s := connected(t, alice, bob, bob4)
		exchange(t, c, s, 100)
		cut(t, line)
		send(t, c, "hello")
		time.Sleep(10 * time.Minute)
		mend(t, line)
		b := make([]byte, 5)
		if n, err := s.Recv(b, socket.MSG_WAITALL); n != 5 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	})
}

// A reader that stops for hours (MAY-8) keeps the connection (MUST-37), and loses
// nothing.
//
// DEF-27.
func TestAClosedWindowLastsForHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob, _ := distant(t, berth.Config{})
		c, s := connected(t, alice, bob, bob4)
		done := make(chan struct{})
		go func() {
			defer close(done)
			b := make([]byte, 64<<10)
			for range 64 {
				if _, err := c.Send(b, 0); err != nil {
					t.Error(err)
					return
				}
			}
			c.Shutdown(socket.SHUT_WR)
		}()
		time.Sleep(8 * time.Hour)
		total := 0
		for {
			b := make([]byte, 100_000)
			n, err := s.Recv(b, 0)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				break
			}
			total += n
		}
		<-done
		if total != 64*64<<10 {
			t.Errorf("%d bytes arrived", total)
		}
	})
}

func TestClosingAHostResetsItsPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob, _ := distant(t, berth.Config{})
		c, s := connected(t, alice, bob, bob4)
		exchange(t, c, s, 100)
		time.Sleep(time.Second)
		if err := bob.Close(); err != nil {
			t.Fatal(err)
		}
		if err := recvError(s); !errors.Is(err, syscall.EBADF) {
			t.Errorf("on the closed host: %v", err)
		}
		if err := recvError(c); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("at the peer: %v", err)
		}
		if _, err := bob.Socket(socket.INET, socket.STREAM, 0); !errors.Is(err, syscall.ENETDOWN) {
			t.Errorf("a socket of a closed host: %v", err)
		}
	})
}

// A connection that its program has closed ends by itself, whatever its peer
// does: it ends its half, says nothing, or is gone.
//
// DEF-49.
func TestOrphansEnd(t *testing.T) {
	for _, tt := range []struct {
		name string
		then func(t *testing.T, s socket.Socket, line *impair.Device)
		max  time.Duration
	}{
		{"the peer closes", func(t *testing.T, s socket.Socket, _ *impair.Device) { s.Close() }, 61 * time.Second},
		{"the peer keeps its half open", func(*testing.T, socket.Socket, *impair.Device) {}, 2 * time.Minute},
		{"the peer is gone", func(t *testing.T, _ socket.Socket, line *impair.Device) { cut(t, line) }, 5 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				alice, bob, line := distant(t, berth.Config{})
				c, s := connected(t, alice, bob, bob4)
				exchange(t, c, s, 100)
				if tt.max > 4*time.Minute {
					tt.then(t, s, line)
				}
				send(t, c, "the last words")
				c.Close()
				time.Sleep(time.Second)
				if tt.max < 4*time.Minute {
					tt.then(t, s, line)
				}
				if n := len(states(alice)); n != 1 {
					t.Errorf("%d sockets after Close, want the orphan", n)
				}
				time.Sleep(tt.max)
				if got := states(alice); len(got) != 0 {
					t.Errorf("after %v: %v", tt.max, got)
				}
				if left := alice.Left(); len(left) > 0 {
					t.Errorf("left over: %v", left)
				}
			})
		})
	}
}

// RFC 9293 section 3.10.7.1: what a reset looks like that answers a segment
// without a connection.
func TestAClosedPortAnswersWithAReset(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		_, st := stationed(t, berth.Config{})
		src, dst := netip.AddrPortFrom(remote, 5), netip.AddrPortFrom(localOf(remote), 6)
		for _, tt := range []struct {
			in   header.TCP
			data string
			want header.TCP
		}{
			{header.TCP{Flags: header.SYN, Seq: 100}, "", header.TCP{Flags: header.RST | header.ACK, Ack: 101}},
			{header.TCP{Flags: header.SYN, Seq: 100}, "abc", header.TCP{Flags: header.RST | header.ACK, Ack: 104}},
			{header.TCP{Flags: header.ACK, Seq: 100, Ack: 7}, "abc", header.TCP{Flags: header.RST, Seq: 7}},
			{header.TCP{Flags: header.FIN, Seq: 100}, "", header.TCP{Flags: header.RST | header.ACK, Ack: 101}},
		} {
			st.take(nil)
			st.segment(src, dst, tt.in, []byte(tt.data))
			h, _ := st.one("the reset", nil).tcp()
			if h.Flags != tt.want.Flags || h.Seq != tt.want.Seq || h.Ack != tt.want.Ack || h.DstPort != 5 {
				t.Errorf("%v: answered with %v, seq %d, ack %d", tt.in.Flags, h.Flags, h.Seq, h.Ack)
			}
		}
		st.segment(src, dst, header.TCP{Flags: header.RST, Seq: 1}, nil)
		st.none("a reset is answered", nil)
	})
}

// A device may take large frames of a few segments only.
func TestLargeFramesKeepToWhatTheDeviceTakes(t *testing.T) {
	for _, opts := range [][]wire.Option{
		{wire.MaxSegments(1)},
		{wire.MaxSegments(4)},
		{wire.MaxSegments(64), wire.MTU(576)},
	} {
		alice, bob := pair(t, opts...)
		c, s := connected(t, alice, bob, bob4)
		transfer(t, c, s, 1<<20)
		if n := alice.Counters().IP.DeviceError.Load(); n > 0 {
			t.Errorf("the device refused %d frames", n)
		}
	}
}
