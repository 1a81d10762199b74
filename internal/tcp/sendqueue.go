package tcp

import (
	"sort"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/lean"
	"example.com/berth/internal/seqnum"
)

// A sendQueue holds the stream from SND.UNA to the last byte written, in pooled
// blocks that segments refer to. A block is only ever appended to, so what has
// been sent from it stays as it is. An empty queue owns no memory.
type sendQueue struct {
	_ lean.Incomparable

	blocks ring[sendBlock]
	end    seqnum.Value // sequence number after the last byte
	queued int          // bytes
	held   int          // bytes of the blocks, taken from the budget
}

// A sendBlock is filled up to fill of at most limit bytes; byte off has
// sequence number seq, and is the first not yet acknowledged.
type sendBlock struct {
	buf              *buffer.Buffer
	seq              seqnum.Value
	off, fill, limit int32
}

func (b *sendBlock) len() int { return int(b.fill - b.off) }

var sendBlocks ringPool[sendBlock]

// append takes bytes of b as long as the budget gives memory, or the queue is
// below floor, and returns how many. Blocks hold whole segments of mss bytes
// where they can, so that few segments lie in two of them. Fresh says that all
// before b has been sent, so that a segment begins with it; where it fits into one
// block it lies in that to its end, so that a receiver in the same memory can keep
// the block as it is.
func (q *sendQueue) append(b []byte, fresh bool, mss, floor int, budget *buffer.Budget) int {
	n := 0
	for n < len(b) {
		if q.queued == 0 || q.blocks.back().full(fresh && n == 0, len(b), mss) {
			if !q.addBlock(len(b)-n, fresh && n == 0, mss, floor, budget) {
				break
			}
		}
		t := q.blocks.back()
		k := copy(t.buf.Bytes()[t.fill:t.limit], b[n:])
		t.fill += int32(k)
		n += k
		q.queued += k
		q.end = q.end.Add(k)
	}
	return n
}

// full tells whether n bytes that are written next begin another block: there is
// no room, or all before them is sent, and the rest of this block would only cut
// off a first segment, smaller than the device takes, and have another one put
// together across the border. Blocks are half full then at least.
func (b *sendBlock) full(fresh bool, n, mss int) bool {
	room := int(b.limit - b.fill)
	return room == 0 || fresh && room < n && n >= longWrite*mss
}

// longWrite is from how many segments on a write is worth a block of its own.
const longWrite = 8

func (q *sendQueue) addBlock(want int, fresh bool, mss, floor int, budget *buffer.Budget) bool {
	buf := buffer.Get(q.blockSize(want))
	if !budget.Take(buf.Size()) {
		buf.Release()
		buf = buffer.Get(min(want, buffer.Medium))
		if !take(budget, buf.Size(), q.held < floor) {
			buf.Release()
			return false
		}
	}
	limit := buf.Size()
	if mss < limit && !(fresh && want <= limit) {
		limit -= limit % mss
	}
	if buf.Size() == buffer.Small {
		limit = buffer.Small
	}
	q.held += buf.Size()
	q.blocks.push(&sendBlocks, sendBlock{buf: buf, seq: q.end, limit: int32(limit)})
	return true
}

// adopt takes in the first n bytes of a block that somebody else has filled, and who
// changes none of them; it is false if there is no memory for it.
func (q *sendQueue) adopt(buf *buffer.Buffer, n int, budget *buffer.Budget) bool {
	if !budget.Take(buf.Size()) {
		return false
	}
	buf.Retain()
	q.held += buf.Size()
	q.blocks.push(&sendBlocks, sendBlock{buf: buf, seq: q.end, fill: int32(n), limit: int32(n)})
	q.queued += n
	q.end = q.end.Add(n)
	return true
}

// blockSize fits the block to what is being written and what already waits:
// small for a message, large for bulk.
func (q *sendQueue) blockSize(want int) int {
	switch {
	case q.queued == 0 && want <= buffer.Small:
		return buffer.Small
	case want <= buffer.Medium, q.queued+want <= 2*buffer.Medium:
		return buffer.Medium
	}
	return buffer.Large
}

// acked drops the bytes before seq.
func (q *sendQueue) acked(seq seqnum.Value, budget *buffer.Budget) {
	drop := 0
	for i := range q.blocks.len() {
		b := q.blocks.at(i)
		n := seq.Sub(b.seq)
		if n <= 0 {
			break
		}
		if n < b.len() {
			b.off += int32(n)
			b.seq = seq
			q.queued -= n
			break
		}
		q.queued -= b.len()
		q.release(b, budget)
		drop++
	}
	if drop > 0 {
		q.blocks.pop(&sendBlocks, drop)
	}
}

func (q *sendQueue) release(b *sendBlock, budget *buffer.Budget) {
	q.held -= b.buf.Size()
	budget.Give(b.buf.Size())
	b.buf.Release()
}

// clear drops everything.
func (q *sendQueue) clear(budget *buffer.Budget) {
	for i := range q.blocks.len() {
		q.release(q.blocks.at(i), budget)
	}
	if n := q.blocks.len(); n > 0 {
		q.blocks.pop(&sendBlocks, n)
	}
	q.queued = 0
}

// find returns the index of the block that holds seq.
func (q *sendQueue) find(seq seqnum.Value) int {
	return sort.Search(q.blocks.len(), func(i int) bool { return seq.Less(q.blocks.at(i).seq) }) - 1
}

// slice returns up to n queued bytes from seq with a reference to the buffer
// they lie in. Whole segments of mss bytes are taken from one block as they
// are; a segment that lies in several blocks is put together in a buffer of its
// own.
func (q *sendQueue) slice(seq seqnum.Value, n, mss int) ([]byte, *buffer.Buffer) {
	i := q.find(seq)
	b := q.blocks.at(i)
	from := int(b.off) + seq.Sub(b.seq)
	have := int(b.fill) - from
	if have < n && have >= mss {
		n = have - have%mss
	}
	if have >= n {
		b.buf.Retain()
		return b.buf.Bytes()[from : from+n : from+n], b.buf
	}
	n = min(n, mss)
	buf := buffer.Get(n)
	p := buf.Bytes()[:n:n]
	for k := 0; k < n; i++ {
		b = q.blocks.at(i)
		k += copy(p[k:], b.buf.Bytes()[from:b.fill])
		if i+1 < q.blocks.len() {
			from = int(q.blocks.at(i + 1).off)
		}
	}
	return p, buf
}
