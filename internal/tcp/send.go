package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// blocked says why new data is not sent.
type blocked uint8

const (
	notBlocked      blocked = iota
	nothingToSend           // the queue is empty, or all of it is in flight
	blockedByWindow         // the peer's window is closed, or too small to bother
	blockedByCwnd           // enough is in the network
	blockedByNagle          // a small segment is in flight (RFC 9293 3.7.4, Minshall)
	blockedByCork           // TCP_CORK or MSG_MORE holds a partial segment
)

// sendNew sends what was never sent: data, FIN, or both. If it sends nothing,
// it sees to it that something will wake the connection when that changes.
func (c *Conn) sendNew(now time.Duration, out *Segment) bool {
	sent, waits := c.sendMTUProbe(now, out)
	if sent {
		return true
	}
	if waits {
		c.noteCwndUse(true)
		return false
	}
	size := c.segmentSize(now)
	n, fin, why := c.decide(now, size)
	switch why {
	case notBlocked:
		c.transmit(now, out, n, fin, size)
		return true
	case blockedByWindow:
		// Nothing in flight will bring a window update.
		if c.fl.len() == 0 && !c.armed(timerPersist) {
			c.armPersist(now)
		}
	case blockedByCork:
		if !c.armed(timerCork) {
			c.arm(timerCork, now+corkTime)
		}
	}
	c.noteLimit(now, why)
	if c.fl.len() > 0 {
		c.noteCwndUse(why == blockedByCwnd)
	}
	return false
}

// decide returns how much of the unsent data goes into the next segment, and
// whether FIN goes with it, or why nothing is sent. These are the rules of
// RFC 9293 3.8.6.2.1 (silly window avoidance, MUST-38), with Nagle's.
func (c *Conn) decide(now time.Duration, size int) (n int, fin bool, why blocked) {
	unsent := c.sendQ.end.Sub(c.snd.nxt)
	finDue := c.finDue()
	if unsent <= 0 && !finDue {
		c.pushDue = false
		return 0, false, nothingToSend
	}
	usable := c.usable()
	if usable <= 0 {
		return 0, false, blockedByWindow
	}
	if unsent == 0 {
		if pipe := c.pipe(); pipe > 0 && (pipe+1 > c.cwnd() || c.tooManySmall()) {
			return 0, false, blockedByCwnd
		}
		return 0, true, notBlocked
	}
	if n = min(unsent, usable); n >= size {
		c.restartAfterIdle(now)
		n, why = c.full(n, size)
		return n, finDue && n == unsent && n < usable, why
	}
	switch {
	case c.pushDue:
	case n < unsent && n < c.snd.maxWnd/windowFraction:
		return 0, false, blockedByWindow
	case c.urging():
	case n == unsent && !finDue && (c.opts.Cork || c.more):
		return 0, false, blockedByCork
	case n == unsent && !finDue && c.nagle():
		return 0, false, blockedByNagle
	}
	c.restartAfterIdle(now)
	if pipe := c.pipe(); pipe > 0 && (pipe+n > c.cwnd() || c.tooManySmall()) {
		return 0, false, blockedByCwnd
	}
	return n, finDue && n == unsent && n < usable, notBlocked
}

// full returns how much of n bytes, at least a full segment, may go: one, or
// several where the device cuts a large one.
func (c *Conn) full(n, size int) (int, blocked) {
	room := c.cwnd() - c.pipe()
	if c.pipe() == 0 {
		room = max(room, size)
	}
	if room < size || c.tooManySmall() {
		return 0, blockedByCwnd
	}
	most := c.large
	if c.maxSegments > 0 {
		most = min(most, int(c.maxSegments)*size)
	}
	switch {
	case c.urging():
		most = size // each segment has a pointer of its own
	case c.ecn.accurate && c.rare.accurate.rCEP&aceCWR != 0:
		most = 0 // cutting clears CWR in all segments but the first (RFC 3168 6.1.2)
	}
	if most > size {
		most = c.paceBurst(most)
	}
	n = min(n, room, max(size, most))
	return n - n%size, notBlocked
}

// finDue tells whether a FIN waits behind the data.
func (c *Conn) finDue() bool {
	if c.snd.finSent {
		return false
	}
	switch c.state {
	case socket.TCP_FIN_WAIT1, socket.TCP_CLOSING, socket.TCP_LAST_ACK:
		return true
	}
	return false
}

// nagle is the Nagle algorithm as Minshall amended it: a small segment waits
// only for another small one, not for full ones.
func (c *Conn) nagle() bool {
	return !c.opts.NoDelay && c.snd.una.Less(c.snd.sml) && c.snd.sml.LessEq(c.snd.nxt)
}

// tooManySmall bounds the number of segments in flight where they are small:
// each has a record, and a queue somewhere on its way.
func (c *Conn) tooManySmall() bool {
	n := c.fl.len()
	return n > 4*c.p.InitialWindow && n > flightShare*(c.cc.Cwnd()/c.snd.mss)
}

// transmit sends n bytes for the first time.
func (c *Conn) transmit(now time.Duration, out *Segment, n int, fin bool, size int) {
	out.Seq = c.snd.nxt
	if n > 0 {
		out.Payload, out.Buffer = c.sendQ.slice(out.Seq, n, size)
		fin = fin && len(out.Payload) == n
		n = len(out.Payload)
		if n > size {
			out.SegSize = size
		}
		if n < size {
			c.snd.sml = out.Seq.Add(n)
			c.pushDue = false
		}
	}
	c.record(now, n, fin, size)
	if n > 0 {
		c.ecnData(out)
	}
	if c.snd.nxt = c.snd.nxt.Add(n); c.snd.nxt == c.sendQ.end {
		if n > 0 {
			out.Flags |= header.PSH // RFC 9293 3.9.1.2, MUST-61
		}
		c.stop(timerCork)
		c.pushDue = false
	}
	if fin {
		out.Flags |= header.FIN
		c.snd.finSent = true
		c.snd.nxt++
	}
	if c.armed(timerPersist) {
		c.stop(timerPersist)
		c.stalled, c.rtt.backoff = 0, 0
	}
	if !c.armed(timerRetransmit) {
		c.armRetransmit(now) // RFC 6298 5.1
	}
	c.sentInRecovery(n)
	c.scheduleTail(now)
	c.address(now, out, c.optionRoom(min(n, size)))
	c.countSent(now, out)
}

// record enters what is sent into the scoreboard, a record for each segment on
// the wire.
func (c *Conn) record(now time.Duration, n int, fin bool, size int) {
	if c.fl == nil {
		c.fl = newFlight(c.snd.nxt)
		c.takeOff()
	}
	seq := c.snd.nxt
	if whole := max(n-1, 0) / size; whole > 0 {
		c.fl.pushRun(seq, size, whole, now)
		c.snap(now, c.fl.len()-whole, whole)
		seq = seq.Add(whole * size)
		n -= whole * size
	}
	if fin {
		c.fl.push(seq, seq.Add(n+1), now, flagFIN)
	} else {
		c.fl.push(seq, seq.Add(n), now, 0)
	}
	c.snap(now, c.fl.len()-1, 1)
}
