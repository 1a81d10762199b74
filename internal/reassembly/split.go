package reassembly

import "iter"

// A Cut is one fragment of a payload that is cut.
type Cut struct {
	Offset, End int  // bytes of the payload
	More        bool // not the last
}

// Len returns the length of the fragment's data.
func (c Cut) Len() int { return c.End - c.Offset }

// Room returns how many bytes of payload fit a fragment: a multiple of 8. Heads
// is what precedes them, for IPv6 the fragment header included. It is 0 if the
// MTU leaves no room.
func Room(mtu, heads int) int { return max(mtu-heads, 0) &^ 7 }

// Split cuts a payload of length bytes into fragments of room bytes, the last
// with what is left: the fewest packets that carry it, none of them larger than
// the path takes. Room must be as [Room] gives it, and not 0.
func Split(length, room int) iter.Seq[Cut] {
	return func(yield func(Cut) bool) {
		for at := 0; at < length; at += room {
			end := min(at+room, length)
			if !yield(Cut{Offset: at, End: end, More: end < length}) {
				return
			}
		}
	}
}
