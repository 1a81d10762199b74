package berth

import (
	"net/netip"
	"sync"

	"example.com/berth/internal/buffer"
	"example.com/berth/link"
)

// A message is a datagram that waits in a socket to be received. Its bytes lie
// in the buffer that the frame came in, or in one of their own.
type message struct {
	data     []byte
	buf      *link.Buffer
	from     netip.AddrPort
	dst      netip.Addr  // destination in the header
	options  *gotOptions // of the IPv4 header; nil: none
	ifindex  int32
	tos, ttl uint8
	charge   int // of the receive buffer
}

// messageOverhead is what a message costs a receive buffer beside its block:
// enough that empty ones cannot be queued without bound.
const messageOverhead = 256

// messageQueue is the receive queue of a datagram or raw socket: a ring, bounded
// by SO_RCVBUF and the host's budget. An empty one owns nothing.
type messageQueue struct {
	ring   []message
	pooled *[]message // what ring came from the pool in; nil if it did not
	head   int
	n      int
	charge int // what the queued messages cost
	limit  int // SO_RCVBUF
}

// push queues a message with the given bytes, and says why not: at the limit of
// the socket, or of the host.
func (q *messageQueue) push(m message, data []byte, buf *link.Buffer, budget *buffer.Budget) (full, noMemory bool) {
	// A datagram that fills little of its block would pin it: move it.
	if buf != nil && len(data)*4 < buf.Size() {
		buf = nil
	}
	m.charge = messageOverhead + max(len(data), buffer.Small)
	if buf != nil {
		m.charge = messageOverhead + buf.Size()
	}
	if q.n > 0 && q.charge+m.charge > q.limit {
		return true, false
	}
	if !budget.Take(m.charge) {
		return false, true
	}
	if buf == nil && len(data) > 0 {
		m.buf = buffer.Get(len(data))
		m.data = m.buf.Bytes()[:copy(m.buf.Bytes(), data)]
	} else {
		m.buf, m.data = buf, data
		buf.Retain()
	}
	q.charge += m.charge
	q.put(m)
	return false, false
}

func (q *messageQueue) put(m message) {
	if q.n == len(q.ring) {
		q.grow()
	}
	q.n++
	*q.at(q.n - 1) = m
}

// grow doubles the ring.
func (q *messageQueue) grow() {
	var bigger []message
	var pooled *[]message
	if size := max(4, 2*len(q.ring)); size == burst {
		pooled = rings.Get().(*[]message)
		bigger = *pooled
	} else {
		bigger = make([]message, size)
	}
	for i := range q.n {
		bigger[i] = *q.at(i)
	}
	q.drop()
	q.ring, q.pooled, q.head = bigger, pooled, 0
}

// drop gives the ring back. Messages in it have been moved or released.
func (q *messageQueue) drop() {
	if q.pooled != nil {
		clear(q.ring)
		rings.Put(q.pooled)
	}
	q.ring, q.pooled, q.head = nil, nil, 0
}

// burst is the length of the rings that are pooled: what a burst of datagrams
// takes that fills a receive buffer of the usual size. A socket whose queue is
// emptied after one gives the ring back, and takes it again with the next.
const burst = 128

var rings = sync.Pool{New: func() any {
	r := make([]message, burst)
	return &r
}}

func (q *messageQueue) at(i int) *message { return &q.ring[(q.head+i)&(len(q.ring)-1)] }

// first is the message to receive next; nil if there is none.
func (q *messageQueue) first() *message {
	if q.n == 0 {
		return nil
	}
	return q.at(0)
}

// pop drops the first message.
func (q *messageQueue) pop(budget *buffer.Budget) {
	m := q.at(0)
	m.buf.Release()
	q.charge -= m.charge
	budget.Give(m.charge)
	*m = message{}
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.n--
	if q.n == 0 && len(q.ring) >= burst {
		q.drop()
	}
}

func (q *messageQueue) clear(budget *buffer.Budget) {
	for q.n > 0 {
		q.pop(budget)
	}
	q.drop()
}
