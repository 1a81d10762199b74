package gateway_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/gateway"
	"example.com/berth/internal/policy"
	"example.com/berth/link/wire"
	"example.com/berth/netconn"
)

// A world of one server, on fake time: what the gateway dials goes there.
var (
	server  = netip.MustParseAddr("192.0.2.1")
	nowhere = netip.MustParseAddr("192.0.2.99")
)

// fakeWorld completes a configuration with a world, and returns its server.
func fakeWorld(t *testing.T, cfg *gateway.Config) *berth.Host {
	t.Helper()
	a, b := wire.Pair()
	outside, far := berth.NewHost(berth.Config{Name: "outside"}), berth.NewHost(berth.Config{Name: "server"})
	if _, err := outside.Attach(a, "192.0.2.2/24"); err != nil {
		t.Fatal(err)
	}
	if _, err := far.Attach(b, "192.0.2.1/24"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(outside.Close(), far.Close()); err != nil {
			t.Error(err)
		}
	})
	dialer := &netconn.Dialer{Provider: outside}
	cfg.Dial = func(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
		return dialer.DialContext(ctx, network, to.String())
	}
	return far
}

// echoServer sends back what comes to port 7, over TCP and UDP.
func echoServer(t *testing.T, h *berth.Host) {
	t.Helper()
	ln, err := netconn.Listen(h, "tcp", ":7")
	if err != nil {
		t.Fatal(err)
	}
	pc, err := netconn.ListenPacket(h, "udp", ":7")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	go func() {
		b := make([]byte, 2000)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			pc.WriteTo(b[:n], from)
		}
	}()
}

// Where the world is silent, so is the gateway: the program's own patience ends it.
func TestSilenceIsSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cfg gateway.Config
		fakeWorld(t, &cfg)
		p := behind(t, cfg)
		start := time.Now()
		_, err := p.tryDial("tcp", netip.AddrPortFrom(nowhere, 80))
		if !errors.Is(err, syscall.ETIMEDOUT) || time.Since(start) < time.Minute {
			t.Errorf("after %v: %v, want ETIMEDOUT", time.Since(start), err)
		}
	})
}

// A flow of UDP ends when it has been idle, sooner if it was never answered.
func TestIdleFlowsEnd(t *testing.T) {
	for _, answered := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			cfg := gateway.Config{UDPIdle: 90 * time.Second}
			echoServer(t, fakeWorld(t, &cfg))
			p := behind(t, cfg)
			to, lasts := netip.AddrPortFrom(server, 7), 20*time.Second+90*time.Second
			if !answered {
				to, lasts = netip.AddrPortFrom(nowhere, 7), 20*time.Second+30*time.Second
			}
			c := p.dial(t, "udp", to)
			c.Write([]byte("one"))
			time.Sleep(20 * time.Second)
			c.Write([]byte("two"))
			time.Sleep(lasts - 20*time.Second - time.Second)
			if p.g.Stats().Flows != 1 {
				t.Errorf("answered %t: the flow has ended early", answered)
			}
			time.Sleep(2 * time.Second)
			if p.g.Stats().Flows != 0 {
				t.Errorf("answered %t: the flow goes on", answered)
			}
			if ev := p.events.wait(gateway.Ended); ev.Sent != 6 || ev.Duration.Round(time.Second) != lasts {
				t.Errorf("%+v", ev)
			}
			c.Write([]byte("three")) // begins another
			synctest.Wait()
			if p.g.Stats().Flows != 1 {
				t.Error("no other flow began")
			}
		})
	}
}

// What the program says first must be said in time, and be short.
func TestAHelloHasLimits(t *testing.T) {
	never := inspecting(func([]byte) (bool, policy.Verdict) { return false, policy.Verdict{} })
	for _, tt := range []struct {
		name, reason string
		says         int
		ends         bool
	}{
		{"slow", "it is cut off", 1, false},
		{"long", "what it says is longer than can be inspected", 200_000, false},
		{"short", "it is cut off", 5, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := gateway.Config{Judge: never}
				echoServer(t, fakeWorld(t, &cfg))
				p := behind(t, cfg)
				c := p.dial(t, "tcp", netip.AddrPortFrom(server, 7))
				time.Sleep(time.Hour) // to say nothing is no offence
				wrote := make(chan error, 1)
				go func() {
					_, err := c.Write(make([]byte, tt.says))
					wrote <- err
				}()
				synctest.Wait()
				if tt.ends {
					c.(*netconn.TCPConn).CloseWrite()
				}
				// One of the two calls is told, the other sees that it is over.
				_, err := c.Read(make([]byte, 1))
				if err = errors.Join(err, <-wrote); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("%v, want ECONNRESET", err)
				}
				if ev := p.events.wait(gateway.Denied); ev.Verdict.Reason != tt.reason || ev.Sent != 0 {
					t.Errorf("%+v", ev)
				}
			})
		})
	}
}

// A client that says nothing and ends is no offence either.
func TestAHelloOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := gateway.Config{Judge: inspecting(func([]byte) (bool, policy.Verdict) { return false, policy.Verdict{} })}
		echoServer(t, fakeWorld(t, &cfg))
		p := behind(t, cfg)
		c := p.dial(t, "tcp", netip.AddrPortFrom(server, 7))
		c.(*netconn.TCPConn).CloseWrite()
		if n, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}

// A Judge may think for as long as the program tries.
func TestAJudgeMayTakeHisTime(t *testing.T) {
	for _, allow := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			cfg := gateway.Config{Judge: judge{decide: func(policy.Flow) policy.Verdict {
				time.Sleep(100 * time.Second)
				return policy.Verdict{Allow: allow}
			}}}
			echoServer(t, fakeWorld(t, &cfg))
			p := behind(t, cfg)
			start := time.Now()
			c, err := p.tryDial("tcp", netip.AddrPortFrom(server, 7))
			if allow {
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
			} else if !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%v, want ECONNREFUSED", err)
			}
			if took := time.Since(start); took.Round(time.Second) != 100*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// A ping that is lost is lost inside, too.
func TestALostPingIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := behind(t, gateway.Config{Ping: func(ctx context.Context, _ netip.Addr, _ []byte) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		c := make(chan error, 1)
		go func() { c <- pingFor(p.Host, nowhere, time.Minute) }()
		if err := <-c; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v, want a time-out", err)
		}
		if ev := p.events.wait(gateway.Ended); ev.Flow.Proto != policy.ICMP || ev.Received != 0 {
			t.Errorf("%+v", ev)
		}
	})
}

// Datagrams that are held back when the flow ends do not go on.
func TestHeldDatagramsDoNotGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := gateway.Config{Judge: inspecting(func([]byte) (bool, policy.Verdict) { return false, policy.Verdict{} })}
		echoServer(t, fakeWorld(t, &cfg))
		p := behind(t, cfg)
		c := p.dial(t, "udp", netip.AddrPortFrom(server, 7))
		c.Write([]byte("half a hello"))
		if ev := p.events.wait(gateway.Denied); ev.Verdict.Reason != "it is cut off" || ev.Sent != 0 {
			t.Errorf("%+v", ev)
		}
	})
}
