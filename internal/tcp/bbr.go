package tcp

import (
	"math"
	"time"
)

// BBR is the congestion control of draft-ietf-ccwg-bbr (BBR version 3). It keeps
// a model of the path, the rate at which it delivers and the time that it takes
// when its queue is empty, and sends at that rate with about twice the product of
// both in flight. To follow the path it probes: for more rate every few seconds
// (ProbeBW), and for a shorter round trip every five (ProbeRTT).
//
// Up to two percent of losses in a round do not make it yield (bbrLossThresh; draft
// 2.5), by chance a little more; what is beyond that bounds what it has in flight,
// for the moment (short term) or until a probe finds that more is possible (long
// term). So where five percent are lost at random it goes down, round by round, to
// what CUBIC would send and somewhat more: that is version 3's intent, which takes
// such losses for a queue that overflows, where version 1 does not look at losses
// at all.
//
// The model is in bbr_model.go, the states are in bbr_states.go and
// bbr_probebw.go, and what follows from both in bbr_control.go. The names are the
// draft's. Losses are judged once for each acknowledgment, by the last segment
// that it found lost, and a mark of the network counts as one.
type BBR struct {
	mss, initial int
	state        bbrState
	random       uint64

	bbrModel
	bbrControl

	// Rounds: a round ends when what was sent at its beginning is delivered.
	delivered  uint64
	nextRound  uint64
	roundStart bool
	rounds     uint64

	// Startup (draft 5.3.1): the rate has stopped growing.
	fullBw        float64
	fullBwCount   int
	fullBwNow     bool // since the last reset
	fullBwReached bool // ever

	bbrProbe

	// ProbeRTT (5.3.4).
	probeRTTDone  time.Duration // when it is over; 0: not yet low enough
	probeRTTRound bool          // a round went by at that level
	calm          uint64        // until this round acknowledgments may be about it
	idleRestart   bool
}

// bbrState is a state of BBR, with the phases of ProbeBW as states of their own
// (draft 5.1.1).
type bbrState uint8

const (
	bbrStartup bbrState = iota
	bbrDrain
	bbrDown
	bbrCruise
	bbrRefill
	bbrUp
	bbrProbeRTT
	bbrNone
)

// Constants of the draft, section 2.
const (
	bbrStartupPacingGain = 2.77 // 4 ln 2
	bbrStartupCwndGain   = 2
	bbrDrainGain         = 0.5
	bbrDownGain          = 0.9
	bbrUpGain            = 1.25
	bbrCwndGain          = 2
	bbrUpCwndGain        = 2.25
	bbrProbeRTTCwndGain  = 0.5

	bbrLossThresh     = 0.02 // of what is in flight: more is too much
	bbrBeta           = 0.7
	bbrHeadroom       = 0.15
	bbrFullGrowth     = 1.25
	bbrFullRounds     = 3
	bbrFullLosses     = 6 // losses in a round of Startup that may end it
	bbrPacingMargin   = 0.01
	bbrMinPipe        = 4 // segments
	bbrMaxQuantum     = 64 << 10
	bbrMinRTTWindow   = 10 * time.Second
	bbrProbeRTTEvery  = 5 * time.Second
	bbrProbeRTTTime   = 200 * time.Millisecond
	bbrExtraAckRounds = 5 // half of ExtraAckedFilterLen: there are two halves
	bbrMaxRenoRounds  = 63
)

// unbounded is where a bound of the model is not set.
const unbounded = NoThreshold

// NewBBR returns a BBR.
func NewBBR(mss int) *BBR { return &BBR{mss: mss} }

// Init begins Startup.
func (b *BBR) Init(now time.Duration, w Window) {
	b.initial, b.cwnd = w.Initial, w.Cwnd
	b.random = uint64(now) | 1
	b.probeRTTStamp, b.minRTTStamp, b.cycleStamp, b.ackedSince = now, now, now, now
	b.bwShort, b.inflightShort, b.inflightLong = math.Inf(1), unbounded, unbounded
	b.probeUpCnt = unbounded
	b.undoState = bbrNone
	b.enterStartup()
	b.pacingRate = bbrStartupPacingGain * float64(b.cwnd) / time.Millisecond.Seconds()
}

// SetMSS changes the unit of growth.
func (b *BBR) SetMSS(mss int) { b.mss = mss }

// OnAck updates model and state, and what follows from them (draft 5.2.3).
func (b *BBR) OnAck(now time.Duration, a Ack) {
	if !b.measured && a.SRTT > 0 {
		b.measured = true
		b.pacingRate = bbrStartupPacingGain * float64(b.cwnd) / max(a.SRTT, time.Microsecond).Seconds()
	}
	b.delivered = a.Total
	b.latestSignals(&a)
	b.round(&a)
	b.cwndUse(&a)
	b.congestionSignals(&a)
	b.aggregation(now, &a)
	b.checkFullBw(&a)
	b.checkStartup(&a)
	b.checkDrain(now, &a)
	b.probeBW(now, &a)
	b.updateMinRTT(now, &a)
	b.checkProbeRTT(now, &a)
	b.advanceSignals(&a)
	b.bw = min(b.maxBw(), b.bwShort)
	b.control(&a)
}

// round follows the rounds (draft 5.5.1).
func (b *BBR) round(a *Ack) {
	b.roundStart = false
	if a.Rate.Rate > 0 && a.Rate.Prior >= b.nextRound {
		b.startRound(a.Total)
		b.rounds++
		b.roundsSinceProbe++
		b.roundStart = true
	}
}

// cwndUse follows whether the window is what held back: C.is_cwnd_limited of the
// draft (2.2), which holds if it was full at any time in the last round. What losses
// and late timers take from the pipe for a moment does not change that.
func (b *BBR) cwndUse(a *Ack) {
	if b.roundStart {
		b.fullBefore, b.fullNow = b.fullNow, false
	}
	b.fullNow = b.fullNow || a.InFlight+a.Delivered+2*b.mss > b.cwnd
}

// limited is C.is_cwnd_limited.
func (b *BBR) limited() bool { return b.fullNow || b.fullBefore }

func (b *BBR) startRound(delivered uint64) { b.nextRound = delivered }

// OnLoss keeps the window, to have it back when recovery is over (draft 5.6.4.4).
func (b *BBR) OnLoss(time.Duration, int) { b.save() }

// OnRecovered has the window back.
func (b *BBR) OnRecovered(time.Duration, int) { b.restore() }

// OnRTO begins anew with one segment (draft 5.6.4.4); the model stays.
func (b *BBR) OnRTO(_ time.Duration, _ int, first bool) {
	if first {
		b.save()
	}
	b.cwnd = b.mss
}

// OnECN counts a mark as a loss.
func (b *BBR) OnECN(time.Duration, int) { b.marked = true }

// OnUndo gives back what a loss took that was none, and goes on with the probe that
// it ended (draft 5.5.11.2).
func (b *BBR) OnUndo(time.Duration) {
	b.lossInRound = false
	b.resetFullBw()
	b.bwShort = max(b.bwShort, b.undoBwShort)
	b.inflightShort = max(b.inflightShort, b.undoInflightShort)
	b.inflightLong = max(b.inflightLong, b.undoInflightLong)
	b.restore()
	switch {
	case b.undoState == bbrStartup:
		b.fullBwReached = false
		if b.state != bbrProbeRTT {
			b.enterStartup()
		}
	case b.undoState == bbrUp && b.state != bbrUp && b.state != bbrProbeRTT:
		b.startRefill(b.delivered)
	}
	b.undoState = bbrNone
}

// OnIdle sends at the rate of the path after a pause: there is no queue
// (draft 5.4.1).
func (b *BBR) OnIdle(now time.Duration, _ int) {
	b.idleRestart = true
	b.ackedSince, b.acked = now, 0
	switch {
	case b.state == bbrProbeRTT:
		b.checkProbeRTTDone(now)
	case b.probingBW():
		b.setPacingRate(1)
	}
}

// Cwnd returns the window.
func (b *BBR) Cwnd() int { return b.cwnd }

// SSThresh returns NoThreshold: BBR has none.
func (b *BBR) SSThresh() int { return NoThreshold }

// PacingRate returns the rate at which to send.
func (b *BBR) PacingRate() uint64 { return uint64(b.pacingRate) }
