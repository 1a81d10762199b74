package tcp

import (
	"testing"
	"time"
)

// share runs one flow for each algorithm through one bottleneck, each begun a
// second after the one before, and returns the Mbit/s that each gets between
// from and to.
func (p path) share(t *testing.T, from, to time.Duration, algorithms ...*Algorithm) []float64 {
	var flows []*channel
	for i, a := range algorithms {
		ch := p.channel(t, uint64(i), a)
		ch.now += time.Duration(i) * time.Second
		ch.ends[0].send = 1 << 30
		if i > 0 {
			ch.busy = flows[0].busy
		}
		ch.ends[0].c = NewConn(ch.ends[0].p)
		if err := ch.ends[0].c.Connect(ch.now, ch.opening(0, 1500, 0)); err != nil {
			t.Fatal(err)
		}
		ch.push(flying{at: ch.now, to: 2}) // sends its SYN when its time comes
		flows = append(flows, ch)
	}
	got := make([]float64, len(flows))
	for mark, start := time.Duration(0), flows[0].now; ; {
		var first *channel
		var at time.Duration
		for _, ch := range flows {
			if d, _, ok := ch.next(); ok && (first == nil || d < at) {
				first, at = ch, d
			}
		}
		switch {
		case first == nil:
			t.Fatal("nothing happens any more")
		case at-start > to:
			for i, ch := range flows {
				got[i] = (float64(ch.ends[1].read) - got[i]) * 8 / (to - mark).Seconds() / 1e6
			}
			return got
		case mark == 0 && at-start > from:
			mark = from
			for i, ch := range flows {
				got[i] = float64(ch.ends[1].read)
			}
		}
		first.step()
	}
}

// jain is the fairness index of Jain, Chiu and Hawe (1984): 1 where all get the
// same, 1/n where one gets all.
func jain(x []float64) float64 {
	var sum, squares float64
	for _, v := range x {
		sum += v
		squares += v * v
	}
	return sum * sum / (float64(len(x)) * squares)
}

func TestFlowsShareABottleneck(t *testing.T) {
	if raceEnabled {
		t.Skip("slow under the race detector, and races are not what it looks for")
	}
	for _, tt := range []struct {
		a    *Algorithm
		rtt  time.Duration
		n    int
		fair float64
	}{
		{cubicAlgorithm, 20 * time.Millisecond, 2, 0.9},
		{cubicAlgorithm, 20 * time.Millisecond, 4, 0.9},
		{renoAlgorithm, 20 * time.Millisecond, 2, 0.9},
		{renoAlgorithm, 50 * time.Millisecond, 2, 0.9},
	} {
		p := path{rate: 1_250_000, rtt: tt.rtt}
		all := make([]*Algorithm, tt.n)
		for i := range all {
			all[i] = tt.a
		}
		got := p.share(t, 10*time.Second, 35*time.Second, all...)
		sum := 0.0
		for _, v := range got {
			sum += v
		}
		t.Logf("%d of %s, %v: %.2f of 10 Mbit/s, index %.3f", tt.n, tt.a.Name, tt.rtt, got, jain(got))
		if jain(got) < tt.fair || sum < 9 {
			t.Errorf("%d of %s, %v: %.2f of 10 Mbit/s, index %.3f", tt.n, tt.a.Name, tt.rtt, got, jain(got))
		}
	}
}

// Reordering by three segments costs nothing that matters, also where what is late
// comes with what it is late for, in one batch.
func TestReorderingIsNoCongestion(t *testing.T) {
	for _, a := range []*Algorithm{cubicAlgorithm, renoAlgorithm, bbrAlgorithm} {
		for _, stalled := range []time.Duration{0, 3 * time.Millisecond} {
			for seed := range uint64(2) {
				p := path{rate: 2_500_000, rtt: 100 * time.Millisecond, stalls: stalled}
				ch := p.channel(t, seed, a)
				ch.late, ch.lateBy = 0.01, 3
				ch.ends[0].send = 1 << 30
				start := ch.now
				for ch.connect(1500, 0); ch.now-start < 8*time.Second; {
					if !ch.step() {
						t.Fatal(ch.describe())
					}
				}
				if got := float64(ch.ends[1].read) * 8 / 8e6; got < 0.75*20 {
					t.Errorf("%s, stalls of %v, seed %d: %.1f of 20 Mbit/s", a.Name, stalled, seed, got)
				}
			}
		}
	}
}
