package tcp

import (
	"math"
	"time"

	"example.com/berth/internal/lean"
)

// bbrModel is what BBR knows of the path (draft 5.5).
type bbrModel struct {
	_ lean.Incomparable

	bw float64 // what holds now: the least of the bounds, in bytes a second
	// maxFilter is the highest rate of this cycle of ProbeBW and of the last.
	maxFilter [2]float64
	minRTT    time.Duration // 0: not known
	// The least round trip since the last ProbeRTT.
	probeRTTMin                time.Duration
	minRTTStamp, probeRTTStamp time.Duration
	probeRTTExpired            bool

	bwShort       float64 // bw_shortterm; infinite: no bound
	inflightShort int     // inflight_shortterm
	inflightLong  int     // inflight_longterm

	// What the present round has delivered at best, whether it lost, and how
	// much.
	bwLatest       float64
	inflightLatest int
	lossRound      uint64 // ends when what was sent after this is delivered
	lossRoundStart bool
	fromTotal      uint64 // Ack.Total and RateSample.TotalLost when it began
	fromLost       uint64
	lossHigh       bool // in the round that ended it was more than acceptable
	lossInRound    bool
	lossEvents     int
	marked         bool

	// ACK aggregation (5.5.9): what was acknowledged beyond what the rate
	// explains, at most, in two halves of a window.
	ackedSince  time.Duration
	acked       float64
	extra       [2]float64
	extraRotate uint64 // the round in which the halves change
}

// maxBw is BBR.max_bw.
func (m *bbrModel) maxBw() float64 { return max(m.maxFilter[0], m.maxFilter[1]) }

// latestSignals follows what a round delivers at best (draft 5.5.10.3).
func (b *BBR) latestSignals(a *Ack) {
	b.lossRoundStart = false
	if a.Lost > 0 || a.Rate.LossInFlight > 0 || b.marked {
		b.noteLoss(a)
	}
	if a.Rate.Rate == 0 {
		return
	}
	b.bwLatest = max(b.bwLatest, a.Rate.Rate)
	b.inflightLatest = max(b.inflightLatest, a.Rate.Delivered)
	if a.Rate.Prior >= b.lossRound {
		b.lossRound, b.lossRoundStart = a.Total, true
		lost := int(a.Rate.TotalLost - b.fromLost)
		b.lossHigh = b.tooHigh(lost, int(a.Total-b.fromTotal)+lost)
		b.fromTotal, b.fromLost = a.Total, a.Rate.TotalLost
	}
}

// noteLoss begins a round to look back at, with the first loss.
func (b *BBR) noteLoss(a *Ack) {
	if !b.lossInRound {
		b.lossRound = a.Total
	}
	b.lossInRound = true
	b.lossEvents++
}

// advanceSignals begins the next round's (5.5.10.3).
func (b *BBR) advanceSignals(a *Ack) {
	if b.lossRoundStart {
		b.bwLatest, b.inflightLatest = a.Rate.Rate, a.Rate.Delivered
	}
	b.marked = false
}

// congestionSignals updates the highest rate, and once a round, if that lost
// something, the bounds for the moment (5.5.10.3).
func (b *BBR) congestionSignals(a *Ack) {
	if r := &a.Rate; r.Rate > 0 && (!r.AppLimited || r.Rate >= b.maxBw()) {
		b.maxFilter[1] = max(b.maxFilter[1], r.Rate)
	}
	if !b.lossRoundStart {
		return
	}
	if b.lossInRound && !b.probing() && b.short() {
		if math.IsInf(b.bwShort, 1) {
			b.bwShort = b.maxBw()
		}
		if b.inflightShort == unbounded {
			b.inflightShort = b.cwnd
		}
		b.bwShort = max(b.bwLatest, bbrBeta*b.bwShort)
		b.inflightShort = max(b.inflightLatest, int(bbrBeta*float64(b.inflightShort)))
	}
	b.lossInRound = false
}

// short tells whether the round lost more than is acceptable, and delivered less
// than was to be expected. The draft lets every round with a loss lower the bounds
// to what it delivered, and reckons with one percent that is lost for 137 rounds
// (5.3.3.5.3). That holds where a round delivers at best what the path carries.
// On a host that is not always in time no round does, and as all but a few of a
// fast path lose something, the bounds fell to the worst of sixty rounds. So what
// a probe takes for acceptable is acceptable here, too; and of the rate as much
// may be missing as is paced below it and may be lost. What ProbeRTT sent was
// little by intent.
func (b *BBR) short() bool {
	if b.state == bbrProbeRTT || b.rounds < b.calm {
		return false
	}
	return b.marked || b.lossHigh && b.bwLatest < (1-bbrPacingMargin-bbrLossThresh)*b.bw
}

// resetShortTerm forgets the bounds for the moment.
func (b *BBR) resetShortTerm() {
	b.bwShort, b.inflightShort = math.Inf(1), unbounded
}

// advanceMaxBw begins a new cycle of the filter for the highest rate (5.5.6).
func (b *BBR) advanceMaxBw() {
	if b.maxFilter[1] > 0 {
		b.maxFilter[0], b.maxFilter[1] = b.maxFilter[1], 0
	}
}

// aggregation estimates by how much acknowledgments bunch up (5.5.9): the
// window has to hold that in addition.
func (b *BBR) aggregation(now time.Duration, a *Ack) {
	expected := b.bw * (now - b.ackedSince).Seconds()
	if b.acked <= expected {
		b.acked, expected = 0, 0
		b.ackedSince = now
	}
	b.acked += float64(a.Delivered)
	if b.rounds >= b.extraRotate {
		b.extra[0], b.extra[1] = b.extra[1], 0
		b.extraRotate = b.rounds + 1
		if b.fullBwReached {
			b.extraRotate = b.rounds + bbrExtraAckRounds
		}
	}
	b.extra[1] = max(b.extra[1], min(b.acked-expected, float64(b.cwnd)))
}

// updateMinRTT follows the round trip of the empty path (5.5.7).
func (b *BBR) updateMinRTT(now time.Duration, a *Ack) {
	b.probeRTTExpired = now > b.probeRTTStamp+bbrProbeRTTEvery
	rtt := a.Rate.RTT
	if rtt > 0 && (b.probeRTTMin == 0 || rtt < b.probeRTTMin || b.probeRTTExpired) {
		b.probeRTTMin, b.probeRTTStamp = rtt, now
	}
	if b.probeRTTMin == 0 {
		return
	}
	if b.minRTT == 0 || b.probeRTTMin < b.minRTT || now > b.minRTTStamp+bbrMinRTTWindow {
		b.minRTT, b.minRTTStamp = b.probeRTTMin, b.probeRTTStamp
	}
}

// bdp returns gain times the product of a rate and the round trip.
func (b *BBR) bdp(bw, gain float64) float64 {
	if b.minRTT == 0 {
		return float64(b.initial)
	}
	return gain * float64(bw*b.minRTT.Seconds())
}

// inflightAt is BBRInflight: a product with room for bursts (5.6.4.2).
func (b *BBR) inflightAt(bw, gain float64) int { return b.quantize(b.bdp(bw, gain)) }

// tooHigh tells whether a larger share of what was in flight was lost than is
// acceptable. How many segments that would be varies by chance, by its square root:
// only what is beyond that tells of a larger share, and one segment alone never
// does. Without this grain of salt, which the draft does not have, one percent that
// is lost at random would end every other probe of a flight of a few hundred
// segments, and any loss those of a small one. A queue that overflows loses more.
func (b *BBR) tooHigh(lost, inFlight int) bool {
	acceptable := bbrLossThresh * float64(inFlight) / float64(b.mss)
	return float64(lost)/float64(b.mss) > max(acceptable+math.Sqrt(acceptable), 1)
}

// withHeadroom is what leaves others some room below the long-term bound.
func (b *BBR) withHeadroom() int {
	if b.inflightLong == unbounded {
		return unbounded
	}
	room := max(b.mss, int(bbrHeadroom*float64(b.inflightLong)))
	return max(b.inflightLong-room, bbrMinPipe*b.mss)
}
