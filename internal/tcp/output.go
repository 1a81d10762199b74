package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// Next fills in the next segment to be sent, and reports whether there is one.
// The shell calls it until there is none, after every call that may have
// changed something. Everything that a connection sends comes from here, in
// this order:
//
//   - a reset, which is the last word or answers an unacceptable ACK;
//   - the SYN, or the SYN with ACK;
//   - an acknowledgment that tells exactly what the network marked;
//   - the probe for a loss at the end of a flight;
//   - what was lost;
//   - what was never sent, data and FIN;
//   - a probe of a closed window or of a silent peer;
//   - an acknowledgment, if nothing before has carried it.
//
// The reference to out.Buffer is the caller's.
func (c *Conn) Next(now time.Duration, out *Segment) bool {
	if c.resting() {
		c.rest()
		return false
	}
	*out = Segment{}
	out.signedBy(c.seldom().auth)
	switch {
	case c.resetDue != noReset:
		c.sendReset(now, out)
	case c.state == socket.TCP_CLOSE:
		c.dropDeadlines()
		return false
	case c.synDue:
		c.sendSYN(now, out)
	case c.state == socket.TCP_SYN_SENT:
		return false
	case c.ecn.owed:
		c.sendOwedAck(now, out)
	case c.ecn.accurate && c.ackNow && c.rare.accurate.ackDue:
		c.sendHandshakeAck(now, out)
	case c.cc != nil && (c.sendTailProbe(now, out) || !c.held(now) && c.sendText(now, out)):
	case c.probeDue:
		c.sendProbe(now, out)
	case c.ackNow:
		out.Seq = c.believed()
		c.address(now, out, header.TCPOptionsMax)
		c.countSent(now, out)
	default:
		c.dropDeadlines()
		return false
	}
	c.ecnControl(out)
	return true
}

// resting tells of an established connection with nothing out of the ordinary that
// it has nothing to send: it is what Next finds more often than not.
func (c *Conn) resting() bool { return !c.ackNow && c.quiet() }

// quiet is resting but for an acknowledgment.
func (c *Conn) quiet() bool {
	return c.snd.nxt == c.sendQ.end && !c.probeDue && !c.synDue && !c.refused &&
		c.state == socket.TCP_ESTABLISHED && c.resetDue == noReset && c.rare == nil && !c.ecn.owed &&
		c.ca == caOpen && c.ep == nil && !c.tlp.due && (c.fl == nil || c.fl.lost == 0)
}

// rest is what sendNew does where there is nothing to send.
func (c *Conn) rest() {
	c.pushDue = false
	if c.fl.len() > 0 {
		c.noteCwndUse(false)
	}
	c.dropDeadlines()
}

// sendText sends data or FIN.
func (c *Conn) sendText(now time.Duration, out *Segment) bool {
	return c.sendLost(now, out) || c.sendNew(now, out) || c.sendGuess(now, out) ||
		c.frtoFails() && c.sendLost(now, out)
}

// address fills in what every segment of a synchronized connection has: the
// acknowledgment, the window, and options of up to room bytes.
func (c *Conn) address(now time.Duration, out *Segment, room int) {
	out.Flags |= header.ACK
	out.Ack = c.rcv.nxt
	out.Window = c.selectWindow()
	c.rcv.acked, c.rcv.large = c.rcv.nxt, false
	switch {
	case c.ecn.accurate:
		out.Flags |= c.accurateFlags()
	case c.ecn.ce:
		out.Flags |= header.ECE
	}
	if c.useTS {
		out.Options.HasTS, out.Options.TSVal, out.Options.TSEcr = true, c.tsAt(now), c.tsRecent
	}
	whole := c.addSACK(&out.Options, room)
	if c.ecn.accurate {
		c.addOption(now, out, room)
	}
	c.markUrgent(out)
	if whole {
		c.ackSent()
	}
}

// segmentSize is the payload of a full segment that is sent now: less than the
// effective MSS while SACK blocks have to go along, or an AccECN option.
func (c *Conn) segmentSize(now time.Duration) int {
	option := c.ecn.accurate && c.optionDue(now)
	if !option && !c.hasSACK() {
		return c.snd.mss
	}
	var o header.TCPOptions
	o.HasTS = c.useTS
	if a := c.seldom().auth; a != nil {
		o.Auth = a.longest()
	}
	if option {
		o.AccECN = header.AccECN{Order: header.AccECN0, Fields: header.AccECNFields}
	}
	if c.hasSACK() {
		o.SACKCount = len(o.SACK)
		if option {
			o.AccECN.Fields-- // two fields and two blocks take all there is
		}
	}
	if n := c.snd.mss - (o.Len() - c.standingOptions()); n >= c.snd.mss/2 {
		return n
	}
	return c.snd.mss
}

// standingOptions is the length of the options that every segment has, which the
// effective MSS leaves room for.
func (c *Conn) standingOptions() int {
	n := c.authOptions()
	if c.useTS {
		o := header.TCPOptions{HasTS: true}
		n += o.Len()
	}
	return n
}

// optionRoom is how long the options of a segment with a payload of n bytes may
// be.
func (c *Conn) optionRoom(n int) int {
	return min(max(c.snd.mss-n+c.standingOptions(), 0), header.TCPOptionsMax)
}

// countSent keeps the statistics of what is sent.
func (c *Conn) countSent(now time.Duration, out *Segment) {
	c.stats.segsOut++
	if n := len(out.Payload); n > 0 {
		c.stats.dataSegsOut++
		c.stats.bytesSent += uint64(n)
		if c.cc != nil { // it has none in SYN-SENT
			c.paceSent(now, n)
		}
		c.lastData = now
		if c.delack.last != 0 && now-c.delack.last < c.delack.ato {
			// An answer so soon after data: a dialogue, in which
			// acknowledgments can ride on data.
			c.delack.interactive = true
		}
	}
}
