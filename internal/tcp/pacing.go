package tcp

import "time"

// paceSlack is what pacing may bunch together: a burst of so much time's worth
// of data leaves at once, so that large segments stay whole and timers few. On a
// path whose round trip is shorter than that there is nothing to pace, and
// nothing to pay.
const paceSlack = time.Millisecond

// paceLongest is the most that a segment holds up the next, however low the
// rate: a connection has to answer its timers.
const paceLongest = time.Second

// A pacer spreads what is sent over the round trip. It is a bucket: data costs
// time, and up to two slacks of that may be saved, one for the burst and one for
// a timer that comes late.
//
// A timer may come later than that, where the machine is busy. What that takes
// away is given back bit by bit, by data that costs half for a while: an algorithm
// that measures what it sends would take a host that is late for a path that is
// slow, and be slower for it, and so on.
type pacer struct {
	next time.Duration // when the data sent so far is paid for
	late time.Duration // what late timers took away, and was not given back yet
}

// paceLate bounds what is given back.
const paceLate = 20 * time.Millisecond

// pacingRate returns how fast data may leave, in bytes a second; 0: as fast as
// it can. A user's limit makes algorithms pace that do not by themselves: at
// twice the window for each round trip in slow start, and 1.2 times in
// congestion avoidance, as Linux, so that the window stays what decides.
func (c *Conn) pacingRate() uint64 {
	rate, limit := c.cc.PacingRate(), c.opts.MaxPacingRate
	if limit == 0 {
		return rate
	}
	if rate == 0 && c.rtt.srtt > 0 {
		w := 1.2 * float64(c.cc.Cwnd())
		if c.cc.Cwnd() < c.cc.SSThresh()/2 {
			w = 2 * float64(c.cc.Cwnd())
		}
		rate = uint64(w / c.rtt.srtt.Seconds())
	}
	if rate == 0 {
		return limit
	}
	return min(rate, limit)
}

// held tells whether data has to wait for its turn. If so, a timer is armed.
func (c *Conn) held(now time.Duration) bool {
	if c.pace.next <= now || c.unsent() == 0 && c.fl.nextLost() < 0 {
		return false
	}
	if !c.armed(timerPacing) {
		c.arm(timerPacing, c.pace.next+paceSlack)
	}
	c.noteCwndUse(false)
	return true
}

// paceTimeout is called when the timer passes that data waited for, so much late.
func (c *Conn) paceTimeout(late time.Duration) {
	c.pace.late = min(c.pace.late+max(0, late-paceSlack), paceLate)
}

// paceSent charges n bytes that were sent.
func (c *Conn) paceSent(now time.Duration, n int) {
	rate := c.pacingRate()
	if rate == 0 {
		c.pace = pacer{}
		return
	}
	cost := min(time.Duration(float64(n)/float64(rate)*float64(time.Second)), paceLongest)
	back := min(c.pace.late, cost/2)
	c.pace.late -= back
	c.pace.next = max(c.pace.next, now-2*paceSlack) + cost - back
	c.stop(timerPacing)
}

// paceBurst bounds a large segment to what may leave at once: two full segments
// at least.
func (c *Conn) paceBurst(most int) int {
	rate := c.pacingRate()
	if rate == 0 || rate > uint64(most)*uint64(time.Second/paceSlack) {
		return most
	}
	return min(most, max(2*c.snd.mss, int(rate*uint64(paceSlack)/uint64(time.Second))))
}

// SetMaxPacingRate is SO_MAX_PACING_RATE, in bytes a second; 0 for no limit.
func (c *Conn) SetMaxPacingRate(rate uint64) {
	o := *c.opts
	o.MaxPacingRate = rate
	c.SetOptions(o)
	c.pace = pacer{}
	c.stop(timerPacing)
}
