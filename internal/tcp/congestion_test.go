package tcp

import (
	"fmt"
	"testing"
	"time"
)

// MUST-19: slow start and congestion avoidance, of RFC 5681 3.1 and RFC 3465.
func TestNewReno(t *testing.T) {
	const mss = 1000
	ack := func(n int) Ack { return Ack{Acked: n, Delivered: n, Limited: true} }
	begin := func() *Reno {
		r := NewReno(mss)
		r.Init(0, Window{Initial: 10 * mss, Cwnd: 10 * mss, SSThresh: NoThreshold})
		return r
	}
	t.Run("slow start grows by what is acknowledged", func(t *testing.T) {
		r := begin()
		for range 10 {
			r.OnAck(0, ack(mss))
		}
		if r.Cwnd() != 20*mss {
			t.Error(r.Cwnd())
		}
	})
	t.Run("by L segments at most", func(t *testing.T) {
		r := begin()
		r.Limit = 2
		r.OnAck(0, ack(10*mss))
		if r.Cwnd() != 12*mss {
			t.Error(r.Cwnd())
		}
	})
	t.Run("avoidance grows by a segment for a window", func(t *testing.T) {
		r := begin()
		r.OnLoss(0, 20*mss)
		if r.Cwnd() != 10*mss || r.SSThresh() != 10*mss {
			t.Fatal(r.Cwnd(), r.SSThresh())
		}
		for range 10 {
			r.OnAck(0, ack(mss))
		}
		if r.Cwnd() != 11*mss {
			t.Error(r.Cwnd())
		}
		r.OnAck(0, ack(11*mss))
		if r.Cwnd() != 12*mss {
			t.Error(r.Cwnd())
		}
	})
	t.Run("slow start ends at ssthresh", func(t *testing.T) {
		r := begin()
		r.OnRTO(0, 10*mss, true)
		if r.Cwnd() != mss || r.SSThresh() != 5*mss {
			t.Fatal(r.Cwnd(), r.SSThresh())
		}
		r.OnAck(0, ack(10*mss))
		if r.Cwnd() != 6*mss { // 4 to ssthresh, and 6 of 5 are a segment more
			t.Error(r.Cwnd())
		}
	})
	t.Run("a second time-out keeps ssthresh", func(t *testing.T) {
		r := begin()
		r.OnRTO(0, 10*mss, true)
		r.OnRTO(0, mss, false)
		if r.SSThresh() != 5*mss {
			t.Error(r.SSThresh())
		}
	})
	t.Run("ssthresh is two segments at least", func(t *testing.T) {
		r := begin()
		r.OnLoss(0, mss)
		if r.Cwnd() != 2*mss {
			t.Error(r.Cwnd())
		}
	})
	t.Run("nothing grows in recovery, or unused", func(t *testing.T) {
		r := begin()
		r.OnAck(0, Ack{Acked: mss, Limited: true, Recovery: true})
		r.OnAck(0, Ack{Acked: mss})
		r.OnAck(0, Ack{Delivered: mss, Limited: true})
		if r.Cwnd() != 10*mss {
			t.Error(r.Cwnd())
		}
	})
	t.Run("idle", func(t *testing.T) {
		r := begin()
		for range 10 {
			r.OnAck(0, ack(10*mss)) // 110
		}
		r.OnIdle(0, 1)
		if r.Cwnd() != 55*mss || r.SSThresh() < 80*mss {
			t.Error(r.Cwnd(), r.SSThresh())
		}
		r.OnIdle(0, 1000)
		if r.Cwnd() != 10*mss {
			t.Error(r.Cwnd())
		}
	})
}

// RFC 6928 2.
func TestInitialWindow(t *testing.T) {
	for mss, want := range map[int]int{536: 5360, 1000: 10000, 1448: 14480, 1460: 14600, 4000: 14600, 8960: 17920, 65483: 130966} {
		tc := talk(t)
		tc.c.snd.mss = mss
		if got := tc.c.initialWindow(); got != want {
			t.Errorf("MSS %d: %d, want %d", mss, got, want)
		}
	}
}

// RFC 7661: a window that was not used does not grow.
func TestUnusedWindowDoesNotGrow(t *testing.T) {
	tc := established(t, noOptions)
	for i := range 100 {
		tc.write(1000)
		tc.skip()
		tc.advance(10 * time.Millisecond)
		tc.input(fmt.Sprintf(". 1:1(0) ack %d win 50000", 1001+i*1000))
	}
	tc.wantCwnd(10)
}

// RFC 5681 4.1.
func TestRestartAfterIdle(t *testing.T) {
	tc := inFlight(t, noOptions, 10)
	for i := range 10 {
		tc.input(fmt.Sprintf(". 1:1(0) ack %d win 65000", 1001+i*1000))
	}
	tc.wantCwnd(20)
	tc.c.SetSndBuf(100000)
	tc.advance(time.Minute)
	tc.write(30000)
	tc.wantCwnd(10)
	if n := len(tc.skip()); n != 10 {
		t.Errorf("%d segments after a pause", n)
	}
}

// Savage 1999; RFC 5681 6: what a receiver gains by cheating.
//
// DEF-30.
func TestAckSplittingGainsNothing(t *testing.T) {
	grow := func(pieces int) int {
		tc := inFlight(t, noOptions, 10)
		una := 1
		for range 10 * pieces {
			una += 1000 / pieces
			tc.input(fmt.Sprintf(". 1:1(0) ack %d win 50000", una))
		}
		return tc.c.cc.Cwnd()
	}
	honest, split := grow(1), grow(100)
	if split > honest+honest/10 {
		t.Errorf("cwnd %d instead of %d", split, honest)
	}
}

// DEF-30.
func TestSpoofedDuplicatesGainNothing(t *testing.T) {
	tc := inFlight(t, noOptions, 10)
	tc.c.SetSndBuf(1 << 20)
	tc.write(100_000)
	for range 10_000 {
		tc.input(". 1:1(0) ack 1 win 65000")
	}
	// Ten duplicates may be honest, and let as many bytes out as they stand for.
	if n := tc.c.snd.nxt.Sub(tc.c.snd.una); n > 20_000 {
		t.Errorf("%d bytes in flight", n)
	}
}

// DEF-30.
func TestOptimisticAckIsNotTaken(t *testing.T) {
	tc := inFlight(t, noOptions, 10)
	for i := range 100 {
		tc.input(fmt.Sprintf(". 1:1(0) ack %d win 50000", 10002+i*1000))
	}
	tc.wantCwnd(10)
	if tc.c.snd.una != tc.iss.Add(1) {
		t.Error("SND.UNA moved")
	}
}

// Small segments count against the window, too.
func TestFloodOfSmallSegmentsIsBounded(t *testing.T) {
	tc := established(t, noOptions)
	tc.c.SetNoDelay(true)
	for range 9000 {
		tc.write(1)
	}
	if n := len(tc.skip()); n > 50 {
		t.Errorf("%d segments of one byte in flight", n)
	}
}

// What a loss or a time-out took is given back once (RFC 4015 3, RFC 9438 4.9),
// and a window that has grown since does not fall.
func TestUndo(t *testing.T) {
	const mss = 1000
	for name, fall := range map[string]func(CongestionControl){
		"loss":               func(cc CongestionControl) { cc.OnLoss(0, 20*mss) },
		"mark":               func(cc CongestionControl) { cc.OnECN(0, 20*mss) },
		"time-out":           func(cc CongestionControl) { cc.OnRTO(0, 20*mss, true) },
		"repeated time-outs": func(cc CongestionControl) { cc.OnRTO(0, 20*mss, true); cc.OnRTO(0, 20*mss, false) },
	} {
		for _, a := range []*Algorithm{renoAlgorithm, cubicAlgorithm} {
			t.Run(a.Name+", "+name, func(t *testing.T) {
				cc := a.New(mss)
				cc.Init(0, Window{Initial: 10 * mss, Cwnd: 20 * mss, SSThresh: 15 * mss})
				fall(cc)
				if cc.Cwnd() >= 20*mss {
					t.Fatal("nothing was taken")
				}
				cc.OnUndo(0)
				if cc.Cwnd() != 20*mss || cc.SSThresh() != 15*mss {
					t.Error(cc.Cwnd(), cc.SSThresh())
				}
				cc.OnIdle(0, 1)
				cwnd := cc.Cwnd()
				cc.OnUndo(0)
				if cc.Cwnd() != cwnd {
					t.Error("undone twice")
				}
			})
		}
	}
}
