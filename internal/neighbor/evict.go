package neighbor

import (
	"net/netip"
	"time"

	"example.com/berth/internal/list"
)

// create makes an entry in the given state, INCOMPLETE or STALE, or gives nil if
// there is no room.
func (t *Table[P]) create(now time.Duration, addr netip.Addr, s State) *entry[P] {
	if s == Incomplete && t.resolving.Count() >= t.cfg.MaxIncomplete {
		t.evict(t.resolving.Oldest())
	}
	e := t.entries[addr]
	if e == nil { // else a FAILED one begins anew
		if len(t.entries) >= t.cfg.MaxEntries && !t.makeRoom(now) {
			t.stats.Refused++
			return nil
		}
		e, t.spare = t.spare, nil
		if e == nil {
			e = new(entry[P])
		}
		e.addr = addr
		t.entries[addr] = e
		t.stats.Created++
	}
	e.used, e.router = 0, false
	t.enter(e, s)
	return e
}

// makeRoom drops the entry that is missed least; see the package's Limits.
func (t *Table[P]) makeRoom(now time.Duration) bool {
	for _, l := range []*list.List[*entry[P]]{&t.failed, &t.learned, &t.resolving} {
		if e := l.Oldest(); e != nil {
			t.evict(e)
			return true
		}
	}
	e := t.known.Oldest()
	if e == nil {
		return false
	}
	if t.age(now, e); e.state.InUse() {
		return false
	}
	t.evict(e)
	return true
}

func (t *Table[P]) evict(e *entry[P]) {
	t.stats.Evicted++
	t.stats.PendingDropped += uint64(len(e.pending))
	t.delete(e)
}

// delete takes an entry out; what waits for it is freed. Its memory is kept for
// the next one, so that a scan makes no garbage.
func (t *Table[P]) delete(e *entry[P]) {
	t.release(e, Free)
	t.deadlines.set(e, 0)
	t.undefer(e)
	e.place.Leave()
	delete(t.entries, e.addr)
	*e = entry[P]{pending: e.pending}
	t.spare = e
}
