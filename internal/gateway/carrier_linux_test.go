package gateway_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"example.com/berth/internal/eventloop"
	"example.com/berth/internal/gateway"
	"example.com/berth/internal/policy"
	"example.com/berth/netconn"
)

// Both sides speak and neither listens: both are held back. Then they listen, and
// nothing is missing.
func TestBothAreHeldBack(t *testing.T) {
	noise := rand.NewChaCha8([32]byte{1})
	up, down := make([]byte, 12<<20), make([]byte, 12<<20)
	noise.Read(up)
	noise.Read(down)
	listen, heard := make(chan struct{}), make(chan []byte, 1)
	// say sends, and listens when it is time.
	say := func(c net.Conn, what []byte) []byte {
		var both sync.WaitGroup
		both.Go(func() {
			c.Write(what)
			c.(interface{ CloseWrite() error }).CloseWrite()
		})
		<-listen
		all, _ := io.ReadAll(c)
		both.Wait()
		return all
	}
	at := serve(t, "tcp4", func(c net.Conn) { heard <- say(c, down) })
	p := behind(t, gateway.Config{})
	c := p.dial(t, "tcp", netip.AddrPortFrom(loop4, at.Port()))
	answer := make(chan []byte, 1)
	go func() { answer <- say(c, up) }()
	close(listen)
	if got := <-answer; !bytes.Equal(got, down) {
		t.Errorf("%d bytes came to the program, of %d", len(got), len(down))
	}
	if got := <-heard; !bytes.Equal(got, up) {
		t.Errorf("%d bytes came to the world, of %d", len(got), len(up))
	}
	if ev := p.events.wait(gateway.Ended); ev.Sent != int64(len(up)) || ev.Received != int64(len(down)) || ev.Err != nil {
		t.Errorf("%+v", ev)
	}
	if n := p.g.Late(); n != 0 {
		t.Errorf("%d buffers are held still", n)
	}
}

// A loop may be shared: the gateway leaves it as it was.
func TestALoopOfSomebodyElse(t *testing.T) {
	loop, err := eventloop.New()
	if err != nil {
		t.Fatal(err)
	}
	defer loop.Close()
	at := serve(t, "tcp4", echoBack)
	for range 2 {
		p := behind(t, gateway.Config{Loop: loop})
		c := p.dial(t, "tcp", netip.AddrPortFrom(loop4, at.Port()))
		c.Write([]byte("x"))
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Error(err)
		}
		if err := p.g.Close(); err != nil {
			t.Error(err)
		}
		if ev := p.events.wait(gateway.Ended); !errors.Is(ev.Err, net.ErrClosed) {
			t.Errorf("%+v", ev)
		}
	}
}

// On the loop, too, a Hello that is not done in time is cut off, whether it thinks at
// that time or waits for more.
func TestAHelloIsCutOff(t *testing.T) {
	gateway.SetHelloPatience(t, time.Millisecond)
	at := serve(t, "tcp4", echoBack)
	for _, tt := range []struct {
		name           string
		prompt, thinks bool
	}{{"prompt", true, false}, {"elsewhere", false, false}, {"thinking", false, true}} {
		t.Run(tt.name, func(t *testing.T) {
			think := make(chan struct{})
			p := behind(t, gateway.Config{Prompt: tt.prompt, Judge: inspecting(func([]byte) (bool, policy.Verdict) {
				if tt.thinks {
					<-think
				}
				return false, policy.Verdict{}
			})})
			c := p.dial(t, "tcp", netip.AddrPortFrom(loop4, at.Port()))
			c.Write([]byte("x"))
			if tt.thinks {
				time.AfterFunc(10*time.Millisecond, func() { close(think) })
			}
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%v, want ECONNRESET", err)
			}
			if ev := p.events.wait(gateway.Denied); ev.Verdict.Reason != "it is cut off" || ev.Sent != 0 {
				t.Errorf("%+v", ev)
			}
		})
	}
}

// What a Hello wants to hear has a bound; and one that ends early is judged as it is.
func TestAHelloOnTheLoopHasLimits(t *testing.T) {
	at := serve(t, "tcp4", echoBack)
	for _, tt := range []struct {
		name, reason string
		says         int
		prompt       bool
	}{
		{"long", "what it says is longer than can be inspected", 200_000, true},
		{"long, elsewhere", "what it says is longer than can be inspected", 200_000, false},
		{"short", "it is cut off", 5, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := behind(t, gateway.Config{Prompt: tt.prompt, Judge: inspecting(func([]byte) (bool, policy.Verdict) {
				return false, policy.Verdict{}
			})})
			c := p.dial(t, "tcp", netip.AddrPortFrom(loop4, at.Port()))
			go func() {
				c.Write(make([]byte, tt.says))
				c.(*netconn.TCPConn).CloseWrite()
			}()
			if ev := p.events.wait(gateway.Denied); ev.Verdict.Reason != tt.reason || ev.Sent != 0 {
				t.Errorf("%+v", ev)
			}
		})
	}
}

// On the loop a flow of datagrams ends when it is idle.
func TestIdleFlowsOnTheLoopEnd(t *testing.T) {
	at := serveUDP(t)
	p := behind(t, gateway.Config{UDPIdle: 30 * time.Millisecond})
	c := p.dial(t, "udp", netip.AddrPortFrom(loop4, at.Port()))
	c.Write([]byte("x"))
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
	if ev := p.events.wait(gateway.Ended); ev.Sent != 1 || ev.Received != 1 || ev.Err != nil || ev.Duration < 30*time.Millisecond {
		t.Errorf("%+v", ev)
	}
}

// A refusal comes from the system's own sockets.
func TestTheWorldRefusesOnTheLoop(t *testing.T) {
	// One who has the port and does not listen.
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	closed := uint16(sa.(*unix.SockaddrInet4).Port)
	p := behind(t, gateway.Config{})
	if _, err := p.tryDial("tcp", netip.AddrPortFrom(loop4, closed)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v, want ECONNREFUSED", err)
	}
	if ev := p.events.wait(gateway.Failed); !errors.Is(ev.Err, syscall.ECONNREFUSED) {
		t.Errorf("%+v", ev)
	}
}

// A Judge who takes his time holds up only his own flow.
func TestAJudgeHoldsUpOnlyHisFlow(t *testing.T) {
	at := serve(t, "tcp4", echoBack)
	think := make(chan struct{})
	p := behind(t, gateway.Config{Judge: judge{decide: func(f policy.Flow) policy.Verdict {
		if f.Dst.Addr() == loop4 {
			<-think
		}
		return policy.Verdict{Allow: true}
	}}, Alias: map[netip.Addr]netip.Addr{loop4: at.Addr(), there: at.Addr()}})
	held := make(chan net.Conn, 1)
	go func() {
		c, _ := p.tryDial("tcp", netip.AddrPortFrom(loop4, at.Port()))
		held <- c
	}()
	p.dial(t, "tcp", netip.AddrPortFrom(there, at.Port())) // meanwhile
	close(think)
	if c := <-held; c == nil {
		t.Error("the flow that was thought about did not begin")
	} else {
		c.Close()
	}
}

var there = netip.MustParseAddr("198.51.100.2")
