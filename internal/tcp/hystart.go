package tcp

import "time"

// Constants of HyStart++ (RFC 9406 4.3).
const (
	hystartMinThresh = 4 * time.Millisecond
	hystartMaxThresh = 16 * time.Millisecond
	hystartDivisor   = 8 // MIN_RTT_DIVISOR
	hystartSamples   = 8 // N_RTT_SAMPLE
	hystartGrowth    = 4 // CSS_GROWTH_DIVISOR
	hystartRounds    = 5 // CSS_ROUNDS
)

// A hystart is HyStart++ (RFC 9406): it looks for a round trip that grows, the
// sign of a queue that fills, and goes from slow start to conservative slow
// start (CSS), and from there to congestion avoidance, before the queue
// overflows. It is for the first slow start of a connection only. The zero value
// begins one.
//
// An acknowledgment lets the window grow by all that it acknowledges, L of RFC 9406
// 4.2 being infinite, though 8 segments are its advice to a sender that does not
// pace. That is how Linux grows: receivers that put segments together (GRO), or
// acknowledge a batch at once, tell of more than 8, and would hold slow start back
// to a small part of its doubling.
type hystart struct {
	round uint64 // Ack.Total at which the present round ends
	// lastMin and min are the least round trip of the last and of the present
	// round, baseline that of the round in which CSS began; 0: not known.
	lastMin, min, baseline time.Duration
	samples                int
	css                    int // rounds of CSS begun; 0: slow start
	carry                  int // bytes acknowledged in CSS that made no whole byte of growth
}

// grow returns by how much the window grows for an acknowledgment, and whether
// slow start is over.
func (h *hystart) grow(a *Ack) (n int, over bool) {
	if a.Total >= h.round {
		h.round = a.Total + uint64(max(a.InFlight, 1))
		h.lastMin, h.min, h.samples = h.min, 0, 0
		if h.css > 0 {
			if h.css == hystartRounds {
				return 0, true
			}
			h.css++
		}
	}
	if a.RTT > 0 {
		h.sample(a.RTT)
	}
	n = a.Acked
	if h.css > 0 {
		n += h.carry
		h.carry = n % hystartGrowth
		n /= hystartGrowth
	}
	return n, false
}

// sample takes a round trip.
func (h *hystart) sample(rtt time.Duration) {
	if h.min == 0 || rtt < h.min {
		h.min = rtt
	}
	if h.samples++; h.samples < hystartSamples {
		return
	}
	switch {
	case h.css > 0:
		if h.min < h.baseline { // CSS was entered too early
			h.css, h.baseline, h.carry = 0, 0, 0
		}
	case h.lastMin > 0:
		thresh := max(hystartMinThresh, min(h.lastMin/hystartDivisor, hystartMaxThresh))
		if h.min >= h.lastMin+thresh {
			h.css, h.baseline = 1, h.min
		}
	}
}
