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

// messageQueue is the receive queue of a datagram or raw socket, bounded by
// SO_RCVBUF and the host's budget: a chain of blocks of messages, which are taken
// from a pool and given back as the queue grows and shrinks. One that a call has
// found empty owns nothing.
type messageQueue struct {
	head, tail *messageBlock // both nil if it owns nothing
	n          int           // messages
	charge     int           // what they cost
	limit      int           // SO_RCVBUF
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

// A messageBlock is a piece of a queue: the messages from index from to, but not with, to.
type messageBlock struct {
	next     *messageBlock
	from, to int
	messages [blockMessages]message
}

// blockMessages is how many there are in a block: enough that a burst seldom
// goes to the pool, few enough for a socket that gets one now and then.
const blockMessages = 16

var messageBlocks = sync.Pool{New: func() any { return new(messageBlock) }}

// put enters a message at the end.
func (q *messageQueue) put(m message) {
	b := q.tail
	if b == nil || b.to == blockMessages {
		b = messageBlocks.Get().(*messageBlock)
		if q.tail == nil {
			q.head = b
		} else {
			q.tail.next = b
		}
		q.tail = b
	}
	b.messages[b.to] = m
	b.to++
	q.n++
}

// first is the message to receive next; nil if there is none.
func (q *messageQueue) first() *message {
	if q.n == 0 {
		return nil
	}
	return &q.head.messages[q.head.from]
}

// pop drops the first message.
func (q *messageQueue) pop(budget *buffer.Budget) {
	b := q.head
	m := &b.messages[b.from]
	m.buf.Release()
	q.charge -= m.charge
	budget.Give(m.charge)
	*m = message{}
	b.from++
	switch q.n--; {
	case q.n == 0: // the next one goes where the cache has it
		b.from, b.to = 0, 0
	case b.from == blockMessages:
		q.head = b.next
		b.release()
	}
}

// rest gives the memory of a queue back that is empty.
func (q *messageQueue) rest() {
	if q.head != nil {
		q.head.release()
		q.head, q.tail = nil, nil
	}
}

// release gives a block back whose messages have been dropped.
func (b *messageBlock) release() {
	b.next, b.from, b.to = nil, 0, 0
	messageBlocks.Put(b)
}

// bytes is how much data waits.
func (q *messageQueue) bytes() (n int) {
	for b := q.head; b != nil; b = b.next {
		for i := b.from; i < b.to; i++ {
			n += len(b.messages[i].data)
		}
	}
	return n
}

func (q *messageQueue) clear(budget *buffer.Budget) {
	for q.n > 0 {
		q.pop(budget)
	}
	q.rest()
}
