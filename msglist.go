package berth

import "sync"

// A messageList is messages in order: a chain of blocks, which are taken from a pool
// and given back. Those that have become empty it keeps for what comes next, a few.
type messageList struct {
	head, tail *messageBlock // both nil if there are none
	n          int           // messages
	spare      *messageBlock
	spares     int
}

// A messageBlock is a piece of a list: the messages from index from to, but not with, to.
type messageBlock struct {
	next     *messageBlock
	from, to int
	origins  int // how many of the messages' there are, at most as many as messages
	slots    [blockMessages]slot
	of       [blockMessages]origin
}

// blockMessages is how many there are in a block: enough that a burst seldom
// goes to the pool, few enough for a socket that gets one now and then.
const blockMessages = 16

// mostSpares is how many empty blocks a list keeps: as many as a fast sender fills
// before the receiver is there.
const mostSpares = 8

var messageBlocks = sync.Pool{New: func() any { return new(messageBlock) }}

// next makes room for a message of an origin at the end.
func (l *messageList) next(o *origin) *slot {
	b := l.tail
	if b == nil || b.to == blockMessages {
		b = l.grow()
	}
	if b.origins == 0 || !b.of[b.origins-1].same(o) {
		b.of[b.origins] = *o
		b.origins++
	}
	at := &b.slots[b.to]
	at.origin = &b.of[b.origins-1]
	b.to++
	l.n++
	return at
}

// grow appends a block.
func (l *messageList) grow() *messageBlock {
	b := l.spare
	if b != nil {
		l.spare, b.next = b.next, nil
		l.spares--
	} else {
		b = messageBlocks.Get().(*messageBlock)
	}
	if l.tail == nil {
		l.head = b
	} else {
		l.tail.next = b
	}
	l.tail = b
	return b
}

// first is the message to receive next; nil if there is none.
func (l *messageList) first() *message {
	if l.n == 0 {
		return nil
	}
	return &l.head.slots[l.head.from].message
}

// pop drops the first message and returns what it cost.
func (l *messageList) pop() (charge int) {
	b := l.head
	m := &b.slots[b.from].message
	if m.buf != nil { // else nothing is written, and the cache line stays the sender's, too
		m.buf.Release()
		m.data, m.buf = nil, nil
	}
	b.from++
	switch l.n--; {
	case l.n == 0: // the next one goes where the cache has it
		b.empty()
	case b.from == blockMessages:
		l.head = b.next
		l.retire(b)
	}
	return m.charge
}

// retire keeps a block for what comes next, or gives it back.
func (l *messageList) retire(b *messageBlock) {
	if l.spares == mostSpares {
		b.release()
		return
	}
	b.empty()
	b.next, l.spare = l.spare, b
	l.spares++
}

// empty makes a block one without messages. What the last of them had in common the
// next one may have, too.
func (b *messageBlock) empty() {
	if b.origins > 1 || b.origins == 1 && b.of[0].options != nil {
		clear(b.of[:b.origins])
		b.origins = 0
	}
	b.from, b.to = 0, 0
}

// release gives a block back whose messages have been dropped.
func (b *messageBlock) release() {
	b.empty()
	b.next = nil
	messageBlocks.Put(b)
}

// rest gives the memory of a list back that is empty.
func (l *messageList) rest() {
	if l.head != nil {
		l.head.release()
	}
	for b := l.spare; b != nil; {
		next := b.next
		b.release()
		b = next
	}
	*l = messageList{}
}

// bytes is how much data waits.
func (l *messageList) bytes() (n int) {
	for b := l.head; b != nil; b = b.next {
		for i := b.from; i < b.to; i++ {
			n += len(b.slots[i].data)
		}
	}
	return n
}

// clear drops all messages and returns what they cost.
func (l *messageList) clear() (charge int) {
	for l.n > 0 {
		charge += l.pop()
	}
	return charge
}
