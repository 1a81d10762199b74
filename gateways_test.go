package berth_test

import (
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/link/impair"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// crossroads are alice, and bob behind two routers on her link, of which she
// prefers the first. The line is that of the first router to alice.
type crossroads struct {
	alice, bob, first, second *berth.Host
	line                      *impair.Device
	bob4, bob6                netip.Addr
}

func crossing(t *testing.T) *crossroads {
	t.Helper()
	near, far := wire.NewSwitch(wire.Ethernet()), wire.NewSwitch(wire.Ethernet())
	x := &crossroads{line: impair.New(near.Port(), impair.Config{}), bob4: netip.MustParseAddr("10.9.0.2"), bob6: netip.MustParseAddr("fd09::2")}
	x.alice = hostOn(t, berth.Config{Name: "alice"}, near.Port(), "10.0.0.1/24", "fd00::1/64")
	x.first = hostOn(t, berth.Config{Name: "first", Forwarding: true}, x.line, "10.0.0.11/24", "fd00::11/64")
	x.second = hostOn(t, berth.Config{Name: "second", Forwarding: true}, near.Port(), "10.0.0.12/24", "fd00::12/64")
	attach(t, x.first, far.Port(), "10.9.0.11/24", "fd09::11/64")
	attach(t, x.second, far.Port(), "10.9.0.12/24", "fd09::12/64")
	x.bob = hostOn(t, berth.Config{Name: "bob"}, far.Port(), "10.9.0.2/24", "fd09::2/64")
	for metric, last := range []string{"11", "12"} {
		x.route(t, x.alice, "0.0.0.0/0", "10.0.0."+last, metric)
		x.route(t, x.alice, "::/0", "fd00::"+last, metric)
	}
	x.route(t, x.bob, "10.0.0.0/24", "10.9.0.12", 0)
	x.route(t, x.bob, "fd00::/64", "fd09::12", 0)
	return x
}

func (x *crossroads) route(t *testing.T, h *berth.Host, dst, via string, metric int) {
	t.Helper()
	r := berth.Route{Dst: netip.MustParsePrefix(dst), Via: netip.MustParseAddr(via), Metric: metric}
	if err := h.AddRoute(r); err != nil {
		t.Fatal(err)
	}
}

// within fails if f takes longer than that.
func within(t *testing.T, limit time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	if f(); time.Since(start) > limit {
		t.Errorf("it took %v", time.Since(start))
	}
}

// HOST-99, HOST-110: when a default router fails, a connection goes on through
// another one; when it answers again it is used again.
func TestAnotherGatewayTakesThePlaceOfADeadOne(t *testing.T) {
	for _, six := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			x := crossing(t)
			dst := x.bob4
			if six {
				dst = x.bob6
			}
			c, s := connected(t, x.alice, x.bob, dst)
			exchange(t, c, s, 1000)
			through := func(h *berth.Host) bool {
				before := h.Counters().IP.Forwarded.Load()
				exchange(t, c, s, 1000)
				return h.Counters().IP.Forwarded.Load() > before
			}
			if !through(x.first) {
				t.Fatal("the first router is not used")
			}
			cut(t, x.line)
			within(t, 10*time.Second, func() { exchange(t, c, s, 1000) })
			if n := x.alice.Counters().Neighbor.GatewaysLost.Load(); n != 1 {
				t.Errorf("%d gateways were lost", n)
			}
			for range 10 {
				within(t, time.Second, func() { exchange(t, c, s, 1000) })
				time.Sleep(20 * time.Second)
			}
			mend(t, x.line)
			time.Sleep(2 * time.Minute)
			exchange(t, c, s, 1000) // who wants it has it asked for
			time.Sleep(5 * time.Second)
			if !through(x.first) {
				t.Error("the router that is back is not used")
			}
		})
	}
}

// MUST-20, HOST-109: at R1 TCP tells IP that the peer does not answer, and IP asks
// the gateway, whatever it was told before.
func TestTCPAdvisesIPAtR1(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := stationed(t, berth.Config{}, wire.Ethernet())
		p := playedServer(t, h, st, bob4)
		var asked atomic.Int32
		st.onPacket(func(q *packet) {
			if q.arp != nil && q.eth.Dst == stationMAC {
				asked.Add(1)
			}
		})
		send(t, p.sock, "hello")
		time.Sleep(10 * time.Second) // it was confirmed just now, for 15 s at least
		if asked.Load() != 1 {
			t.Errorf("the neighbor was asked %d times", asked.Load())
		}
		wantState(t, p.sock, socket.TCP_ESTABLISHED)
	})
}
