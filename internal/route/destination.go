package route

import (
	"cmp"
	"net/netip"
	"slices"
)

// A Destination is one address of a peer that has several, with the source
// that packets to it would have.
type Destination struct {
	Addr netip.Addr
	// Source is the source address; the zero Addr says that the destination
	// cannot be reached.
	Source netip.Addr
	// SourceBits is the length of the source's prefix; 0 if it is not known,
	// which stands for 64 with IPv6 and leaves IPv4 out of rule 9.
	SourceBits int
	// Deprecated tells that the source is.
	Deprecated bool
}

// Sort puts destinations in the order in which to try them (RFC 6724 section
// 6). It is stable: rule 10.
func (s *Selector) Sort(destinations []Destination) {
	slices.SortStableFunc(destinations, func(a, b Destination) int {
		return s.compare(&a, &b)
	})
}

// compare returns less than 0 if a is to be tried before b.
func (s *Selector) compare(a, b *Destination) int {
	// Rule 1: avoid unusable destinations.
	if !a.Source.IsValid() || !b.Source.IsValid() {
		return first(a.Source.IsValid(), b.Source.IsValid())
	}
	// Rule 2: prefer matching scope.
	scopeA, scopeB := scopeOf(a.Addr), scopeOf(b.Addr)
	if c := first(scopeA == scopeOf(a.Source), scopeB == scopeOf(b.Source)); c != 0 {
		return c
	}
	// Rule 3: avoid deprecated addresses.
	if c := first(!a.Deprecated, !b.Deprecated); c != 0 {
		return c
	}
	// Rule 5: prefer matching label.
	policyA, policyB := s.Policy.lookup(a.Addr), s.Policy.lookup(b.Addr)
	matchA := policyA.Label == s.Policy.lookup(a.Source).Label
	matchB := policyB.Label == s.Policy.lookup(b.Source).Label
	if c := first(matchA, matchB); c != 0 {
		return c
	}
	// Rule 6: prefer higher precedence.
	if c := cmp.Compare(policyB.Precedence, policyA.Precedence); c != 0 {
		return c
	}
	// Rule 8: prefer smaller scope.
	if c := cmp.Compare(scopeA, scopeB); c != 0 {
		return c
	}
	// Rule 9: use longest matching prefix.
	if a.Addr.Is4() == b.Addr.Is4() {
		return cmp.Compare(b.common(), a.common())
	}
	return 0
}

func (d *Destination) common() int {
	bits := d.SourceBits
	if bits == 0 && d.Addr.Is6() {
		bits = 64
	}
	return commonPrefixLen(d.Source, bits, d.Addr)
}

// first orders what has a property before what does not.
func first(a, b bool) int {
	switch {
	case a && !b:
		return -1
	case b && !a:
		return 1
	}
	return 0
}
