package neighbor

import (
	"net/netip"
	"time"

	"example.com/berth/internal/header"
)

// Learn takes the link-layer address that a neighbor solicitation, a router
// solicitation or a router advertisement gives for its source, or a redirect for
// its target (RFC 4861 appendix C, second table). Of solicitations, only those
// for an address of this host are to be given.
func (t *Table[P]) Learn(now time.Duration, addr netip.Addr, hw header.MAC) {
	addr = addr.WithZone("")
	if !unicast(addr, hw) {
		t.stats.Ignored++
		return
	}
	e := t.find(addr)
	switch {
	case e == nil:
		t.introduce(now, addr, hw)
	case e.state == Permanent:
	case e.state == Incomplete:
		t.record(now, e, hw)
		t.enter(e, Stale)
		t.resolved(now, e)
	case t.record(now, e, hw):
		t.enter(e, Stale)
	}
}

// Router notes that a neighbor is a router: it sent a router advertisement
// (RFC 4861 section 6.3.4).
func (t *Table[P]) Router(addr netip.Addr) {
	if e := t.find(addr); e != nil {
		e.router = true
	}
}

// Advert takes a valid neighbor advertisement (RFC 4861 section 7.2.5).
func (t *Table[P]) Advert(now time.Duration, na *header.NeighborAdvert) {
	addr := na.Target.WithZone("")
	if na.HasTargetHW && !unicast(addr, na.TargetHW) {
		t.stats.Ignored++
		return
	}
	e := t.find(addr)
	switch {
	case e == nil:
		t.announced(now, na)
	case e.state == Permanent:
	case e.state == Incomplete:
		t.answered(now, e, na)
	default:
		t.update(now, e, na)
	}
}

// announced is an advertisement of a neighbor that is not in the table. A host
// has no use for it; a router will soon have packets for it (RFC 9131 section
// 4.2). One that is solicited was not asked for by us.
func (t *Table[P]) announced(now time.Duration, na *header.NeighborAdvert) {
	if !t.cfg.LearnUnsolicited || na.Solicited || !na.HasTargetHW {
		return
	}
	if e := t.introduce(now, na.Target.WithZone(""), na.TargetHW); e != nil {
		e.router = na.Router
	}
}

// answered is the first advertisement of a neighbor that is being asked for.
// The Override flag is ignored.
func (t *Table[P]) answered(now time.Duration, e *entry[P], na *header.NeighborAdvert) {
	if !na.HasTargetHW {
		return
	}
	t.record(now, e, na.TargetHW)
	if na.Solicited {
		t.reach(now, e)
	} else {
		t.enter(e, Stale)
	}
	e.router = na.Router
	t.resolved(now, e)
}

// update is an advertisement of a neighbor whose link-layer address is known.
func (t *Table[P]) update(now time.Duration, e *entry[P], na *header.NeighborAdvert) {
	t.age(now, e)
	if !na.Override && na.HasTargetHW && na.TargetHW != e.hw { // I
		t.stats.Conflicts++
		if e.state == Reachable {
			t.enter(e, Stale)
		}
		return
	}
	changed := na.HasTargetHW && t.record(now, e, na.TargetHW) // II
	switch {
	case na.Solicited:
		t.reach(now, e)
	case changed:
		t.enter(e, Stale)
	}
	if e.router && !na.Router {
		t.emit(Action[P]{Op: NotRouter, Addr: e.addr})
	}
	e.router = na.Router
}

// introduce makes an entry for a neighbor that we were told of.
func (t *Table[P]) introduce(now time.Duration, addr netip.Addr, hw header.MAC) *entry[P] {
	e := t.create(now, addr, Stale)
	if e != nil {
		e.hw, e.changed = hw, now
	}
	return e
}

// unicast tells whether addr and hw can be those of a neighbor. (Sending to a
// group or to everybody because a neighbor claims such an address would make
// this host an amplifier.)
func unicast(addr netip.Addr, hw header.MAC) bool {
	return addr.IsValid() && !addr.IsUnspecified() && !addr.IsMulticast() &&
		!hw.IsMulticast() && !hw.IsZero()
}
