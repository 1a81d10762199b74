package route

import (
	"net/netip"
	"time"
)

// RedirectExpiry is how long a redirect holds (Linux: gc_timeout).
const RedirectExpiry = 5 * time.Minute

// A Redirect is the word of a router that another first hop is better.
type Redirect struct {
	// From is the router: the source of the ICMP message.
	From netip.Addr
	// Dst is the destination that the redirect is for.
	Dst netip.Addr
	// Target is the better first hop; Dst itself if that is on the link.
	Target netip.Addr
	// Interface is where the message came in.
	Interface int
}

// Redirects remembers better first hops to single destinations. It is bounded
// as [MTUCache] is. A nil Redirects believes none, which is how a host should
// be by default: any neighbor can forge them.
type Redirects struct{ lru lru[Redirect] }

// NewRedirects returns a cache for limit destinations; 0 is DefaultCacheLimit.
func NewRedirects(limit int) *Redirects {
	if limit <= 0 {
		limit = DefaultCacheLimit
	}
	return &Redirects{lru[Redirect]{limit: limit}}
}

// Update takes a redirect and returns whether it is believed. It is if it comes
// from the first hop that is now in use for the destination, on its interface,
// and names a neighbor there (RFC 1122 3.2.2.2, RFC 4861 section 8.1): table
// is asked for both. IPv6's checks of hop limit and source scope are the
// parser's.
func (c *Redirects) Update(table *Table, r Redirect, now time.Duration) bool {
	if c == nil || r.Dst.IsMulticast() || r.Target.IsMulticast() || r.Target.IsUnspecified() ||
		r.Target.Is4() != r.Dst.Is4() {
		return false
	}
	current, err := table.Lookup(r.Dst, r.Interface)
	if err != nil || r.Interface != current.Interface || r.From != c.firstHop(&current, r.Dst, now) {
		return false
	}
	if !onLink(table, &r) {
		return false
	}
	e := c.lru.put(r.Dst, now)
	e.value, e.expires = r, now+RedirectExpiry
	return true
}

// Lookup returns the first hop that a redirect gave for dst, and whether there
// is one.
func (c *Redirects) Lookup(dst netip.Addr, now time.Duration) (netip.Addr, bool) {
	if c == nil {
		return netip.Addr{}, false
	}
	if e := c.lru.get(dst, now); e != nil {
		return e.value.Target, true
	}
	return netip.Addr{}, false
}

// Remove forgets a destination: its new first hop does not answer.
func (c *Redirects) Remove(dst netip.Addr) {
	if c != nil {
		c.lru.remove(dst)
	}
}

// Evicted returns how many destinations were forgotten for want of room.
func (c *Redirects) Evicted() uint64 {
	if c == nil {
		return 0
	}
	return c.lru.evicted
}

func (c *Redirects) firstHop(r *Route, dst netip.Addr, now time.Duration) netip.Addr {
	if hop, ok := c.Lookup(dst, now); ok {
		return hop
	}
	return r.NextHop(dst)
}

// onLink tells whether the target is a neighbor. An IPv6 redirect says so by
// itself: the target is the destination, or a router's link-local address.
func onLink(table *Table, r *Redirect) bool {
	if r.Target.Is6() {
		return r.Target == r.Dst || r.Target.IsLinkLocalUnicast()
	}
	to, err := table.Lookup(r.Target, r.Interface)
	return err == nil && !to.Gateway.IsValid() && to.Interface == r.Interface
}
