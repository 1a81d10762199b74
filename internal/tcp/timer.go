package tcp

import (
	"sync"
	"time"

	"example.com/berth/socket"
)

// A timer is one of the things that a connection waits for. What arms a timer
// decides when it is due; Deadline and Timer only look at that.
type timer uint8

const (
	timerProbe      timer = iota // RFC 8985: tail loss probe, or reordering
	timerRetransmit              // RFC 6298
	timerPersist                 // zero-window probes, and the override of silly-window avoidance
	timerDelayedAck              // RFC 9293 3.8.6.3
	timerKeepalive               // RFC 9293 3.8.4
	timerCork                    // the end of TCP_CORK's patience
	timerPacing                  // data whose turn has not come
	timerWait                    // the end of FIN-WAIT-2 after Close, and of TIME-WAIT
	numTimers
)

// deadlines are when the timers are due; 0: not armed. Their memory comes from a
// pool and goes back there when Next finds nothing to send and none armed, so that
// an idle connection has none: not at once, for where one timer stops another one
// often starts.
type deadlines struct {
	at    [numTimers]time.Duration
	armed int
}

var deadlinesPool = sync.Pool{New: func() any { return new(deadlines) }}

func (c *Conn) arm(t timer, at time.Duration) {
	if c.deadlines == nil {
		c.deadlines = deadlinesPool.Get().(*deadlines)
	}
	d := c.deadlines
	if d.at[t] == 0 {
		d.armed++
	}
	d.at[t] = at
}

func (c *Conn) stop(t timer) {
	if d := c.deadlines; d != nil && d.at[t] != 0 {
		d.at[t] = 0
		d.armed--
	}
}

// dropDeadlines gives their memory back if no timer is armed.
func (c *Conn) dropDeadlines() {
	if c.deadlines != nil && c.deadlines.armed == 0 {
		deadlinesPool.Put(c.deadlines)
		c.deadlines = nil
	}
}

// due is when a timer is due; 0: it is not armed.
func (c *Conn) due(t timer) time.Duration {
	if c.deadlines == nil {
		return 0
	}
	return c.deadlines.at[t]
}

func (c *Conn) armed(t timer) bool { return c.due(t) != 0 }

// Deadline returns when Timer must be called next; 0: not at all.
func (c *Conn) Deadline() time.Duration {
	if c.deadlines == nil {
		return 0
	}
	var d time.Duration
	for _, at := range c.deadlines.at {
		if at != 0 && (d == 0 || at < d) {
			d = at
		}
	}
	return d
}

// Timer does what is due at now. Calling it early does no harm. Next tells
// afterwards what is to be sent.
//
// The shell should hand in the segments that have arrived before it calls Timer,
// as far as it knows of them: an acknowledgment that waits to be read is no
// reason to resend. Where the call itself comes late, the host was busy or
// asleep, and acknowledgments may wait that the shell does not know of yet: then
// timers that resend are put off, once, by a moment.
func (c *Conn) Timer(now time.Duration) {
	c.excuse(now)
	for t := range numTimers {
		at := c.due(t)
		if at == 0 || at > now {
			continue
		}
		c.stop(t)
		switch t {
		case timerProbe:
			c.probeTimeout(now)
		case timerRetransmit:
			c.retransmitTimeout(now)
		case timerPersist:
			c.persistTimeout(now)
		case timerPacing:
			c.paceTimeout(now - at)
		case timerDelayedAck:
			c.delayedAckTimeout()
		case timerKeepalive:
			c.keepaliveTimeout(now)
		case timerCork:
			c.pushDue = true
		case timerWait:
			c.waitTimeout()
		}
	}
}

// Resends tells whether Timer may send something again: what has arrived should be
// handed in before it is called.
func (c *Conn) Resends(now time.Duration) bool {
	if c.deadlines == nil {
		return false
	}
	for _, at := range c.deadlines.at[:timerRetransmit+1] {
		if at != 0 && at <= now {
			return true
		}
	}
	return false
}

// excuse puts off the timers that resend where they are called much too late,
// but not twice.
func (c *Conn) excuse(now time.Duration) {
	if c.deadlines == nil {
		return
	}
	resends := c.deadlines.at[:timerRetransmit+1]
	late, due := false, false
	for _, at := range resends {
		due = due || at != 0 && at <= now
		late = late || at != 0 && at <= now-lateTimer
	}
	if !due || c.fl.len() == 0 {
		return
	}
	if c.excused = late && !c.excused; !c.excused {
		return
	}
	for t, at := range resends {
		if at != 0 && at <= now {
			c.arm(timer(t), now+lateTimer)
		}
	}
}

// probeTimeout is the timer of RFC 8985.
func (c *Conn) probeTimeout(now time.Duration) {
	kind := c.probe
	c.probe = probeNone
	switch kind {
	case probeTail:
		c.tailTimeout(now)
	case probeReorder:
		c.reorderTimeout(now)
	}
}

// stopAll stops every timer, and gives their memory back: a connection that is over
// may never be asked for a segment again.
func (c *Conn) stopAll() {
	c.probe = probeNone
	for t := range numTimers {
		c.stop(t)
	}
	c.dropDeadlines()
}

// armRetransmit starts the retransmission timer anew (RFC 6298 5.1, 5.3), not
// beyond the end of the user timeout.
func (c *Conn) armRetransmit(now time.Duration) {
	c.arm(timerRetransmit, c.withinUserTimeout(now, now+c.backedOffRTO()))
}

// withinUserTimeout moves a deadline forward to where the user timeout ends.
func (c *Conn) withinUserTimeout(now, at time.Duration) time.Duration {
	if c.opts.UserTimeout > 0 && c.stalled > 0 {
		return max(now+tsTick, min(at, c.stalled+c.opts.UserTimeout))
	}
	return at
}

// retransmitTimeout is RFC 6298 5.4 to 5.6 and RFC 5681 3.1, equation 4.
func (c *Conn) retransmitTimeout(now time.Duration) {
	switch c.state {
	case socket.TCP_SYN_SENT, socket.TCP_SYN_RECV:
		c.handshakeTimeout(now)
		return
	}
	if c.fl.len() == 0 {
		return
	}
	head := c.fl.records.front()
	if c.stalled == 0 {
		c.stalled = head.sent
	}
	expired := c.outOfPatience(now)
	c.suspectBlackHole(expired)
	if expired {
		c.giveUp()
		return
	}
	reneged := head.has(flagSacked)
	if reneged {
		c.p.Counters.SACKReneges.Add(1)
	}
	c.p.Counters.RTOs.Add(1)
	c.checkBlackHole(now)
	c.enterLoss(now, reneged)
	c.noteRTO(now)
	c.retries++
	c.backOff()
	c.armRetransmit(now)
}

// outOfPatience tells whether what is in flight has waited for too long
// (RFC 9293 3.8.3, MUST-20): until the user timeout, or R2. A peer that shrank
// its window to nothing and still answers is not given up for that (SHLD-17).
func (c *Conn) outOfPatience(now time.Duration) bool {
	waited := now - c.stalled
	if c.opts.UserTimeout > 0 {
		return waited >= c.opts.UserTimeout
	}
	if c.retries == 0 { // nothing was resent: the timer comes late, as after a sleep
		return false
	}
	if c.snd.wnd == 0 && !c.orphan && now-c.heard < 2*c.p.MaxRTO {
		return false
	}
	n := c.p.Retries2
	if c.orphan {
		n = c.p.OrphanRetries
	}
	return waited >= c.backoffTime(n)
}

// Struggling tells whether R1 is reached: the peer does not answer
// retransmissions, and the shell should advise IP to look for another way
// (RFC 9293 3.8.3, MUST-20, SHLD-10).
func (c *Conn) Struggling() bool { return c.retries >= retries1 }

// Retries is the number of retransmission time-outs in a row.
func (c *Conn) Retries() int { return int(c.retries) }

// backoffTime returns the time that n retransmissions take, beginning with
// MinRTO and doubling up to MaxRTO, until the one after them would be due.
func (c *Conn) backoffTime(n int) time.Duration {
	var sum time.Duration
	for d := c.p.MinRTO; n >= 0; n-- {
		sum += d
		d = min(2*d, c.p.MaxRTO)
	}
	return sum
}

// handshakeTimeout resends SYN or SYN,ACK, or gives up (RFC 9293 3.8.3,
// MUST-22).
func (c *Conn) handshakeTimeout(now time.Duration) {
	if c.stalled == 0 {
		c.stalled = c.stats.opened
	}
	limit := c.p.SynAckRetries
	if !c.passive {
		limit = c.p.SynRetries
		if c.opts.SynCount > 0 {
			limit = c.opts.SynCount
		}
	}
	expired := int(c.retries) >= limit || c.opts.UserTimeout > 0 && now-c.stalled >= c.opts.UserTimeout
	c.suspectBlackHole(expired)
	if expired {
		c.p.Counters.AttemptFails.Add(1)
		c.giveUp()
		return
	}
	c.p.Counters.SynRetransmits.Add(1)
	c.noteRTO(now)
	c.retries++
	c.backOff()
	c.synDue = true
}
