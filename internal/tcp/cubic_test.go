package tcp

import (
	"math"
	"testing"
	"time"
)

const cubicMSS = 1000

// lostAt returns a CUBIC that has lost at a window of that many segments, in its
// first slow start, and has begun congestion avoidance at now.
func lostAt(segments int) *Cubic {
	c := NewCubic(cubicMSS)
	c.Init(0, Window{Initial: 10 * cubicMSS, Cwnd: segments * cubicMSS, SSThresh: NoThreshold})
	c.OnLoss(0, segments*cubicMSS)
	c.begin(time.Hour)
	return c
}

// MAY-18: RFC 9438 4.2: W_cubic(t) = C(t-K)^3 + W_max, K = cbrt((W_max-cwnd_epoch)/C).
func TestCubicCurve(t *testing.T) {
	for _, tt := range []struct {
		wMax int // segments
		k    float64
		at   map[float64]float64 // seconds: segments
	}{
		// K = cbrt(100*0.3/0.4) = cbrt(75)
		{100, 4.217163, map[float64]float64{0: 70, 1: 86.681, 2: 95.640, 3: 99.279, 4.217163: 100, 5: 100.192, 8: 121.653, 10: 177.354}},
		// K = cbrt(1000*0.3/0.4) = cbrt(750)
		{1000, 9.085603, map[float64]float64{0: 700, 1: 788.555, 5: 972.721, 9.085603: 1000, 10: 1000.306, 20: 1520.067}},
	} {
		c := lostAt(tt.wMax)
		if math.Abs(c.k-tt.k) > 1e-6 {
			t.Errorf("W_max %d: K is %f, want %f", tt.wMax, c.k, tt.k)
		}
		for s, want := range tt.at {
			if got := c.curve(time.Duration(s*1e9)) / cubicMSS; math.Abs(got-want) > 0.001 {
				t.Errorf("W_max %d: W_cubic(%v) is %.3f, want %.3f", tt.wMax, s, got, want)
			}
		}
	}
}

// feed acknowledges a window in every round trip, segment by segment, for d.
func feed(c *Cubic, now time.Duration, d, rtt time.Duration) {
	for end := now + d; now < end; {
		n := max(1, c.Cwnd()/cubicMSS)
		for i := range n {
			c.OnAck(now+rtt*time.Duration(i)/time.Duration(n), Ack{Acked: cubicMSS, Delivered: cubicMSS, SRTT: rtt, RTT: rtt, Limited: true})
		}
		now += rtt
	}
}

// The window is back at W_max after K seconds, whatever the round trip is (where
// Reno would not be faster).
func TestCubicIsBackAfterK(t *testing.T) {
	for _, rtt := range []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond} {
		c := lostAt(1000)
		feed(c, time.Hour, time.Duration(c.k*1e9), rtt)
		if w := c.Cwnd() / cubicMSS; w < 990 || w > 1005 {
			t.Errorf("round trip %v: the window is %d segments after K, want 1000", rtt, w)
		}
	}
}

// RFC 9438 4.3: where Reno would be faster the window is Reno's, which after a
// loss at W grows by alpha for each round trip up to cwnd_prior, and by 1 then.
func TestCubicIsFriendlyToReno(t *testing.T) {
	const rtt = 2 * time.Millisecond
	c := lostAt(40)
	feed(c, time.Hour, 10*rtt, rtt)
	want := 28 + 10*cubicAlpha
	if w := float64(c.Cwnd()) / cubicMSS; math.Abs(w-want) > 0.3 {
		t.Errorf("%.2f segments after 10 round trips, want %.2f", w, want)
	}
	feed(c, time.Hour+10*rtt, 14*rtt, rtt) // 12 segments more take 23 in all
	before := c.Cwnd()
	feed(c, time.Hour+24*rtt, 10*rtt, rtt)
	if grown := float64(c.Cwnd()-before) / cubicMSS; grown < 9.5 || grown > 10.5 {
		t.Errorf("beyond the window of the loss it grows by %.2f segments in 10 round trips", grown)
	}
}

func TestCubicReduction(t *testing.T) {
	t.Run("by a factor of 0.7", func(t *testing.T) {
		c := lostAt(100)
		if c.Cwnd() != 70*cubicMSS || c.SSThresh() != 70*cubicMSS {
			t.Error(c.Cwnd(), c.SSThresh())
		}
	})
	t.Run("to two segments at least", func(t *testing.T) {
		c := lostAt(2)
		if c.Cwnd() != 2*cubicMSS {
			t.Error(c.Cwnd())
		}
	})
	t.Run("of what was in flight, where that is less", func(t *testing.T) {
		c := NewCubic(cubicMSS)
		c.Init(0, Window{Cwnd: 100 * cubicMSS, SSThresh: NoThreshold})
		c.OnLoss(0, 50*cubicMSS)
		if c.Cwnd() != 35*cubicMSS {
			t.Error(c.Cwnd())
		}
	})
	t.Run("with fast convergence below the last W_max", func(t *testing.T) { // RFC 9438 4.7
		c := lostAt(100)
		c.OnLoss(0, c.Cwnd())
		if want := 70 * 0.85 * cubicMSS; math.Abs(c.wMax-want) > 1 {
			t.Errorf("W_max %f, want %f", c.wMax, want)
		}
	})
	t.Run("after a time-out the curve begins at its plateau", func(t *testing.T) { // RFC 9438 4.8
		c := lostAt(100)
		c.OnRTO(0, 70*cubicMSS, true)
		if c.Cwnd() != cubicMSS || c.SSThresh() != 49*cubicMSS {
			t.Fatal(c.Cwnd(), c.SSThresh())
		}
		c.OnAck(time.Hour, Ack{Acked: 48 * cubicMSS, Limited: true})
		c.OnAck(time.Hour, Ack{Acked: cubicMSS, Limited: true})
		if c.k != 0 || int(c.wMax) != 49*cubicMSS {
			t.Errorf("K %f, W_max %f", c.k, c.wMax)
		}
	})
}

// RFC 9438 5.8: the time in which the window was not what limits is none of the
// curve's.
func TestCubicDoesNotGrowUnused(t *testing.T) {
	c := lostAt(1000)
	now := time.Hour
	feed(c, now, 2*time.Second, 100*time.Millisecond)
	now += 2 * time.Second
	w := c.Cwnd()
	for range 100 { // ten seconds
		now += 100 * time.Millisecond
		c.OnAck(now, Ack{Acked: cubicMSS, SRTT: 100 * time.Millisecond})
	}
	if c.Cwnd() != w {
		t.Errorf("the window grew from %d to %d", w, c.Cwnd())
	}
	feed(c, now, 100*time.Millisecond, 100*time.Millisecond)
	straight := lostAt(1000)
	feed(straight, time.Hour, 2100*time.Millisecond, 100*time.Millisecond)
	if d := c.Cwnd() - straight.Cwnd(); d < -5*cubicMSS || d > 5*cubicMSS {
		t.Errorf("%d after the pause, %d without it", c.Cwnd(), straight.Cwnd())
	}
}

func TestCubicUndoRestoresTheCurve(t *testing.T) {
	c := lostAt(1000)
	feed(c, time.Hour, 3*time.Second, 100*time.Millisecond)
	before, cwnd := c.cubicState, c.Cwnd()
	c.OnRTO(time.Hour+3*time.Second, cwnd, true)
	c.OnUndo(time.Hour + 4*time.Second)
	if c.cubicState != before || c.Cwnd() != cwnd {
		t.Errorf("%+v, %d; was %+v, %d", c.cubicState, c.Cwnd(), before, cwnd)
	}
}

// A pause right after slow start does not count, either.
func TestCubicPausesAfterSlowStart(t *testing.T) {
	c := NewCubic(cubicMSS)
	c.Init(0, Window{Initial: 10 * cubicMSS, Cwnd: 99 * cubicMSS, SSThresh: 100 * cubicMSS})
	now := time.Hour
	for range 2 {
		c.OnAck(now, Ack{Acked: cubicMSS, SRTT: time.Millisecond, Limited: true})
	}
	c.OnAck(now+time.Minute, Ack{Acked: cubicMSS, SRTT: time.Millisecond})
	if c.epoch != now+time.Minute {
		t.Errorf("the stage begins at %v, want %v", c.epoch, now+time.Minute)
	}
}
