package tcp

import (
	"math/rand/v2"
	"testing"

	"example.com/berth/internal/seqnum"
)

// check compares the sums and indexes of a scoreboard with its records.
func (f *flight) check(t *testing.T) {
	t.Helper()
	var sacked, lost, resent, above int
	waiting := -1
	for i := range f.records.len() {
		r := f.records.at(i)
		if i > 0 && f.records.at(i-1).end != r.seq {
			t.Fatalf("a hole before record %d", i)
		}
		if r.has(flagSacked) {
			sacked += r.len()
			if i >= f.lossEdge {
				above++
			}
			if r.has(flagLost | flagResent) {
				t.Fatalf("record %d is sacked and in flight", i)
			}
			if r.run == 0 || i+int(r.run) > f.records.len() {
				t.Fatalf("record %d: run %d", i, r.run)
			}
		} else if i < f.lossEdge && !r.has(flagLost) {
			t.Fatalf("record %d below the border is neither sacked nor lost", i)
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
	if sacked != f.sacked || lost != f.lost || resent != f.resent || above != f.sackedAbove {
		t.Fatalf("sums %d %d %d %d, want %d %d %d %d", f.sacked, f.lost, f.resent, f.sackedAbove, sacked, lost, resent, above)
	}
	if got := f.nextLost(); got != waiting {
		t.Fatalf("next to be resent is %d, want %d", got, waiting)
	}
}

// The scoreboard against the definitions of RFC 6675, under random events.
func TestScoreboardAgainstItsDefinition(t *testing.T) {
	for seed := range 200 / raceScale {
		rng := rand.New(rand.NewPCG(uint64(seed), 4))
		var f flight
		una := seqnum.Value(rng.Uint32())
		nxt := una
		for range 300 {
			switch rng.IntN(8) {
			case 0, 1, 2:
				for range rng.IntN(20) {
					n := 1 + rng.IntN(100)
					f.push(nxt, nxt.Add(n), 1, 0)
					nxt = nxt.Add(n)
				}
			case 3, 4:
				if nxt == una {
					continue
				}
				var s ackSample
				left := una.Add(rng.IntN(nxt.Sub(una)))
				f.sack(left, left.Add(rng.IntN(nxt.Sub(left)+1)), &s)
				f.detectLoss()
				f.wantLostByDefinition(t)
			case 5:
				if i := f.nextLost(); i >= 0 {
					f.set(f.records.at(i), flagResent|flagTwice, 0)
				}
			case 6:
				ack := una.Add(rng.IntN(nxt.Sub(una) + 1))
				k := f.index(ack)
				if k > 0 {
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
					f.loseAll(rng.IntN(2) == 0)
				case 1:
					f.loseFirst()
				case 2:
					f.resegment(20+rng.IntN(60), rng.IntN(2) == 0)
					f.detectLoss()
				}
			}
			f.check(t)
			if f.bytes() != nxt.Sub(una) {
				t.Fatalf("%d bytes in flight, want %d", f.bytes(), nxt.Sub(una))
			}
		}
	}
}

// wantLostByDefinition: every hole with dupThresh sacked records above it is
// lost.
func (f *flight) wantLostByDefinition(t *testing.T) {
	t.Helper()
	above := 0
	for i := f.records.len() - 1; i >= 0; i-- {
		r := f.records.at(i)
		if r.has(flagSacked) {
			above++
		} else if above >= dupThresh && !r.has(flagLost) {
			t.Fatalf("record %d has %d sacked above it and is not lost", i, above)
		}
	}
}

// SACK Slowness (CVE-2019-11478): 100,000 segments in flight, and a peer that
// makes as many holes as it can.
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
		var f flight
		for i := range n {
			f.push(seqnum.Value(i*mss), seqnum.Value((i+1)*mss), 1, 0)
		}
		for i := range n / 2 {
			var s ackSample
			l, r := block(i)
			f.sack(seqnum.Value(l), seqnum.Value(r), &s)
			f.detectLoss()
			f.nextLost()
		}
		if f.records.len() != n {
			t.Errorf("%s: %d records", name, f.records.len())
		}
		f.clear()
	}
}
