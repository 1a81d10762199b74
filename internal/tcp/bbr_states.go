package tcp

import "time"

// enterStartup is draft 5.3.1: the rate doubles each round.
func (b *BBR) enterStartup() {
	b.state, b.pacingGain, b.cwndGain = bbrStartup, bbrStartupPacingGain, bbrStartupCwndGain
}

// resetFullBw begins to look anew for where the rate stops growing.
func (b *BBR) resetFullBw() { b.fullBw, b.fullBwCount, b.fullBwNow = 0, 0, false }

// checkFullBw looks whether the rate has stopped growing: by less than a quarter
// in three rounds (5.3.1.2).
func (b *BBR) checkFullBw(a *Ack) {
	r := &a.Rate
	if b.fullBwNow || r.Rate == 0 || r.AppLimited {
		return
	}
	if r.Rate >= b.fullBw*bbrFullGrowth {
		b.resetFullBw()
		b.fullBw = r.Rate
		return
	}
	if !b.roundStart {
		return
	}
	b.fullBwCount++
	b.fullBwNow = b.fullBwCount >= bbrFullRounds
	b.fullBwReached = b.fullBwReached || b.fullBwNow
}

// checkStartup leaves Startup when the pipe is full, or overflows (5.3.1.3).
func (b *BBR) checkStartup(a *Ack) {
	if b.state != bbrStartup {
		return
	}
	if b.lossRoundStart {
		if b.lossEvents >= bbrFullLosses && b.tooHigh(a.Rate.Lost, a.Rate.InFlight) {
			b.fullBwReached, b.undoState = true, bbrStartup
			b.inflightLong = max(int(b.bdp(b.maxBw(), 1)), b.inflightLatest)
		}
		b.lossEvents = 0
	}
	if b.fullBwReached {
		b.state, b.pacingGain, b.cwndGain = bbrDrain, bbrDrainGain, bbrCwndGain
	}
}

// checkDrain leaves Drain when the queue is gone (5.3.2).
func (b *BBR) checkDrain(now time.Duration, a *Ack) {
	if b.state == bbrDrain && a.InFlight <= b.inflightAt(b.maxBw(), 1) {
		b.startDown(now, a.Total)
	}
}

// checkProbeRTT goes to ProbeRTT when the shortest round trip is long ago, and
// stays there for a while (5.3.4.3).
func (b *BBR) checkProbeRTT(now time.Duration, a *Ack) {
	if b.state != bbrProbeRTT && b.probeRTTExpired && !b.idleRestart {
		b.state, b.pacingGain, b.cwndGain = bbrProbeRTT, 1, bbrProbeRTTCwndGain
		b.saveCwnd()
		b.probeRTTDone = 0
		b.ackPhase = acksProbeStopping
		b.startRound(a.Total)
	}
	if b.state == bbrProbeRTT {
		b.stayInProbeRTT(now, a)
	}
	if a.Delivered > 0 {
		b.idleRestart = false
	}
}

func (b *BBR) stayInProbeRTT(now time.Duration, a *Ack) {
	switch {
	case b.probeRTTDone == 0 && a.InFlight <= b.probeRTTCwnd():
		b.probeRTTDone = now + bbrProbeRTTTime
		b.probeRTTRound = false
		b.startRound(a.Total)
	case b.probeRTTDone != 0:
		b.probeRTTRound = b.probeRTTRound || b.roundStart
		if b.probeRTTRound {
			b.checkProbeRTTDone(now)
		}
	}
}

// checkProbeRTTDone goes back to where BBR was (5.3.4.4).
func (b *BBR) checkProbeRTTDone(now time.Duration) {
	if b.probeRTTDone == 0 || now <= b.probeRTTDone {
		return
	}
	b.probeRTTStamp = now
	b.calm = b.rounds + 2
	b.restore()
	b.resetShortTerm()
	if b.fullBwReached {
		b.startDown(now, b.delivered)
		b.startCruise()
	} else {
		b.enterStartup()
	}
}

// probeRTTCwnd is the window in ProbeRTT.
func (b *BBR) probeRTTCwnd() int {
	return max(int(b.bdp(b.bw, bbrProbeRTTCwndGain)), bbrMinPipe*b.mss)
}
