package route

import (
	"net/netip"
	"time"
)

// RedirectExpiry is how long a redirect holds (Linux: ip_rt_gc_timeout). The
// gateway that is used after that redirects again, if it still sees fit.
const RedirectExpiry = 5 * time.Minute

// redirectLimit is the size of a table of redirects.
const redirectLimit = 1024

// Redirects remembers which neighbor a gateway named for a destination in its
// place (RFC 1122 section 3.2.2.2, RFC 4861 section 8.3). It holds at most
// redirectLimit destinations; a new one takes the place of the one used longest
// ago. The zero Redirects is empty. It is not safe for concurrent use.
type Redirects struct{ lru lru }

type redirect struct {
	via Gateway    // whose word it is: the gateway of the route to the destination
	to  netip.Addr // the next hop instead
}

// Update takes the word of the gateway via that the neighbor to is the better next
// hop to dst. It is true if that is news. Who calls has made sure that via is the
// gateway that is used for dst, and that to is a neighbor.
func (c *Redirects) Update(now time.Duration, dst netip.Addr, via Gateway, to netip.Addr) bool {
	c.lru.limit = redirectLimit
	e := c.lru.put(dst, now)
	news := e.redirect != redirect{via, to}
	e.redirect, e.expires = redirect{via, to}, now+RedirectExpiry
	return news
}

// Lookup returns the next hop to dst that the gateway of the route r named, and
// whether it named one. What another gateway said does not count: the route has
// changed since.
func (c *Redirects) Lookup(now time.Duration, dst netip.Addr, r *Route) (netip.Addr, bool) {
	via, ok := gatewayOf(r)
	if !ok {
		return netip.Addr{}, false
	}
	if e := c.lru.get(dst, now); e != nil && e.redirect.via == via {
		return e.redirect.to, true
	}
	return netip.Addr{}, false
}

// Lost forgets what leads to a neighbor that does not answer. It is true if there
// was anything.
func (c *Redirects) Lost(gw Gateway) (news bool) {
	for dst, e := range c.lru.index {
		if e.redirect.to == gw.Addr && e.redirect.via.Interface == gw.Interface {
			c.lru.remove(dst)
			news = true
		}
	}
	return news
}

// Len returns how many destinations are remembered, some of which may have
// expired.
func (c *Redirects) Len() int { return len(c.lru.index) }

// Evicted returns how many were forgotten for want of room.
func (c *Redirects) Evicted() uint64 { return c.lru.evicted }
