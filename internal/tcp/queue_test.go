package tcp

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/seqnum"
)

// The send queue against a slice of bytes.
func TestSendQueueIsAStream(t *testing.T) {
	for seed := range 50 / raceScale {
		rng := rand.New(rand.NewPCG(uint64(seed), 1))
		budget := buffer.NewBudget(1 << 30)
		mss := 100 + rng.IntN(2000)
		start := seqnum.Value(rng.Uint32())
		q := sendQueue{end: start}
		var slow []byte // from una on
		una := start
		for range 300 {
			switch rng.IntN(4) {
			case 3:
				b := buffer.Get(1 + rng.IntN(1<<rng.IntN(17)))
				own := b.Bytes()[:1+rng.IntN(b.Size())]
				for i := range own {
					own[i] = byte(rng.Uint32())
				}
				if !q.adopt(b, len(own), budget) || !b.Shared() {
					t.Fatal("not adopted")
				}
				slow = append(slow, own...)
				b.Release()
			case 0:
				b := make([]byte, rng.IntN(1<<rng.IntN(18)))
				for i := range b {
					b[i] = byte(rng.Uint32())
				}
				if n := q.append(b, rng.IntN(2) == 0, mss, 4096, budget); n != len(b) {
					t.Fatalf("took %d of %d", n, len(b))
				}
				slow = append(slow, b...)
			case 1:
				n := rng.IntN(len(slow) + 1)
				una = una.Add(n)
				slow = slow[n:]
				q.acked(una, budget)
			case 2:
				if len(slow) == 0 {
					continue
				}
				off := rng.IntN(len(slow))
				want := 1 + rng.IntN(min(len(slow)-off, 20*mss))
				p, buf := q.slice(una.Add(off), want, mss)
				if len(p) == 0 || len(p) > want || len(p) < min(want, mss) || len(p) < want && len(p)%mss != 0 {
					t.Fatalf("asked for %d with MSS %d, got %d", want, mss, len(p))
				}
				if !bytes.Equal(p, slow[off:off+len(p)]) {
					t.Fatal("other bytes")
				}
				buf.Release()
			}
			if q.queued != len(slow) || q.end != una.Add(len(slow)) {
				t.Fatalf("%d queued, want %d", q.queued, len(slow))
			}
			if int64(q.held) != budget.Used() || q.held > 0 != (q.queued > 0) {
				t.Fatalf("%d held for %d queued, %d taken", q.held, q.queued, budget.Used())
			}
		}
		q.clear(budget)
		if budget.Used() != 0 || q.held != 0 {
			t.Fatal("memory is left")
		}
	}
}

func TestSendQueueBlocksFitWhatIsWritten(t *testing.T) {
	for _, tt := range []struct {
		writes []int
		held   int
	}{
		{[]int{1}, buffer.Small},
		{[]int{100, 100}, buffer.Small},
		{[]int{256, 1}, buffer.Small + buffer.Medium},
		{[]int{2000}, 2 * buffer.Medium}, // a block of one segment, and one of the rest
		{[]int{1 << 16}, buffer.Large + buffer.Medium},
	} {
		var q sendQueue
		for _, n := range tt.writes {
			q.append(make([]byte, n), false, 1448, 0, nil)
		}
		if q.held != tt.held {
			t.Errorf("%v: %d bytes held, want %d", tt.writes, q.held, tt.held)
		}
	}
}

// A long write that finds all sent leaves in as few segments as it can: what the
// one before it left of a block does not cut it up.
func TestSendQueueBeginsLongWritesAnew(t *testing.T) {
	const mss, most = 1448, 45 * 1448
	for _, tt := range []struct {
		write, blocks int
		fresh         bool
		pieces        []int
	}{
		{1 << 16, 2, true, []int{65160, 376}},
		{1 << 16, 3, false, []int{1448, 63712, 376}}, // put together across the border of two blocks
		{40_000, 2, true, []int{39096, 904}},
		{40_000, 2, false, []int{24616, 1448, 13032, 904}},
		{8 * mss, 1, true, []int{8 * mss}}, // there is room
		{1000, 1, true, []int{1000}},
		{1000, 2, false, []int{1000}},
	} {
		var q sendQueue
		var pieces []int
		for range 2 {
			at := q.end
			q.append(make([]byte, tt.write), tt.fresh, mss, 0, nil)
			for pieces = nil; at != q.end; {
				n := min(q.end.Sub(at), most)
				if n >= mss { // whole segments, as sendNew asks for them
					n -= n % mss
				}
				p, buf := q.slice(at, n, mss)
				buf.Release()
				pieces = append(pieces, len(p))
				at = at.Add(len(p))
			}
		}
		if !slices.Equal(pieces, tt.pieces) || q.blocks.len() != tt.blocks {
			t.Errorf("a second write of %d leaves in pieces of %v from %d blocks, want %v and %d", tt.write, pieces, q.blocks.len(), tt.pieces, tt.blocks)
		}
		q.clear(nil)
	}
}

// What was sent stays as it is while more is written behind it.
func TestSendQueueOnlyAppends(t *testing.T) {
	var q sendQueue
	q.append([]byte("hello"), false, 1000, 0, nil)
	p, buf := q.slice(0, 5, 1000)
	q.append([]byte(" world"), false, 1000, 0, nil)
	if string(p) != "hello" || cap(p) != 5 {
		t.Errorf("%q, capacity %d", p, cap(p))
	}
	q.acked(5, nil)
	if string(p) != "hello" {
		t.Errorf("%q", p)
	}
	buf.Release()
}

// The receive queue against a slice of bytes: the stream is right, and so is
// the bound for memory, whatever buffers the frames come in.
func TestRecvQueueIsAStream(t *testing.T) {
	for seed := range 50 / raceScale {
		rng := rand.New(rand.NewPCG(uint64(seed), 2))
		budget := buffer.NewBudget(1 << 30)
		var q recvQueue
		var slow []byte
		for range 500 {
			if rng.IntN(2) == 0 {
				b := make([]byte, 1+rng.IntN(1<<rng.IntN(16)))
				for i := range b {
					b[i] = byte(rng.Uint32())
				}
				var buf *buffer.Buffer
				p := b
				if rng.IntN(4) > 0 {
					buf, p = pooled(b, 1<<rng.IntN(17))
				}
				if !q.add(p, buf, false, budget) {
					t.Fatal("refused")
				}
				buf.Release()
				slow = append(slow, b...)
			} else {
				b := make([]byte, rng.IntN(1<<rng.IntN(17)))
				from := rng.IntN(len(slow) + 1)
				if n := q.peek(b, from); n != min(len(b), len(slow)-from) || !bytes.Equal(b[:n], slow[from:from+n]) {
					t.Fatalf("peeked at %d of %d behind %d", n, len(slow), from)
				}
				n := q.read(b, budget)
				if n != min(len(b), len(slow)) || !bytes.Equal(b[:n], slow[:n]) {
					t.Fatalf("read %d of %d", n, len(slow))
				}
				slow = slow[n:]
			}
			if q.queued != len(slow) || int64(q.held) != budget.Used() {
				t.Fatalf("%d queued, want %d; %d held, %d taken", q.queued, len(slow), q.held, budget.Used())
			}
			if q.queued == 0 && q.held != 0 {
				t.Fatal("an empty queue holds memory")
			}
		}
		q.clear(budget)
		if budget.Used() != 0 {
			t.Fatal("memory is left")
		}
	}
}

// SegmentSmack (CVE-2018-5390) in order: many small segments in large buffers.
func TestRecvQueueWastesLessThanHalf(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, sizes := range [][]int{{1}, {10, 1448}, {1, 1000}, {1448}, {129, 1025}, {255}, {64000, 1}} {
		for _, block := range []int{buffer.Small, buffer.Medium, buffer.Large} {
			var q recvQueue
			for n := 0; q.queued < 400_000/raceScale; n++ {
				buf, p := pooled(make([]byte, sizes[rng.IntN(len(sizes))]), block)
				q.add(p, buf, false, nil)
				buf.Release()
				if q.held > 2*q.queued+buffer.Large {
					t.Fatalf("sizes %v in blocks of %d: %d held for %d", sizes, block, q.held, q.queued)
				}
			}
			q.clear(nil)
		}
	}
}

func TestRecvQueueKeepsFramesWhereThatIsCheap(t *testing.T) {
	var q recvQueue
	buf, p := pooled(make([]byte, 1448), buffer.Medium)
	q.add(p, buf, false, nil)
	if !buf.Shared() || &q.chunks.front().data[0] != &p[0] {
		t.Error("it was copied")
	}
	buf.Release()
}

// What a sender in the same memory wrote at once may come in several frames.
func TestRecvQueueTakesTheNextPieceOfABlock(t *testing.T) {
	var q recvQueue
	text := make([]byte, 1<<16)
	for i := range text {
		text[i] = byte(i >> 8)
	}
	buf, p := pooled(text, buffer.Large)
	budget := buffer.NewBudget(buffer.Large)
	for _, piece := range [][]byte{p[:65160:65160], p[65160:65161:65161], p[65161:]} {
		if !q.add(piece, buf, false, budget) {
			t.Fatalf("refused %d bytes more of a block that is held", len(piece))
		}
		piece[0] = 'x' // seen only where it was not copied
	}
	text[0], text[65160], text[65161] = 'x', 'x', 'x'
	if q.chunks.len() != 1 || q.held != buffer.Large {
		t.Errorf("%d chunks that hold %d bytes", q.chunks.len(), q.held)
	}
	buf.Release()
	got := make([]byte, len(text))
	if n := q.read(got, budget); n != len(text) || !bytes.Equal(got, text) {
		t.Errorf("read %d bytes, or other ones", n)
	}
	if budget.Used() != 0 {
		t.Error("memory is left")
	}
}

func TestQueuesAtTheEndOfTheBudget(t *testing.T) {
	full := buffer.NewBudget(0)
	var s sendQueue
	if n := s.append(make([]byte, 1<<20), false, 1000, 4096, full); n < 4000 || s.held > 4096+buffer.Medium {
		t.Errorf("the send queue took %d, holds %d", n, s.held)
	}
	if n := s.append([]byte("x"), false, 1000, 4096, full); n != 0 && s.held > 4096+buffer.Medium {
		t.Errorf("and %d more", n)
	}
	var r recvQueue
	if r.add(make([]byte, 1), nil, false, full) {
		t.Error("the receive queue took what there is no memory for")
	}
	text := make([]byte, 60000)
	for i := range text {
		text[i] = byte(i)
	}
	for i, want := range []int{1000, 1000, 2096, 0} {
		if n := r.addLittle(text[r.queued:][:1000+i/2*5000], 4096, full); n != want {
			t.Errorf("step %d: took %d bytes, want %d", i, n, want)
		}
	}
	if r.held > 4096+2*buffer.Medium {
		t.Errorf("4096 bytes hold %d", r.held)
	}
	got := make([]byte, 5000)
	if n := r.read(got, full); n != 4096 || !bytes.Equal(got[:n], text[:n]) {
		t.Errorf("read %d bytes", n)
	}
	r.clear(full)
	s.clear(full)
	if full.Used() != 0 {
		t.Error("memory is left")
	}
}
