package tcp

import (
	"math/rand/v2"
	"testing"
	"time"

	"example.com/berth/internal/seqnum"
)

// check compares the sums and indexes of a scoreboard with its records.
func (f *flight) check(t *testing.T) {
	t.Helper()
	if f == nil {
		return
	}
	var sacked, sackedSegs, below, lost, resent int
	waiting := -1
	for i := range f.records.len() {
		r := f.records.at(i)
		if i > 0 && f.records.at(i-1).end != r.seq {
			t.Fatalf("a hole before record %d", i)
		}
		if r.has(flagSacked) {
			sacked += r.len()
			sackedSegs++
			if i < f.lossEdge {
				below++
			}
			if r.has(flagLost | flagResent) {
				t.Fatalf("record %d is sacked and in flight", i)
			}
			if r.run == 0 || i+int(r.run) > f.records.len() {
				t.Fatalf("record %d: run %d", i, r.run)
			}
		} else if i < f.lossEdge && !r.has(flagLost|flagResent) {
			t.Fatalf("record %d below the border is neither sacked, nor lost, nor resent", i)
		}
		if r.has(flagLost) {
			lost += r.len()
			if !r.has(flagResent) && waiting < 0 {
				waiting = i
			}
		}
		if r.has(flagResent) {
			resent += r.len()
		}
	}
	if sacked != f.sacked || lost != f.lost || resent != f.resent || sackedSegs != f.sackedSegs {
		t.Fatalf("sums %d %d %d %d, want %d %d %d %d", f.sacked, f.lost, f.resent, f.sackedSegs, sacked, lost, resent, sackedSegs)
	}
	if below != f.sackedBelow {
		t.Fatalf("%d sacked below the border, want %d", f.sackedBelow, below)
	}
	if got := f.nextLost(); got != waiting {
		t.Fatalf("next to be resent is %d, want %d", got, waiting)
	}
	for i := range f.resends.len() {
		if i > 0 && f.resends.at(i).sent < f.resends.at(i-1).sent {
			t.Fatal("retransmissions are out of order")
		}
	}
	if n := f.resends.len(); n > 2*f.records.len()+1000 {
		t.Fatalf("%d retransmissions of %d records", n, f.records.len())
	}
}

// The scoreboard against the definition of RFC 8985 6.2, step 5, under random
// events.
func TestScoreboardAgainstItsDefinition(t *testing.T) {
	for seed := range 300 / raceScale {
		rng := rand.New(rand.NewPCG(uint64(seed), 4))
		una := seqnum.Value(rng.Uint32())
		nxt := una
		now := time.Hour
		f := newFlight(una)
		for range 300 {
			now += time.Duration(rng.IntN(5)) * time.Millisecond
			s := ackSample{trusted: now}
			switch rng.IntN(8) {
			case 0, 1, 2:
				for range rng.IntN(20) {
					n := 1 + rng.IntN(100)
					f.push(nxt, nxt.Add(n), now, 0)
					nxt = nxt.Add(n)
				}
			case 3, 4:
				if nxt != una {
					left := una.Add(rng.IntN(nxt.Sub(una)))
					f.sack(left, left.Add(rng.IntN(nxt.Sub(left)+1)), &s)
				}
			case 5:
				for range rng.IntN(4) {
					if i := f.nextLost(); i >= 0 {
						f.retransmit(i, now)
					}
				}
			case 6:
				ack := una.Add(rng.IntN(nxt.Sub(una) + 1))
				if k := f.index(ack); k > 0 {
					f.pop(k)
				}
				if f.records.len() > 0 && f.records.front().seq.Less(ack) {
					f.trim(ack)
				}
				una = ack
			case 7:
				if f.records.len() == 0 {
					continue
				}
				switch rng.IntN(6) {
				case 0:
					f.loseAfterTimeout(now-time.Duration(rng.IntN(20))*time.Millisecond, rng.IntN(2) == 0)
				case 1:
					f.loseFirst()
				case 2:
					f.resegment(20+rng.IntN(60), rng.IntN(2) == 0)
				case 3:
					f.restore()
				case 4:
					if i := f.records.len() - 1; !f.records.at(i).has(flagSacked) {
						f.retransmit(i, now)
					}
				}
			}
			if s.sent > f.rack.sent || s.sent == f.rack.sent && f.rack.end.Less(s.end) {
				f.rack.sent, f.rack.end = s.sent, s.end
			}
			patience := time.Duration(rng.IntN(10)) * time.Millisecond
			_, next := f.expire(now, patience)
			f.check(t)
			f.wantLostByDefinition(t, now, patience, next)
			if f.bytes() != nxt.Sub(una) {
				t.Fatalf("%d bytes in flight, want %d", f.bytes(), nxt.Sub(una))
			}
		}
		f.release()
	}
}

// retransmit marks record i as Conn.resend does.
func (f *flight) retransmit(i int, now time.Duration) {
	r := f.records.at(i)
	r.sent = now
	f.set(r, flagResent|flagTwice, 0)
	f.noteResend(r.seq, r.end, r.end, now)
}

// wantLostByDefinition: what was sent before RACK.segment and has run out of
// patience is lost, and next is when the first of the others will be. Segments
// that were sent at the same time as others may wait for those.
func (f *flight) wantLostByDefinition(t *testing.T, now, patience, next time.Duration) {
	t.Helper()
	for i := range f.records.len() {
		r := f.records.at(i)
		if r.has(flagSacked) || r.has(flagLost) && !r.has(flagResent) || r.sent >= f.rack.sent {
			continue
		}
		switch at := r.sent + patience; {
		case at <= now && !f.blocked(i):
			t.Fatalf("record %d should be lost since %v", i, now-at)
		case at > now && (next == 0 || next > at) && !f.blocked(i):
			t.Fatalf("record %d is lost in %v, the timer is set to %v", i, at-now, next-now)
		}
	}
}

// blocked tells whether a record that was resent, and is taken for in flight
// again, stands before record i: it was sent later, and those above it wait.
func (f *flight) blocked(i int) bool {
	for k := range i + 1 {
		if r := f.records.at(k); r.has(flagTwice) && !r.has(flagSacked|flagLost|flagResent) {
			return true
		}
	}
	return false
}

// SACK Slowness (CVE-2019-11478): 100,000 segments in flight, and a peer that
// makes as many holes as it can.
//
// DEF-7.
func TestScoreboardUnderAttack(t *testing.T) {
	const n, mss = 100_000, 100
	for name, block := range map[string]func(i int) (int, int){
		"every second segment, upwards":    func(i int) (int, int) { return 2 * i * mss, (2*i + 1) * mss },
		"every second segment, downwards":  func(i int) (int, int) { return (n - 2*i - 2) * mss, (n - 2*i - 1) * mss },
		"ever longer from the top":         func(i int) (int, int) { return (n - 2*i - 2) * mss, n * mss },
		"single bytes":                     func(i int) (int, int) { return 2*i*mss + 1, 2*i*mss + 2 },
		"ever longer from the bottom":      func(i int) (int, int) { return mss, (2*i + 2) * mss },
		"everything but the first, always": func(int) (int, int) { return mss, n * mss },
	} {
		f := newFlight(0)
		for i := range n {
			f.push(seqnum.Value(i*mss), seqnum.Value((i+1)*mss), time.Duration(1+i), 0)
		}
		for i := range n / 2 {
			s := ackSample{}
			l, r := block(i)
			f.sack(seqnum.Value(l), seqnum.Value(r), &s)
			if f.rack.sent < s.sent {
				f.rack.sent, f.rack.end = s.sent, s.end
			}
			now := time.Duration(n + i)
			f.expire(now, n) // some are lost, and some wait
			if i := f.nextLost(); i >= 0 {
				f.retransmit(i, now)
			}
		}
		if f.records.len() != n {
			t.Errorf("%s: %d records", name, f.records.len())
		}
		f.release()
	}
}

func (f *flight) sackedBytes() int {
	if f == nil {
		return 0
	}
	return f.sacked
}

// The records of a large segment are made, noted and dropped at once, with what each
// by itself would come to.
func TestFlightOfLargeSegments(t *testing.T) {
	const mss = 1448
	pr := newPair(t, 1500, 65160)
	c := pr.a
	written, _ := c.Write(pr.now, make([]byte, 100_000), false)
	for pr.now++; c.Next(pr.now, &pr.seg); pr.now++ {
		pr.seg.Buffer.Release()
	}
	f, una := c.fl, c.snd.una
	if f.bytes() < 10*mss || f.len() < f.bytes()/mss {
		t.Fatalf("%d records of %d bytes, of %d written", f.len(), f.bytes(), written)
	}
	for i := range f.len() {
		r, p := f.records.at(i), f.rates.snapshots.at(i)
		if r.seq != una.Add(i*mss) || p.inFlight != r.end.Sub(una) || p.deliveredAt == 0 {
			t.Errorf("record %d: from %d to %d, with %d in flight", i, r.seq.Sub(una), r.end.Sub(una), p.inFlight)
		}
	}
	for _, change := range []struct {
		name string
		make func()
	}{
		{"untouched", func() {}},
		{"one sacked", func() { f.set(f.records.at(3), flagSacked, 0) }},
		{"one resent", func() { f.set(f.records.at(5), flagResent|flagTwice, 0) }},
		{"one sent later", func() { f.records.at(7).sent++ }},
	} {
		change.make()
		for n := 0; n <= f.bytes(); n += mss / 2 {
			one, each := ackSample{trusted: pr.now}, ackSample{trusted: pr.now}
			k, ack := 0, una.Add(n)
			for ; k < f.len() && !ack.Less(f.records.at(k).end); k++ {
				if r := f.records.at(k); !r.has(flagSacked) {
					each.arrived(r, 1)
					f.rates.arrived(k, r, &each)
				}
			}
			if got := f.arrived(ack, &one); got != k || one != each {
				t.Errorf("%s, %d bytes: %d records that come to %+v, want %d and %+v", change.name, n, got, one, k, each)
			}
		}
	}
}
