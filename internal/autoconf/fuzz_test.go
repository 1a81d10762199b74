package autoconf

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

// FuzzInterface plays random events, four bytes each, and looks after each that
// limits hold, that what was told to the host agrees with what the interface
// has, and that no deadline is left behind.
func FuzzInterface(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 2, 40, 9, 90})
	f.Add([]byte("the quick brown fox jumps over the lazy dog.."))
	f.Fuzz(func(t *testing.T, events []byte) {
		mode := len(events)
		w := newWorld(t, Config{
			MAC: mac, EUI64: mode&1 != 0, Temporary: mode&2 != 0, MaxAddresses: 4, MaxPrefixes: 3, MaxRoutes: 3, MaxDNS: 2,
			Rand: rand.New(rand.NewPCG(uint64(mode), 0)).Uint64,
		})
		host := hostView{addresses: map[netip.Prefix]State{}, routes: map[Route]bool{}, groups: map[netip.Addr]bool{}}
		lifetimes := []time.Duration{0, second, 7 * second, hour, 3 * hour, 10 * day, header.Infinite}
		for ; len(events) >= 4; events = events[4:] {
			b, c, d := events[1], events[2], events[3]
			life := lifetimes[int(c)%len(lifetimes)]
			short := min(life, lifetimes[int(d)%len(lifetimes)])
			net := netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 1, 7: b % 8}), 60+int(b%8/2*2))
			if b%8 < 6 {
				net = netip.PrefixFrom(net.Addr(), 64)
			}
			src := netip.AddrFrom16([16]byte{0xfe, 0x80, 15: b % 8})
			pick := func() netip.Addr {
				if all := w.Addresses(nil); len(all) > 0 {
					return all[int(c)%len(all)].Prefix.Addr()
				}
				return src
			}
			switch events[0] % 12 {
			case 0, 1:
				w.Start(w.now)
			case 2:
				w.advance(time.Duration(b) * time.Duration(c) * time.Duration(d) * 10 * time.Millisecond)
			case 3:
				w.now += min(life, 10*day) / 3
				w.Timer(w.now)
			case 4, 5:
				w.RouterAdvert(w.now, src, &header.RouterAdvert{
					RouterLifetime: min(life, 18*hour), Preference: int8(d%3) - 1, CurHopLimit: d, MTU: uint32(d) * 16,
					RetransTimer: short, ReachableTime: life,
					Prefixes:   []header.PrefixInfo{{Prefix: net, OnLink: d&1 != 0, Autonomous: d&2 != 0, Valid: life, Preferred: short}},
					RouteInfos: []header.RouteInfo{{Prefix: net, Preference: int8(c%3) - 1, Lifetime: short}},
					RDNSS:      []header.RDNSS{{Lifetime: life, Servers: []netip.Addr{src, net.Addr().Next()}}},
				})
			case 6:
				w.Advertised(w.now, &header.NeighborAdvert{Target: pick()})
			case 7:
				w.Solicited(w.now, netip.IPv6Unspecified(), &header.NeighborSolicit{Target: pick(), HasNonce: d&1 != 0})
			case 8:
				w.RouterGone(src)
			case 9:
				p := netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 1, 7: b % 8, 15: 1}), 64)
				_ = w.Add(w.now, p, Lifetimes{Valid: life, Preferred: short}, d&1 != 0)
			case 10:
				w.Remove(pick())
			case 11:
				if d < 16 {
					w.Stop()
				}
			}
			w.Timer(w.now)
			host.take(t, w.Take(nil))
			host.compare(w)
		}
	})
}

// hostView is what a host knows that does what it is told.
type hostView struct {
	addresses map[netip.Prefix]State
	routes    map[Route]bool
	groups    map[netip.Addr]bool
}

func (h *hostView) take(t *testing.T, acts []Action) {
	for _, a := range acts {
		_, has := h.addresses[a.Prefix]
		r := Route{Prefix: a.Prefix, Gateway: a.Addr}
		switch a.Op {
		case AddAddress:
			if has {
				t.Fatalf("%v added twice", a.Prefix)
			}
			h.addresses[a.Prefix] = a.State
		case SetAddress:
			if !has {
				t.Fatalf("%v was not added", a.Prefix)
			}
			h.addresses[a.Prefix] = a.State
		case RemoveAddress:
			if !has {
				t.Fatalf("%v was not there", a.Prefix)
			}
			delete(h.addresses, a.Prefix)
		case AddRoute:
			h.routes[r] = true
		case RemoveRoute:
			if !h.routes[r] {
				t.Fatalf("route %v was not there", r)
			}
			delete(h.routes, r)
		case JoinGroup, LeaveGroup:
			if h.groups[a.Addr] == (a.Op == JoinGroup) {
				t.Fatalf("%v %v twice", a.Op, a.Addr)
			}
			h.groups[a.Addr] = a.Op == JoinGroup
		}
	}
}

func (h *hostView) compare(w *world) {
	t := w.t
	for _, a := range w.Addresses(nil) {
		if h.addresses[a.Prefix] != a.State {
			t.Fatalf("%v is %v, the host was told %v", a.Prefix, a.State, h.addresses[a.Prefix])
		}
		if a.State.Assigned() && (!h.groups[solicitedNode(a.Prefix.Addr())] || a.Valid <= w.now) {
			t.Fatalf("%+v: not in its group, or invalid", a)
		}
		if a.State == Preferred && a.Preferred <= w.now || a.State == Deprecated && a.Preferred > w.now {
			t.Fatalf("%+v at %v", a, w.now)
		}
	}
	switch routes := w.Routes(nil); {
	case len(h.addresses) != len(w.addresses), len(h.routes) != len(routes):
		t.Fatalf("%d of %d addresses, %d of %d routes", len(h.addresses), len(w.addresses), len(h.routes), len(routes))
	case w.learned() > 4, len(w.prefixes) > 3, len(w.routes) > 3, len(w.servers) > 2:
		t.Fatal("a limit does not hold")
	}
	if next := w.Deadline(); next != 0 && next <= w.now {
		t.Fatalf("deadline %v at %v", next, w.now)
	}
}
