package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// enterTimeWait waits for 2 MSL (RFC 9293 3.6.1, MUST-13).
func (c *Conn) enterTimeWait(now time.Duration) {
	c.state = socket.TCP_TIME_WAIT
	c.stopAll()
	c.arm(timerWait, now+c.p.TimeWait)
}

// waitTimeout ends FIN-WAIT-2 and TIME-WAIT.
func (c *Conn) waitTimeout() {
	if c.state == socket.TCP_FIN_WAIT2 {
		c.p.Counters.OrphansDropped.Add(1)
	}
	c.toClosed()
}

// reopen judges a SYN that arrives in TIME-WAIT (RFC 6191, RFC 9293 3.6.1,
// MAY-2, SHLD-4): it may end it if by its timestamp or its sequence number it
// belongs to a later connection.
func (c *Conn) reopen(now time.Duration, seg *Segment) Result {
	if seg.Flags&(header.SYN|header.ACK|header.RST|header.FIN) != header.SYN || !c.later(seg) {
		return Result{}
	}
	return Result{Reopen: true, MinISS: c.snd.nxt.Add(isnGap)}
}

// KeepTimeWait follows on a Result with Reopen where nobody listens: the SYN is
// challenged, as in any other state (RFC 5961 4.2).
func (c *Conn) KeepTimeWait(now time.Duration) { c.challenge(now) }

func (c *Conn) later(seg *Segment) bool {
	after := c.rcv.nxt.LessEq(seg.Seq) // RCV.NXT is beyond the old FIN
	if !seg.Options.HasTS {
		return after
	}
	if !c.useTS {
		return true
	}
	d := int32(seg.Options.TSVal - c.tsRecent)
	return d > 0 || d == 0 && after
}
