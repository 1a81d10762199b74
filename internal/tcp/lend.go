package tcp

import (
	"time"

	"example.com/berth/internal/buffer"
)

// Lend is Read without a copy: it gives up to limit octets of those that a Read
// would give, in the pieces that they came in, at most len(pieces), with a reference
// to the buffer of each, and returns how many pieces that are. They stay in the
// queue until Take. At the end of the stream there are none.
func (c *Conn) Lend(pieces [][]byte, bufs []*buffer.Buffer, limit int) (n int, err error) {
	if c.atHole() {
		c.skipHole()
	}
	if c.recvQ.queued == 0 {
		return 0, c.nothingToRead()
	}
	return c.recvQ.lend(pieces, bufs, c.beforeMark(limit)), nil
}

// Take takes n octets that were lent out of the queue, or what is left there of
// them: a reset in between may have emptied it.
func (c *Conn) Take(now time.Duration, n int) {
	if n = min(n, c.recvQ.queued); n > 0 {
		c.recvQ.drop(n, c.p.Budget)
		c.wasRead(now, n)
	}
}

// wasRead is what follows from a Read of n octets.
func (c *Conn) wasRead(now time.Duration, n int) {
	c.measureReader(now, n)
	c.updateWindow()
	if c.ackIsDue() {
		c.ackNow = true
	}
	if c.recvQ.queued == 0 {
		c.readAll()
	}
	c.passMark()
}

// lend refers to up to limit octets from the front of the queue on. What it refers
// to does not change: to a block of its own the queue only appends.
func (q *recvQueue) lend(pieces [][]byte, bufs []*buffer.Buffer, limit int) (n int) {
	for n < min(len(pieces), q.chunks.len()) && limit > 0 {
		c := q.chunks.at(n)
		k := min(len(c.data), limit)
		limit -= k
		c.buf.Retain()
		pieces[n], bufs[n] = c.data[:k:k], c.buf
		n++
	}
	return n
}
