package route

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
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

func (k key) bit(i int) int {
	if i < 64 {
		return int(k.hi >> (63 - i) & 1)
	}
	return int(k.lo >> (127 - i) & 1)
}

// common returns how many leading bits k and l share.
func (k key) common(l key) int {
	if x := k.hi ^ l.hi; x != 0 {
		return bits.LeadingZeros64(x)
	}
	return 64 + bits.LeadingZeros64(k.lo^l.lo)
}

// A node of a path-compressed binary trie stands for one prefix. It holds
// routes, or has two children, or both. Nodes never change once they can be
// seen: what alters the trie copies the nodes from the root to the place.
type node struct {
	key    key
	bits   int
	routes []Route // the one to prefer first
	child  [2]*node
}

// lookup returns the best route to k on an interface, or nil. The last fitting
// node on the way down has the longest prefix. Of its routes those are passed
// over that avoid, if not nil, speaks against, unless it does against all.
func (n *node) lookup(k key, iface int, avoid func(*Route) bool) *Route {
	var last *node
	for n != nil && n.key.common(k) >= n.bits {
		for i := range n.routes {
			if n.routes[i].fits(iface) {
				last = n
				break
			}
		}
		if n.bits == 128 {
			break
		}
		n = n.child[k.bit(n.bits)]
	}
	if last == nil {
		return nil
	}
	return last.best(iface, avoid)
}

// best returns the first route of a node that fits and is not avoided, or the
// first that fits.
func (n *node) best(iface int, avoid func(*Route) bool) *Route {
	var first *Route
	for i := range n.routes {
		r := &n.routes[i]
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

// insert returns the trie with r in it.
func (n *node) insert(k key, r Route) *node {
	length := r.Prefix.Bits()
	if n == nil {
		return &node{key: k, bits: length, routes: []Route{r}}
	}
	common := min(n.key.common(k), n.bits, length)
	switch {
	case common == n.bits && common == length:
		at := 0
		for at < len(n.routes) && n.routes[at].Metric <= r.Metric {
			at++
		}
		c := *n
		c.routes = slices.Insert(slices.Clone(n.routes), at, r)
		return &c
	case common == n.bits: // below n
		c := *n
		side := k.bit(common)
		c.child[side] = n.child[side].insert(k, r)
		return &c
	case common == length: // above n
		c := &node{key: k, bits: length, routes: []Route{r}}
		c.child[n.key.bit(common)] = n
		return c
	}
	fork := &node{key: masked(k, common), bits: common}
	fork.child[n.key.bit(common)] = n
	fork.child[k.bit(common)] = &node{key: k, bits: length, routes: []Route{r}}
	return fork
}

// filter returns the trie without the routes that drop picks, and the very
// same node where there are none.
func (n *node) filter(drop func(*Route) bool) *node {
	if n == nil {
		return nil
	}
	kept := n.routes
	if slices.ContainsFunc(kept, func(r Route) bool { return drop(&r) }) {
		kept = slices.DeleteFunc(slices.Clone(kept), func(r Route) bool { return drop(&r) })
	}
	return n.with(kept, n.child[0].filter(drop), n.child[1].filter(drop))
}

// remove is filter for one route: it looks only where that can be.
func (n *node) remove(k key, r *Route) *node {
	length := r.Prefix.Bits()
	switch {
	case n == nil || n.bits > length || n.key.common(k) < n.bits:
		return n
	case n.bits == length:
		i := slices.IndexFunc(n.routes, r.equal)
		if i < 0 {
			return n
		}
		return n.with(slices.Delete(slices.Clone(n.routes), i, i+1), n.child[0], n.child[1])
	}
	child := n.child
	side := k.bit(n.bits)
	child[side] = child[side].remove(k, r)
	return n.with(n.routes, child[0], child[1])
}

func (r *Route) equal(s Route) bool { return r.same(&s) }

// with returns n with other contents: n itself if they are the same, and
// nothing or the only child where n has no purpose of its own any more.
func (n *node) with(routes []Route, left, right *node) *node {
	if len(routes) == 0 {
		if left == nil {
			return right
		}
		if right == nil {
			return left
		}
	}
	if len(routes) == len(n.routes) && left == n.child[0] && right == n.child[1] {
		return n
	}
	return &node{key: n.key, bits: n.bits, routes: routes, child: [2]*node{left, right}}
}

// walk calls yield for every route in order of prefix, then preference.
func (n *node) walk(yield func(Route) bool) bool {
	if n == nil {
		return true
	}
	for _, r := range n.routes {
		if !yield(r) {
			return false
		}
	}
	return n.child[0].walk(yield) && n.child[1].walk(yield)
}

func masked(k key, length int) key {
	if length <= 64 {
		return key{hi: k.hi &^ (^uint64(0) >> length)}
	}
	return key{hi: k.hi, lo: k.lo &^ (^uint64(0) >> (length - 64))}
}
