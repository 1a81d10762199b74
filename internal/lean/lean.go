// Package lean has what keeps programs small that link a host. Functions of package slices
// are made for every case (Insert for several elements and those that overlap, sorts for
// speed in the best case), and the compiler makes each anew for every type: 3 kB of
// a program for Insert, 2 for DeleteFunc, 20 for SortFunc, 37 for SortStableFunc. Those here take a
// fifth of it. Commands and tests use package slices.
package lean

// Insert returns s with x at index at, which is at most len(s). Like append it may use
// the memory of s.
func Insert[E any](s []E, at int, x E) []E {
	s = append(s, x)
	copy(s[at+1:], s[at:])
	s[at] = x
	return s
}

// Remove returns s without the element at index at, in the memory of s.
func Remove[E any](s []E, at int) []E {
	copy(s[at:], s[at+1:])
	last := len(s) - 1
	clear(s[last:])
	return s[:last]
}

// Drop is slices.DeleteFunc: it takes the elements out of s that drop picks.
func Drop[E any](s []E, drop func(*E) bool) []E {
	kept := s[:0]
	for i := range s {
		if !drop(&s[i]) {
			kept = append(kept, s[i])
		}
	}
	clear(s[len(kept):])
	return kept
}

// Sort puts s in an order in which no element is less than one before it. Elements that
// are equal may change places. It is a heap sort: n log n steps whatever the order was,
// and no memory.
func Sort[E any](s []E, less func(a, b *E) bool) {
	for root := len(s)/2 - 1; root >= 0; root-- {
		sink(s, root, less)
	}
	for end := len(s) - 1; end > 0; end-- {
		s[0], s[end] = s[end], s[0]
		sink(s[:end], 0, less)
	}
}

// sink moves an element down the heap until none below it is greater.
func sink[E any](heap []E, at int, less func(a, b *E) bool) {
	for {
		below := 2*at + 1
		if below >= len(heap) {
			return
		}
		if right := below + 1; right < len(heap) && less(&heap[below], &heap[right]) {
			below = right
		}
		if !less(&heap[at], &heap[below]) {
			return
		}
		heap[at], heap[below] = heap[below], heap[at]
		at = below
	}
}

// Or is cmp.Or for two, which makes an array of them and looks through it.
func Or[T comparable](x, otherwise T) T {
	var zero T
	if x == zero {
		return otherwise
	}
	return x
}

// Incomparable is the first field of large structs that nobody compares, and takes no
// room. The compiler makes a function for each type that could be compared.
type Incomparable [0]func()

// Bytes returns a copy of b.
//
//go:noinline
func Bytes(b []byte) []byte { return append([]byte{}, b...) }
