package tcp

import "time"

// Reno is the congestion control of RFC 5681 with the byte counting
// of RFC 3465: slow start, congestion avoidance, and half of the flight upon a
// loss. How losses are repaired (RFC 6582, RFC 6675) is the connection's part.
type Reno struct {
	// Limit is L of RFC 3465 2.2 in segments; 0 for none.
	Limit int

	window
	counted int // bytes acknowledged since cwnd last grew in avoidance
}

// NewReno returns a NewReno without a limit to byte counting.
func NewReno(mss int) *Reno {
	return &Reno{window: window{mss: mss, cwnd: mss, ssthresh: NoThreshold}}
}

// OnAck lets the window grow (RFC 5681 3.1). Counting bytes, not
// acknowledgments, leaves nothing to gain by splitting them (RFC 3465).
func (r *Reno) OnAck(_ time.Duration, a Ack) {
	if a.Recovery || !a.Limited || a.Acked == 0 {
		return
	}
	acked := a.Acked
	if r.slowStart() {
		grow := acked
		if r.Limit > 0 {
			grow = min(grow, r.Limit*r.mss)
		}
		acked -= r.grow(grow, r.ssthresh)
		if r.slowStart() {
			return
		}
	}
	// Congestion avoidance: one segment for each window acknowledged.
	r.counted += acked
	for r.counted >= r.cwnd {
		r.counted -= r.cwnd
		r.grow(r.mss, NoThreshold)
	}
}

// OnLoss halves (RFC 5681 3.2, step 2; RFC 6675 5, step 4.2).
func (r *Reno) OnLoss(_ time.Duration, flight int) {
	r.reduce(flight / 2)
	r.counted = 0
}

// OnECN is as if a segment had been lost (RFC 3168 6.1.2).
func (r *Reno) OnECN(now time.Duration, flight int) { r.OnLoss(now, flight) }

// OnRTO begins anew with one segment (RFC 5681 3.1). A segment that is resent
// again does not halve the threshold again.
func (r *Reno) OnRTO(_ time.Duration, flight int, first bool) {
	if first {
		r.reduce(flight / 2)
	}
	r.cwnd = r.mss
	r.counted = 0
}

// OnUndo goes back to the window before the last reduction.
func (r *Reno) OnUndo(time.Duration) { r.undo() }

// OnIdle shrinks a window that was not used.
func (r *Reno) OnIdle(_ time.Duration, timeouts int) {
	r.idle(timeouts)
	r.counted = 0
}
