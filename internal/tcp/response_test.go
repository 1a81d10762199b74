package tcp

import (
	"math"
	"testing"
	"time"
)

// averageWindow returns the mean window in segments of an algorithm that loses
// one segment of every 1/p, with round trips of rtt.
func averageWindow(a *Algorithm, p float64, rtt time.Duration) float64 {
	const mss = 1000
	cc := a.New(mss)
	cc.Init(0, Window{Initial: 10 * mss, Cwnd: 10 * mss, SSThresh: 10 * mss})
	now, sent, losses := time.Hour, 0.0, 0
	var sum, over float64
	for losses < 60 {
		n := max(1, cc.Cwnd()/mss)
		step := rtt / time.Duration(n)
		for range n {
			now += step
			if losses >= 20 { // what came before is the transient
				sum += float64(cc.Cwnd()) / mss * step.Seconds()
				over += step.Seconds()
			}
			if sent++; sent >= 1/p {
				sent = 0
				losses++
				cc.OnLoss(now, cc.Cwnd())
				break
			}
			cc.OnAck(now, Ack{Acked: mss, Delivered: mss, SRTT: rtt, RTT: rtt, Limited: true})
		}
	}
	return sum / over
}

// The mean window as a function of the loss rate: that of Mathis and others
// (1997) for Reno, sqrt(3/2p); for CUBIC the one of RFC 9438 5.1, or Reno's
// where that is more (RFC 9438 4.3).
func TestResponseFunction(t *testing.T) {
	mathis := func(p float64) float64 { return math.Sqrt(1.5 / p) }
	cubic := func(p float64, rtt time.Duration) float64 {
		return math.Pow(cubicC*(3+cubicBeta)/(4*(1-cubicBeta)), 0.25) * math.Pow(rtt.Seconds(), 0.75) / math.Pow(p, 0.75)
	}
	for _, rtt := range []time.Duration{10 * time.Millisecond, 100 * time.Millisecond} {
		for _, p := range []float64{1e-2, 1e-3, 1e-4} {
			reno, cub := averageWindow(renoAlgorithm, p, rtt), averageWindow(cubicAlgorithm, p, rtt)
			wantReno, wantCubic := mathis(p), max(mathis(p), cubic(p, rtt))
			t.Logf("p %g, rtt %v: reno %.1f of %.1f, cubic %.1f of %.1f", p, rtt, reno, wantReno, cub, wantCubic)
			if r := reno / wantReno; r < 0.9 || r > 1.1 {
				t.Errorf("Reno, p %g, rtt %v: %.1f segments, want %.1f", p, rtt, reno, wantReno)
			}
			if r := cub / wantCubic; r < 0.9 || r > 1.1 {
				t.Errorf("CUBIC, p %g, rtt %v: %.1f segments, want %.1f", p, rtt, cub, wantCubic)
			}
		}
	}
}
