package wire

import "example.com/berth/link"

// A queue holds frames in order in a ring that grows by doubling up to its
// limit.
type queue struct {
	ring  []*link.Kept // its length is a power of two
	first int
	n     int
	limit int
}

// put keeps f and reports whether there was room.
func (q *queue) put(f *link.Frame) bool {
	if q.n == q.limit {
		return false
	}
	if q.n == len(q.ring) {
		q.grow()
	}
	q.ring[(q.first+q.n)&(len(q.ring)-1)] = f.Keep()
	q.n++
	return true
}

// take gives up the first frame; there must be one.
func (q *queue) take() *link.Kept {
	k := q.ring[q.first]
	q.ring[q.first] = nil
	q.first = (q.first + 1) & (len(q.ring) - 1)
	q.n--
	return k
}

func (q *queue) grow() {
	ring := make([]*link.Kept, max(16, 2*len(q.ring)))
	n := copy(ring, q.ring[q.first:])
	copy(ring[n:], q.ring[:q.first])
	q.ring, q.first = ring, 0
}

// clear releases all frames and the ring, and returns how many there were.
func (q *queue) clear() int {
	n := q.n
	for q.n > 0 {
		q.take().Release()
	}
	q.ring, q.first = nil, 0
	return n
}
