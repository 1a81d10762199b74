package icmp

import (
	"net/netip"
	"time"

	"example.com/berth/internal/list"
)

// Limits are the rates of a [Limiter]. A zero field stands for its default.
type Limits struct {
	// Rate and Burst bound the messages a second of the whole host. Default
	// 1000 and 50.
	Rate, Burst int
	// HostRate and HostBurst do so for each destination. Default 1 and 6.
	HostRate, HostBurst int
	// Hosts is how many destinations are remembered. When there are more, the
	// one that was sent to least recently is forgotten, and starts again with a
	// full burst, which the rate of the whole host still bounds. Default 1024.
	Hosts int
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field   *int
		initial int
	}{{&l.Rate, 1000}, {&l.Burst, 50}, {&l.HostRate, 1}, {&l.HostBurst, 6}, {&l.Hosts, 1024}} {
		if *f.field <= 0 {
			*f.field = f.initial
		}
	}
	return l
}

// A Limiter bounds the rate of ICMP errors (RFC 1812 4.3.2.8, RFC 4443 2.4 f).
//
// One limit for all destinations is a window for those who look on: an attacker
// who lets a host answer probes with a forged source, and then counts the
// answers to probes of his own, learns how many of the forged ones met a closed
// port (SAD DNS). So the limit of the destination is asked first, and what it
// refuses does not touch the limit of the host; and what the rest takes from
// that is random: nothing, one or two messages' worth.
type Limiter struct {
	limits Limits
	random func() uint64
	all    bucket
	hosts  map[netip.Addr]*destination
	byUse  list.List[*destination]
	count  LimitCounters
}

// LimitCounters count what a limiter has decided.
type LimitCounters struct {
	Allowed     uint64
	HostLimited uint64 // refused by the destination's limit
	Limited     uint64 // refused by the limit of the whole host
	Forgotten   uint64 // destinations, by Limits.Hosts
}

// A destination is one host's bucket.
type destination struct {
	bucket
	addr  netip.Addr
	byUse list.Node
}

// NewLimiter returns a limiter whose buckets are full. Random gives uniform
// random numbers that an outsider cannot predict.
func NewLimiter(limits Limits, random func() uint64) *Limiter {
	l := &Limiter{limits: limits.withDefaults(), random: random, hosts: make(map[netip.Addr]*destination)}
	l.all = bucket{tokens: int64(l.limits.Burst) * token}
	return l
}

// Counters returns the limiter's counters.
func (l *Limiter) Counters() LimitCounters { return l.count }

// Allow tells whether a message may be sent to dst, and counts it as sent.
func (l *Limiter) Allow(now time.Duration, dst netip.Addr) bool {
	d := l.destination(now, dst)
	if !d.fill(now, l.limits.HostRate, l.limits.HostBurst) {
		l.count.HostLimited++
		return false
	}
	if !l.all.fill(now, l.limits.Rate, l.limits.Burst) {
		l.count.Limited++
		return false
	}
	d.tokens -= token
	l.all.tokens = max(l.all.tokens-int64(l.random()%3)*token, 0)
	l.count.Allowed++
	return true
}

// destination returns the bucket of dst, as the most recent.
func (l *Limiter) destination(now time.Duration, dst netip.Addr) *destination {
	d := l.hosts[dst]
	if d == nil {
		if len(l.hosts) >= l.limits.Hosts {
			d = l.byUse.Oldest()
			delete(l.hosts, d.addr)
			l.count.Forgotten++
		} else {
			d = new(destination)
		}
		d.addr = dst
		d.bucket = bucket{tokens: int64(l.limits.HostBurst) * token, at: now}
		l.hosts[dst] = d
	}
	l.byUse.Put(&d.byUse, d)
	return d
}

// A bucket holds tokens, which time fills.
type bucket struct {
	tokens int64 // in parts of a token
	at     time.Duration
}

// token is one message's worth: with a rate a second, a nanosecond brings rate
// parts.
const token = int64(time.Second)

// fill adds what time has brought and tells whether there is a token.
func (b *bucket) fill(now time.Duration, rate, burst int) bool {
	limit := int64(burst) * token
	// No more than fills it, or the product could overflow.
	elapsed := min(max(int64(now-b.at), 0), limit/int64(rate)+1)
	b.tokens = min(b.tokens+elapsed*int64(rate), limit)
	b.at = max(b.at, now)
	return b.tokens >= token
}
