package route

import (
	"net/netip"
	"syscall"
)

// A Route says how to reach the addresses of a prefix.
type Route struct {
	// Prefix is what the route leads to. Bits of the address behind the
	// prefix's length are ignored.
	Prefix netip.Prefix
	// Gateway is the next hop, of the prefix's family; the zero Addr means
	// that the destinations are on the link themselves.
	Gateway netip.Addr
	// Interface is the index of the interface to send from, 1 or more. A route
	// that is not Unicast may have 0 and then holds for all interfaces.
	Interface int
	// Source is the source address to prefer; the zero Addr leaves the choice
	// to [Selector.Source].
	Source netip.Addr
	// Metric is the cost: of two routes to one prefix the lower is taken.
	Metric int
	// MTU bounds packets that take the route, in bytes; 0 leaves the
	// interface's.
	MTU int
	// Kind is what to do with the packets.
	Kind Kind
}

// Kind is what a route does with packets.
type Kind uint8

// The kinds.
const (
	Unicast     Kind = iota // send them
	Blackhole               // drop them silently; a local sender gets EINVAL
	Unreachable             // EHOSTUNREACH, ICMP host unreachable
	Prohibit                // EACCES, ICMP administratively prohibited
)

// Err is what a local sender gets, with Linux's numbers; nil for Unicast.
func (k Kind) Err() error {
	switch k {
	case Blackhole:
		return syscall.EINVAL
	case Unreachable:
		return syscall.EHOSTUNREACH
	case Prohibit:
		return syscall.EACCES
	}
	return nil
}

func (k Kind) String() string {
	switch k {
	case Unicast:
		return "unicast"
	case Blackhole:
		return "blackhole"
	case Unreachable:
		return "unreachable"
	case Prohibit:
		return "prohibit"
	}
	return "Kind(?)"
}

// NextHop returns the neighbor that a packet to dst goes to: the gateway, or
// dst itself.
func (r *Route) NextHop(dst netip.Addr) netip.Addr {
	if r.Gateway.IsValid() {
		return r.Gateway
	}
	return dst
}

// fits tells whether the route may be used on interface iface; 0 is any.
func (r *Route) fits(iface int) bool {
	return iface == 0 || r.Interface == iface || r.Interface == 0
}

// same tells whether r and s are one route: all but what Remove ignores.
func (r *Route) same(s *Route) bool {
	return r.Prefix == s.Prefix && r.Metric == s.Metric && r.Gateway == s.Gateway &&
		r.Interface == s.Interface && r.Kind == s.Kind
}

// canonical returns the route in the form that the table keeps, or EINVAL.
func (r Route) canonical() (Route, error) {
	if !r.Prefix.IsValid() || r.Prefix.Addr().Is4In6() {
		return r, syscall.EINVAL
	}
	r.Prefix = r.Prefix.Masked()
	family := r.Prefix.Addr().Is4()
	for _, a := range []netip.Addr{r.Gateway, r.Source} {
		if a.IsValid() && (a.Is4() != family || a.Is4In6()) {
			return r, syscall.EINVAL
		}
	}
	if r.Kind > Prohibit || r.Metric < 0 || r.MTU < 0 || r.Interface < 0 {
		return r, syscall.EINVAL
	}
	if r.Kind == Unicast && r.Interface == 0 || r.Kind != Unicast && r.Gateway.IsValid() {
		return r, syscall.EINVAL
	}
	return r, nil
}
