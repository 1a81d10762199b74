package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/internal/gateway"
	"example.com/berth/internal/policy"
	"example.com/berth/netconn"
	"example.com/berth/socket"
)

func TestConnectionsReachTheWorld(t *testing.T) {
	for _, tt := range []struct {
		network string
		alias   netip.Addr
	}{{"tcp4", loop4}, {"tcp6", loop6}} {
		t.Run(tt.network, func(t *testing.T) {
			at := serve(t, tt.network, echoBack)
			p := behind(t, gateway.Config{})
			c := p.dial(t, "tcp", netip.AddrPortFrom(tt.alias, at.Port()))
			out := bytes.Repeat([]byte("there and back again. "), 200_000)
			var sending sync.WaitGroup
			sending.Go(func() {
				c.Write(out)
				c.(*netconn.TCPConn).CloseWrite() // a half: the answer still comes
			})
			in, err := io.ReadAll(c)
			if err != nil || !bytes.Equal(in, out) {
				t.Errorf("%d bytes came back of %d: %v", len(in), len(out), err)
			}
			sending.Wait()
			end := p.events.wait(gateway.Ended)
			if end.Sent != int64(len(out)) || end.Received != int64(len(out)) || end.Err != nil {
				t.Errorf("%+v", end)
			}
			if begun := p.events.wait(gateway.Begun); begun.ID != end.ID || begun.Flow.Dst.Addr() != tt.alias {
				t.Errorf("%+v", begun)
			}
		})
	}
}

// What the world answers a connection with is what the program sees.
func TestTheProgramSeesWhyNothingBegins(t *testing.T) {
	for _, tt := range []struct {
		name    string
		outside error
		want    syscall.Errno
	}{
		{"refused", syscall.ECONNREFUSED, syscall.ECONNREFUSED},
		{"host unreachable", syscall.EHOSTUNREACH, syscall.EHOSTUNREACH},
		{"net unreachable", &net.OpError{Op: "dial", Err: syscall.ENETUNREACH}, syscall.ENETUNREACH},
		{"no such family", syscall.EAFNOSUPPORT, syscall.ENETUNREACH},
		{"prohibited", syscall.EACCES, syscall.EHOSTUNREACH}, // as Linux: ICMP 3/13
		{"something else", errors.New("no idea"), syscall.EHOSTUNREACH},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := behind(t, gateway.Config{Dial: func(context.Context, string, netip.AddrPort) (net.Conn, error) {
				return nil, tt.outside
			}})
			if _, err := p.tryDial("tcp", netip.AddrPortFrom(loop4, 80)); !errors.Is(err, tt.want) {
				t.Errorf("tcp: %v, want %v", err, tt.want)
			}
			if ev := p.events.wait(gateway.Failed); ev.Err != tt.outside {
				t.Errorf("told %v", ev.Err)
			}
		})
	}
}

// Where the system has no IPv6 the program hears it at once, as it would without a
// gateway.
func TestTheWorldHasNoIPv6(t *testing.T) {
	p := behind(t, gateway.Config{Dial: func(context.Context, string, netip.AddrPort) (net.Conn, error) {
		return nil, syscall.EADDRNOTAVAIL
	}})
	if _, err := p.tryDial("tcp", netip.AddrPortFrom(loop6, 80)); !errors.Is(err, syscall.ENETUNREACH) {
		t.Errorf("%v, want ENETUNREACH", err)
	}
}

func TestWhatTheJudgeRefuses(t *testing.T) {
	p := behind(t, gateway.Config{Judge: denying, Ping: func(context.Context, netip.Addr, []byte) error {
		t.Error("a ping went out")
		return nil
	}})
	for _, far := range []netip.Addr{loop4, loop6} {
		prohibited := error(syscall.EHOSTUNREACH)
		if far.Is6() {
			prohibited = syscall.EACCES
		}
		to := netip.AddrPortFrom(far, 80)
		if _, err := p.tryDial("tcp", to); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("tcp %v: %v, want ECONNREFUSED", far, err)
		}
		c := p.dial(t, "udp", to)
		c.Write([]byte("hello"))
		if _, err := c.Read(make([]byte, 10)); !errors.Is(err, prohibited) {
			t.Errorf("udp %v: %v, want %v", far, err, prohibited)
		}
		if err := ping(t, p.Host, far); !errors.Is(err, prohibited) {
			t.Errorf("ping %v: %v, want %v", far, err, prohibited)
		}
	}
	if ev := p.events.wait(gateway.Denied); ev.Verdict.Reason != "no rule allows it" || ev.Flow.Proto != policy.TCP {
		t.Errorf("%+v", ev)
	}
}

// A reset passes, from either side.
func TestResetsPass(t *testing.T) {
	t.Run("from the world", func(t *testing.T) {
		at := serve(t, "tcp4", func(c net.Conn) {
			c.Read(make([]byte, 1))
			c.(*net.TCPConn).SetLinger(0)
		})
		p := behind(t, gateway.Config{})
		c := p.dial(t, "tcp", netip.AddrPortFrom(loop4, at.Port()))
		c.Write([]byte("x"))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the program sees %v, want ECONNRESET", err)
		}
		if ev := p.events.wait(gateway.Ended); !errors.Is(ev.Err, syscall.ECONNRESET) {
			t.Errorf("told %v", ev.Err)
		}
	})
	t.Run("from the program", func(t *testing.T) {
		seen := make(chan error, 1)
		at := serve(t, "tcp4", func(c net.Conn) {
			io.ReadFull(c, make([]byte, 1))
			_, err := c.Read(make([]byte, 1))
			seen <- err
		})
		p := behind(t, gateway.Config{})
		c := p.dial(t, "tcp", netip.AddrPortFrom(loop4, at.Port()))
		c.Write([]byte("x"))
		c.(*netconn.TCPConn).SetLinger(0)
		c.Close()
		if err := <-seen; !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the world sees %v, want ECONNRESET", err)
		}
	})
}

// A sender who is not read from is held back, whoever it is.
func TestBackpressure(t *testing.T) {
	release := make(chan struct{})
	at := serve(t, "tcp4", func(c net.Conn) {
		<-release
		io.Copy(io.Discard, c)
	})
	p := behind(t, gateway.Config{Host: berth.Config{TCP: berth.TCPConfig{ReceiveBuffer: berth.BufferSize{Default: 64 << 10, Max: 64 << 10}}}})
	c := p.dial(t, "tcp", netip.AddrPortFrom(loop4, at.Port()))
	c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
	n, err := c.Write(make([]byte, 64<<20))
	if err == nil {
		t.Errorf("%d bytes were taken that nobody reads", n)
	}
	close(release)
}

// No more flows than there may be.
func TestFlowsAreBounded(t *testing.T) {
	at := serve(t, "tcp4", echoBack)
	p := behind(t, gateway.Config{MaxFlows: 2})
	to := netip.AddrPortFrom(loop4, at.Port())
	for range 2 {
		p.dial(t, "tcp", to)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if c, err := (&netconn.Dialer{Provider: p.Host}).DialContext(ctx, "tcp", to.String()); err == nil {
		c.Close()
		t.Error("a third flow began")
	}
	if s := p.g.Stats(); s.Flows != 2 || s.DroppedFlows == 0 {
		t.Errorf("%+v, want 2 flows and one dropped", s)
	}
}

// Close ends what is under way, and nothing runs on.
func TestCloseEndsEverything(t *testing.T) {
	at, udp := serve(t, "tcp4", echoBack), serveUDP(t)
	stuck := make(chan struct{})
	p := behind(t, gateway.Config{Dial: func(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
		if to.Port() == 1 {
			close(stuck)
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return new(net.Dialer).DialContext(ctx, network, to.String())
	}})
	for range 20 {
		c := p.dial(t, "tcp", netip.AddrPortFrom(loop4, at.Port()))
		c.Write([]byte("x"))
		c.Read(make([]byte, 1))
		u := p.dial(t, "udp", netip.AddrPortFrom(loop4, udp.Port()))
		u.Write([]byte("x"))
		u.Read(make([]byte, 1))
	}
	go p.tryDial("tcp", netip.AddrPortFrom(loop4, 1))
	<-stuck
	if err := p.g.Close(); err != nil {
		t.Error(err)
	}
	if n := p.g.Stats().Flows; n != 0 {
		t.Errorf("%d flows are left", n)
	}
	ended := 0
	for _, ev := range p.events.all {
		if ev.Kind == gateway.Ended {
			ended++
		}
	}
	if ended != 40 {
		t.Errorf("%d flows ended, want 40", ended)
	}
}

// What is not carried is refused, and told.
func TestOtherProtocolsAreRefused(t *testing.T) {
	var asked policy.Flow
	p := behind(t, gateway.Config{Judge: judge{decide: func(f policy.Flow) policy.Verdict {
		asked = f
		return policy.Verdict{Allow: true}
	}}})
	s, err := p.Socket(socket.INET, socket.RAW, 132)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Connect(t.Context(), netip.AddrPortFrom(loop4, 0)); err != nil {
		t.Fatal(err)
	}
	s.Send(make([]byte, 20), 0)
	if _, err := s.Recv(make([]byte, 1), 0); err != syscall.EHOSTUNREACH {
		t.Errorf("%v, want EHOSTUNREACH", err)
	}
	if ev := p.events.wait(gateway.Failed); asked.Proto != policy.Other || asked.Number != 132 || ev.Err == nil {
		t.Errorf("%+v, %+v", asked, ev)
	}
}
