package tcp

import "time"

// armKeepalive starts the keepalive timer, if the user has asked for it
// (RFC 9293 3.8.4, MUST-25).
func (c *Conn) armKeepalive(now time.Duration) {
	if !c.opts.KeepAlive || !c.established() {
		c.stop(timerKeepalive)
		return
	}
	c.arm(timerKeepalive, max(c.heard+c.opts.KeepIdle, now+tsTick))
}

// keepaliveTimeout probes a peer that was silent for KeepIdle while nothing was
// in flight (MUST-26), and gives up when KeepCount probes, or all for the length
// of the user timeout, have found no answer. One lost answer means nothing
// (MUST-29).
func (c *Conn) keepaliveTimeout(now time.Duration) {
	if !c.opts.KeepAlive || !c.established() {
		return
	}
	silent := now - c.heard
	switch {
	case c.unfinished():
		c.arm(timerKeepalive, now+c.opts.KeepIdle) // others see to it
		return
	case silent < c.opts.KeepIdle:
		c.armKeepalive(now)
		return
	}
	dead := int(c.probes) >= c.opts.KeepCount
	if c.opts.UserTimeout > 0 {
		dead = c.probes > 0 && silent >= c.opts.UserTimeout
	}
	if dead {
		c.queueReset()
		c.giveUp()
		return
	}
	c.probes++
	c.probeDue = true
	c.p.Counters.KeepaliveProbes.Add(1)
	c.arm(timerKeepalive, now+c.opts.KeepInterval)
}
