package route

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"

	"example.com/berth/internal/lean"
)

// key is an address with its first bit in the top bit of hi; IPv4 uses the
// upper half of hi only.
type key struct{ hi, lo uint64 }

func keyOf(a netip.Addr) key {
	if a.Is4() {
		b := a.As4()
		return key{hi: uint64(binary.BigEndian.Uint32(b[:])) << 32}
	}
	b := a.As16()
	return key{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// byte returns one of the sixteen bytes.
func (k key) byte(i int) int {
	if i < 8 {
		return int(k.hi >> (56 - 8*i) & 0xff)
	}
	return int(k.lo >> (120 - 8*i) & 0xff)
}

// common returns how many leading bits k and l share.
func (k key) common(l key) int {
	if x := k.hi ^ l.hi; x != 0 {
		return bits.LeadingZeros64(x)
	}
	return 64 + bits.LeadingZeros64(k.lo^l.lo)
}

func masked(k key, length int) key {
	if length <= 64 {
		return key{hi: k.hi &^ (^uint64(0) >> length)}
	}
	return key{hi: k.hi, lo: k.lo &^ (^uint64(0) >> (length - 64))}
}

// lookup returns the best route to k on an interface, or nil: of the longest prefix
// that has one. Of its routes those are passed over that avoid, if not nil, speaks
// against, unless it does against all.
func (n *node) lookup(k key, iface int, avoid func(*Route) bool) *Route {
	var way [16]*node
	steps := 0
	for n != nil && n.holds(k) {
		way[steps] = n
		steps++
		n = n.next(k.byte(n.depth))
	}
	for steps > 0 {
		steps--
		n = way[steps]
		if len(n.routes) == 0 {
			continue
		}
		for slot := 1<<8 | k.byte(n.depth); slot > 0; slot >>= 1 {
			if r := best(n.at(slot), iface, avoid); r != nil {
				return r
			}
		}
	}
	return nil
}

// best returns the first of some routes that fits and is not avoided, or the first
// that fits.
func best(routes []Route, iface int, avoid func(*Route) bool) *Route {
	var first *Route
	for i := range routes {
		r := &routes[i]
		if !r.fits(iface) {
			continue
		}
		if avoid == nil || !avoid(r) {
			return r
		}
		if first == nil {
			first = r
		}
	}
	return first
}

// exact returns the routes to a prefix.
func (n *node) exact(k key, length int) []Route {
	depth := depthOf(length)
	for n != nil && n.depth <= depth && n.holds(k) {
		if n.depth == depth {
			return n.at(slot(k, depth, length))
		}
		n = n.next(k.byte(n.depth))
	}
	return nil
}

// insert returns the trie with r in it.
func (n *node) insert(k key, r *Route) *node {
	length := r.Prefix.Bits()
	depth := depthOf(length)
	if n == nil {
		return leaf(k, depth, r)
	}
	common := min(n.key.common(k)/8, n.depth, depth)
	if common < n.depth { // above n, or beside it
		c := &node{key: masked(k, 8*common), depth: common}
		c.adopt(n.key.byte(common), n)
		n = c
	} else {
		n = n.copy()
	}
	if common == depth {
		place := slot(k, depth, length)
		n.put(place, ranked(n.at(place), r))
	} else {
		b := k.byte(common)
		n.adopt(b, n.next(b).insert(k, r))
	}
	return n
}

func leaf(k key, depth int, r *Route) *node {
	n := &node{key: masked(k, 8*depth), depth: depth}
	n.put(slot(k, depth, r.Prefix.Bits()), []Route{*r})
	return n
}

// ranked returns the routes to one prefix with r among them, behind those that are
// as good.
// It is called seldom, and too much to have a copy at every call.
//
//go:noinline
func ranked(routes []Route, r *Route) []Route {
	at := 0
	for at < len(routes) && routes[at].Metric <= r.Metric {
		at++
	}
	return lean.Insert(slices.Clone(routes), at, *r)
}

// remove returns the trie without r, which is in it.
func (n *node) remove(k key, r *Route) *node {
	length := r.Prefix.Bits()
	n = n.copy()
	if n.depth == depthOf(length) {
		place := slot(k, n.depth, length)
		routes := slices.Clone(n.at(place))
		n.put(place, lean.Drop(routes, r.same))
	} else {
		b := k.byte(n.depth)
		n.adopt(b, n.next(b).remove(k, r))
	}
	return n.tidy()
}

func (r *Route) equal(s Route) bool { return r.same(&s) }

// filter returns the trie without the routes that drop picks.
func (n *node) filter(drop func(*Route) bool) *node {
	if n == nil {
		return nil
	}
	c := &node{key: n.key, depth: n.depth}
	for slot := range 1 << 9 {
		kept := lean.Drop(slices.Clone(n.at(slot)), drop)
		c.put(slot, kept)
	}
	for _, child := range n.child {
		if child = child.filter(drop); child != nil {
			c.adopt(child.key.byte(n.depth), child)
		}
	}
	return c.tidy()
}

// walk calls yield for every route in order of prefix, then preference.
func (n *node) walk(yield func(Route) bool) bool {
	if n == nil {
		return true
	}
	for b := range 1 << 8 {
		for within := range 9 {
			if b&(1<<(8-within)-1) != 0 {
				continue // such a prefix begins elsewhere
			}
			for _, r := range n.at(1<<within | b>>(8-within)) {
				if !yield(r) {
					return false
				}
			}
		}
		if !n.next(b).walk(yield) {
			return false
		}
	}
	return true
}
