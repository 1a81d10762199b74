package berth

import (
	"net/netip"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/lean"
	"example.com/berth/link"
)

// A message is a datagram that waits in a socket to be received. Its bytes lie
// in the buffer that the frame came in, in one of their own, or in the queue's slot.
type message struct {
	*origin
	data   []byte
	buf    *link.Buffer
	charge int // of the receive buffer
}

// An origin is where a message came from, and how. Those that come in a row have it
// in common: what is in fewer cache lines is sooner with the processor that receives.
type origin struct {
	_ lean.Incomparable

	from     netip.AddrPort
	dst      netip.Addr  // destination in the header
	options  *gotOptions // of the IPv4 header; nil: none
	ifindex  int32
	tos, ttl uint8
}

func (o *origin) same(p *origin) bool {
	return o.from == p.from && o.dst == p.dst && o.options == p.options && o.ifindex == p.ifindex &&
		o.tos == p.tos && o.ttl == p.ttl
}

// A slot is a message in a queue, with room for the bytes of a short one. They are
// copied: so the processor that sends and the one that receives need not hand each
// other a buffer, which takes longer.
type slot struct {
	message
	few [fewBytes]byte
}

const fewBytes = 144 // a slot is three cache lines

// messageOverhead is what a message costs a receive buffer beside its block:
// enough that empty ones cannot be queued without bound.
const messageOverhead = 256

// messageQueue is the receive queue of a datagram or raw socket, bounded by
// SO_RCVBUF and the host's budget. One that a call has found empty owns nothing.
type messageQueue struct {
	messageList
	charge int // what its messages cost, and those that its readers have (share)
	taken  int // of the host's budget: at least charge
	limit  int // SO_RCVBUF
}

// budgetStep is how much a queue takes of the budget at once, so that not each
// message of each socket of the host goes to the one counter. What it does not need
// it gives back when it is found empty, or when it is more than a few steps.
const budgetStep = 8 << 10

// push queues a message with the given bytes, and says why not: at the limit of
// the socket, or of the host.
func (q *messageQueue) push(o *origin, data []byte, buf *link.Buffer, budget *buffer.Budget) (full, noMemory bool) {
	// A datagram that fills little of its block would pin it: move it.
	if buf != nil && len(data)*4 < buf.Size() {
		buf = nil
	}
	charge := messageOverhead + max(len(data), buffer.Small)
	if buf != nil && len(data) > fewBytes {
		charge = messageOverhead + buf.Size()
	}
	if q.charge > 0 && q.charge+charge > q.limit {
		return true, false
	}
	if !q.pay(charge, budget) {
		return false, true
	}
	at := q.next(o)
	at.charge = charge
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

// pop drops the first message.
func (q *messageQueue) pop(budget *buffer.Budget) { q.paid(q.messageList.pop(), budget) }

// paid takes back what messages have cost that are gone.
func (q *messageQueue) paid(charge int, budget *buffer.Budget) {
	q.charge -= charge
	if q.taken-q.charge >= 4*budgetStep {
		q.giveBack(budgetStep, budget)
	}
}

// rest gives the memory of a queue back that is empty.
func (q *messageQueue) rest(budget *buffer.Budget) {
	if q.taken > 0 {
		q.giveBack(0, budget)
	}
	q.messageList.rest()
}

func (q *messageQueue) clear(budget *buffer.Budget) {
	q.paid(q.messageList.clear(), budget)
	q.rest(budget)
}
