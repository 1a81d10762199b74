package tcp

import "time"

// accurateFeedback takes what an acknowledgment says of marks, once it is known
// what it delivered. Progress tells that it is no old one: on others the counter
// would seem to have wrapped (RFC 9768 3.2.2.2).
func (c *Conn) accurateFeedback(now time.Duration, seg *Segment, s *ackSample, progress bool) {
	a := c.rare.accurate
	if c.useTS && seg.Options.HasTS {
		progress = progress || int32(seg.Options.TSVal-a.stamp) > 0 && a.heard
		a.stamp = seg.Options.TSVal
	}
	if a.deaf || !progress && s.delivered == 0 || c.repeatsHandshake(seg) {
		return
	}
	v := ace(seg.Flags)
	if !a.heard {
		a.heard = true
		if v == 0 { // RFC 9768 3.2.2.4
			c.ecn.send, a.deaf = false, true
			return
		}
	}
	c.passTest(s)
	n := int(v-uint8(a.sCEP)) & aceBits
	bytes, known := a.bytes.take(&seg.Options.AccECN)
	if known {
		n, bytes = c.reconcile(now, n, bytes, s)
	} else {
		n = c.newMarks(now, n, s)
		bytes = n * c.snd.mss
		a.guessed += uint32(bytes)
	}
	if n == 0 {
		return
	}
	a.sCEP += uint32(n)
	a.marked = now
	s.marked, s.markedBytes = true, min(bytes, s.delivered)
	c.need().deliveredCE += uint32(n)
}

// repeatsHandshake tells whether a segment looks as the last acknowledgment of the
// handshake, whose flags are no counter, and which may come again (RFC 9768
// 3.2.2.2).
func (c *Conn) repeatsHandshake(seg *Segment) bool {
	return c.passive && seg.Len() == 0 && seg.Options.SACKCount == 0 && seg.Seq == c.irs.Add(1) && seg.Ack == c.iss.Add(1)
}

// reconcile takes what the two counters say, which ought to be the same (RFC 9768
// 3.2.3.2.5): n packets more, modulo eight, than the last acknowledgment told of, and
// so many bytes more than the last option did, to which others may have come in
// between. It returns how many of either are new.
func (c *Conn) reconcile(now time.Duration, n, bytes int, s *ackSample) (packets, fresh int) {
	a := c.rare.accurate
	before := int(a.sCEP - a.sCEPTold) // packets of these bytes that are known
	if before+n == 0 && bytes > 0 && s.segments <= aceBits {
		c.ecn.send = false // bytes were marked, and no packets
	}
	if least := min(bytes/c.segmentSize(now)-before, s.segments); least > n {
		n += (least - n + aceBits) &^ aceBits
	}
	fresh = max(bytes-int(a.guessed), 0)
	a.sCEPTold, a.guessed = a.sCEP+uint32(n), 0
	return n, fresh
}

// newMarks is how many packets were marked, of which delta is known modulo
// eight. Where so many segments are acknowledged that the counter may have
// wrapped, the safest likely case is taken (RFC 9768 3.2.2.5.2, A.2): the most
// that there can have been. A counter that did not move for a while is not taken
// to have gone round.
func (c *Conn) newMarks(now time.Duration, delta int, s *ackSample) int {
	a := c.rare.accurate
	if s.segments <= aceBits || delta == 0 && (a.marked == 0 || now-a.marked > 2*c.rtt.srtt) {
		return delta
	}
	return max(delta, s.segments-(s.segments-delta)&aceBits)
}
