package tcp

import (
	"syscall"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// resetKind is a reset that waits to be sent.
type resetKind uint8

const (
	noReset    resetKind = iota
	resetAbort           // ends this connection
	resetReply           // answers an unacceptable acknowledgment
)

// queueReset has the reset sent that ends this connection, where the peer knows
// of one (RFC 9293 3.10.5).
func (c *Conn) queueReset() {
	switch c.state {
	case socket.TCP_CLOSE, socket.TCP_SYN_SENT, socket.TCP_TIME_WAIT:
		return
	}
	c.resetDue, c.resetSeq = resetAbort, c.believed()
}

// believed is SND.NXT, or the edge of the peer's window where that was taken back
// behind it: a segment with a number beyond the window is not acceptable, and what
// it says is lost (RFC 9293 3.10.7.4). By less than the unit of windows an edge goes
// back when it is rounded, which means nothing.
func (c *Conn) believed() seqnum.Value {
	edge := c.snd.una.Add(c.snd.wnd)
	if beyond := c.snd.nxt.Sub(edge); beyond <= 0 || c.useWScale && beyond < 1<<c.rcv.wscale {
		return c.snd.nxt
	}
	return edge
}

func (c *Conn) sendReset(now time.Duration, out *Segment) {
	out.Flags = header.RST
	out.Seq = c.resetSeq
	if c.resetDue == resetAbort {
		out.Flags |= header.ACK
		out.Ack = c.rcv.nxt
		if c.useTS {
			out.Options.HasTS, out.Options.TSVal, out.Options.TSEcr = true, c.tsAt(now), c.tsRecent
		}
	}
	c.resetDue = noReset
	c.p.Counters.RstsSent.Add(1)
	c.stats.segsOut++
}

// replyReset has a reset sent that answers an unacceptable acknowledgment
// (RFC 9293 3.5.2, group 2): it leaves the connection as it is.
func (c *Conn) replyReset(seq seqnum.Value) {
	c.resetDue, c.resetSeq = resetReply, seq
}

// resetByPeer is what an acceptable RST does in each state.
func (c *Conn) resetByPeer() {
	e := syscall.ECONNRESET
	switch c.state {
	case socket.TCP_SYN_SENT:
		e = syscall.ECONNREFUSED
		c.p.Counters.AttemptFails.Add(1)
	case socket.TCP_SYN_RECV:
		// One that came from LISTEN goes back there: nobody is to be told, unless
		// somebody has it already.
		c.p.Counters.AttemptFails.Add(1)
		switch {
		case !c.passive:
			e = syscall.ECONNREFUSED
		case !c.announced:
			e = 0
		}
	case socket.TCP_CLOSE_WAIT:
		e = syscall.EPIPE // as Linux: the reader has had its end of file
		c.p.Counters.EstabResets.Add(1)
	case socket.TCP_ESTABLISHED:
		c.p.Counters.EstabResets.Add(1)
	}
	c.fail(e)
}
