package tcp

import (
	"time"

	"example.com/berth/internal/seqnum"
)

// An ackSample is what one acknowledgment brought.
type ackSample struct {
	acked  int // bytes acknowledged in order
	sacked int // bytes acknowledged selectively
	lost   int // bytes found to be lost
	// delivered is what is known to have arrived and was not before.
	delivered int
	segments  int // the segments of that
	// markedBytes of that were marked by the network.
	markedBytes int

	rtt time.Duration // the round trip that it tells of; 0: none
	// first and last are when the earliest and the latest of the segments that
	// arrived were sent; those ever resent are left out (Karn) and set resent.
	first, last time.Duration
	resent      bool
	duplicate   bool
	marked      bool // it tells of marks of the network
	recovery    bool // fast recovery was under way
	// dsack: it reports something that arrived twice, and was resent;
	// dsackOfProbe: that was the tail loss probe.
	dsack, dsackOfProbe bool

	// sent and end are those of the segment that was sent last of those that
	// arrived. A retransmission made after trusted is not what arrived, for no
	// round trip is so short, or a timestamp says so (RFC 8985 6.2, step 2).
	trusted, sent time.Duration
	end           seqnum.Value
	again         bool // it was a retransmission
	// highest is the end of the highest segment that arrived. lowest, if
	// original is set, is where the lowest one begins that arrived as it was
	// sent first.
	highest, lowest seqnum.Value
	original        bool

	newest     snapshot // of the segment sent last of those that arrived, if rates are sampled
	newestSent time.Duration
	// newestTwice: that segment was resent.
	newestTwice bool
}

// arrived adds a record that is now known to have arrived, of so many segments.
func (s *ackSample) arrived(r *record, segments int) {
	if s.delivered == 0 || s.highest.Less(r.end) {
		s.highest = r.end
	}
	s.delivered += r.len()
	s.segments += segments
	again := r.has(flagTwice)
	trusted := !again || r.sent <= s.trusted
	if again {
		s.resent = true
	} else {
		if s.first == 0 {
			s.first = r.sent
		}
		s.last = r.sent
	}
	if (!again || !trusted) && (!s.original || r.seq.Less(s.lowest)) {
		s.lowest, s.original = r.seq, true
	}
	if trusted && (r.sent > s.sent || r.sent == s.sent && s.end.Less(r.end)) {
		s.sent, s.end, s.again = r.sent, r.end, again
	}
}

// distrust lowers s.trusted to what an echoed timestamp answers. That is the
// segment that moved the cumulative acknowledgment, not one out of order
// (RFC 7323 4.3); so it says nothing of what is acknowledged selectively.
func (c *Conn) distrust(now time.Duration, seg *Segment, s *ackSample) {
	if !c.useTS || !seg.Options.HasTS || seg.Options.TSEcr == 0 {
		return
	}
	if ago := int32(c.tsAt(now) - seg.Options.TSEcr); ago > 0 {
		s.trusted = min(s.trusted, (now/tsTick-time.Duration(ago)+1)*tsTick-1)
	}
}

// acknowledge takes an acceptable acknowledgment: window, scoreboard, round
// trip, loss, congestion window, in this order.
func (c *Conn) acknowledge(now time.Duration, seg *Segment) {
	s := ackSample{trusted: now - c.rtt.min}
	outstanding := c.fl.bytes()
	progress := c.snd.wl1.Less(seg.Seq)
	moved := false
	if !seg.Ack.Less(c.snd.una) {
		c.softErr = 0 // the peer is there
		closed := c.snd.wnd == 0
		moved = c.updateSendWindow(seg)
		if closed && moved {
			c.windowOpened(now)
		}
	}
	if c.useSACK && seg.Options.SACKCount > 0 {
		c.takeSACK(seg, &s)
	}
	if c.snd.una.Less(seg.Ack) {
		c.distrust(now, seg, &s)
		c.advance(now, seg.Ack, &s)
		c.mtuProbeAcked()
	}
	// RFC 5681 2, duplicate acknowledgment.
	s.duplicate = outstanding > 0 && seg.Ack == c.snd.una && s.acked == 0 && !moved && seg.Len() == 0 && !c.tellsOfMarks(seg)
	if s.rtt = c.measure(now, seg, &s); s.rtt > 0 {
		c.sampleRTT(now, s.rtt)
	}
	c.probeAcked(now, seg, &s, outstanding)
	if s.dsack && !s.dsackOfProbe {
		c.widenReordering()
	}
	if c.fl != nil {
		c.rackDelivered(now, &s)
	}
	c.checkUndo(now, seg, &s)
	if outstanding == 0 {
		if c.ecn.accurate { // marks of what was no data
			c.accurateFeedback(now, seg, &s, progress)
		}
		return
	}
	s.recovery = c.ca == caRecovery
	c.detectLoss(now, &s)
	c.ecnFeedback(now, seg, &s, progress)
	c.growCwnd(now, &s)
	c.ecnEchoed(now, &s, c.fl.bytes()+s.acked)
	c.afterFlight(now, &s)
}

// afterFlight sees to the timers of what is still in flight.
func (c *Conn) afterFlight(now time.Duration, s *ackSample) {
	if c.fl.len() == 0 {
		c.stop(timerRetransmit) // RFC 6298 5.2
		c.landed()
		return
	}
	if s.acked == 0 {
		if c.probe == probeTail && c.fl.sacked > 0 {
			c.stopProbe()
		}
		return
	}
	// RFC 6298 5.3. While holes are found one a round trip, only the first
	// counts: where there are many, slow start after a time-out is faster
	// (RFC 6582 4, the impatient variant).
	if c.partials() <= 1 {
		c.armRetransmit(now)
	}
	if c.probe != probeReorder {
		c.scheduleTail(now)
	}
}

// windowOpened goes on after the peer has opened a closed window. What was in
// flight when it closed was refused, not lost: it is sent again soon, and its
// patience begins anew. What fills too little of the window to be sent at once
// waits for the override of silly-window avoidance, a time-out that is not that
// of the probes (RFC 9293 3.8.6.2.1).
func (c *Conn) windowOpened(now time.Duration) {
	switch {
	case c.orphan:
	case c.fl.len() > 0 && c.retries > 0:
		c.retries, c.stalled, c.rtt.backoff = 0, 0, 0
		c.armRetransmit(now)
	case c.armed(timerPersist):
		c.stalled, c.rtt.backoff = 0, 0
		c.armPersist(now)
	}
}

// advance moves SND.UNA, and drops what is acknowledged.
func (c *Conn) advance(now time.Duration, ack seqnum.Value, s *ackSample) {
	s.acked = ack.Sub(c.snd.una)
	c.snd.una = ack
	k, n := c.fl.arrived(ack, s), c.fl.len()
	if k > 0 {
		c.fl.pop(k)
	}
	if k < n && c.fl.records.front().seq.Less(ack) {
		s.delivered += ack.Sub(c.fl.records.front().seq)
		c.fl.trim(ack)
	}
	c.sendQ.acked(seqnum.Min(ack, c.sendQ.end), c.p.Budget)
	c.noteBusy(now)
	if c.retries > 0 {
		c.need().rto.time.stop(now)
	}
	c.stats.bytesAcked += uint64(s.acked)
	c.noMemory = false
	c.retries, c.stalled = 0, 0
	c.growSndBuf()
}

// measure returns the round trip that the acknowledgment tells of; 0 if it
// tells of none. The earliest segment counts, so that a receiver's delay of
// acknowledgments is part of it.
func (c *Conn) measure(now time.Duration, seg *Segment, s *ackSample) time.Duration {
	switch {
	case s.first != 0 && !s.resent:
		return max(now-s.first, 1)
	case s.acked > 0:
		return c.echoRTT(now, seg)
	}
	return 0
}

// growCwnd lets the congestion control see the acknowledgment.
func (c *Conn) growCwnd(now time.Duration, s *ackSample) {
	c.stats.delivered += uint64(s.delivered)
	if s.delivered == 0 && s.acked == 0 {
		return
	}
	a := Ack{
		Acked:     s.acked,
		Delivered: s.delivered,
		Total:     c.stats.delivered,
		Lost:      s.lost,
		InFlight:  c.pipe(),
		SRTT:      c.rtt.srtt,
		MinRTT:    c.rtt.min,
		Recovery:  s.recovery || c.ca == caRecovery || s.marked || c.ecn.reduced,
		Limited:   c.cwndLimited(),
	}
	if s.marked {
		a.Marked = s.markedBytes
	}
	switch {
	case c.delivery == nil:
	case c.algorithm().Rates:
		a.Rate = c.rateSample(now, s)
	default:
		c.noteRate(now, s)
	}
	if s.last != 0 && !s.resent {
		a.RTT = now - s.last
	}
	c.cc.OnAck(now, a)
}
