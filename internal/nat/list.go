package nat

// A list is doubly linked through nodes that its items have in them, so that an
// item is in several lists and moves without allocating. The first is the one
// that was put there longest ago.
type list[T any] struct {
	first, last *node[T]
	len         int
}

type node[T any] struct {
	prev, next *node[T]
	in         *list[T]
	item       *T
}

// moveTo takes a node from the list it is in, if any, to the end of another; to
// nil it only leaves.
func (n *node[T]) moveTo(l *list[T]) {
	if l != nil && l.last == n {
		return
	}
	if n.in != nil {
		n.in.unlink(n)
	}
	n.in = l
	if l == nil {
		return
	}
	n.prev, n.next = l.last, nil
	if l.last != nil {
		l.last.next = n
	} else {
		l.first = n
	}
	l.last = n
	l.len++
}

func (l *list[T]) unlink(n *node[T]) {
	if n.prev != nil {
		n.prev.next = n.next
	} else {
		l.first = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	} else {
		l.last = n.prev
	}
	n.prev, n.next = nil, nil
	l.len--
}

// oldest returns the first item, or nil.
func (l *list[T]) oldest() *T {
	if l.first == nil {
		return nil
	}
	return l.first.item
}

// all yields the items. The one that is yielded may leave the list.
func (l *list[T]) all(yield func(*T) bool) {
	for n := l.first; n != nil; {
		next := n.next
		if !yield(n.item) {
			return
		}
		n = next
	}
}
