package route

import (
	"slices"

	"example.com/berth/internal/lean"
)

// A node of the trie looks at one byte of an address, so that there are four
// steps at the most to a route of IPv4 and sixteen of IPv6, however many routes
// there are; bytes that all below a node share are passed over, and compared with its
// key.
//
// It holds the routes to the prefixes that end within the byte, and leads to the
// nodes of longer ones. Nodes never change once they can be seen: what alters the
// trie copies the nodes from the root to the place.
type node struct {
	key   key // the bytes before the one it looks at; the rest is zero
	depth int // how many those are

	prefixes bitset    // by slot
	routes   [][]Route // of those prefixes; the one to prefer first
	children bitset    // by the byte
	child    []*node
}

// slot is the place of a prefix in the node that holds it: 1 for no bits of the
// byte, and for each bit more twice that, plus the bit. So half of a slot is the
// prefix that is a bit shorter.
func slot(k key, depth, length int) int {
	within := length - 8*depth
	return 1<<within | k.byte(depth)>>(8-within)
}

// depthOf is the depth of the node that holds prefixes of a length: the one with
// their last bit.
func depthOf(length int) int { return max(length-1, 0) / 8 }

// at returns the routes in a slot.
func (n *node) at(slot int) []Route {
	if !n.prefixes.has(slot) {
		return nil
	}
	return n.routes[n.prefixes.rank(slot)]
}

// next returns the node for those that go on with a byte.
func (n *node) next(b int) *node {
	if !n.children.has(b) {
		return nil
	}
	return n.child[n.children.rank(b)]
}

// holds tells whether the node is on the way to k.
func (n *node) holds(k key) bool { return n.key.common(k) >= 8*n.depth }

// The methods below alter a node that nobody else sees yet.

// copy returns a node like n.
// It is called seldom, and too much to have a copy at every call.
//
//go:noinline
func (n *node) copy() *node {
	c := *n
	c.routes, c.child = slices.Clone(n.routes), slices.Clone(n.child)
	return &c
}

// put sets the routes in a slot; with none, it is empty.
func (n *node) put(slot int, routes []Route) {
	i, there := n.prefixes.rank(slot), n.prefixes.has(slot)
	switch {
	case there && len(routes) > 0:
		n.routes[i] = routes
	case there:
		n.routes = lean.Remove(n.routes, i)
		n.prefixes.clear(slot)
	case len(routes) > 0:
		n.routes = lean.Insert(n.routes, i, routes)
		n.prefixes.set(slot)
	}
}

// adopt sets the node for a byte; with nil, there is none.
func (n *node) adopt(b int, child *node) {
	i, there := n.children.rank(b), n.children.has(b)
	switch {
	case there && child != nil:
		n.child[i] = child
	case there:
		n.child = lean.Remove(n.child, i)
		n.children.clear(b)
	case child != nil:
		n.child = lean.Insert(n.child, i, child)
		n.children.set(b)
	}
}

// tidy returns n, or what can take its place where it has no purpose of its own
// any more: its only child, or nothing.
func (n *node) tidy() *node {
	switch {
	case len(n.routes) > 0 || len(n.child) > 1:
		return n
	case len(n.child) == 1:
		return n.child[0]
	}
	return nil
}
