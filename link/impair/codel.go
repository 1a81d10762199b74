package impair

import (
	"math"
	"time"
)

// codel is the controlled delay law of RFC 8289: when every packet of a whole
// interval has waited for longer than the target, packets are dropped, one and
// then ever more often, until one waits less. The names are those of its
// section 5; what that writes as a loop over packets is here one question for
// each of them.
type codel struct {
	firstAbove time.Duration // when the sojourn time will have been above for an interval; 0 if it is below
	dropNext   time.Duration // when to drop the next, while dropping
	count      int           // drops since dropping began
	lastCount  int           // count as dropping began the last time
	dropping   bool
	just       just
	largest    int // packet seen, which stands for the MTU
}

// just is what was done to the packet that was at the head before.
type just uint8

const (
	passed  just = iota
	began        // it was dropped, and dropping began
	dropped      // it was dropped while dropping
)

// signal judges the packet that is taken from the queue at now after it has
// waited for sojourn, with backlog bytes behind it. It tells whether to signal
// congestion by this packet. If signals are drops, it is asked again about the
// next packet, which takes the place of this one.
func (c *codel) signal(q *AQM, now, sojourn time.Duration, length, backlog int, drops bool) bool {
	c.largest = max(c.largest, length)
	above := c.above(q, now, sojourn, backlog)
	before := c.just
	c.just = passed
	switch {
	case before == began:
		return false // RFC 8289 5.5: after the first the next one passes
	case !c.dropping:
		if above {
			c.begin(q, now)
			if drops {
				c.just = began
			}
		}
		return above
	case !above:
		c.dropping = false
		return false
	}
	if before == dropped {
		c.dropNext = c.law(q, c.dropNext)
	}
	if now < c.dropNext {
		return false
	}
	c.count++
	if drops {
		c.just = dropped
	} else {
		c.dropNext = c.law(q, c.dropNext) // one mark each time: the packet goes
	}
	return true
}

// idle says that the link found the queue empty.
func (c *codel) idle() { c.firstAbove, c.dropping, c.just = 0, false, passed }

// above tells whether sojourn times have been above the target for an interval
// (RFC 8289 5.6, dodequeue). A queue of less than a packet is never too long.
func (c *codel) above(q *AQM, now, sojourn time.Duration, backlog int) bool {
	switch {
	case sojourn < q.target() || backlog <= c.largest:
		c.firstAbove = 0
	case c.firstAbove == 0:
		c.firstAbove = now + q.interval()
	default:
		return now >= c.firstAbove
	}
	return false
}

// begin begins to drop. If it was dropping not long ago, it goes on near the
// rate that was right then (RFC 8289 5.5).
func (c *codel) begin(q *AQM, now time.Duration) {
	c.dropping = true
	delta := c.count - c.lastCount
	c.count = 1
	if delta > 1 && now-c.dropNext < 16*q.interval() {
		c.count = delta
	}
	c.lastCount = c.count
	c.dropNext = c.law(q, now)
}

// law is the control law (RFC 8289 5.6): the interval shrinks with the square root of
// the number of drops, since a flow's rate goes down with that of its losses.
func (c *codel) law(q *AQM, t time.Duration) time.Duration {
	return t + time.Duration(float64(q.interval())/math.Sqrt(float64(c.count)))
}
