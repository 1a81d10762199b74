package tcp

import "example.com/berth/internal/seqnum"

// windowLimit is the most data that the receive buffer offers room for.
func (c *Conn) windowLimit() int { return c.terms().windowLimit(c.rcvBuf) }

// rcvWnd is RCV.WND: what the peer was promised and has not sent.
func (c *Conn) rcvWnd() int { return max(0, c.rcv.edge.Sub(c.rcv.nxt)) }

// initialRcvWnd is the window in SYN segments.
func (c *Conn) initialRcvWnd() int { return c.terms().window(c.windowLimit()) }

// selectWindow decides on the window to offer, and returns the field of the
// header. The right edge does not go back (RFC 9293 SHLD-14; but see
// takeBackWindow), and advances by steps worth sending for only (RFC 9293
// 3.8.6.2.2, MUST-39). While the host is short of memory it does not advance
// beyond the floor that each connection has.
func (c *Conn) selectWindow() uint16 {
	promised := c.rcvWnd()
	wnd, limit := c.offer()
	if wnd-promised < min(limit/2, c.rcv.mss) {
		wnd = promised
	}
	wnd = min(wnd, maxWindow<<c.rcv.wscale)
	unit := 1 << c.rcv.wscale
	if wnd -= wnd % unit; wnd < promised {
		wnd = (promised + unit - 1) &^ (unit - 1)
	}
	field := min(wnd>>c.rcv.wscale, maxWindow)
	c.rcv.edge = seqnum.Max(c.rcv.edge, c.rcv.nxt.Add(field<<c.rcv.wscale))
	if field == 0 {
		c.p.Counters.WindowsToZero.Add(1)
	}
	return uint16(field)
}

// offer is the room in the receive buffer, and what it is when the buffer is
// empty: while the host is short of memory, no more than the floor. What a step
// worth sending for is goes by that, or a window that was closed would not open
// again for a peer whose segments are larger.
func (c *Conn) offer() (free, limit int) {
	limit = c.windowLimit()
	free = max(0, limit-c.recvQ.queued)
	if floor := c.p.RcvBuf.Min; floor < limit && c.p.Budget.Pressure() {
		limit = floor
		if room := max(0, floor-c.recvQ.queued); room < free {
			c.p.Counters.NoRcvGrowth.Add(1)
			free = room
		}
	}
	return free, limit
}

// takeBackWindow shrinks the window to what has come, up to edge, when there is
// no memory for what else was promised. A peer that sees a closed window keeps the connection for as
// long as it is answered (RFC 9293 3.8.6, MUST-34 to 37), where one whose
// retransmissions bring nothing gives up (Linux: ICSK_ACK_NOMEM).
func (c *Conn) takeBackWindow(edge seqnum.Value) { c.rcv.edge = edge }

// updateWindow has a window update sent when reading has made enough room: the
// window that the peer sees is at least doubled, or opened.
func (c *Conn) updateWindow() {
	if !c.established() || c.finRcvd {
		return
	}
	promised := c.rcvWnd()
	free, limit := c.offer()
	free = min(free, maxWindow<<c.rcv.wscale) // more cannot be said
	if free-promised >= min(limit/2, 2*c.rcv.mss) && free >= 2*promised {
		c.ackNow = true
	}
}

// setSendWindow takes the window of a segment that is known to be recent.
func (c *Conn) setSendWindow(seg *Segment, scale uint8) {
	c.snd.wnd = int(seg.Window) << scale
	c.snd.maxWnd = max(c.snd.maxWnd, c.snd.wnd)
	c.snd.wl1 = seg.Seq
}

// updateSendWindow takes the window of an acknowledgment, unless that is older
// than the last one (RFC 9293 3.10.7.4), and reports whether it changed. As on
// Linux, what acknowledges something new is new, whatever its sequence number; and
// of two with the same numbers nobody can tell which is older, so the larger window
// counts, or that there is none.
func (c *Conn) updateSendWindow(seg *Segment) bool {
	wnd := int(seg.Window) << c.snd.wscale
	switch {
	case c.snd.una.Less(seg.Ack), c.snd.wl1.Less(seg.Seq):
	case c.snd.wl1 != seg.Seq, wnd <= c.snd.wnd && wnd != 0:
		return false
	}
	before := c.snd.wnd
	c.setSendWindow(seg, c.snd.wscale)
	return wnd != before
}

// usable is the usable window U (RFC 9293 3.8.6.2.1): what may be sent beyond
// SND.NXT. It is negative after the peer has shrunk its window (MUST-34).
func (c *Conn) usable() int { return c.snd.una.Add(c.snd.wnd).Sub(c.snd.nxt) }
