package tcp

import (
	"testing"
	"time"
)

func TestBulkOverLosslessChannelResendsNothing(t *testing.T) {
	for _, tt := range []struct {
		name       string
		mtu, large int
		delay      time.Duration
		rate       int
	}{
		{"instant", 1500, 0, 0, 0},
		{"10 ms", 1500, 0, 5 * time.Millisecond, 0},
		{"100 ms", 1500, 0, 50 * time.Millisecond, 0},
		{"large segments", 1500, 65160, 5 * time.Millisecond, 0},
		{"large MTU", 65535, 0, time.Millisecond, 0},
		{"100 Mbit/s", 1500, 0, 10 * time.Millisecond, 12_500_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ch := newChannel(t, 1)
			ch.delay, ch.rate, ch.mss = tt.delay, tt.rate, 0.5
			ch.ends[0].send, ch.ends[1].send = 10<<20/raceScale, 1<<20/raceScale
			ch.connect(tt.mtu, tt.large)
			ch.run(1_000_000)
			ch.wantAll()
			for i, s := range ch.ends {
				if n := s.p.Counters.Retransmits.Load(); n != 0 {
					t.Errorf("side %d resent %d segments", i, n)
				}
				if n := s.p.Counters.Recoveries.Load(); n != 0 {
					t.Errorf("side %d entered %d recoveries", i, n)
				}
				if n := s.p.Counters.TailProbes.Load(); n != 0 {
					t.Errorf("side %d sent %d probes", i, n)
				}
			}
		})
	}
}

// Two connections, their users, and a network that loses, repeats, reorders,
// delays and cuts segments: each reads what the other wrote, and both end in
// CLOSED with nothing left.
func TestHostileChannel(t *testing.T) {
	for seed := range 3000 / raceScale {
		ch := newChannel(t, uint64(seed))
		r := ch.rng
		ch.loss, ch.twice, ch.cut = r.Float64()*0.2, r.Float64()*0.1, r.Float64()*0.1
		ch.delay = time.Duration(r.Int64N(int64(50 * time.Millisecond)))
		ch.jitter = time.Duration(r.Int64N(int64(20 * time.Millisecond)))
		ch.mss = r.Float64()
		ch.noSACK = r.IntN(3) == 0
		if r.IntN(2) == 0 {
			ch.rate, ch.mark = 10_000_000, time.Millisecond
		}
		for _, s := range ch.ends {
			s.p.OrphanRetries = s.p.Retries2 // patience for a network this bad
			s.p.TimeWait = time.Hour
			s.send = r.IntN(1 << (8 + r.IntN(11)))
			s.slow = r.IntN(2) == 0
			all := Algorithms()
			s.p.Algorithms = all[r.IntN(len(all)):]
			s.p.ECN = ECNMode(r.IntN(6))
			s.p.NoRACK = r.IntN(4) == 0
			if r.IntN(3) == 0 {
				s.p.RcvBuf.Default = 2000 + r.IntN(20000)
				s.p.RcvBuf.Max = s.p.RcvBuf.Default
			}
			if r.IntN(3) == 0 {
				s.p.SndBuf.Default = 1000 + r.IntN(20000)
				s.p.SndBuf.Max = s.p.SndBuf.Default
			}
		}
		large := 0
		if r.IntN(2) == 0 {
			large = 20000
		}
		ch.connect(576+r.IntN(1000), large)
		ch.run(1_000_000)
		ch.wantAll()
	}
}
