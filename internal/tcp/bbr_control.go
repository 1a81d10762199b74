package tcp

import "example.com/berth/internal/lean"

// bbrControl is what BBR makes of its model (draft 5.6).
type bbrControl struct {
	_ lean.Incomparable

	cwnd                 int
	priorCwnd            int
	pacingGain, cwndGain float64
	pacingRate           float64 // bytes a second
	measured             bool    // a round trip was
	// The window was full in this round, and in the one before.
	fullNow, fullBefore bool

	// What losses may have been for nothing took, and the state that they ended:
	// Startup, Up or none.
	undoBwShort                         float64
	undoInflightShort, undoInflightLong int
	undoState                           bbrState
}

// control sets rate and window.
func (b *BBR) control(a *Ack) {
	b.setPacingRate(b.pacingGain)
	b.setCwnd(a)
}

// setPacingRate paces a little below the rate of the path, so that its queue
// stays empty (5.6.2). In Startup the rate only grows.
func (b *BBR) setPacingRate(gain float64) {
	rate := gain * b.bw * (1 - bbrPacingMargin)
	if rate > 0 && (b.fullBwReached || rate > b.pacingRate) {
		b.pacingRate = rate
	}
}

// quantum is what may leave at once (5.6.3).
func (b *BBR) quantum() float64 {
	return max(min(b.pacingRate*paceSlack.Seconds(), bbrMaxQuantum), float64(2*b.mss))
}

// quantize leaves room for what is sent and acknowledged in bursts (5.6.4.2).
func (b *BBR) quantize(inflight float64) int {
	n := int(max(inflight, 3*b.quantum(), float64(bbrMinPipe*b.mss)))
	if b.state == bbrUp {
		n += 2 * b.mss
	}
	return min(n, unbounded)
}

// setCwnd lets the window grow to what the model allows (5.6.4.6).
func (b *BBR) setCwnd(a *Ack) {
	most := min(b.quantize(b.bdp(b.bw, b.cwndGain)+max(b.extra[0], b.extra[1])), unbounded)
	least := bbrMinPipe * b.mss
	switch {
	case b.fullBwReached:
		b.cwnd = min(b.cwnd+a.Delivered, most)
	case b.cwnd < most || a.Total < uint64(b.initial):
		b.cwnd += a.Delivered
	}
	b.cwnd = max(b.cwnd, least)
	if b.state == bbrProbeRTT {
		b.cwnd = min(b.cwnd, b.probeRTTCwnd())
	}
	b.boundCwnd(least)
}

// boundCwnd keeps the window within the model's bounds (5.6.4.7).
func (b *BBR) boundCwnd(least int) {
	most := unbounded
	switch b.state {
	case bbrDown, bbrRefill, bbrUp:
		most = b.inflightLong
	case bbrProbeRTT, bbrCruise:
		most = b.withHeadroom()
	}
	b.cwnd = min(b.cwnd, max(min(most, b.inflightShort), least))
}

// saveCwnd keeps the window for when a recovery or ProbeRTT is over (5.6.4.4).
func (b *BBR) saveCwnd() { b.priorCwnd = max(b.cwnd, b.priorCwnd) }

// save keeps the bounds, too, in case a recovery is for nothing (5.5.11.1).
func (b *BBR) save() {
	b.saveCwnd()
	b.undoBwShort, b.undoInflightShort, b.undoInflightLong = b.bwShort, b.inflightShort, b.inflightLong
	b.undoState = bbrNone
}

func (b *BBR) restore() {
	b.cwnd = max(b.cwnd, b.priorCwnd)
	b.priorCwnd = 0
}
