package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
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
func (c *Conn) reopen(seg *Segment) Result {
	return reopened(seg, c.rcv.nxt, c.snd.nxt, c.useTS, c.tsRecent)
}

// reopened is reopen of a connection with that RCV.NXT, SND.NXT and TS.Recent, if it
// uses timestamps.
func reopened(seg *Segment, received, sent seqnum.Value, useTS bool, tsRecent uint32) Result {
	if seg.Flags&(header.SYN|header.ACK|header.RST|header.FIN) != header.SYN || !later(seg, received, useTS, tsRecent) {
		return Result{}
	}
	return Result{Reopen: true, MinISS: sent.Add(isnGap)}
}

// KeepTimeWait follows on a Result with Reopen where nobody listens: the SYN is
// challenged, as in any other state (RFC 5961 4.2).
func (c *Conn) KeepTimeWait(now time.Duration) { c.challenge(now) }

func later(seg *Segment, received seqnum.Value, useTS bool, tsRecent uint32) bool {
	after := received.LessEq(seg.Seq) // RCV.NXT is beyond the old FIN
	if !seg.Options.HasTS {
		return after
	}
	if !useTS {
		return true
	}
	d := int32(seg.Options.TSVal - tsRecent)
	return d > 0 || d == 0 && after
}
