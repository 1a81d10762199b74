package neighbor

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

// event is something that happens to a neighbor.
type event struct {
	name string
	do   func(w *world)
}

func advert(solicited, override bool, hw header.MAC) event {
	na := header.NeighborAdvert{
		Target: peer, Solicited: solicited, Override: override,
		TargetHW: hw, HasTargetHW: hw != noMAC,
	}
	return event{
		fmt.Sprintf("NA S=%t O=%t %v", solicited, override, hw),
		func(w *world) { w.Advert(w.now, &na) },
	}
}

var (
	packet    = event{"packet", func(w *world) { w.send(peer, "q") }}
	confirmed = event{"upper-layer confirmation", func(w *world) { w.Confirm(w.now, peer) }}
	sameLL    = event{"NS, RS, RA, Redirect, same address", func(w *world) { w.Learn(w.now, peer, mac1) }}
	otherLL   = event{"NS, RS, RA, Redirect, other address", func(w *world) { w.Learn(w.now, peer, mac2) }}
)

func after(d time.Duration) event {
	return event{d.String(), func(w *world) { w.advance(d) }}
}

// send is what a host does with a packet.
func (w *world) send(addr netip.Addr, p string) {
	if hw, ok := w.Resolve(w.now, addr); ok {
		w.emit(Action[string]{Op: Send, MAC: hw, Packet: p})
		return
	}
	w.pend(addr, p)
}

// The tables of RFC 4861 appendix C, with the changes of RFC 7048 section 3.
func TestStateMachine(t *testing.T) {
	acts := func(a ...string) []string { return a }
	known := []State{Reachable, Stale, Delay, Probe, Unreachable}
	idle := []State{Stale, Delay, Probe, Unreachable}
	for _, row := range []struct {
		states []State
		event  event
		want   []string
		next   State // None: unchanged
		mac    header.MAC
	}{
		{[]State{None}, packet, acts("ask"), Incomplete, noMAC},
		{[]State{Failed}, packet, acts("ask"), Incomplete, noMAC},
		{[]State{Incomplete}, packet, nil, Incomplete, noMAC},
		{[]State{Incomplete}, after(1 * second), acts("ask"), Incomplete, noMAC},
		{[]State{Incomplete}, after(2 * second), acts("ask", "ask"), Incomplete, noMAC},
		{[]State{Incomplete}, after(3 * second), acts("ask", "ask", "report:p", "lost"), Failed, noMAC},
		{[]State{Failed}, after(30 * second), nil, None, noMAC},

		// Advertisements. Of an unknown neighbor they are discarded.
		{[]State{None, Failed}, advert(true, true, mac1), nil, None, noMAC},
		{[]State{None, Failed}, advert(false, true, mac1), nil, None, noMAC},
		{[]State{Incomplete}, advert(true, false, mac1), acts("send:1:p"), Reachable, mac1},
		{[]State{Incomplete}, advert(true, true, mac1), acts("send:1:p"), Reachable, mac1},
		// STALE, and the packet sent from there makes it DELAY.
		{[]State{Incomplete}, advert(false, false, mac1), acts("send:1:p"), Delay, mac1},
		{[]State{Incomplete}, advert(false, true, mac1), acts("send:1:p"), Delay, mac1},
		{[]State{Incomplete}, advert(true, true, noMAC), nil, Incomplete, noMAC},
		{[]State{Incomplete}, advert(false, false, noMAC), nil, Incomplete, noMAC},

		{known, advert(true, false, mac1), nil, Reachable, mac1},
		{known, advert(true, true, mac1), nil, Reachable, mac1},
		{known, advert(true, true, mac2), nil, Reachable, mac2},
		{[]State{Reachable}, advert(true, false, mac2), nil, Stale, mac1},
		{[]State{Reachable}, advert(false, false, mac2), nil, Stale, mac1},
		{idle, advert(true, false, mac2), nil, None, mac1},
		{idle, advert(false, false, mac2), nil, None, mac1},
		{known, advert(false, false, mac1), nil, None, mac1},
		{known, advert(false, true, mac1), nil, None, mac1},
		{known, advert(false, true, mac2), nil, Stale, mac2},
		{known, advert(false, true, noMAC), nil, None, mac1},
		// A unicast answer may leave the address out and still confirms: section
		// 7.2.5 (the appendix says "unchanged", which is not what that demands).
		{known, advert(true, true, noMAC), nil, Reachable, mac1},
		{known, advert(true, false, noMAC), nil, Reachable, mac1},

		// Confirmation by a transport.
		{known, confirmed, nil, Reachable, mac1},
		{[]State{None, Failed}, confirmed, nil, None, noMAC},
		{[]State{Incomplete}, confirmed, nil, Incomplete, noMAC},

		// Time and traffic.
		{[]State{Reachable}, after(30*second - 1), nil, Reachable, mac1},
		{[]State{Reachable}, after(30 * second), nil, Stale, mac1},
		{[]State{Reachable}, packet, acts("send:1:q"), Reachable, mac1},
		{[]State{Stale}, after(time.Hour), nil, Stale, mac1},
		{[]State{Stale}, packet, acts("send:1:q"), Delay, mac1},
		{[]State{Delay}, packet, acts("send:1:q"), Delay, mac1},
		{[]State{Delay}, after(5*second - 1), nil, Delay, mac1},
		{[]State{Delay}, after(5 * second), acts("probe:1"), Probe, mac1},
		{[]State{Probe}, packet, acts("send:1:q"), Probe, mac1},
		{[]State{Probe}, after(2 * second), acts("probe:1", "probe:1"), Probe, mac1},
		{[]State{Probe}, after(3 * second), acts("probe:1", "probe:1", "lost", "ask"), Unreachable, mac1},
		{[]State{Unreachable}, packet, acts("send:1:q"), Unreachable, mac1},

		// Other messages that tell a link-layer address.
		{[]State{None, Failed}, sameLL, nil, Stale, mac1},
		{[]State{Incomplete}, sameLL, acts("send:1:p"), Delay, mac1},
		{known, sameLL, nil, None, mac1},
		{known, otherLL, nil, Stale, mac2},

		// An entry set by hand stands.
		{[]State{Permanent}, packet, acts("send:1:q"), Permanent, mac1},
		{[]State{Permanent}, advert(true, true, mac2), nil, Permanent, mac1},
		{[]State{Permanent}, otherLL, nil, Permanent, mac1},
		{[]State{Permanent}, confirmed, nil, Permanent, mac1},
		{[]State{Permanent}, after(24 * time.Hour), nil, Permanent, mac1},
	} {
		for _, from := range row.states {
			t.Run(fmt.Sprintf("%v/%s", from, row.event.name), func(t *testing.T) {
				w := newWorld(t, Config{})
				w.enterState(from, peer)
				row.event.do(w)
				w.want("actions", answered(from, row.next, row.want)...)
				next := row.next
				if next == None && row.event.name != after(30*second).name {
					next = from
				}
				w.wantState("afterwards", peer, next)
				if hw, ok := w.Resolve(w.now, peer); hw != row.mac || ok != (row.mac != noMAC) {
					t.Errorf("link-layer address %v, want %v", hw, row.mac)
				}
			})
		}
	}
}

// RFC 7048: an UNREACHABLE neighbor is asked by multicast at growing intervals,
// as long as packets are sent to it, and given up after three.
func TestUnreachableBacksOffAndEnds(t *testing.T) {
	w := newWorld(t, Config{})
	w.enterState(Probe, peer)
	start := w.now
	var asked []time.Duration
	for w.State(w.now, peer) != Failed {
		w.Resolve(w.now, peer)
		w.advance(100 * time.Millisecond)
		w.buf = w.Take(w.buf[:0])
		for _, a := range w.buf {
			if a.Op == Solicit && !a.Unicast {
				asked = append(asked, w.now-start)
			}
		}
		if w.now-start > time.Minute {
			t.Fatal("never given up")
		}
	}
	if got, want := fmt.Sprint(asked), "[3s 6s 15s]"; got != want {
		t.Errorf("asked at %v, want %v", got, want)
	}
	if got := w.now - start; got != 42*second {
		t.Errorf("given up after %v, want 42s", got)
	}
	w.want("afterwards")
	w.pend(peer, "a")
	w.want("new packet", "ask")
	w.advance(3 * second)
	w.want("no answer", "ask", "ask", "report:a", "lost")
}

// HOST-107.
func TestUnreachableRestsWithoutTraffic(t *testing.T) {
	w := newWorld(t, Config{})
	w.enterState(Unreachable, peer)
	w.advance(24 * time.Hour)
	w.want("nobody sends")
	w.wantState("nobody sends", peer, Unreachable)
	if w.Deadline() != 0 {
		t.Errorf("deadline %v while nobody sends", w.Deadline())
	}
	w.Resolve(w.now, peer)
	w.Resolve(w.now, peer)
	w.advance(1)
	w.want("somebody sends", "ask")
}

func TestBackoffIsClamped(t *testing.T) {
	w := newWorld(t, Config{MaxMulticastSolicit: 8})
	w.enterState(Unreachable, peer)
	last, longest := w.now, time.Duration(0)
	for w.State(w.now, peer) == Unreachable {
		w.Resolve(w.now, peer)
		w.advance(second)
		if w.buf = w.Take(w.buf[:0]); len(w.buf) > 0 && w.buf[0].Op == Solicit {
			longest = max(longest, w.now-last)
			last = w.now
		}
	}
	if longest != time.Minute {
		t.Errorf("the longest wait is %v, want 1m", longest)
	}
}

func TestOverdueTimerAsksOnce(t *testing.T) {
	w := newWorld(t, Config{})
	w.pend(peer, "p")
	w.now += time.Hour
	w.Timer(w.now)
	w.want("an hour late", "ask", "ask")
}

func TestSolicitationsKeepTheirDistance(t *testing.T) {
	// RFC 4861 section 7.2.2: no more than one every RetransTimer, also when an
	// entry goes and comes back.
	w := newWorld(t, Config{DelayFirstProbe: 100 * time.Millisecond})
	w.pend(peer, "a")
	w.Learn(w.now, peer, mac1) // DELAY
	w.advance(second - 1)
	w.want("too early to probe", "ask", "send:1:a")
	w.advance(1)
	w.want("a second after the first", "probe:1")
}

func TestRouterFlag(t *testing.T) {
	w := newWorld(t, Config{})
	w.enterState(Reachable, peer)
	w.Router(peer)
	w.Router(self) // unknown: nothing happens
	na := header.NeighborAdvert{Target: peer, Router: true, Solicited: true, Override: true}
	w.Advert(w.now, &na)
	w.want("still a router")
	na.Router, na.Override, na.HasTargetHW, na.TargetHW = false, false, true, mac2
	w.Advert(w.now, &na)
	w.want("an advertisement that is not believed")
	na.TargetHW = mac1
	w.Advert(w.now, &na)
	w.want("a router no more", "host")
	w.Advert(w.now, &na)
	w.want("known already")
}

func TestReachableRouterIsPreferred(t *testing.T) {
	for s, want := range map[State]bool{
		None: true, Incomplete: true, Reachable: true, Stale: true, Delay: true, Probe: true,
		Unreachable: false, Failed: false, Permanent: true,
	} {
		w := newWorld(t, Config{})
		w.enterState(s, peer)
		if got := w.Reachable(peer); got != want {
			t.Errorf("%v: %v", s, got)
		}
	}
	w := newWorld(t, Config{})
	w.enterState(Incomplete, peer)
	w.advance(second)
	if w.Reachable(peer) {
		t.Error("INCOMPLETE, asked twice: still preferred")
	}
}

func TestReachableTimeIsRandom(t *testing.T) {
	for _, tt := range []struct {
		bits uint64
		want time.Duration
	}{
		{0, 15 * second},
		{30 * uint64(second), 45 * second},
		{15 * uint64(second), 30 * second},
	} {
		w := newWorld(t, Config{Rand: func() uint64 { return tt.bits }})
		w.enterState(Incomplete, peer)
		w.answer(peer, mac1)
		w.advance(tt.want - 1)
		w.wantState("before", peer, Reachable)
		w.advance(1)
		w.wantState("after", peer, Stale)
	}
	drawn := uint64(0)
	w := newWorld(t, Config{Rand: func() uint64 { drawn++; return drawn }})
	for range 100 {
		w.reachableTime(w.now)
	}
	if drawn != 1 {
		t.Errorf("%d numbers drawn at once", drawn)
	}
	w.advance(2 * time.Hour)
	w.reachableTime(w.now)
	w.SetTimers(10*second, 0)
	w.reachableTime(w.now)
	w.SetTimers(10*second, 0) // the same: nothing to choose anew
	w.reachableTime(w.now)
	if drawn != 3 {
		t.Errorf("%d numbers drawn, want another after two hours and one after a change", drawn)
	}
}

func TestSetTimersClampsWhatRoutersSay(t *testing.T) {
	w := newWorld(t, Config{})
	w.SetTimers(0, 0)
	if w.cfg.ReachableTime != 30*second || w.cfg.RetransTimer != second {
		t.Error("zero changes the timers")
	}
	w.SetTimers(1, 1)
	if w.cfg.ReachableTime != 100*time.Millisecond || w.cfg.RetransTimer != 10*time.Millisecond {
		t.Errorf("at least %v, %v", w.cfg.ReachableTime, w.cfg.RetransTimer)
	}
	w.SetTimers(1000*time.Hour, 1000*time.Hour)
	if w.cfg.ReachableTime != time.Hour || w.cfg.RetransTimer != time.Hour {
		t.Errorf("at most %v, %v", w.cfg.ReachableTime, w.cfg.RetransTimer)
	}
}

func TestZonesAreIgnored(t *testing.T) {
	w := newWorld(t, Config{})
	w.pend(peer.WithZone("eth0"), "p")
	w.answer(peer, mac1)
	if _, ok := w.Resolve(w.now, peer.WithZone("eth1")); !ok {
		t.Error("a zone makes another neighbor")
	}
	if !w.Remove(peer.WithZone("eth2")) || w.Len() != 0 {
		t.Error("not removed")
	}
}

func TestNamesOfStatesAndOperations(t *testing.T) {
	if Unreachable.String() != "UNREACHABLE" || State(99).String() != "State(?)" {
		t.Error(Unreachable, State(99))
	}
	if NotRouter.String() != "NotRouter" || Op(99).String() != "Op(?)" {
		t.Error(NotRouter, Op(99))
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	w := newWorld(t, Config{})
	for _, s := range []State{Reachable, Stale, Permanent, Unreachable} {
		w.Flush(true)
		w.enterState(s, peer)
		zoned := peer.WithZone("eth0")
		buf := make([]Action[string], 0, 8)
		if n := testing.AllocsPerRun(100, func() {
			w.now++
			w.Resolve(w.now, zoned)
			w.Confirm(w.now, zoned)
			buf = w.Take(buf[:0])
		}); n != 0 {
			t.Errorf("%v: %v allocations", s, n)
		}
	}
}

func BenchmarkResolve(b *testing.B) {
	t := New[int](Config{})
	t.Learn(1, peer, mac1)
	for b.Loop() {
		t.Resolve(2, peer)
	}
}
