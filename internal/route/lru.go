package route

import (
	"net/netip"
	"time"

	"example.com/berth/internal/lean"
)

// lru is a bounded map from destinations to values that end: a new key in a
// full map takes the place of the one that was not used for the longest time.
//
// Go's maps hash with a secret seed of their own, and the place that is given
// up depends on use alone, not on which keys share a bucket: nobody outside
// learns what else is cached by making collisions (as with CVE-2021-20322).
type lru[V any] struct {
	limit   int
	index   map[netip.Addr]*entry[V]
	head    entry[V] // of the ring, by use: head.next was used last
	evicted uint64
}

type entry[V any] struct {
	_ lean.Incomparable

	key        netip.Addr
	value      V
	expires    time.Duration
	prev, next *entry[V]
}

// get returns the value for a key, or nil. Looking is using.
func (c *lru[V]) get(k netip.Addr, now time.Duration) *entry[V] {
	e := c.index[k]
	if e == nil {
		return nil
	}
	e.unlink()
	if now >= e.expires {
		delete(c.index, k)
		return nil
	}
	c.head.insertAfter(e)
	return e
}

// put returns the entry for a key, new or as it was.
func (c *lru[V]) put(k netip.Addr, now time.Duration) *entry[V] {
	if e := c.get(k, now); e != nil {
		return e
	}
	if c.index == nil {
		c.index = make(map[netip.Addr]*entry[V])
		c.head.prev, c.head.next = &c.head, &c.head
	}
	var e *entry[V]
	if len(c.index) >= c.limit {
		e = c.head.prev
		e.unlink()
		delete(c.index, e.key)
		if now < e.expires {
			c.evicted++
		}
		*e = entry[V]{}
	} else {
		e = new(entry[V])
	}
	e.key = k
	c.index[k] = e
	c.head.insertAfter(e)
	return e
}

func (c *lru[V]) remove(k netip.Addr) {
	if e := c.index[k]; e != nil {
		e.unlink()
		delete(c.index, k)
	}
}

func (e *entry[V]) unlink() {
	e.prev.next, e.next.prev = e.next, e.prev
}

func (e *entry[V]) insertAfter(n *entry[V]) {
	n.prev, n.next = e, e.next
	e.next.prev = n
	e.next = n
}
