package tcp

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
)

// slowReassembly is the obvious one: a map from position to byte.
type slowReassembly map[int]byte

func (m slowReassembly) spans(base seqnum.Value) (s []header.SACKBlock) {
	var at []int
	for k := range m {
		at = append(at, k)
	}
	slices.Sort(at)
	for _, k := range at {
		if n := len(s); n > 0 && s[n-1].Right == base.Add(k) {
			s[n-1].Right++
		} else {
			s = append(s, header.SACKBlock{Left: base.Add(k), Right: base.Add(k + 1)})
		}
	}
	return s
}

func TestReassemblyAgainstASlowOne(t *testing.T) {
	for seed := range 60 / raceScale {
		rng := rand.New(rand.NewPCG(uint64(seed), 3))
		budget := buffer.NewBudget(1 << 30)
		base := seqnum.Value(rng.Uint32())
		r := newReassembly()
		slow := slowReassembly{}
		stream := make([]byte, 2000)
		for i := range stream {
			stream[i] = byte(rng.Uint32())
		}
		for range 60 {
			from := 1 + rng.IntN(len(stream)-1)
			n := 1 + rng.IntN(min(len(stream)-from, 1+rng.IntN(300)))
			p := stream[from : from+n]
			var buf *buffer.Buffer
			if rng.IntN(2) == 0 {
				buf, p = pooled(p, 1<<rng.IntN(12))
			}
			isNew, isOld := false, false
			for k := from; k < from+n; k++ {
				_, have := slow[k]
				isNew, isOld = isNew || !have, isOld || have
				slow[k] = stream[k]
			}
			dup, taken := r.insert(base.Add(from), p, buf, 1<<30, budget)
			buf.Release()
			if taken != isNew || isOld != (dup != header.SACKBlock{}) {
				t.Fatalf("seed %d: taken %v, new %v; duplicate %v, old %v", seed, taken, isNew, dup, isOld)
			}
			if isOld {
				for s := dup.Left; s != dup.Right; s++ {
					if k := s.Sub(base); k < from || k >= from+n {
						t.Fatalf("seed %d: the duplicate is outside the segment", seed)
					}
				}
			}
			var got []header.SACKBlock
			for _, s := range r.spans {
				got = append(got, header.SACKBlock{Left: s.start, Right: s.end})
			}
			if want := slow.spans(base); !slices.Equal(got, want) {
				t.Fatalf("seed %d: spans %v, want %v", seed, got, want)
			}
			if int64(r.held) != budget.Used() {
				t.Fatalf("seed %d: %d held, %d taken", seed, r.held, budget.Used())
			}
			var blocks [4]header.SACKBlock
			k := r.blocks(blocks[:])
			if k != min(4, r.recents) || k == 0 {
				t.Fatalf("seed %d: %d blocks of %d", seed, k, r.recents)
			}
			for _, b := range blocks[:k] {
				if !slices.Contains(got, b) {
					t.Fatalf("seed %d: block %v is no span", seed, b)
				}
			}
			if first := blocks[0]; base.Add(from).Less(first.Left) || first.Right.Less(base.Add(from+n)) {
				t.Fatalf("seed %d: the first block %v is not the latest", seed, first)
			}
		}
		// Deliver from somewhere inside, as after a segment that overlaps.
		nxt := rng.IntN(len(stream))
		want := nxt
		for _, ok := slow[want]; ok; _, ok = slow[want] {
			want++
		}
		var q recvQueue
		if got := r.deliver(base.Add(nxt), &q, budget); got != base.Add(want) {
			t.Fatalf("seed %d: delivered up to %d, want %d", seed, got.Sub(base), want)
		}
		b := make([]byte, len(stream))
		if n := q.read(b, budget); !bytes.Equal(b[:n], stream[nxt:want]) {
			t.Fatalf("seed %d: delivered other bytes", seed)
		}
		r.discard(budget)
		if budget.Used() != 0 {
			t.Fatalf("seed %d: %d bytes are left", seed, budget.Used())
		}
	}
}

// SegmentSmack (CVE-2018-5390): a million segments of one byte, each with a
// hole. The memory is bounded, and the last costs no more than the first.
//
// DEF-9.
func TestReassemblyUnderAttack(t *testing.T) {
	const limit = 6 << 20
	const n = 1_000_000 / raceScale
	for name, seq := range map[string]func(i int) int{
		"upwards":   func(i int) int { return 2 * i },
		"downwards": func(i int) int { return 2 * (n - i) },
		"scattered": func(i int) int { return int(uint32(i)*2654435761>>12) &^ 1 },
	} {
		r := newReassembly()
		budget := buffer.NewBudget(1 << 30)
		b := []byte{1}
		most := 0
		for i := range n {
			r.insert(seqnum.Value(seq(i)), b, nil, limit, budget)
			most = max(most, r.bytes())
		}
		if most > 2*limit || len(r.spans) > spansLimit || budget.Used() > limit {
			t.Errorf("%s: %d bytes, %d spans, budget %d", name, most, len(r.spans), budget.Used())
		}
		r.discard(budget)
		if budget.Used() != 0 {
			t.Errorf("%s: %d bytes are left", name, budget.Used())
		}
	}
}

// At the limit the bytes furthest from delivery go.
func TestReassemblyDropsTheFurthest(t *testing.T) {
	r := newReassembly()
	b := make([]byte, 200)
	const piece = buffer.Small + pieceOverhead
	for i := range 4 {
		if _, taken := r.insert(seqnum.Value(1000*(i+1)), b, nil, 4*piece, nil); !taken {
			t.Fatal("refused below the limit")
		}
	}
	if _, taken := r.insert(9000, b, nil, 4*piece, nil); taken {
		t.Error("a further one was taken")
	}
	if _, taken := r.insert(500, b, nil, 4*piece, nil); !taken {
		t.Error("a nearer one was refused")
	}
	if len(r.spans) != 4 || r.spans[0].start != 500 || r.spans[3].start != 3000 {
		t.Errorf("%v", r.spans)
	}
	r.discard(nil)
}
