package neighbor

import (
	"net/netip"
	"time"
)

// Pend takes a packet for a neighbor whose link-layer address [Table.Resolve]
// did not give. It waits while the neighbor is asked for; what becomes of it is
// an action: Send, Report, or Free. Src is the packet's source, for the
// solicitation, and size what it counts against the limits, in bytes.
func (t *Table[P]) Pend(now time.Duration, addr, src netip.Addr, p P, size int) {
	addr = addr.WithZone("")
	e := t.find(addr)
	if e == nil {
		if e = t.create(now, addr, Incomplete); e == nil {
			t.emit(Action[P]{Op: Free, Addr: addr, Packet: p})
			return
		}
	}
	e.source = src
	if e.state != Incomplete {
		t.use(now, e)
		t.emit(Action[P]{Op: Send, Addr: addr, MAC: e.hw, Packet: p})
		return
	}
	e.used = now
	t.resolving.Put(&e.place, e)
	t.enqueue(e, p, size)
	if e.deadline == 0 {
		t.solicit(now, e)
	}
}

// enqueue makes a packet wait. The new one takes the place of the oldest (RFC
// 4861 section 7.2.2), but not of those for other neighbors.
func (t *Table[P]) enqueue(e *entry[P], p P, size int) {
	for len(e.pending) > 0 && (len(e.pending) >= t.cfg.MaxPending || e.pendingBytes+size > t.cfg.MaxPendingBytes) {
		oldest := e.pending[0]
		copy(e.pending, e.pending[1:])
		e.pending[len(e.pending)-1] = pended[P]{}
		e.pending = e.pending[:len(e.pending)-1]
		t.count(e, -oldest.size)
		t.drop(e, oldest.packet)
	}
	if t.pendingBytes+size > t.cfg.MaxTotalBytes {
		t.drop(e, p)
		return
	}
	e.pending = append(e.pending, pended[P]{p, size})
	t.count(e, size)
}

func (t *Table[P]) count(e *entry[P], size int) {
	e.pendingBytes += size
	t.pendingBytes += size
}

func (t *Table[P]) drop(e *entry[P], p P) {
	t.stats.PendingDropped++
	t.emit(Action[P]{Op: Free, Addr: e.addr, Packet: p})
}

// release lets all packets that wait go, as op says: Send, Report or Free.
func (t *Table[P]) release(e *entry[P], op Op) {
	for _, p := range e.pending {
		t.emit(Action[P]{Op: op, Addr: e.addr, MAC: e.hw, Packet: p.packet})
	}
	t.count(e, -e.pendingBytes)
	clear(e.pending)
	if e.pending = e.pending[:0]; cap(e.pending) > 4 {
		e.pending = nil // a neighbor that is found has no more use for it
	}
}

// resolved follows the recording of the link-layer address that was asked for:
// the state is entered already. What waited is sent, and that is a use of the
// neighbor.
func (t *Table[P]) resolved(now time.Duration, e *entry[P]) {
	if len(e.pending) == 0 {
		return
	}
	t.release(e, Send)
	t.use(now, e)
}
