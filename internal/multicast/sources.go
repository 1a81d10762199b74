package multicast

import (
	"net/netip"
	"slices"

	"example.com/berth/internal/lean"
)

// Sources says from whom packets to a group are taken: from those in List, or
// with Exclude from all but those. The zero value takes none: no membership. The
// list is sorted and is never changed in place, so that it may be shared.
type Sources struct {
	Exclude bool
	List    []netip.Addr
}

// Allows tells whether a packet from source is taken.
func (s Sources) Allows(source netip.Addr) bool { return slices.Contains(s.List, source) != s.Exclude }

// None tells whether nothing is taken at all.
func (s Sources) None() bool { return !s.Exclude && len(s.List) == 0 }

// with and without give a new list.

func with(list []netip.Addr, a netip.Addr) []netip.Addr {
	at, _ := slices.BinarySearchFunc(list, a, netip.Addr.Compare)
	return lean.Insert(slices.Clone(list), at, a)
}

func without(list []netip.Addr, a netip.Addr) []netip.Addr {
	return lean.Drop(slices.Clone(list), func(b *netip.Addr) bool { return a == *b })
}

// minus gives what of a is not in b, in a's order.
// It is called seldom, and too much to have a copy at every call.
//
//go:noinline
func minus(a, b []netip.Addr) (diff []netip.Addr) {
	for _, x := range a {
		if !slices.Contains(b, x) {
			diff = append(diff, x)
		}
	}
	return diff
}

// both gives what of a is in b, in a's order.
func both(a, b []netip.Addr) (common []netip.Addr) {
	for _, x := range a {
		if slices.Contains(b, x) {
			common = append(common, x)
		}
	}
	return common
}
