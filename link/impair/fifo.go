package impair

// A fifo is a queue of passengers in a ring. It owns their frames.
type fifo struct {
	ring  []passenger // its length is a power of two
	head  int
	count int
	bytes int
}

// keptRing is the longest ring that an empty queue keeps.
const keptRing = 1024

func (q *fifo) empty() bool { return q.count == 0 }

// first returns the passenger at the head.
func (q *fifo) first() *passenger { return &q.ring[q.head] }

func (q *fifo) push(p passenger) {
	if q.count == len(q.ring) {
		q.grow()
	}
	q.ring[(q.head+q.count)&(len(q.ring)-1)] = p
	q.count++
	q.bytes += p.frame.Len()
}

func (q *fifo) pop() passenger {
	p := q.ring[q.head]
	q.ring[q.head] = passenger{}
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.count--
	q.bytes -= p.frame.Len()
	if q.count == 0 && len(q.ring) > keptRing {
		q.ring, q.head = nil, 0
	}
	return p
}

func (q *fifo) grow() {
	ring := make([]passenger, max(8, 2*len(q.ring)))
	n := copy(ring, q.ring[q.head:])
	copy(ring[n:], q.ring[:q.head])
	q.ring, q.head = ring, 0
}

// clear releases all.
func (q *fifo) clear() {
	for !q.empty() {
		p := q.pop()
		p.release()
	}
	*q = fifo{}
}
