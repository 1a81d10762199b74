package tcp

import (
	"time"

	"example.com/berth/internal/lean"
)

// ackPhase is which part of a probe the acknowledgments that come in are about
// (draft 5.3.3.6).
type ackPhase uint8

const (
	acksInit ackPhase = iota
	acksRefilling
	acksProbeStarting
	acksProbeFeedback
	acksProbeStopping
)

// bbrProbe is the state of ProbeBW (draft 5.3.3): down, to drain what the last
// probe queued; cruise; refill, so that the probe begins with a full pipe; and
// up, until losses or the bound tell that this is all.
type bbrProbe struct {
	_ lean.Incomparable

	ackPhase         ackPhase
	cycleStamp       time.Duration
	probeWait        time.Duration // until the next probe
	roundsSinceProbe uint64
	probeSamples     bool // what is lost is due to this probe
	probeUpRounds    int
	probeUpAcks      int
	probeUpCnt       int // bytes acknowledged for each segment of growth
}

// probingBW tells whether the state is one of ProbeBW, probing whether it is one
// that sends more than the path is known to carry.
func (b *BBR) probingBW() bool { return b.state >= bbrDown && b.state <= bbrUp }

func (b *BBR) probing() bool {
	return b.state == bbrStartup || b.state == bbrRefill || b.state == bbrUp
}

func (b *BBR) startDown(now time.Duration, delivered uint64) {
	b.lossInRound, b.bwLatest, b.inflightLatest = false, 0, 0
	b.probeUpCnt = unbounded
	// Flows must not probe all at once: two to three seconds, and the number
	// of rounds off by one (5.3.3.5).
	b.random ^= b.random << 13
	b.random ^= b.random >> 7
	b.random ^= b.random << 17
	b.roundsSinceProbe = b.random & 1
	b.probeWait = 2*time.Second + time.Duration(b.random>>1%1000)*time.Millisecond
	b.cycleStamp = now
	b.ackPhase = acksProbeStopping
	b.startRound(delivered)
	b.state, b.pacingGain, b.cwndGain = bbrDown, bbrDownGain, bbrCwndGain
}

func (b *BBR) startCruise() { b.state, b.pacingGain, b.cwndGain = bbrCruise, 1, bbrCwndGain }

func (b *BBR) startRefill(delivered uint64) {
	b.resetShortTerm()
	b.probeUpRounds, b.probeUpAcks = 0, 0
	b.ackPhase = acksRefilling
	b.startRound(delivered)
	b.state, b.pacingGain, b.cwndGain = bbrRefill, 1, bbrCwndGain
}

func (b *BBR) startUp(now time.Duration, a *Ack) {
	b.ackPhase = acksProbeStarting
	b.startRound(a.Total)
	b.resetFullBw()
	b.fullBw = a.Rate.Rate
	b.cycleStamp = now
	b.state, b.pacingGain, b.cwndGain = bbrUp, bbrUpGain, bbrUpCwndGain
	b.steepen()
}

// probeBW is the cycle of ProbeBW (5.3.3.6).
func (b *BBR) probeBW(now time.Duration, a *Ack) {
	if !b.fullBwReached {
		return
	}
	b.adaptLongTerm(now, a)
	switch b.state {
	case bbrDown:
		if !b.timeToProbe(now, a) && a.InFlight <= b.withHeadroom() && a.InFlight <= b.inflightAt(b.maxBw(), 1) {
			b.startCruise()
		}
	case bbrCruise:
		b.timeToProbe(now, a)
	case bbrRefill:
		if b.roundStart {
			b.probeSamples = true
			b.startUp(now, a)
		}
	case bbrUp:
		if b.timeToGoDown(a) {
			b.startDown(now, a.Total)
		}
	}
}

// timeToProbe begins a probe when its time has come: after some seconds, or when
// a flow of Reno would be back where it was before its last loss (5.3.3.5).
func (b *BBR) timeToProbe(now time.Duration, a *Ack) bool {
	reno := uint64(min(b.targetInflight()/b.mss, bbrMaxRenoRounds))
	if now <= b.cycleStamp+b.probeWait && b.roundsSinceProbe < reno {
		return false
	}
	b.startRefill(a.Total)
	return true
}

// timeToGoDown ends a probe when the rate does not grow any more, though the
// window would let it (5.3.3.6).
func (b *BBR) timeToGoDown(a *Ack) bool {
	if b.limited() && b.cwnd >= b.inflightLong {
		b.resetFullBw()
		b.fullBw = a.Rate.Rate
		return false
	}
	return b.fullBwNow
}

// targetInflight is what keeps the path busy, if the window allows it.
func (b *BBR) targetInflight() int { return min(int(b.bdp(b.bw, 1)), b.cwnd) }

// adaptLongTerm moves the long-term bound: down to where a probe lost too much,
// up while it does not (5.3.3.6).
func (b *BBR) adaptLongTerm(now time.Duration, a *Ack) {
	if b.roundStart {
		switch b.ackPhase {
		case acksProbeStarting:
			b.ackPhase = acksProbeFeedback
		case acksProbeStopping:
			b.probeSamples = false
			b.ackPhase = acksInit
			if b.probingBW() && !a.Rate.AppLimited {
				b.advanceMaxBw()
			}
		}
	}
	r := &a.Rate
	if b.marked || b.tooHigh(r.LossLost, r.LossInFlight) {
		if b.probeSamples {
			b.inflightTooHigh(now, a)
		}
		return
	}
	if b.inflightLong == unbounded || r.Rate == 0 || b.tooHigh(r.Lost, r.InFlight) {
		return
	}
	b.inflightLong = max(b.inflightLong, r.InFlight)
	if b.state == bbrUp {
		b.raise(a)
	}
}

// inflightTooHigh takes for the long-term bound what was in flight when the
// losses began (5.5.10.2).
func (b *BBR) inflightTooHigh(now time.Duration, a *Ack) {
	b.probeSamples = false
	r := &a.Rate
	at, limited := r.InFlight, r.AppLimited
	if r.LossInFlight > 0 {
		// Of this the network carried all up to the loss that was one too many.
		at, limited = r.LossInFlight, r.LossAppLimited
		at -= max(0, int((float64(r.LossLost)-bbrLossThresh*float64(at))/(1-bbrLossThresh)))
	}
	if !limited {
		b.inflightLong = max(at, int(bbrBeta*float64(b.targetInflight())))
	}
	if b.state == bbrUp {
		b.undoState = bbrUp
		b.startDown(now, a.Total)
	}
}

// raise lets the long-term bound grow by a segment for each probeUpCnt bytes
// acknowledged, which halves each round (5.3.3.4).
func (b *BBR) raise(a *Ack) {
	if !b.limited() || b.cwnd < b.inflightLong {
		return
	}
	b.probeUpAcks += a.Delivered
	if n := b.probeUpAcks / b.probeUpCnt; n > 0 {
		b.probeUpAcks -= n * b.probeUpCnt
		b.inflightLong = min(b.inflightLong+n*b.mss, unbounded-1)
	}
	if b.roundStart {
		b.steepen()
	}
}

func (b *BBR) steepen() {
	growth := 1 << b.probeUpRounds
	b.probeUpRounds = min(b.probeUpRounds+1, 30)
	b.probeUpCnt = max(b.cwnd/growth, b.mss/8, 1)
}
