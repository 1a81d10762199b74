package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
)

// delayedAck decides when data is acknowledged (RFC 9293 3.8.6.3): at once for
// the first segments of a connection and after a disturbance, so that the
// peer's slow start gets its clock, and else with every second segment, or after
// a delay that follows the rhythm in which data comes.
type delayedAck struct {
	_ lean.Incomparable

	quick       uint8 // so many more are sent at once
	interactive bool  // a dialogue: acknowledgments ride on answers
	ends        uint8 // messages that seem to have ended since the last one: 0, 1, or 2 for more
	ato         time.Duration
	last        time.Duration // when data last arrived
}

// dataArrived follows the rhythm of arriving data.
func (c *Conn) dataArrived(now time.Duration) {
	d, floor := &c.delack, c.p.DelayedAckMin
	switch gap := now - d.last; {
	case d.ato == 0:
		d.ato = floor
	case gap <= floor/2:
		d.ato = d.ato/2 + floor/2
	case gap < d.ato:
		d.ato = min(d.ato/2+gap, c.rtt.rto)
	case gap > c.rtt.rto:
		d.quick = quickAcks // the peer begins anew, too
	}
	d.last = now
}

// quickAckMode acknowledges the next segments at once.
func (c *Conn) quickAckMode() {
	c.delack.quick = quickAcks
	c.delack.interactive = false
	c.delack.ato = c.p.DelayedAckMin
}

// noteEnd looks for the end of a message in n bytes that came in order: a segment
// that is not full, or the push bit. The sender may have no more to send before it
// is acknowledged.
func (c *Conn) noteEnd(seg *Segment, n int) {
	d := &c.delack
	switch {
	case n < c.rcv.mss:
		d.ends = min(d.ends+1, 2)
	case seg.has(header.PSH):
		d.ends = max(d.ends, 1)
	}
}

// readAll is called when the user has read all there is. Data whose acknowledgment
// waits is acknowledged at once, then, if more may not come before: with Nagle's
// algorithm at the other end it would not. In a dialogue the answer is waited for,
// unless several messages have come (as Linux's tcp_cleanup_rbuf).
func (c *Conn) readAll() {
	d := &c.delack
	if c.armed(timerDelayedAck) && (d.ends > 1 || d.ends == 1 && !d.interactive) {
		c.ackNow = true
	}
}

// scheduleAck decides on the acknowledgment of data that came in order.
func (c *Conn) scheduleAck(now time.Duration, seg *Segment) {
	c.rcv.large = c.rcv.large || seg.SegSize > 0
	switch {
	case c.ackIsDue() && !c.readerAcks(), // SHLD-19
		c.delack.quick > 0 && !c.delack.interactive,
		c.ooo != nil: // RFC 5681 4.2: part of a gap was filled
		c.ackNow = true
	case !c.armed(timerDelayedAck):
		c.arm(timerDelayedAck, now+c.ackDelay())
	}
}

// ackIsDue tells that more than a full segment has come since the last acknowledgment.
func (c *Conn) ackIsDue() bool { return c.rcv.nxt.Sub(c.rcv.acked) > c.rcv.mss }

// Taken says whether somebody waits who takes what comes as soon as there is something.
// The acknowledgment of a large segment is left to him, then, and carries the window
// that reading opens: one instead of two (as on Linux, where data that nobody has read is
// not acknowledged at once, as long as that would not move the window). Of small
// segments many come while a reader wakes up, and the sender should not wait for him.
func (c *Conn) Taken(waits bool) { c.rcv.taken = waits }

// readerAcks tells whether the acknowledgment can be left to a reader. Where the peer
// is far enough away that somebody has to be woken for what it sends, it should not
// wait for another to be woken, too.
func (c *Conn) readerAcks() bool { return c.rcv.taken && c.rcv.large && !c.woken && c.readable() }

// ackDelay is less than half a second (MUST-40), and less than the round trip
// where that is known and long enough.
func (c *Conn) ackDelay() time.Duration {
	floor, ceiling := c.p.DelayedAckMin, c.p.DelayedAckMax
	if c.rtt.srtt > 0 {
		ceiling = min(ceiling, max(c.rtt.srtt, floor))
	}
	return min(max(c.delack.ato, floor), ceiling)
}

// delayedAckTimeout sends the acknowledgment that waited. That no data came for
// it to ride on means to wait longer the next time, or that the dialogue is
// over.
func (c *Conn) delayedAckTimeout() {
	d := &c.delack
	if d.interactive {
		d.interactive, d.ato = false, c.p.DelayedAckMin
	} else {
		d.ato = min(2*d.ato, c.rtt.rto)
	}
	c.ackNow = true
	c.p.Counters.DelayedAcks.Add(1)
}

// ackSent is called when a segment has carried the acknowledgment. On a
// connection without SACK each segment out of order gets one of its own, for
// the peer counts them.
func (c *Conn) ackSent() {
	c.stop(timerDelayedAck)
	c.delack.ends = 0
	if c.delack.quick > 0 {
		c.delack.quick--
	}
	if c.acksOwed > 0 {
		c.acksOwed--
		return
	}
	c.ackNow = false
}
