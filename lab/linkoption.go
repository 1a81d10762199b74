package lab

import (
	"fmt"
	"net/netip"
	"time"

	"example.com/berth/link/impair"
)

// A LinkOption says what a link is like. Each is about both directions, unless
// it stands in [From].
type LinkOption func(c *linkConfig, a, b node)

// linkConfig is what the options make.
type linkConfig struct {
	mtu    int
	ab, ba impair.Config
	addrs  [2][]netip.Prefix
	err    error
}

func newLinkConfig() *linkConfig { return &linkConfig{mtu: 1500} }

func (c *linkConfig) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

// each is an option that changes both directions.
func each(f func(*impair.Config)) LinkOption {
	return func(c *linkConfig, _, _ node) {
		f(&c.ab)
		f(&c.ba)
	}
}

// From restricts options to what the given node sends into the link.
func From(sender Node, opts ...LinkOption) LinkOption {
	return func(c *linkConfig, a, b node) {
		one := *c
		for _, o := range opts {
			o(&one, a, b)
		}
		c.err = one.err
		if one.mtu != c.mtu || len(one.addrs[0])+len(one.addrs[1]) != len(c.addrs[0])+len(c.addrs[1]) {
			c.fail("From: MTU and Addr are about the whole link: they stand beside From")
		}
		switch sender {
		case a:
			c.ab = one.ab
		case b:
			c.ba = one.ba
		default:
			c.fail("From: %s is not an end of the link", nameOf(sender))
		}
	}
}

func nameOf(n node) string {
	if n == nil {
		return "nil"
	}
	return n.Name()
}

// Delay is how long a packet is on its way in each direction: half of the round
// trip.
func Delay(d time.Duration) LinkOption { return each(func(c *impair.Config) { c.Delay = d }) }

// Jitter varies the delay evenly by up to d in either sense; packets stay in
// order.
func Jitter(d time.Duration) LinkOption { return each(func(c *impair.Config) { c.Jitter = d }) }

// Loss loses each packet with the given probability, from 0 to 1.
func Loss(p float64) LinkOption { return each(func(c *impair.Config) { c.Loss = p }) }

// BurstLoss loses the given share of all packets, in bursts of the given mean
// length in packets (Gilbert and Elliott).
func BurstLoss(share, length float64) LinkOption {
	return func(c *linkConfig, _, _ node) {
		if !(share >= 0 && share < 1) || !(length >= 1) {
			c.fail("BurstLoss: a share of %v in bursts of %v packets cannot be: the share is from 0 to below 1, the length at least 1", share, length)
			return
		}
		c.ab.Burst = impair.Bursts(share, length)
		c.ba.Burst = impair.Bursts(share, length)
	}
}

// Duplicate has each packet arrive twice with the given probability.
func Duplicate(p float64) LinkOption { return each(func(c *impair.Config) { c.Duplicate = p }) }

// Corrupt flips one bit of each packet with the given probability.
func Corrupt(p float64) LinkOption { return each(func(c *impair.Config) { c.Corrupt = p }) }

// Reorder holds each packet back with the given probability, until so many
// others have overtaken it; 0 stands for one.
func Reorder(p float64, overtakenBy int) LinkOption {
	return each(func(c *impair.Config) { c.Reorder, c.ReorderGap = p, overtakenBy })
}

// Rate is the link's rate in bits a second; 0 has no limit. Packets wait in a
// queue before it; see [Queue].
func Rate(bitsPerSecond int64) LinkOption {
	return each(func(c *impair.Config) { c.Rate = bitsPerSecond })
}

// Queue is how many bytes may wait for a link that has a rate; one more packet
// is dropped.
func Queue(bytes int) LinkOption { return each(func(c *impair.Config) { c.Queue = bytes }) }

// CoDel keeps the queue before a link with a rate short (RFC 8289): packets are
// dropped, or marked if ecn is set and their sender can do with it, when they have
// waited for more than 5 ms over 100 ms.
func CoDel(ecn bool) LinkOption {
	return each(func(c *impair.Config) { c.AQM = impair.AQM{CoDel: true, ECN: ecn} })
}

// MarkAt marks packets whose sender can do with it (ECN, RFC 3168) when they find
// that many bytes in the queue before a link with a rate, as DCTCP wants it
// (RFC 8257); others are dropped.
func MarkAt(bytes int) LinkOption {
	return each(func(c *impair.Config) { c.AQM = impair.AQM{MarkAt: bytes} })
}

// Trace lets packets through at the times of a trace, in mahimahi's format, in
// place of a rate; see impair.ParseTrace.
func Trace(t *impair.Trace) LinkOption {
	return each(func(c *impair.Config) { c.Rate, c.Trace = 0, t })
}

// Profile makes the link one of a kind that people know, seen from its user: what
// the user sends goes up, the other way is down. The names are those of
// impair.Profiles: "3G", "LTE", "DSL", "cable", "satellite-GEO", "Wi-Fi",
// "data-center" and others.
func Profile(name string, user Node) LinkOption {
	return func(c *linkConfig, a, b node) {
		p, err := impair.Profile(name)
		if err != nil {
			c.fail("%v", err)
			return
		}
		switch user {
		case a:
			c.ab, c.ba = p.Up, p.Down
		case b:
			c.ab, c.ba = p.Down, p.Up
		default:
			c.fail("Profile: %s is not an end of the link", nameOf(user))
		}
	}
}

// Rule has a function decide about each packet before anything else happens to
// it. Package link/impair has some, such as to drop the third SYN-ACK.
func Rule(r impair.Rule) LinkOption { return each(func(c *impair.Config) { c.Rule = r }) }

// Observe has a function told of each packet that is dropped or changed.
func Observe(f func(impair.Event)) LinkOption { return each(func(c *impair.Config) { c.Observe = f }) }

// Impair sets all at once.
func Impair(cfg impair.Config) LinkOption { return each(func(c *impair.Config) { *c = cfg }) }

// MTU is the largest IP packet that the link carries, in bytes.
func MTU(bytes int) LinkOption {
	return func(c *linkConfig, _, _ node) {
		if bytes < 68 || bytes > 65535 {
			c.fail("MTU: %d: want 68 to 65535 bytes", bytes)
		}
		c.mtu = bytes
	}
}

// Addr gives a node its addresses on the link, such as "192.0.2.1/24", in place
// of those that the lab would choose.
func Addr(of Node, prefixes ...string) LinkOption {
	return func(c *linkConfig, a, b node) {
		end := 0
		switch of {
		case a:
		case b:
			end = 1
		default:
			c.fail("Addr: %s is not an end of the link", nameOf(of))
			return
		}
		if _, ok := of.(*Switch); ok {
			c.fail("Addr: %s is a switch: it has no address", of.Name())
			return
		}
		for _, s := range prefixes {
			p, err := netip.ParsePrefix(s)
			if err != nil {
				c.fail("Addr: %q: want an address with a prefix length, such as 192.0.2.1/24", s)
				return
			}
			c.addrs[end] = append(c.addrs[end], p)
		}
	}
}
