package tcp

import "time"

// A window is the part that window-based algorithms have in common: congestion
// window and threshold, what an idle sender loses of them, and what they were
// before the last reduction.
type window struct {
	mss      int
	cwnd     int
	ssthresh int
	initial  int
	// priorCwnd and priorThresh are those before the last reduction, for
	// undo; 0: there is nothing to undo.
	priorCwnd, priorThresh int
}

// Init begins with what w says.
func (w *window) Init(_ time.Duration, start Window) {
	w.cwnd, w.ssthresh, w.initial = start.Cwnd, start.SSThresh, start.Initial
}

// SetMSS changes the unit of growth.
func (w *window) SetMSS(mss int) { w.mss = mss }

// Cwnd returns the congestion window.
func (w *window) Cwnd() int { return w.cwnd }

// SSThresh returns the slow start threshold.
func (w *window) SSThresh() int { return w.ssthresh }

// PacingRate returns 0: what the window allows is sent when it may.
func (w *window) PacingRate() uint64 { return 0 }

// slowStart tells whether the window is below the threshold (RFC 5681 3.1).
func (w *window) slowStart() bool { return w.cwnd < w.ssthresh }

// grow lets the window grow by n bytes, not beyond limit.
func (w *window) grow(n, limit int) (grown int) {
	grown = max(0, min(n, limit-w.cwnd))
	w.cwnd += grown
	return grown
}

// reduce sets the threshold, two segments at least (RFC 5681, equation 4), and
// the window to it, and remembers what was.
func (w *window) reduce(ssthresh int) {
	w.priorCwnd, w.priorThresh = w.cwnd, w.ssthresh
	w.ssthresh = max(ssthresh, 2*w.mss)
	w.cwnd = w.ssthresh
}

// undo gives back what the last reduction took, and reports whether there was
// one.
func (w *window) undo() bool {
	if w.priorCwnd == 0 {
		return false
	}
	w.cwnd, w.ssthresh = max(w.cwnd, w.priorCwnd), max(w.ssthresh, w.priorThresh)
	w.priorCwnd, w.priorThresh = 0, 0
	return true
}

// OnRecovered avoids a burst where little is in flight (RFC 6582 3.2, step 3).
func (w *window) OnRecovered(_ time.Duration, flight int) {
	w.cwnd = min(w.ssthresh, max(flight, w.mss)+w.mss)
}

// idle halves the window for each time-out without a word, down to the initial
// window (RFC 2861; RFC 5681 4.1 would go there at once). The threshold
// remembers most of what the window was.
func (w *window) idle(timeouts int) {
	w.ssthresh = max(w.ssthresh, w.cwnd-w.cwnd/4)
	floor := min(w.initial, w.cwnd)
	w.cwnd = max(floor, w.cwnd>>min(timeouts, 31))
}
