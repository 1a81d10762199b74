package tcp

import "example.com/berth/internal/buffer"

// A recvQueue holds the stream that arrived in order and was not read yet. It
// refers to the buffers that frames came in where that wastes less than half of
// them, and else copies into blocks of its own: what it holds is at most twice
// what is in it, and one block. An empty queue owns no memory.
type recvQueue struct {
	chunks ring[chunk]
	queued int // bytes
	held   int // bytes of the blocks, taken from the budget
}

// A chunk is data that lies in a buffer. Where that is the queue's own, the
// queue may append to data up to its capacity.
type chunk struct {
	buf  *buffer.Buffer
	data []byte
	own  bool
}

var recvChunks ringPool[chunk]

// add takes payload, which lies in buf if that is not nil. Without memory in
// the budget it reports false, having taken nothing, unless it must.
func (q *recvQueue) add(payload []byte, buf *buffer.Buffer, must bool, budget *buffer.Budget) bool {
	tail := q.tailRoom()
	switch {
	case q.lengthen(payload, buf):
		return true
	case len(payload) <= tail:
		q.copyToTail(payload)
		return true
	case keepWhole(len(payload), buf):
		if !take(budget, buf.Size(), must) {
			return false
		}
		buf.Retain()
		q.push(chunk{buf: buf, data: payload})
		return true
	}
	own := buffer.Get(q.blockSize(len(payload) - tail))
	if !take(budget, own.Size(), must) {
		own.Release()
		return false
	}
	q.copyToTail(payload[:tail])
	n := copy(own.Bytes(), payload[tail:])
	q.push(chunk{buf: own, data: own.Bytes()[:n], own: true})
	return true
}

// lengthen takes payload if it lies in the block that the queue keeps last, right
// behind what it has of that: the next piece of what a sender in the same memory
// wrote at once. It costs nothing.
func (q *recvQueue) lengthen(payload []byte, buf *buffer.Buffer) bool {
	if q.queued == 0 || buf == nil || q.chunks.back().buf != buf {
		return false
	}
	t := q.chunks.back()
	data, ok := buf.Join(t.data, payload)
	if ok {
		t.data = data
		q.queued += len(payload)
	}
	return ok
}

// addLittle takes of payload what the queue must always be able to hold, floor
// bytes in all, in blocks that are not larger than that needs, whatever the
// budget says. It returns how much it took.
func (q *recvQueue) addLittle(payload []byte, floor int, budget *buffer.Budget) int {
	n := max(0, min(len(payload), floor-q.queued))
	rest := payload[:n]
	for len(rest) > 0 {
		if k := min(len(rest), q.tailRoom()); k > 0 {
			q.copyToTail(rest[:k])
			rest = rest[k:]
			continue
		}
		own := buffer.Get(min(len(rest), buffer.Medium))
		budget.TakeAnyway(own.Size())
		k := copy(own.Bytes(), rest)
		q.push(chunk{buf: own, data: own.Bytes()[:k], own: true})
		rest = rest[k:]
	}
	return n
}

// keepWhole tells whether n bytes are worth holding all of the buffer that they
// lie in.
func keepWhole(n int, buf *buffer.Buffer) bool { return buf != nil && 2*n >= buf.Size() }

// adopt takes over a chunk with its reference. It cannot be refused: the
// memory is held already.
func (q *recvQueue) adopt(c chunk, budget *buffer.Budget) {
	if len(c.data) > q.tailRoom() && keepWhole(len(c.data), c.buf) {
		budget.TakeAnyway(c.buf.Size())
		q.push(c)
		return
	}
	q.add(c.data, nil, true, budget)
	c.buf.Release()
}

// take takes n bytes from the budget, in any case if must.
func take(budget *buffer.Budget, n int, must bool) bool {
	if budget.Take(n) {
		return true
	}
	if must {
		budget.TakeAnyway(n)
	}
	return must
}

func (q *recvQueue) push(c chunk) {
	q.chunks.push(&recvChunks, c)
	q.queued += len(c.data)
	q.held += c.buf.Size()
}

// tailRoom returns how many bytes the last block has room for.
func (q *recvQueue) tailRoom() int {
	if q.queued == 0 || !q.chunks.back().own {
		return 0
	}
	t := q.chunks.back()
	return cap(t.data) - len(t.data)
}

func (q *recvQueue) copyToTail(p []byte) {
	if len(p) == 0 {
		return
	}
	t := q.chunks.back()
	t.data = append(t.data, p...)
	q.queued += len(p)
}

// blockSize is that of a new block for n bytes: larger where much waits.
func (q *recvQueue) blockSize(n int) int {
	switch {
	case n > buffer.Medium || q.queued >= buffer.Large:
		return buffer.Large
	case n > buffer.Small || q.queued >= buffer.Medium:
		return buffer.Medium
	}
	return buffer.Small
}

// read copies from the queue into b, and takes what it copied out of the queue.
func (q *recvQueue) read(b []byte, budget *buffer.Budget) int {
	n := q.peek(b, 0)
	q.drop(n, budget)
	return n
}

// peek copies from the queue into b what lies from bytes behind its front.
func (q *recvQueue) peek(b []byte, from int) int {
	n := 0
	for i := 0; i < q.chunks.len() && n < len(b); i++ {
		data := q.chunks.at(i).data
		skip := min(from, len(data))
		from -= skip
		n += copy(b[n:], data[skip:])
	}
	return n
}

// drop takes n bytes, which must be there, out of the queue.
func (q *recvQueue) drop(n int, budget *buffer.Budget) {
	q.queued -= n
	done := 0
	for n > 0 {
		c := q.chunks.at(done)
		k := min(n, len(c.data))
		c.data = c.data[k:]
		n -= k
		if len(c.data) == 0 {
			q.release(c, budget)
			done++
		}
	}
	if done > 0 {
		q.chunks.pop(&recvChunks, done)
	}
}

func (q *recvQueue) release(c *chunk, budget *buffer.Budget) {
	q.held -= c.buf.Size()
	budget.Give(c.buf.Size())
	c.buf.Release()
}

// clear drops everything.
func (q *recvQueue) clear(budget *buffer.Budget) {
	for i := range q.chunks.len() {
		q.release(q.chunks.at(i), budget)
	}
	if n := q.chunks.len(); n > 0 {
		q.chunks.pop(&recvChunks, n)
	}
	q.queued = 0
}
