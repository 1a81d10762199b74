package berth

import (
	"net/netip"
	"sync"

	"example.com/berth/internal/buffer"
	"example.com/berth/link"
)

// A message is a datagram that waits in a socket to be received. Its bytes lie
// in the buffer that the frame came in, in one of their own, or in the queue's slot.
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

// A slot is a message in a queue, with room for the bytes of a short one. They are
// copied: so the processor that sends and the one that receives need not hand each
// other a buffer, which takes longer.
type slot struct {
	message
	few [fewBytes]byte
}

const fewBytes = 128

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
	taken      int           // of the host's budget: at least charge
	limit      int           // SO_RCVBUF
}

// budgetStep is how much a queue takes of the budget at once, so that not each
// message of each socket of the host goes to the one counter. What it does not need
// it gives back when it is found empty, or when it is more than a few steps.
const budgetStep = 8 << 10

// push queues a message with the given bytes, and says why not: at the limit of
// the socket, or of the host.
func (q *messageQueue) push(m message, data []byte, buf *link.Buffer, budget *buffer.Budget) (full, noMemory bool) {
	// A datagram that fills little of its block would pin it: move it.
	if buf != nil && len(data)*4 < buf.Size() {
		buf = nil
	}
	m.charge = messageOverhead + max(len(data), buffer.Small)
	if buf != nil && len(data) > fewBytes {
		m.charge = messageOverhead + buf.Size()
	}
	if q.n > 0 && q.charge+m.charge > q.limit {
		return true, false
	}
	if !q.pay(m.charge, budget) {
		return false, true
	}
	at := q.next()
	at.message = m
	switch {
	case len(data) <= fewBytes:
		at.data = at.few[:copy(at.few[:], data)]
	case buf == nil:
		at.buf = buffer.Get(len(data))
		at.data = at.buf.Bytes()[:copy(at.buf.Bytes(), data)]
	default:
		at.buf, at.data = buf, data
		buf.Retain()
	}
	return false, false
}

// pay takes what a message costs from the budget, if there is so much.
func (q *messageQueue) pay(charge int, budget *buffer.Budget) bool {
	if missing := q.charge + charge - q.taken; missing > 0 {
		switch step := max(missing, budgetStep); {
		case budget.Take(step):
			q.taken += step
		case budget.Take(missing):
			q.taken += missing
		default:
			return false
		}
	}
	q.charge += charge
	return true
}

// giveBack leaves the queue spare bytes of the budget beyond what its messages cost.
func (q *messageQueue) giveBack(spare int, budget *buffer.Budget) {
	budget.Give(q.taken - q.charge - spare)
	q.taken = q.charge + spare
}

// A messageBlock is a piece of a queue: the messages from index from to, but not with, to.
type messageBlock struct {
	next     *messageBlock
	from, to int
	slots    [blockMessages]slot
}

// blockMessages is how many there are in a block: enough that a burst seldom
// goes to the pool, few enough for a socket that gets one now and then.
const blockMessages = 16

var messageBlocks = sync.Pool{New: func() any { return new(messageBlock) }}

// next makes room for a message at the end.
func (q *messageQueue) next() *slot {
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
	b.to++
	q.n++
	return &b.slots[b.to-1]
}

// first is the message to receive next; nil if there is none.
func (q *messageQueue) first() *message {
	if q.n == 0 {
		return nil
	}
	return &q.head.slots[q.head.from].message
}

// pop drops the first message.
func (q *messageQueue) pop(budget *buffer.Budget) {
	b := q.head
	m := &b.slots[b.from].message
	m.buf.Release()
	q.charge -= m.charge
	if q.taken-q.charge >= 4*budgetStep {
		q.giveBack(budgetStep, budget)
	}
	m.data, m.buf, m.options = nil, nil, nil
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
func (q *messageQueue) rest(budget *buffer.Budget) {
	if q.taken > 0 {
		q.giveBack(0, budget)
	}
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
			n += len(b.slots[i].data)
		}
	}
	return n
}

func (q *messageQueue) clear(budget *buffer.Budget) {
	for q.n > 0 {
		q.pop(budget)
	}
	q.rest(budget)
}
