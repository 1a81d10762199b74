package policy

import (
	"net/netip"
	"slices"
	"time"
)

// Bounds on what is remembered of names.
const (
	// minPin and maxPin bound how long an address stays a name's after an answer,
	// whatever its TTL says. The least is longer than the time between a
	// program's question and its connection, the most shorter than a program that
	// never asks again can count on.
	minPin = 5 * time.Second
	maxPin = 24 * time.Hour
	// grace is how much longer than its TTL an answer is honored: programs, and
	// the caches inside, do not all look at their clocks at the same time.
	grace = 30 * time.Second
	// afterUse is how long after the end of its last flow an address stays a
	// name's: a program that has connections comes back without asking.
	afterUse = 2 * time.Minute

	// maxPins is how many pairs of address and name are remembered. To make room,
	// those that are over go first, then those that are over next; what a flow
	// uses stays.
	maxPins = 16384
	// maxAddresses is how many addresses of one answer are kept, and
	// maxNames how many names of one address. What is beyond is not remembered,
	// and left out of the answer.
	maxAddresses = 64
	maxNames     = 256
)

// A pin is an address that a name has.
type pin struct {
	name  string
	until time.Time // zero for ever
	flows int       // that are alive
}

func (p *pin) live(now time.Time) bool {
	return p.flows > 0 || p.until.IsZero() || now.Before(p.until)
}

// pins are the names that addresses have. The zero value has none.
type pins struct {
	of      map[netip.Addr][]*pin // the newest last
	count   int
	evicted uint64
}

// add remembers a name of an address until a time; the zero time is for ever. It
// tells whether there was room.
func (t *pins) add(now time.Time, a netip.Addr, name string, until time.Time) bool {
	if t.of == nil {
		t.of = make(map[netip.Addr][]*pin)
	}
	all := t.of[a]
	if i := slices.IndexFunc(all, func(p *pin) bool { return p.name == name }); i >= 0 {
		p := all[i]
		if !p.until.IsZero() && (until.IsZero() || until.After(p.until)) {
			p.until = until
		}
		t.of[a] = append(slices.Delete(all, i, i+1), p)
		return true
	}
	if len(all) >= maxNames {
		all = t.prune(a, now)
	}
	if len(all) >= maxNames || t.count >= maxPins && !t.makeRoom(now) {
		return false
	}
	t.of[a] = append(t.of[a], &pin{name: name, until: until})
	t.count++
	return true
}

// prune forgets what is over of an address, and returns the rest.
func (t *pins) prune(a netip.Addr, now time.Time) []*pin {
	before := len(t.of[a])
	rest := slices.DeleteFunc(t.of[a], func(p *pin) bool { return !p.live(now) })
	t.count -= before - len(rest)
	if len(rest) == 0 {
		delete(t.of, a)
		return nil
	}
	t.of[a] = rest
	return rest
}

// makeRoom forgets what is over, or else the eighth that is over next.
func (t *pins) makeRoom(now time.Time) bool {
	for a := range t.of {
		t.prune(a, now)
	}
	if t.count < maxPins {
		return true
	}
	var ends []time.Time
	for _, all := range t.of {
		for _, p := range all {
			if p.flows == 0 && !p.until.IsZero() {
				ends = append(ends, p.until)
			}
		}
	}
	if len(ends) == 0 {
		return false
	}
	slices.SortFunc(ends, time.Time.Compare)
	before := t.count
	last := ends[min(len(ends)-1, maxPins/8)]
	for a := range t.of {
		// One nanosecond later than its end, a pin is over.
		t.prune(a, last.Add(1))
	}
	t.evicted += uint64(before - t.count)
	return true
}

// names are those of an address, the newest first.
func (t *pins) names(now time.Time, a netip.Addr) []*pin {
	all := slices.Clone(t.prune(a, now))
	slices.Reverse(all)
	return all
}

// hold keeps a name of an address for a flow, if it has that; release gives it
// back.
func (t *pins) hold(a netip.Addr, name string) bool {
	p := t.find(a, name)
	if p != nil {
		p.flows++
	}
	return p != nil
}

func (t *pins) release(now time.Time, a netip.Addr, name string) {
	p := t.find(a, name) // it is there, because it was held
	if p.flows--; p.flows == 0 && !p.until.IsZero() {
		if until := now.Add(afterUse); until.After(p.until) {
			p.until = until
		}
	}
}

func (t *pins) find(a netip.Addr, name string) *pin {
	for _, p := range t.of[a] {
		if p.name == name {
			return p
		}
	}
	return nil
}
