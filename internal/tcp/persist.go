package tcp

import "time"

// armPersist starts the timer of zero-window probes (RFC 9293 3.8.6.1, MUST-36).
// The first comes after a time-out (SHLD-29), the others at exponentially
// growing intervals (SHLD-30).
func (c *Conn) armPersist(now time.Duration) {
	if c.stalled == 0 {
		c.stalled = now
	}
	c.arm(timerPersist, c.withinUserTimeout(now, now+c.backedOffRTO()))
}

// persistTimeout probes the window. As long as the peer answers the connection
// stays open (MUST-37), unless the user has set a time for that, or is gone.
//
// If the window is open but too small to have been used, the timer is the
// override of silly-window avoidance instead.
func (c *Conn) persistTimeout(now time.Duration) {
	if c.fl.len() > 0 || !c.unfinished() {
		return
	}
	if c.probedLong(now) {
		c.giveUp()
		return
	}
	c.backOff()
	if c.usable() > 0 {
		c.pushDue = true
	} else {
		c.probes++
		c.probeDue, c.urgeDue = true, c.urging()
		c.p.Counters.ZeroWindowProbes.Add(1)
	}
	c.armPersist(now)
}

// probedLong tells whether a closed window has been probed for long enough:
// where the user has gone, for as long as an orphan may take, whatever the peer
// says (CVE-2008-4609); for the user timeout if there is one; until R2 if the
// peer is silent.
func (c *Conn) probedLong(now time.Duration) bool {
	waited := now - c.stalled
	switch {
	case c.orphan && waited >= c.backoffTime(c.p.OrphanRetries):
		return true
	case c.opts.UserTimeout > 0:
		return waited >= c.opts.UserTimeout
	}
	return int(c.probes) >= c.p.Retries2
}

// unfinished tells whether data or FIN waits to be sent or acknowledged.
func (c *Conn) unfinished() bool {
	return c.fl.len() > 0 || c.sendQ.queued > 0 || c.finDue()
}

// sendProbe sends an ACK that is one octet too old: the peer has to answer, and
// tells its window. It probes a closed window as well as a silent peer, and
// carries no data (RFC 9293 3.8.4, SHLD-12).
//
// Urgent data that a closed window keeps back is announced before that, by an ACK
// that is not too old (MUST-66).
func (c *Conn) sendProbe(now time.Duration, out *Segment) {
	if c.urgeDue {
		out.Seq, c.urgeDue = c.snd.una, false
	} else {
		out.Seq, c.probeDue = c.snd.una-1, false
	}
	c.address(now, out, c.optionRoom(0))
	c.countSent(now, out)
}
