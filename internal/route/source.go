package route

import (
	"net/netip"

	"example.com/berth/internal/lean"
)

// An Address is one of the host's own unicast addresses, as a candidate for
// the source of packets. Tentative addresses are no candidates.
type Address struct {
	_ lean.Incomparable

	// Prefix is the address with the length of the subnet's prefix.
	Prefix netip.Prefix
	// Interface is the index of the interface that has it.
	Interface int
	// Deprecated tells that its preferred lifetime has ended (RFC 4862 section
	// 5.5.4).
	Deprecated bool
	// Temporary: made for privacy and short-lived (RFC 8981).
	Temporary bool
}

// A Selector chooses addresses. The zero value does what RFC 6724 does by
// default.
type Selector struct {
	// Policy is the policy table; nil is [DefaultPolicy].
	Policy Policy
	// PreferPublic reverses rule 7: public addresses before temporary ones.
	PreferPublic bool
}

// Sources are a host's own addresses, with what finds the best of them without looking
// at all. The zero value has none.
type Sources struct {
	all   []Address // by interface
	begin []int     // where those of an interface begin in all, by its index
	// lent are the first address of IPv4 that other interfaces may send from, and the
	// first of another interface, which that one may: their places in all, from 1 on.
	lent [2]int
}

// Add adds an address. Among equals the first wins: add those of an interface in the
// order in which they were assigned, and the interfaces by their indices.
func (l *Sources) Add(a Address) {
	for len(l.begin) <= a.Interface {
		l.begin = append(l.begin, len(l.all))
	}
	l.all = append(l.all, a)
	switch addr := a.Prefix.Addr(); {
	case !addr.Is4() || addr.IsLoopback() || addr.IsLinkLocalUnicast():
	case l.lent[0] == 0:
		l.lent[0] = len(l.all)
	case l.lent[1] == 0 && l.all[l.lent[0]-1].Interface != a.Interface:
		l.lent[1] = len(l.all)
	}
}

// on returns the addresses of an interface. A copy at every call would be much.
//
//go:noinline
func (l *Sources) on(iface int) []Address {
	if iface >= len(l.begin) {
		return nil
	}
	on := l.all[l.begin[iface]:]
	if iface+1 < len(l.begin) {
		on = l.all[l.begin[iface]:l.begin[iface+1]]
	}
	return on
}

// HasFamily tells whether an interface has an address of IPv4, or of IPv6.
func (l *Sources) HasFamily(iface int, v4 bool) bool {
	for i, on := 0, l.on(iface); i < len(on); i++ {
		if on[i].Prefix.Addr().Is4() == v4 {
			return true
		}
	}
	return false
}

// Source returns the address to send from to dst over route r: the route's own
// if it has one, dst itself if it is one of the outgoing interface, and else the best
// of all. It returns false if none will do. An address that another interface has is no
// destination to ask for: what is sent there does not leave the host.
//
// It looks at the addresses of the outgoing interface, and at others only where none of
// those has the scope of an IPv6 destination and is not deprecated.
func (s *Selector) Source(dst netip.Addr, r *Route, l *Sources) (netip.Addr, bool) {
	if r.Source.IsValid() {
		return r.Source, true
	}
	dst = dst.Unmap().WithZone("")
	own := l.on(r.Interface)
	for i := range own {
		if own[i].Prefix.Addr() == dst {
			return dst, true // RFC 6724 section 5, rule 1
		}
	}
	if dst.Is4() {
		return l.source4(dst, r, own)
	}
	return s.source6(dst, r.Interface, own, l.all)
}

// source4 chooses as Linux does (inet_select_addr): on the outgoing interface
// the first address whose subnet has the next hop in it, else the first whose
// scope reaches far enough, else the first such one of any interface. The
// first in a subnet is what Linux calls its primary address.
func (l *Sources) source4(dst netip.Addr, r *Route, own []Address) (netip.Addr, bool) {
	hop := r.NextHop(dst)
	var first netip.Addr
	for i := range own {
		p := own[i].Prefix
		if !p.Addr().Is4() || p.Addr().IsLoopback() && !dst.IsLoopback() {
			continue
		}
		if p.Contains(hop) {
			return p.Addr(), true
		}
		if !first.IsValid() {
			first = p.Addr()
		}
	}
	for _, at := range l.lent {
		if at != 0 && !first.IsValid() && l.all[at-1].Interface != r.Interface {
			first = l.all[at-1].Prefix.Addr()
		}
	}
	return first, first.IsValid()
}

// source6 is RFC 6724 section 5. Candidates are the addresses of all
// interfaces (section 4), with those of the outgoing one preferred by rule 5;
// for link-local and multicast destinations only the outgoing one's.
func (s *Selector) source6(dst netip.Addr, iface int, own, all []Address) (netip.Addr, bool) {
	d := target{addr: dst, scope: scopeOf(dst), label: s.Policy.lookup(dst).Label, iface: iface}
	var best candidate
	s.choose(own, &d, &best)
	onlyLink := dst.IsMulticast() || d.scope == scopeLinkLocal
	// Rules 2, 3 and 5 put an address of the outgoing interface that has the very scope
	// and is not deprecated before any of another.
	if !onlyLink && (best.Address == nil || best.scope != d.scope || best.Deprecated) {
		best = candidate{}
		s.choose(all, &d, &best)
	}
	if best.Address == nil {
		return netip.Addr{}, false
	}
	return best.Prefix.Addr(), true
}

// choose makes the best address for a destination the best, unless it was better. A copy
// at every call would be much.
//
//go:noinline
func (s *Selector) choose(from []Address, d *target, best *candidate) {
	for i := range from {
		a := &from[i]
		if !a.Prefix.Addr().Is6() {
			continue
		}
		c := candidate{
			Address: a,
			scope:   scopeOf(a.Prefix.Addr()),
			label:   s.Policy.lookup(a.Prefix.Addr()).Label,
			common:  commonPrefixLen(a.Prefix.Addr(), a.Prefix.Bits(), d.addr),
		}
		if best.Address == nil || s.better(&c, best, d) {
			*best = c
		}
	}
}

type target struct {
	addr  netip.Addr
	scope scope
	label int
	iface int
}

type candidate struct {
	*Address
	scope  scope
	label  int
	common int
}

// better tells whether a is to be preferred to b for the destination d. Rule 1
// was applied before.
func (s *Selector) better(a, b *candidate, d *target) bool {
	// Rule 2: prefer appropriate scope.
	if a.scope < b.scope {
		return a.scope >= d.scope
	}
	if b.scope < a.scope {
		return b.scope < d.scope
	}
	// Rule 3: avoid deprecated addresses.
	if a.Deprecated != b.Deprecated {
		return b.Deprecated
	}
	// Rule 5: prefer the outgoing interface.
	if out := a.Interface == d.iface; out != (b.Interface == d.iface) {
		return out
	}
	// Rule 6: prefer matching label.
	if match := a.label == d.label; match != (b.label == d.label) {
		return match
	}
	// Rule 7: prefer temporary addresses.
	if a.Temporary != b.Temporary {
		return a.Temporary != s.PreferPublic
	}
	// Rule 8: use longest matching prefix.
	return a.common > b.common
}

// commonPrefixLen is how many leading bits the source and the destination
// share, at most the length of the source's prefix (RFC 6724 section 2.2).
func commonPrefixLen(src netip.Addr, bits int, dst netip.Addr) int {
	return min(keyOf(src).common(keyOf(dst)), bits)
}
