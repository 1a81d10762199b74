package tcp

import (
	"fmt"
	"testing"
	"time"
)

// hold makes the network hold one data segment of side 0 in so many back, until
// by others have passed it.
func (ch *channel) hold(one, by int) {
	type held struct {
		seg   Segment
		until int
	}
	var waiting []held
	n := 0
	ch.drop = func(from int, s *Segment) bool {
		if from != 0 || len(s.Payload) == 0 {
			return false
		}
		n++
		for len(waiting) > 0 && waiting[0].until < n {
			ch.fly(0, waiting[0].seg, max(ch.now, ch.busy[0]))
			waiting = waiting[1:]
		}
		if n%one != 0 {
			return false
		}
		seg := *s
		seg.Payload = append([]byte(nil), s.Payload...)
		waiting = append(waiting, held{seg, n + by})
		return true
	}
}

// A network that reorders costs next to no retransmissions, and no window.
func TestReorderingIsLearned(t *testing.T) {
	for _, tt := range []struct {
		rtt time.Duration
		by  int
	}{
		{2 * time.Millisecond, 3}, {20 * time.Millisecond, 3}, {100 * time.Millisecond, 3}, {20 * time.Millisecond, 8},
	} {
		t.Run(fmt.Sprintf("%v, by %d", tt.rtt, tt.by), func(t *testing.T) {
			ch := newChannel(t, 1)
			ch.delay, ch.rate = tt.rtt/2, 12_500_000
			ch.ends[0].send = 8 << 20
			ch.hold(10, tt.by)
			ch.connect(1500, 0)
			ch.run(1_000_000)
			ch.wantAll()
			c := ch.ends[0].c
			if n, all := c.seldom().retrans, c.stats.dataSegsOut; n*100 > all {
				t.Errorf("%d of %d segments were resent", n, all)
			}
			if n := ch.ends[0].p.Counters.RTOs.Load(); n != 0 {
				t.Errorf("%d time-outs", n)
			}
			if i := c.Info(ch.now); i.ReordSeen == 0 || int(i.Reordering) <= dupThresh {
				t.Errorf("reordering seen %d times, by %d", i.ReordSeen, i.Reordering)
			}
		})
	}
}

// The end of a transfer is lost: that costs a probe, not a time-out.
func TestTailLossCostsAProbe(t *testing.T) {
	for lost := 1; lost <= 5; lost++ {
		ch := newChannel(t, 1)
		ch.delay = 50 * time.Millisecond
		ch.ends[0].send = 20 * 1448
		n := 0
		ch.drop = func(from int, s *Segment) bool {
			if from == 0 && len(s.Payload) > 0 {
				n++
				return n > 20-lost && n <= 20
			}
			return false
		}
		ch.connect(1500, 0)
		start := ch.now
		for ch.ends[1].c == nil || !ch.ends[1].eof {
			ch.step()
		}
		c := ch.ends[0].p.Counters
		if c.RTOs.Load() != 0 || c.TailProbes.Load() > 1 {
			t.Errorf("%d lost: %d time-outs, %d probes", lost, c.RTOs.Load(), c.TailProbes.Load())
		}
		if d := ch.now - start; d > 900*time.Millisecond {
			t.Errorf("%d lost: it took %v", lost, d)
		}
	}
}

// A segment is lost, and its retransmission, and so on: each costs a round trip
// and a bit, as long as something else arrives.
func TestLostRetransmissionIsResent(t *testing.T) {
	ch := newChannel(t, 1)
	ch.delay, ch.rate = 10*time.Millisecond, 1_250_000
	ch.ends[0].send = 1 << 20
	ch.ends[0].p.SndBuf.Default = 1 << 20 // there is always more to send, and room for it
	ch.ends[1].p.RcvBuf.Default = 2 << 20
	copies := 0
	var seq uint32
	var first, last time.Duration
	ch.drop = func(from int, s *Segment) bool {
		if from != 0 || len(s.Payload) == 0 || ch.ends[0].c.stats.dataSegsOut < 100 {
			return false
		}
		if copies == 0 {
			seq, first = uint32(s.Seq), ch.now
		}
		if uint32(s.Seq) != seq {
			return false
		}
		copies++
		last = ch.now
		return copies <= 4
	}
	ch.connect(1500, 0)
	ch.run(1_000_000)
	ch.wantAll()
	c := ch.ends[0].p.Counters
	if copies != 5 || c.RTOs.Load() != 0 || c.Retransmits.Load() != 4 {
		t.Errorf("%d copies, %d time-outs, %d retransmissions", copies, c.RTOs.Load(), c.Retransmits.Load())
	}
	if d, rtt := last-first, ch.ends[0].c.rtt.srtt; d > 6*rtt {
		t.Errorf("four losses of one segment took %v, at a round trip of %v", d, rtt)
	}
}

// RFC 8985 6.2, step 4: the window grows with each round trip that has a DSACK,
// and is forgotten after 16 recoveries without.
func TestReorderingWindow(t *testing.T) {
	tc := onPath(t, sackOnly, 10)
	c := tc.c
	rtt := c.rtt.min
	want := func(what string, quarters int) {
		t.Helper()
		if got := c.reoWnd(); got != min(rtt*time.Duration(quarters)/4, c.rtt.srtt) {
			t.Errorf("%s: %v of a round trip of %v", what, got, rtt)
		}
	}
	want("at first", 1)
	c.fl.sackedSegs = dupThresh
	want("three sacked", 0)
	c.reo.seen = 1
	want("but it reorders", 1)
	c.widenReordering()
	c.widenReordering()
	want("two DSACKs in a round trip", 2)
	for range 5 {
		c.snd.una = c.fl.rack.dsackRound
		c.widenReordering()
	}
	want("many", 7)
	if c.reoWnd() != c.rtt.srtt {
		t.Error("beyond SRTT")
	}
	for range reoPersist - 1 {
		c.narrowReordering()
	}
	want("after 15 recoveries", 7)
	c.narrowReordering()
	want("after 16", 1)
}

// The least round trip is that of the last minutes: a path may become longer.
func TestLeastRoundTripIsForgotten(t *testing.T) {
	var v rttVars
	for i, tt := range []struct {
		at, rtt, want time.Duration
	}{
		{0, 10, 10},
		{time.Minute, 20, 10},
		{2 * time.Minute, 5, 5},
		{3 * time.Minute, 20, 5}, // the second half begins
		{5 * time.Minute, 20, 5},
		{6 * time.Minute, 20, 20}, // the 5 is out of the window
		{7 * time.Minute, 30, 20},
	} {
		if v.minimize(time.Hour+tt.at, tt.rtt); v.min != tt.want {
			t.Errorf("%d: %v, want %v", i, v.min, tt.want)
		}
	}
}
