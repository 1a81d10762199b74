package neighbor

import (
	"net/netip"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/list"
)

// Table is the neighbor cache of an interface, for one IP version; P is what the
// packets are that wait for a link-layer address. It has no lock: the host's
// guards it. Zones of addresses are ignored, as a table belongs to one link.
type Table[P any] struct {
	cfg       Config
	reachable time.Duration // the random ReachableTime in use
	reroll    time.Duration // when to choose another one; 0 at once

	entries   map[netip.Addr]*entry[P]
	spare     *entry[P] // the memory of one that was dropped
	deadlines deadlines[P]
	limiter   limiter
	deferred  int // entries whose solicitation waits for the limiter

	// Every entry but the PERMANENT ones stands in one of these, that which was not used
	// for longest first.
	resolving list.List[*entry[P]] // INCOMPLETE
	failed    list.List[*entry[P]] // FAILED
	learned   list.List[*entry[P]] // we were told of it, and never sent to it
	known     list.List[*entry[P]] // all others

	pendingBytes int
	out          []Action[P]
	stats        Stats
}

// New returns an empty table.
func New[P any](cfg Config) *Table[P] {
	cfg = cfg.withDefaults()
	return &Table[P]{
		cfg:     cfg,
		entries: make(map[netip.Addr]*entry[P]),
		limiter: newLimiter(cfg.SolicitRate, cfg.SolicitBurst),
	}
}

// Resolve gives the link-layer address to send a packet for the neighbor addr
// to, and notes that one is sent. If there is none, the packet is to be given to
// [Table.Pend].
func (t *Table[P]) Resolve(now time.Duration, addr netip.Addr) (header.MAC, bool) {
	e := t.find(addr)
	if e == nil || e.state == Incomplete {
		return header.MAC{}, false
	}
	t.use(now, e)
	return e.hw, true
}

// Confirm tells that packets sent to the neighbor get there: a transport on a
// connection through it made progress (RFC 4861 section 7.3.1). It means nothing
// for a neighbor whose link-layer address is not known.
func (t *Table[P]) Confirm(now time.Duration, addr netip.Addr) {
	e := t.find(addr)
	switch {
	case e == nil || e.state == Incomplete || e.state == Permanent:
	case e.state == Reachable:
		e.until = now + t.reachableTime(now)
	default:
		e.used = now // what is confirmed was sent
		t.reach(now, e)
	}
}

// Doubt asks a neighbor at once whether it is there: a transport on a connection
// through it makes no progress (RFC 1122 section 3.3.1.4), or somebody would use it
// again that was Lost. The answer is an action, Found or Lost.
func (t *Table[P]) Doubt(now time.Duration, addr netip.Addr) {
	addr = addr.WithZone("")
	e := t.find(addr)
	if e == nil {
		if e = t.create(now, addr, Incomplete); e == nil {
			return
		}
		t.solicit(now, e)
	}
	e.used, e.owed = now, true
	switch e.state {
	case Reachable, Stale, Delay:
		t.enter(e, Probe)
		t.solicit(now, e)
	case Unreachable:
		if e.deadline == 0 { // the asking rests: begin anew
			e.solicits, e.backoff = 0, t.longer(t.cfg.RetransTimer)
			t.solicit(now, e)
		}
	}
}

// State tells what is known of a neighbor.
func (t *Table[P]) State(now time.Duration, addr netip.Addr) State {
	e := t.entries[addr.WithZone("")]
	if e == nil {
		return None
	}
	t.age(now, e)
	return e.state
}

// Reachable tells whether a router is to be preferred in the choice of a
// default router: there is no sign that it does not answer (RFC 4861 section
// 6.3.6 as changed by RFC 7048; RFC 4191 section 3.2 for one not known yet).
func (t *Table[P]) Reachable(addr netip.Addr) bool {
	e := t.entries[addr.WithZone("")]
	return e == nil || e.state != Failed && e.state != Unreachable && (e.state != Incomplete || e.solicits <= 1)
}

// find gives the entry of an address, and nil for one that FAILED: that is as
// good as none.
func (t *Table[P]) find(addr netip.Addr) *entry[P] {
	e := t.entries[addr.WithZone("")]
	if e != nil && e.state == Failed {
		return nil
	}
	return e
}

// age makes REACHABLE end. It is done when somebody looks, not by a timer, which
// RFC 4861 section 7.3.3 permits: a neighbor that nobody sends to costs nothing.
func (t *Table[P]) age(now time.Duration, e *entry[P]) {
	if e.state == Reachable && now >= e.until {
		e.state = Stale
	}
}

// use notes that a packet is sent to a neighbor whose link-layer address is
// known.
func (t *Table[P]) use(now time.Duration, e *entry[P]) {
	if e.state == Permanent {
		return
	}
	e.used = now
	t.known.Put(&e.place, e)
	t.age(now, e)
	switch e.state {
	case Stale:
		t.enter(e, Delay)
		t.deadlines.set(e, now+t.cfg.DelayFirstProbe)
	case Unreachable:
		if e.deadline == 0 { // the asking rests while nobody sends: resume
			t.deadlines.set(e, now)
		}
	}
}

// enter changes the state, ends what the old one waited for, and puts the entry
// in its list.
func (t *Table[P]) enter(e *entry[P], s State) {
	e.state = s
	e.solicits = 0
	t.deadlines.set(e, 0)
	t.undefer(e)
	switch {
	case s == Permanent:
		e.place.Leave()
	case s == Incomplete:
		t.resolving.Put(&e.place, e)
	case s == Failed:
		t.failed.Put(&e.place, e)
	case e.used == 0:
		t.learned.Put(&e.place, e)
	default:
		t.known.Put(&e.place, e)
	}
}

// reach is a reachability confirmation.
func (t *Table[P]) reach(now time.Duration, e *entry[P]) {
	if e.owed {
		e.owed = false
		t.emit(Action[P]{Op: Found, Addr: e.addr})
	}
	t.enter(e, Reachable)
	e.until = now + t.reachableTime(now)
}

// record notes a link-layer address, and tells whether it is a new one.
func (t *Table[P]) record(now time.Duration, e *entry[P], hw header.MAC) (changed bool) {
	if e.hw == hw {
		return false
	}
	if e.state != Incomplete && !e.hw.IsZero() {
		t.stats.Changed++
	}
	e.hw, e.changed = hw, now
	return true
}
