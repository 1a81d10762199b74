package multicast

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

// FuzzMembership plays random calls of three sockets, queries and reports, three
// bytes each, and holds the interface to a slow merge of the sockets' filters.
// A router that loses nothing must know the interface's state once all reports
// have been sent.
func FuzzMembership(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 8, 8, 8})
	f.Add([]byte("membership of three sockets in four groups"))
	f.Fuzz(func(t *testing.T, events []byte) {
		ipv6 := len(events)%2 == 1
		w := newWorld(t, Config{IPv6: ipv6, Rand: rand.New(rand.NewPCG(1, 2)).Uint64})
		group := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{239, 0, 0, n % 4}) }
		source := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, n % 4}) }
		newest := 3
		if ipv6 {
			group = func(n byte) netip.Addr { return netip.AddrFrom16([16]byte{0xff, 0x15, 15: n % 4}) }
			source = func(n byte) netip.Addr { return netip.AddrFrom16([16]byte{0x20, 1, 15: n % 4}) }
			newest = 2
		}
		var sockets [3]Filter
		var seen router
		wasOlder := false
		for ; len(events) >= 3; events = events[3:] {
			s, g, src := &sockets[events[1]%3], group(events[1]>>2), source(events[2])
			var c Change
			var err error
			switch events[0] % 16 {
			case 0:
				c, err = s.Join(eth, g)
			case 1, 2:
				c, err = s.Leave(eth, g)
			case 3, 4:
				c, err = s.JoinSource(eth, g, src)
			case 5:
				c, err = s.LeaveSource(eth, g, src)
			case 6, 7:
				c, err = s.Block(eth, g, src)
			case 8:
				c, err = s.Unblock(eth, g, src)
			case 9:
				for _, c := range s.Close() {
					w.Apply(w.now, c)
				}
			case 10:
				w.advance(time.Duration(events[1]) * time.Duration(events[2]) * time.Millisecond * 10)
			case 11:
				w.query(newest, g, source(events[2]), source(events[2]+1))
			case 12:
				w.query(newest, g.Prev().Next())
			case 13:
				w.Query(w.now, Query{Version: newest, Group: allOf(ipv6), MaxResp: time.Duration(events[2]) * second / 10, QRV: events[2] % 8})
			case 14:
				wasOlder = wasOlder || events[2] < 64
				if events[2] < 32 {
					w.query(newest-1, g)
				} else if events[2] < 64 {
					w.query(1, allOf(ipv6))
				}
			case 15:
				w.Reported(w.now, g)
				w.SetLinkLocal(w.now, netip.AddrFrom16([16]byte{0xfe, 0x80, 15: events[2] % 3}))
			}
			if err == nil && c.Group.IsValid() {
				w.Apply(w.now, c)
			}
			w.Timer(w.now)
			if next := w.Deadline(); next != 0 && next <= w.now {
				t.Fatalf("deadline %v at %v", next, w.now)
			}
			seen.take(w.Take(nil))
			for n := range byte(4) {
				for k := range byte(4) {
					if got, want := w.Accepts(group(n), source(k)), slowAccepts(sockets[:], group(n), source(k)); got != want {
						t.Fatalf("%v from %v: %v", group(n), source(k), got)
					}
				}
			}
		}
		know := func(what string) {
			for n := range byte(4) {
				for k := range byte(4) {
					if got, want := seen.forwards(group(n), source(k)), w.Accepts(group(n), source(k)); got != want {
						t.Fatalf("%s: %v from %v: the router forwards it %v, want %v", what, group(n), source(k), got, want)
					}
				}
			}
		}
		w.advance(time.Minute)
		seen.take(w.Take(nil))
		if !wasOlder { // older versions do not tell all
			know("after reports of changes")
		}
		w.advance(20 * time.Hour) // any older querier is gone, and the router has forgotten all
		seen = router{}
		w.Version(w.now)
		w.query(newest, allOf(ipv6))
		w.advance(time.Minute)
		seen.take(w.Take(nil))
		know("after a general query")
		if w.Deadline() != 0 {
			t.Fatalf("deadline %v", w.Deadline())
		}
		for _, g := range w.groups {
			if g.state.None() || !slices.IsSortedFunc(g.state.List, netip.Addr.Compare) {
				t.Fatalf("%+v", g)
			}
		}
		for s := range sockets {
			for _, c := range sockets[s].Close() {
				w.Apply(w.now, c)
			}
		}
		w.advance(time.Minute)
		if len(w.groups) != 0 {
			t.Fatalf("%d groups after all sockets were closed", len(w.groups))
		}
	})
}

func allOf(ipv6 bool) netip.Addr {
	if ipv6 {
		return all6
	}
	return all4
}

// slowAccepts is the rule itself: a packet is taken if any socket that is in the
// group takes it.
func slowAccepts(sockets []Filter, group, source netip.Addr) bool {
	for s := range sockets {
		for _, m := range sockets[s].Memberships(nil) {
			if m.Group == group && m.Allows(source) {
				return true
			}
		}
	}
	return false
}

// router is the state of RFC 3810 section 7.4 for one listener, without timers:
// its own last word.
type router struct{ state map[netip.Addr]Sources }

func (r *router) take(messages []Message) {
	if r.state == nil {
		r.state = map[netip.Addr]Sources{}
	}
	for _, m := range messages {
		for _, rec := range m.Records {
			s := r.state[rec.Group]
			switch rec.Type {
			case header.ModeIsExclude, header.ChangeToExclude:
				s = Sources{Exclude: true, List: rec.Sources}
			case header.ChangeToInclude:
				s = Sources{List: rec.Sources}
			case header.ModeIsInclude, header.AllowNewSources, header.BlockOldSources:
				allow := rec.Type != header.BlockOldSources
				list := minus(s.List, rec.Sources)
				if allow != s.Exclude {
					list = append(list, rec.Sources...)
				}
				s.List = list
			}
			r.state[rec.Group] = s
		}
	}
}

func (r *router) forwards(group, source netip.Addr) bool { return r.state[group].Allows(source) }
