package gateway_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/internal/gateway"
	"example.com/berth/internal/policy"
	"example.com/berth/link/wire"
	"example.com/berth/netconn"
)

// The program's network: its host, the gateway, and addresses that stand for the
// outside's loopback.
var (
	gate4, gate6 = netip.MustParsePrefix("10.0.2.2/24"), netip.MustParsePrefix("fd00:2::2/64")
	prog4, prog6 = "10.0.2.100/24", "fd00:2::100/64"
	loop4, loop6 = netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("2001:db8::1")
)

// A program is a host behind a gateway.
type program struct {
	*berth.Host
	g      *gateway.Gateway
	events *events
}

// behind returns a program's host behind a gateway. Both end with the test, and the
// gateway must then have nothing left.
func behind(t testing.TB, cfg gateway.Config) *program {
	t.Helper()
	a, b := wire.Pair()
	p := &program{Host: berth.NewHost(berth.Config{Name: "program"}), events: new(events)}
	if _, err := p.Attach(a, prog4, prog6); err != nil {
		t.Fatal(err)
	}
	for dst, via := range map[string]netip.Prefix{"0.0.0.0/0": gate4, "::/0": gate6} {
		if err := p.AddRoute(berth.Route{Dst: netip.MustParsePrefix(dst), Via: via.Addr()}); err != nil {
			t.Fatal(err)
		}
	}
	cfg.Device, cfg.Addrs, cfg.Observe = b, []netip.Prefix{gate4, gate6}, p.events.add
	if cfg.Alias == nil {
		cfg.Alias = map[netip.Addr]netip.Addr{
			loop4: netip.AddrFrom4([4]byte{127, 0, 0, 1}), loop6: netip.IPv6Loopback(),
		}
	}
	var err error
	if p.g, err = gateway.New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(p.g.Close(), p.Close()); err != nil {
			t.Error(err)
		}
		if n := p.g.Stats().Flows; n != 0 {
			t.Errorf("%d flows are left", n)
		}
	})
	return p
}

// dial opens a flow of the program's.
func (p *program) dial(t testing.TB, network string, to netip.AddrPort) net.Conn {
	t.Helper()
	c, err := p.tryDial(network, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func (p *program) tryDial(network string, to netip.AddrPort) (net.Conn, error) {
	return (&netconn.Dialer{Provider: p.Host}).Dial(network, to.String())
}

// events are what a gateway told.
type events struct {
	mu   sync.Mutex
	cond *sync.Cond
	all  []gateway.Event
}

func (e *events) add(ev gateway.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, ev)
	if e.cond != nil {
		e.cond.Broadcast()
	}
}

// wait returns the first event of a kind, and waits for it.
func (e *events) wait(kind gateway.Kind) gateway.Event { return e.waitFor(1, kind)[0] }

// waitFor returns the first events of some kinds, and waits until there are so many.
func (e *events) waitFor(n int, kinds ...gateway.Kind) []gateway.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cond == nil {
		e.cond = sync.NewCond(&e.mu)
	}
	for {
		var found []gateway.Event
		for _, ev := range e.all {
			if slices.Contains(kinds, ev.Kind) {
				found = append(found, ev)
			}
		}
		if len(found) >= n {
			return found[:n]
		}
		e.cond.Wait()
	}
}

// A judge answers with functions.
type judge struct {
	decide func(policy.Flow) policy.Verdict
	hello  gateway.Hello
}

func (j judge) Decide(_ time.Time, f policy.Flow) policy.Verdict   { return j.decide(f) }
func (j judge) NewHello(policy.Flow, policy.Verdict) gateway.Hello { return j.hello }
func (j judge) with(h func([]byte) (bool, policy.Verdict)) gateway.Judge {
	j.hello = hello(h)
	return j
}

func inspecting(h func([]byte) (bool, policy.Verdict)) gateway.Judge {
	return judge{decide: func(policy.Flow) policy.Verdict { return policy.Verdict{Allow: true, Inspect: true} }}.with(h)
}

type hello func([]byte) (bool, policy.Verdict)

func (h hello) Feed(b []byte) (bool, policy.Verdict) { return h(b) }
func (h hello) End() policy.Verdict                  { return policy.Verdict{Reason: "it is cut off"} }

// denying refuses everything.
var denying = judge{decide: func(policy.Flow) policy.Verdict { return policy.Verdict{Reason: "no rule allows it"} }}

// serve runs a server of TCP on the loopback of the system, or skips the test where
// that has no such family.
func serve(t testing.TB, network string, handle func(net.Conn)) netip.AddrPort {
	t.Helper()
	at := "127.0.0.1:0"
	if network == "tcp6" {
		at = "[::1]:0"
	}
	ln, err := net.Listen(network, at)
	if err != nil {
		t.Skip(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				handle(c)
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		serving.Wait()
	})
	return ln.Addr().(*net.TCPAddr).AddrPort()
}

// echoBack sends back what comes, and ends its half when the other ends.
func echoBack(c net.Conn) {
	io.Copy(c, c)
	c.(interface{ CloseWrite() error }).CloseWrite()
}
