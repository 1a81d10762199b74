package route

import (
	"net/netip"
	"time"
)

// Constants of path MTU discovery.
const (
	// MinMTU4 is the least path MTU that an ICMP message can bring about over
	// IPv4 (Linux: min_pmtu). Smaller ones are a blind attacker's means to slow
	// a connection down (RFC 5927 section 7) more often than a real link.
	MinMTU4 = 552
	// MinMTU6 is the least MTU of an IPv6 link (RFC 8200 section 5).
	MinMTU6 = 1280
	// MTUExpiry is how long a path MTU holds before a larger one is tried
	// again (RFC 8201 section 5.3, Linux: mtu_expires).
	MTUExpiry = 10 * time.Minute
	// DefaultCacheLimit is the size of a cache made with limit 0.
	DefaultCacheLimit = 4096
)

// A PathMTU is what is known of the path to a destination.
type PathMTU struct {
	// MTU is the largest packet in bytes, never below MinMTU4 or MinMTU6.
	MTU int
	// Fragment says that an IPv4 path was reported to be narrower than MinMTU4:
	// send packets of MTU bytes at most, and without the don't-fragment bit.
	Fragment bool
}

// An MTUCache remembers the path MTU of destinations whose path is narrower
// than the first link. It holds at most its limit of destinations; a new one
// takes the place of the one used longest ago.
type MTUCache struct{ lru lru }

// NewMTUCache returns a cache for limit destinations; 0 is DefaultCacheLimit.
func NewMTUCache(limit int) *MTUCache {
	if limit <= 0 {
		limit = DefaultCacheLimit
	}
	return &MTUCache{lru{limit: limit}}
}

// Lookup returns what is known of the path to dst, and whether anything is. A
// link-local destination has its zone.
func (c *MTUCache) Lookup(dst netip.Addr, now time.Duration) (PathMTU, bool) {
	if e := c.lru.get(dst, now); e != nil {
		return e.mtu, true
	}
	return PathMTU{}, false
}

// Update takes an MTU that an ICMP message reported for dst and that the
// caller has found credible: the message quotes a packet that was really sent,
// and that is longer than mtu. It returns what now holds, and whether that is news, for which senders have
// to be told.
//
// An MTU larger than what is known is ignored, until that expires: reports only
// ever narrow a path (RFC 1191 section 6.3, RFC 8201 section 4). The same one
// again starts the time anew. One below the floor is raised to it with IPv4, and ignored with
// IPv6 (RFC 8201 section 4, RFC 8021).
func (c *MTUCache) Update(dst netip.Addr, mtu int, now time.Duration) (PathMTU, bool) {
	report := PathMTU{MTU: mtu}
	if dst.Is4() && mtu < MinMTU4 {
		report = PathMTU{MTU: MinMTU4, Fragment: true}
	}
	known, ok := c.Lookup(dst, now)
	if !dst.Is4() && mtu < MinMTU6 {
		return known, false
	}
	if ok && (report.MTU > known.MTU || known.Fragment && report != known) {
		return known, false
	}
	e := c.lru.put(dst, now)
	e.mtu, e.expires = report, now+MTUExpiry
	return report, !ok || report != known
}

// Remove forgets a destination.
func (c *MTUCache) Remove(dst netip.Addr) { c.lru.remove(dst) }

// Len returns how many destinations are remembered, some of which may have
// expired.
func (c *MTUCache) Len() int { return len(c.lru.index) }

// Evicted returns how many destinations were forgotten for want of room.
func (c *MTUCache) Evicted() uint64 { return c.lru.evicted }
