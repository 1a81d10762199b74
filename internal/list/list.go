// Package list has doubly linked lists whose nodes lie in their items: an item is in
// as many lists as it has nodes, and moves from one to another without allocating.
// Package container/list makes a node for each item, and does not know an item's type.
//
// An item that is put into a list is its newest. So a list in which items are put
// whenever they are used has those first that were not used for longest: they are what
// a full table gives up.
//
// P is a pointer to what has the node in it. Nodes do not have it as their type, so that
// what moves them is in a program once, whatever it has lists of; nor is there a method
// Len, which the linker would keep for each type.
package list

import "example.com/berth/internal/lean"

// A List has its items in the order in which they were put there. The zero value is
// empty. It must not be copied while it has items, and is for one caller at a time.
type List[P any] struct{ chain chain }

// A Node is an item's place in a list. The zero value is in none. It must not be
// copied while it is in one.
type Node struct {
	_ lean.Incomparable

	prev, next *Node
	in         *chain
	item       any // a P, if it is in a List[P]
}

// Put makes an item the newest of a list, taking it from where its node was.
func (l *List[P]) Put(n *Node, item P) { l.chain.put(n, item) }

// Oldest returns the item that was put there longest ago, or the zero P.
func (l *List[P]) Oldest() (item P) {
	if n := l.chain.oldest; n != nil {
		item, _ = n.item.(P)
	}
	return item
}

// All yields the items, the oldest first. The one that is yielded may leave the list,
// or go to another.
func (l *List[P]) All(yield func(P) bool) {
	for n := l.chain.oldest; n != nil; {
		next := n.next
		if !yield(n.item.(P)) {
			return
		}
		n = next
	}
}

// Count is how many items there are.
func (l *List[P]) Count() int { return l.chain.len }

// Has tells whether a node is in this list.
func (l *List[P]) Has(n *Node) bool { return n.in == &l.chain }

// A chain is what is the same in lists of all types.
type chain struct {
	oldest, newest *Node
	len            int
}

//go:noinline
func (c *chain) put(n *Node, item any) {
	n.item = item
	if c.newest == n {
		return
	}
	n.Leave()
	n.in, n.prev = c, c.newest
	if c.newest != nil {
		c.newest.next = n
	} else {
		c.oldest = n
	}
	c.newest = n
	c.len++
}

// Leave takes a node out of the list that it is in, if any.
//
//go:noinline
func (n *Node) Leave() {
	c := n.in
	if c == nil {
		return
	}
	if n.prev != nil {
		n.prev.next = n.next
	} else {
		c.oldest = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	} else {
		c.newest = n.prev
	}
	n.prev, n.next, n.in = nil, nil, nil
	c.len--
}
