package tcp

import (
	"math"
	"sync"
	"time"

	"example.com/berth/internal/lean"
)

// Constants of CUBIC (RFC 9438 4.1, 4.6, 4.7).
const (
	cubicC    = 0.4 // segments a second cubed
	cubicBeta = 0.7
	// cubicAlpha is the growth of the Reno-friendly window, in segments for
	// each window, that has with cubicBeta the average rate of Reno.
	cubicAlpha = 3 * (1 - cubicBeta) / (1 + cubicBeta)
)

// Cubic is the congestion control of RFC 9438, with HyStart++ (RFC 9406) in the
// first slow start. After a loss the window follows a cubic function of time:
// quickly back to near where the loss was, slowly past that, and quickly on from
// there. On short paths, where that is slower than Reno, it follows Reno.
//
// What is not needed yet takes no memory: most connections are never held back
// by their window.
type Cubic struct {
	window
	hystart *hystart // in the first slow start
	*cubicHistory
}

// cubicHistory is there from the first loss, or the end of slow start, on.
type cubicHistory struct {
	_ lean.Incomparable

	cubicState
	prior cubicState    // before the last reduction
	last  time.Duration // when something was last acknowledged
}

// cubicState is what a loss changes (RFC 9438 4.1.2). Windows are in bytes; the
// fractions of a byte matter.
type cubicState struct {
	wMax      float64       // W_max; 0: not known
	k         float64       // K, in seconds
	wEst      float64       // W_est, of the Reno-friendly region
	cwndPrior float64       // cwnd_prior
	exact     float64       // cwnd with its fraction
	epoch     time.Duration // t_epoch; 0: the next acknowledgment begins a stage
}

var cubics = sync.Pool{New: func() any { return new(Cubic) }}

// NewCubic returns a CUBIC.
func NewCubic(mss int) *Cubic {
	c := cubics.Get().(*Cubic)
	*c = Cubic{window: window{mss: mss, cwnd: mss, ssthresh: NoThreshold}}
	return c
}

// recycle gives its memory to another connection.
func (c *Cubic) recycle() {
	*c = Cubic{}
	cubics.Put(c)
}

// OnAck lets the window grow.
func (c *Cubic) OnAck(now time.Duration, a Ack) {
	if c.cubicHistory != nil {
		if !a.Limited && c.epoch != 0 {
			// The time in which the window was not what limits does not count
			// (RFC 9438 5.8).
			c.epoch += now - c.last
		}
		c.last = now
	}
	if a.Recovery || !a.Limited || a.Acked == 0 {
		return
	}
	acked := a.Acked
	if c.slowStart() {
		acked -= c.start(&a)
		if c.slowStart() {
			return
		}
	}
	c.avoid(now, acked, a.SRTT)
}

// start is slow start, and returns how many of the bytes acknowledged it used
// up.
func (c *Cubic) start(a *Ack) int {
	if c.ssthresh < NoThreshold {
		return c.grow(a.Acked, c.ssthresh)
	}
	if c.hystart == nil {
		c.hystart = new(hystart)
	}
	n, over := c.hystart.grow(a)
	if over {
		c.ssthresh = c.cwnd
		c.hystart = nil
		return 0
	}
	c.grow(n, NoThreshold)
	return a.Acked
}

// avoid is congestion avoidance (RFC 9438 4.2 to 4.5).
func (c *Cubic) avoid(now time.Duration, acked int, rtt time.Duration) {
	c.remember()
	c.last = now
	if c.epoch == 0 || int(c.exact) != c.cwnd {
		c.begin(now)
	}
	t := now - c.epoch
	alpha := cubicAlpha
	if c.wEst >= c.cwndPrior {
		alpha = 1
	}
	share := float64(acked) / c.exact // of a window
	c.wEst += float64(alpha * share * float64(c.mss))
	if c.curve(t) < c.wEst {
		c.exact = max(c.exact, c.wEst)
	} else {
		target := min(max(c.curve(t+rtt), c.exact), 1.5*c.exact)
		c.exact += float64((target - c.exact) * min(share, 1))
	}
	c.exact = min(c.exact, NoThreshold)
	c.cwnd = int(c.exact)
}

// remember sees to it that there is a history.
func (c *Cubic) remember() {
	if c.cubicHistory == nil {
		c.cubicHistory = new(cubicHistory)
	}
}

// begin starts a stage of congestion avoidance. Where the window of the last
// loss is not known, because there was none or because a time-out has made it
// meaningless, the curve starts at its plateau (RFC 9438 4.8, 4.10).
func (c *Cubic) begin(now time.Duration) {
	c.epoch = now
	c.exact = float64(c.cwnd)
	c.wEst = c.exact
	if c.cwndPrior == 0 {
		c.cwndPrior = c.exact
	}
	if c.wMax <= c.exact {
		c.wMax, c.k = c.exact, 0
		return
	}
	c.k = math.Cbrt((c.wMax - c.exact) / (cubicC * float64(c.mss)))
}

// curve is W_cubic(t) (RFC 9438 4.2, figure 1).
func (c *Cubic) curve(t time.Duration) float64 {
	d := t.Seconds() - c.k
	return c.wMax + float64(cubicC*float64(c.mss)*float64(d*d*d))
}

// OnLoss is the multiplicative decrease (RFC 9438 4.6) with fast convergence
// (4.7): a window that did not get back to where it was leaves room for the
// flows that took the rest.
func (c *Cubic) OnLoss(_ time.Duration, flight int) {
	c.remember()
	c.hystart = nil
	c.prior = c.cubicState
	cwnd := float64(c.cwnd)
	c.cwndPrior = cwnd
	if cwnd < c.wMax {
		cwnd *= (1 + cubicBeta) / 2
	}
	c.wMax, c.epoch = cwnd, 0
	c.reduce(int(cubicBeta * float64(min(flight, c.cwnd))))
}

// OnECN is as if a segment had been lost (RFC 9438 4.6).
func (c *Cubic) OnECN(now time.Duration, flight int) { c.OnLoss(now, flight) }

// OnRTO begins anew with one segment (RFC 9438 4.8).
func (c *Cubic) OnRTO(now time.Duration, flight int, first bool) {
	if first {
		c.OnLoss(now, flight)
	}
	c.remember()
	c.wMax, c.epoch = 0, 0
	c.cwnd = c.mss
}

// OnUndo restores what was before the last reduction (RFC 9438 4.9).
func (c *Cubic) OnUndo(time.Duration) {
	if c.undo() {
		c.cubicState = c.prior
	}
}

// OnIdle shrinks a window that was not used. The pause does not count as time
// of the curve.
func (c *Cubic) OnIdle(now time.Duration, timeouts int) {
	c.idle(timeouts)
	if c.cubicHistory != nil {
		c.epoch, c.last = 0, now
	}
}
