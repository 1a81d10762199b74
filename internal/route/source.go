package route

import "net/netip"

// An Address is one of the host's own unicast addresses, as a candidate for
// the source of packets. Tentative addresses are no candidates.
type Address struct {
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

// Source returns the address to send from to dst over route r: the route's own
// if it has one, dst itself if that is the host's, and else the best of addrs.
// It returns false if none will do. Among equals the first of addrs wins: give
// them in the order in which they were assigned.
func (s *Selector) Source(dst netip.Addr, r *Route, addrs []Address) (netip.Addr, bool) {
	if r.Source.IsValid() {
		return r.Source, true
	}
	dst = dst.Unmap().WithZone("")
	for i := range addrs {
		if addrs[i].Prefix.Addr() == dst {
			return dst, true // RFC 6724 section 5, rule 1
		}
	}
	if dst.Is4() {
		return source4(dst, r, addrs)
	}
	return s.source6(dst, r.Interface, addrs)
}

// source4 chooses as Linux does (inet_select_addr): on the outgoing interface
// the first address whose subnet has the next hop in it, else the first whose
// scope reaches far enough, else the first such one of any interface. The
// first in a subnet is what Linux calls its primary address.
func source4(dst netip.Addr, r *Route, addrs []Address) (netip.Addr, bool) {
	hop := r.NextHop(dst)
	var first, elsewhere netip.Addr
	for i := range addrs {
		p := addrs[i].Prefix
		if !p.Addr().Is4() || p.Addr().IsLoopback() && !dst.IsLoopback() {
			continue
		}
		if addrs[i].Interface == r.Interface {
			if p.Contains(hop) {
				return p.Addr(), true
			}
			if !first.IsValid() {
				first = p.Addr()
			}
		} else if !elsewhere.IsValid() && !p.Addr().IsLinkLocalUnicast() {
			elsewhere = p.Addr()
		}
	}
	if !first.IsValid() {
		first = elsewhere
	}
	return first, first.IsValid()
}

// source6 is RFC 6724 section 5. Candidates are the addresses of all
// interfaces (section 4), with those of the outgoing one preferred by rule 5;
// for link-local and multicast destinations only the outgoing one's.
func (s *Selector) source6(dst netip.Addr, iface int, addrs []Address) (netip.Addr, bool) {
	d := target{scope: scopeOf(dst), label: s.Policy.lookup(dst).Label, iface: iface}
	onlyLink := dst.IsMulticast() || d.scope == scopeLinkLocal
	var best candidate
	for i := range addrs {
		a := &addrs[i]
		if !a.Prefix.Addr().Is6() || onlyLink && a.Interface != iface {
			continue
		}
		c := candidate{
			Address: a,
			scope:   scopeOf(a.Prefix.Addr()),
			label:   s.Policy.lookup(a.Prefix.Addr()).Label,
			common:  commonPrefixLen(a.Prefix.Addr(), a.Prefix.Bits(), dst),
		}
		if best.Address == nil || s.better(&c, &best, &d) {
			best = c
		}
	}
	if best.Address == nil {
		return netip.Addr{}, false
	}
	return best.Prefix.Addr(), true
}

type target struct {
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
