package nat

import (
	"time"

	"example.com/berth/internal/list"
)

// A fragmentKey names a fragmented packet by what each of its fragments has
// (RFC 791 3.2), as it was before translation.
type fragmentKey struct {
	src, dst  uint32
	id        uint16
	protocol  uint8
	direction direction
}

func keyOf(p *packet, d direction) fragmentKey {
	return fragmentKey{p.src.addr(), p.dst.addr(), p.id, p.protocol, d}
}

// A fragment is how the first one of a packet was translated.
type fragment struct {
	key      fragmentKey
	src, dst endpoint // without ports
	action   Action
	since    time.Duration
	byAge    list.Node
}

// fragments are the first fragments that later ones may follow.
type fragments struct {
	known map[fragmentKey]*fragment
	ages  list.List[*fragment]
}

// note remembers how a first fragment was translated, or that it was not: an
// older packet with the same identification is over. It returns how many were
// evicted for it.
func (f *fragments) note(now time.Duration, k fragmentKey, p *packet, a Action, limit int) (evicted int) {
	if old := f.known[k]; old != nil {
		f.forget(old)
	}
	if a != Pass && a != Hairpin {
		return 0
	}
	if len(f.known) >= limit {
		f.forget(f.ages.Oldest())
		evicted = 1
	}
	x := &fragment{key: k, src: p.src.with(0), dst: p.dst.with(0), action: a, since: now}
	f.ages.Put(&x.byAge, x)
	f.known[k] = x
	return evicted
}

func (f *fragments) forget(x *fragment) {
	delete(f.known, x.key)
	x.byAge.Leave()
}

// expire forgets those that came not after a time.
func (f *fragments) expire(until time.Duration) (n int) {
	for x := f.ages.Oldest(); x != nil && x.since <= until; x = f.ages.Oldest() {
		f.forget(x)
		n++
	}
	return n
}

func (f *fragments) deadline(timeout time.Duration) time.Duration {
	if x := f.ages.Oldest(); x != nil {
		return x.since + timeout
	}
	return 0
}

// follow translates a later fragment like the first. Only addresses change: the
// checksum of the transport is in the first.
func (t *Table) follow(p *packet, d direction) Verdict {
	x := t.fragments.known[keyOf(p, d)]
	switch {
	case x != nil:
		p.setSrc(x.src)
		p.setDst(x.dst)
		return Verdict{Action: x.action}
	case t.own(p.dst.addr()):
		return local(Orphan) // of a packet to the router itself, for all we know
	}
	return drop(Orphan)
}
