package route

import (
	"net/netip"
	"time"

	"example.com/berth/internal/lean"
	"example.com/berth/internal/list"
)

// lru is a bounded map from destinations to what was learned of them, which ends: a
// new key in a full map takes the place of the one that was not used for the longest
// time.
//
// Go's maps hash with a secret seed of their own, and the place that is given
// up depends on use alone, not on which keys share a bucket: nobody outside
// learns what else is cached by making collisions (as with CVE-2021-20322).
type lru struct {
	limit   int
	index   map[netip.Addr]*entry
	byUse   list.List[*entry]
	evicted uint64
}

// An entry has what its cache is of: one type for both, so that their code is in a
// program once.
type entry struct {
	_ lean.Incomparable

	key     netip.Addr
	expires time.Duration
	byUse   list.Node

	mtu      PathMTU
	redirect redirect
}

// get returns the entry for a key, or nil. Looking is using. A copy at every call would
// be much.
//
//go:noinline
func (c *lru) get(k netip.Addr, now time.Duration) *entry {
	e := c.index[k]
	if e == nil {
		return nil
	}
	if now >= e.expires {
		e.byUse.Leave()
		delete(c.index, k)
		return nil
	}
	c.byUse.Put(&e.byUse, e)
	return e
}

// put returns the entry for a key, new or as it was.
func (c *lru) put(k netip.Addr, now time.Duration) *entry {
	if e := c.get(k, now); e != nil {
		return e
	}
	if c.index == nil {
		c.index = make(map[netip.Addr]*entry)
	}
	var e *entry
	if len(c.index) >= c.limit {
		e = c.byUse.Oldest()
		e.byUse.Leave()
		delete(c.index, e.key)
		if now < e.expires {
			c.evicted++
		}
		*e = entry{}
	} else {
		e = new(entry)
	}
	e.key = k
	c.index[k] = e
	c.byUse.Put(&e.byUse, e)
	return e
}

func (c *lru) remove(k netip.Addr) {
	if e := c.index[k]; e != nil {
		e.byUse.Leave()
		delete(c.index, k)
	}
}
