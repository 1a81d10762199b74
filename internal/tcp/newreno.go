package tcp

import "time"

// Reno is the congestion control of RFC 5681 with the byte counting
// of RFC 3465: slow start, congestion avoidance, and half of the flight upon a
// loss. How losses are repaired (RFC 6582, RFC 6675) is the connection's part.
type Reno struct {
	// Limit is L of RFC 3465 2.2 in segments; 0 for none.
	Limit int

	mss      int
	cwnd     int
	ssthresh int
	initial  int
	counted  int // bytes acknowledged since cwnd last grew in avoidance
}

const infinite = 1 << 30

// NewReno returns a NewReno without a limit to byte counting.
func NewReno(mss int) *Reno {
	return &Reno{mss: mss, cwnd: mss, ssthresh: infinite}
}

// Name returns "reno".
func (r *Reno) Name() string { return "reno" }

// Init begins slow start with the initial window.
func (r *Reno) Init(_ time.Duration, window int) {
	r.cwnd, r.initial = window, window
}

// SetMSS changes the unit of growth.
func (r *Reno) SetMSS(mss int) { r.mss = mss }

// OnAck lets the window grow (RFC 5681 3.1). Counting bytes, not
// acknowledgments, leaves nothing to gain by splitting them (RFC 3465).
func (r *Reno) OnAck(_ time.Duration, a Ack) {
	if a.Recovery || !a.Limited || a.Acked == 0 {
		return
	}
	acked := a.Acked
	if r.cwnd < r.ssthresh {
		grow := acked
		if r.Limit > 0 {
			grow = min(grow, r.Limit*r.mss)
		}
		grow = min(grow, r.ssthresh-r.cwnd)
		r.cwnd += grow
		acked -= grow
		if r.cwnd < r.ssthresh {
			return
		}
	}
	// Congestion avoidance: one segment for each window acknowledged.
	r.counted += acked
	for r.counted >= r.cwnd {
		r.counted -= r.cwnd
		r.cwnd += r.mss
	}
	r.cwnd = min(r.cwnd, infinite)
}

// OnLoss halves (RFC 5681 3.2, step 2; RFC 6675 5, step 4.2).
func (r *Reno) OnLoss(_ time.Duration, flight int) {
	r.ssthresh = max(flight/2, 2*r.mss)
	r.cwnd = r.ssthresh
	r.counted = 0
}

// OnRecovered avoids a burst where little is in flight (RFC 6582 3.2, step 3).
func (r *Reno) OnRecovered(_ time.Duration, flight int) {
	r.cwnd = min(r.ssthresh, max(flight, r.mss)+r.mss)
}

// OnRTO begins anew with one segment (RFC 5681 3.1). A segment that is resent
// again does not halve the threshold again.
func (r *Reno) OnRTO(_ time.Duration, flight int, first bool) {
	if first {
		r.ssthresh = max(flight/2, 2*r.mss)
	}
	r.cwnd = r.mss
	r.counted = 0
}

// OnIdle halves the window for each time-out without a word, down to the
// initial window (RFC 2861; RFC 5681 4.1 would go there at once). The threshold
// remembers most of what the window was.
func (r *Reno) OnIdle(_ time.Duration, timeouts int) {
	r.ssthresh = max(r.ssthresh, r.cwnd-r.cwnd/4)
	floor := min(r.initial, r.cwnd)
	r.cwnd = max(floor, r.cwnd>>min(timeouts, 31))
	r.counted = 0
}

// Cwnd returns the congestion window.
func (r *Reno) Cwnd() int { return r.cwnd }

// SSThresh returns the slow start threshold.
func (r *Reno) SSThresh() int { return r.ssthresh }

// PacingRate returns 0: NewReno sends when it may.
func (r *Reno) PacingRate() uint64 { return 0 }
