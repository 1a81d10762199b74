package neighbor

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

var (
	peer   = netip.MustParseAddr("fe80::2")
	peer4  = netip.MustParseAddr("10.0.0.2")
	self   = netip.MustParseAddr("fe80::1")
	self4  = netip.MustParseAddr("10.0.0.1")
	mac1   = header.MAC{2, 0, 0, 0, 0, 1}
	mac2   = header.MAC{2, 0, 0, 0, 0, 2}
	noMAC  = header.MAC{}
	second = time.Second
)

// world is a table, the time, and what the table asked for.
type world struct {
	*Table[string]
	t   *testing.T
	now time.Duration
	buf []Action[string]
}

func newWorld(t *testing.T, cfg Config) *world {
	return &world{Table: New[string](cfg), t: t, now: time.Hour}
}

func (w *world) pend(addr netip.Addr, packet string) {
	w.Pend(w.now, addr, self, packet, len(packet))
}

// advance lets time pass, with each deadline met on time.
func (w *world) advance(d time.Duration) {
	end := w.now + d
	for {
		next := w.Deadline()
		if next == 0 || next > end {
			break
		}
		w.now = max(w.now, next)
		w.Timer(w.now)
		if after := w.Deadline(); after != 0 && after <= w.now {
			w.t.Fatalf("deadline %v is not after %v", after, w.now)
		}
	}
	w.now = end
}

// want compares the actions since the last call, in their short form.
func (w *world) want(what string, actions ...string) {
	w.t.Helper()
	var got []string
	w.buf = w.Take(w.buf[:0])
	for _, a := range w.buf {
		got = append(got, show(a))
	}
	if fmt.Sprint(got) != fmt.Sprint(actions) {
		w.t.Fatalf("%s: %v, want %v", what, got, actions)
	}
}

func (w *world) wantState(what string, addr netip.Addr, s State) {
	w.t.Helper()
	if got := w.State(w.now, addr); got != s {
		w.t.Fatalf("%s: state %v, want %v", what, got, s)
	}
}

// show writes an action as: ask, probe:1, send:1:packet, report:packet,
// free:packet, lost, host; a number is the last byte of the link-layer address.
func show(a Action[string]) string {
	switch {
	case a.Op == Solicit && a.Unicast:
		return fmt.Sprintf("probe:%d", a.MAC[5])
	case a.Op == Solicit:
		return "ask"
	case a.Op == Send:
		return fmt.Sprintf("send:%d:%s", a.MAC[5], a.Packet)
	case a.Op == Report:
		return "report:" + a.Packet
	case a.Op == Free:
		return "free:" + a.Packet
	case a.Op == Found:
		return "found"
	case a.Op == Lost:
		return "lost"
	}
	return "host"
}

// enterState brings the peer into a state with the link-layer address mac1 by
// the way that the RFC describes, and forgets the actions.
func (w *world) enterState(s State, addr netip.Addr) {
	w.t.Helper()
	switch s {
	case None:
		return
	case Incomplete, Failed:
		w.pend(addr, "p")
		if s == Failed {
			w.advance(3 * second)
		}
	case Permanent:
		if err := w.Set(w.now, addr, mac1); err != nil {
			w.t.Fatal(err)
		}
	default:
		w.pend(addr, "p")
		w.answer(addr, mac1)
		if s == Reachable {
			break
		}
		w.advance(30 * second) // STALE
		if s == Stale {
			break
		}
		w.Resolve(w.now, addr) // DELAY
		if s >= Probe {
			w.advance(5 * second)
		}
		if s == Unreachable {
			w.advance(3 * second)
		}
	}
	w.buf = w.Take(w.buf[:0])
	w.wantState("set-up", addr, s)
}

// answer is the neighbor's answer to a solicitation.
func (w *world) answer(addr netip.Addr, hw header.MAC) {
	if addr.Is4() {
		w.ARP(w.now, &header.ARP{Op: header.ARPReply, SenderHW: hw, Sender: addr, Target: self4}, true, true)
		return
	}
	w.Advert(w.now, &header.NeighborAdvert{Target: addr, Solicited: true, Override: true, TargetHW: hw, HasTargetHW: true})
}
