package tcp

import (
	"slices"
	"sort"
	"sync"
	"unsafe"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
	"example.com/berth/internal/seqnum"
)

// A reassembly holds what arrived out of order: a sorted list of spans, each a
// run of bytes without a hole, and the SACK blocks that tell the peer of them.
//
// Its limits: at most spansLimit spans, so that finding and inserting stay
// short whatever holes a peer makes, and as much memory as the caller says,
// bookkeeping included. At a limit the bytes that are furthest from being
// delivered go, as RFC 2018 section 8 allows.
//
// A connection has one only while something is out of order.
type reassembly struct {
	spans []span
	// recent are the starts of the spans that changed last, latest first: the
	// order of SACK blocks (RFC 2018 4).
	recent  [4]seqnum.Value
	recents int

	pieces []piece // an arena; free is a list of unused ones, -1 at its end
	free   int32

	queued int // bytes
	held   int // bytes charged to the budget
}

// A span is a run of bytes, kept as a list of pieces.
type span struct {
	start, end  seqnum.Value
	first, last int32
}

type piece struct {
	chunk
	next int32
}

var reassemblies = sync.Pool{New: func() any { return &reassembly{free: -1} }}

func newReassembly() *reassembly { return reassemblies.Get().(*reassembly) }

// discard drops everything and gives the reassembly itself back.
func (r *reassembly) discard(budget *buffer.Budget) {
	for n := len(r.spans); n > 0; n-- {
		r.remove(n-1, budget)
	}
	const keep = 256 // more than that was a flood
	if cap(r.pieces) > keep || cap(r.spans) > keep {
		*r = reassembly{}
	}
	r.pieces, r.free, r.recents = r.pieces[:0], -1, 0
	reassemblies.Put(r)
}

// insert takes the bytes that begin at seq, where buf, if not nil, holds their
// memory, while at most limit bytes are held. It returns the first run of bytes
// that it had already, for DSACK (RFC 2883), and whether it took any.
func (r *reassembly) insert(seq seqnum.Value, payload []byte, buf *buffer.Buffer, limit int, budget *buffer.Budget) (dup header.SACKBlock, taken bool) {
	end := seq.Add(len(payload))
	i := sort.Search(len(r.spans), func(i int) bool { return seq.LessEq(r.spans[i].end) })
	next := i
	if i < len(r.spans) && r.spans[i].start.LessEq(seq) {
		s := &r.spans[i]
		if seq.Less(s.end) {
			dup = header.SACKBlock{Left: seq, Right: seqnum.Min(end, s.end)}
		}
		if end.LessEq(s.end) {
			r.touch(s.start)
			return dup, false
		}
		payload = payload[s.end.Sub(seq):]
		seq = s.end
		next++
	}
	for next < len(r.spans) && r.spans[next].start.Less(end) {
		s := r.spans[next]
		if dup == (header.SACKBlock{}) {
			dup = header.SACKBlock{Left: s.start, Right: seqnum.Min(end, s.end)}
		}
		if end.Less(s.end) {
			payload = payload[:s.start.Sub(seq)]
			break
		}
		r.remove(next, budget)
	}
	return dup, r.store(i, next > i, seq, payload, buf, limit, budget)
}

// store puts bytes that it has not yet into span i, at whose end they begin if
// joins is set, or else into a span of their own before it. A span that they
// reach becomes one with theirs.
func (r *reassembly) store(i int, joins bool, seq seqnum.Value, payload []byte, buf *buffer.Buffer, limit int, budget *buffer.Budget) bool {
	end := seq.Add(len(payload))
	if !joins || !r.appendToLast(&r.spans[i], payload) {
		if !r.room(seq, pieceCost(len(payload), buf), limit, budget) {
			return false
		}
		p := r.newPiece(payload, buf)
		if joins {
			s := &r.spans[i]
			r.pieces[s.last].next, s.last = p, p
		} else {
			r.spans = lean.Insert(r.spans, i, span{seq, end, p, p})
		}
	}
	r.spans[i].end = end
	r.queued += len(payload)
	if i+1 < len(r.spans) && r.spans[i+1].start == end {
		r.join(i)
	}
	r.touch(r.spans[i].start)
	return true
}

// room takes cost bytes from the budget for bytes at seq, dropping what lies
// beyond them if it must. It reports false if that is not enough.
func (r *reassembly) room(seq seqnum.Value, cost, limit int, budget *buffer.Budget) bool {
	for r.held+cost > limit || len(r.spans) >= spansLimit || !budget.Take(cost) {
		last := len(r.spans) - 1
		if last < 0 || r.spans[last].start.Less(seq) {
			return false
		}
		r.remove(last, budget)
	}
	return true
}

// pieceCost is what holding n bytes that lie in buf takes.
func pieceCost(n int, buf *buffer.Buffer) int {
	switch {
	case keepWhole(n, buf):
		return buf.Size() + pieceOverhead
	case n <= buffer.Small:
		return buffer.Small + pieceOverhead
	case n <= buffer.Medium:
		return buffer.Medium + pieceOverhead
	}
	return max(n, buffer.Large) + pieceOverhead
}

// appendToLast adds to the last piece of a span, if that is the reassembly's
// own and has room.
func (r *reassembly) appendToLast(s *span, payload []byte) bool {
	p := &r.pieces[s.last]
	if !p.own || cap(p.data)-len(p.data) < len(payload) {
		return false
	}
	p.data = append(p.data, payload...)
	return true
}

// newPiece makes a piece of bytes whose cost is taken from the budget already.
func (r *reassembly) newPiece(payload []byte, buf *buffer.Buffer) int32 {
	p := piece{next: -1}
	if keepWhole(len(payload), buf) {
		buf.Retain()
		p.chunk = chunk{buf: buf, data: payload}
	} else {
		own := buffer.Get(len(payload))
		p.chunk = chunk{buf: own, data: own.Bytes()[:copy(own.Bytes(), payload)], own: true}
	}
	r.held += p.buf.Size() + pieceOverhead
	i := r.free
	if i < 0 {
		r.pieces = append(r.pieces, p)
		return int32(len(r.pieces) - 1)
	}
	r.free = r.pieces[i].next
	r.pieces[i] = p
	return i
}

// join makes one span of i and i+1, which touch.
func (r *reassembly) join(i int) {
	s, t := &r.spans[i], &r.spans[i+1]
	r.forget(t.start)
	r.pieces[s.last].next = t.first
	s.last, s.end = t.last, t.end
	r.spans = lean.Remove(r.spans, i+1)
}

// touch makes the span that begins at start the latest of the recent ones.
func (r *reassembly) touch(start seqnum.Value) {
	r.forget(start)
	if r.recents < len(r.recent) {
		r.recents++
	}
	copy(r.recent[1:], r.recent[:r.recents-1])
	r.recent[0] = start
}

func (r *reassembly) forget(start seqnum.Value) {
	if i := slices.Index(r.recent[:r.recents], start); i >= 0 {
		copy(r.recent[i:], r.recent[i+1:r.recents])
		r.recents--
	}
}

// remove drops span i with its bytes.
func (r *reassembly) remove(i int, budget *buffer.Budget) {
	for p := r.spans[i].first; p >= 0; {
		c, next := r.takePiece(p, budget)
		c.buf.Release()
		p = next
	}
	r.deleteSpan(i)
}

// takePiece takes piece p out of the arena, and gives its cost back.
func (r *reassembly) takePiece(p int32, budget *buffer.Budget) (c chunk, next int32) {
	c, next = r.pieces[p].chunk, r.pieces[p].next
	r.pieces[p] = piece{next: r.free}
	r.free = p
	r.queued -= len(c.data)
	r.held -= c.buf.Size() + pieceOverhead
	budget.Give(c.buf.Size() + pieceOverhead)
	return c, next
}

func (r *reassembly) deleteSpan(i int) {
	r.forget(r.spans[i].start)
	r.spans = lean.Remove(r.spans, i)
}

// overlap returns the first run of bytes before nxt.
func (r *reassembly) overlap(nxt seqnum.Value) header.SACKBlock {
	s := &r.spans[0]
	return header.SACKBlock{Left: s.start, Right: seqnum.Min(nxt, s.end)}
}

// deliver moves to q what follows nxt without a hole, and returns the sequence
// number after it.
func (r *reassembly) deliver(nxt seqnum.Value, q *recvQueue, budget *buffer.Budget) seqnum.Value {
	for len(r.spans) > 0 && r.spans[0].start.LessEq(nxt) {
		s := r.spans[0]
		have := nxt.Sub(s.start)
		for p := s.first; p >= 0; {
			c, next := r.takePiece(p, budget)
			if have < len(c.data) {
				c.data = c.data[have:]
				have = 0
				q.adopt(c, budget)
			} else {
				have -= len(c.data)
				c.buf.Release()
			}
			p = next
		}
		r.deleteSpan(0)
		nxt = seqnum.Max(nxt, s.end)
	}
	return nxt
}

// blocks fills in the SACK blocks, the latest span first, and returns how many
// there are.
func (r *reassembly) blocks(b []header.SACKBlock) int {
	n := 0
	for _, start := range r.recent[:r.recents] {
		if n == len(b) {
			break
		}
		i := sort.Search(len(r.spans), func(i int) bool { return start.LessEq(r.spans[i].start) })
		b[n] = header.SACKBlock{Left: r.spans[i].start, Right: r.spans[i].end}
		n++
	}
	return n
}

// bytes returns the memory that the reassembly takes.
func (r *reassembly) bytes() int {
	return r.held + int(unsafe.Sizeof(*r)) + cap(r.spans)*int(unsafe.Sizeof(span{})) + cap(r.pieces)*int(unsafe.Sizeof(piece{}))
}
