package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
)

// The tail loss probe of RFC 8985 section 7: where the last segments of a flight
// are lost no acknowledgment tells of it. So after two round trips of silence one
// segment is sent, a new one or else the last one again, and its acknowledgment
// lets RACK find the losses without a time-out.

// probeKind is what the probe timer is set for: RFC 8985 8 has one timer for
// both, since never both are needed.
type probeKind uint8

const (
	probeNone    probeKind = iota
	probeTail              // TLP PTO
	probeReorder           // RACK reordering timer
)

const (
	// minPTO is the least time before a tail loss probe: hosts, this one too,
	// are not scheduled more finely (as drafts of RFC 8985 had it).
	minPTO = 10 * time.Millisecond
	// noRTTPTO is the time without a measurement (RFC 8985 7.2).
	noRTTPTO = time.Second
	// latePTO is the least time where acknowledgments come late: more than the 40 ms
	// that Linux puts them off while its program does not read. They do where the
	// round trip is so many times the shortest, or something arrived twice.
	latePTO    = 60 * time.Millisecond
	lateFactor = 8
)

// tailProbe are TLP's variables.
type tailProbe struct {
	end     seqnum.Value // TLP.end_seq, if out
	out     bool         // a probe is in flight
	retrans bool         // TLP.is_retrans
	due     bool         // to be sent
	sampled bool         // the round trip was measured since the last probe
}

func (c *Conn) stopProbe() {
	c.probe = probeNone
	c.stop(timerProbe)
}

// scheduleTail starts the timer of the tail loss probe anew, where nothing else
// will tell of a loss (RFC 8985 7.2). A timer that would only skip its probe is
// not started, for then the retransmission timer would start anew for nothing,
// and again with all that is sent.
func (c *Conn) scheduleTail(now time.Duration) {
	if c.p.NoTailLossProbe || !c.useSACK || c.ca >= caRecovery || c.fl.len() == 0 || c.fl.sacked > 0 || c.tlp.out || !c.tlp.sampled {
		return
	}
	c.probe = probeTail
	c.arm(timerProbe, min(now+c.pto(), c.due(timerRetransmit)))
}

// pto is TLP_calc_PTO, but for the bound that the retransmission timer is.
func (c *Conn) pto() time.Duration {
	if c.rtt.srtt == 0 {
		return noRTTPTO
	}
	d := max(2*c.rtt.srtt, minPTO)
	if c.acksLate() {
		d = max(d, latePTO)
	}
	if c.fl.len() == 1 {
		d += c.p.DelayedAckMax // TLP.max_ack_delay
	}
	return d
}

// acksLate tells whether acknowledgments wait for something else than the path: for a
// program that does not read, so that the window cannot grow, or for a processor. A
// probe after two round trips would be for nothing then.
func (c *Conn) acksLate() bool {
	return c.rtt.srtt > lateFactor*c.rtt.min || c.seldom().dsacks > 0
}

// tailTimeout is the probe's timer (RFC 8985 7.3). The retransmission timer
// starts anew in any case, so that it is the last resort.
func (c *Conn) tailTimeout(now time.Duration) {
	if c.fl.len() == 0 || c.ca >= caRecovery {
		return
	}
	c.tlp.due = true
	if c.stalled == 0 {
		c.stalled = c.fl.records.front().sent
	}
	c.armRetransmit(now)
}

// sendTailProbe sends one segment beyond what cwnd allows.
func (c *Conn) sendTailProbe(now time.Duration, out *Segment) bool {
	if !c.tlp.due {
		return false
	}
	c.tlp.due = false
	size := c.segmentSize(now)
	switch n, fin := c.probeNew(size); {
	case c.fl.len() == 0:
		return false
	case n > 0 || fin:
		c.transmit(now, out, n, fin, size)
		c.tlp.retrans = false
	default:
		c.cutMTUProbe()
		i := c.fl.len() - 1 // a FIN alone, too, as on Linux
		if r := c.fl.records.at(i); r.has(flagSacked) || c.snd.una.Add(c.snd.wnd).Less(r.end) {
			return false
		}
		c.resend(now, out, i)
		c.tlp.retrans = true
	}
	c.tlp.end, c.tlp.out, c.tlp.sampled = c.snd.nxt, true, false
	c.p.Counters.TailProbes.Add(1)
	c.stopProbe()
	c.armRetransmit(now)
	return true
}

// probeNew returns what new data there is for a probe, and whether FIN goes with
// it. Neither Nagle nor cwnd holds it back, but the peer's window does.
func (c *Conn) probeNew(size int) (n int, fin bool) {
	usable := c.usable()
	if usable <= 0 {
		return 0, false
	}
	unsent := c.unsent()
	n = min(unsent, usable, size)
	return n, c.finDue() && n == unsent && n < usable
}

// probeAcked is TLP_process_ack (RFC 8985 7.4.2): if the probe was the only copy
// of what it carried that arrived, there was a loss, and congestion control has
// to know.
func (c *Conn) probeAcked(now time.Duration, seg *Segment, s *ackSample, flight int) {
	if !c.tlp.out || seg.Ack.Less(c.tlp.end) {
		return
	}
	switch {
	case !c.tlp.retrans, s.dsackOfProbe:
		c.tlp.out = false
	case c.tlp.end.Less(seg.Ack):
		c.tlp.out = false
		c.p.Counters.TailLosses.Add(1)
		c.cc.OnLoss(now, flight)
		c.cc.OnRecovered(now, c.cc.SSThresh())
	case s.acked == 0 && seg.Options.SACKCount == 0 && seg.Len() == 0 && !seg.has(header.FIN):
		c.tlp.out = false // a duplicate: both have arrived
	}
}

// forgetProbe is TLP_init, at the beginning of a recovery.
func (c *Conn) forgetProbe() {
	c.tlp.out, c.tlp.due = false, false
	if c.probe == probeTail {
		c.stopProbe()
	}
}
