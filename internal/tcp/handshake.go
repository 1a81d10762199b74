package tcp

import (
	"syscall"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// inputSynSent is RFC 9293 3.10.7.3.
func (c *Conn) inputSynSent(now time.Duration, seg *Segment) {
	// First, the ACK bit.
	acked := seg.has(header.ACK)
	if acked && (seg.Ack.LessEq(c.iss) || c.snd.nxt.Less(seg.Ack) || c.staleEcho(now, seg)) {
		c.p.Counters.BadAck.Add(1)
		if !seg.has(header.RST) {
			c.replyReset(seg.Ack)
		}
		return
	}
	// Second, the RST bit: without an acknowledgment anybody could have sent it.
	if seg.has(header.RST) {
		if !acked {
			c.p.Counters.RstsIgnored.Add(1)
			return
		}
		c.p.Counters.RstsSeen.Add(1)
		c.resetByPeer()
		return
	}
	// Fourth, the SYN bit. A SYN with FIN opens nothing.
	if !seg.has(header.SYN) || seg.has(header.FIN) {
		return
	}
	c.peerSYN(now, seg)
	if !acked {
		c.crossedSYN(seg)
		return
	}
	c.heard = now
	c.snd.una = seg.Ack
	c.setSendWindow(seg, 0)
	c.handshakeRTT(now, seg)
	c.establish(now)
	c.ackNow = true
	// The rest of the segment is processed from the sixth step on.
	seg.Flags &^= header.SYN
	seg.Seq = c.rcv.nxt
	c.trim(seg)
	c.checkURG(seg)
	c.takeText(now, seg)
}

// handshakeRTT takes the first sample of the round trip. Where the SYN was
// resent and no timestamp tells which one is answered, the time-out begins
// again at three seconds (RFC 6298 5.7).
func (c *Conn) handshakeRTT(now time.Duration, seg *Segment) {
	r := now - c.stats.synSent
	if c.retries > 0 {
		if r = c.echoRTT(now, seg); r == 0 {
			c.rtt.rto, c.rtt.backoff = max(c.rtt.rto, fallbackRTO), 0
			return
		}
	}
	c.sampleRTT(r)
}

// staleEcho tells whether a SYN,ACK echoes a timestamp that was never sent: it
// answers a SYN of another connection.
func (c *Conn) staleEcho(now time.Duration, seg *Segment) bool {
	if !seg.Options.HasTS || seg.Options.TSEcr == 0 || c.stats.synSent == 0 {
		return false
	}
	first := c.tsAt(c.stats.opened)
	echo := seg.Options.TSEcr
	return int32(echo-first) < 0 || int32(c.tsAt(now)-echo) < 0
}

// crossedSYN is a simultaneous open (RFC 9293 3.5, MUST-10): SYN-RECEIVED, and
// our SYN once more with an acknowledgment.
func (c *Conn) crossedSYN(seg *Segment) {
	c.setSendWindow(seg, 0)
	c.state = socket.TCP_SYN_RECV
	c.retries, c.rtt.backoff = 0, 0
	c.synDue = true
}

// Passive returns the connection in SYN-RECEIVED state for a SYN that arrived
// at a listener with these options (RFC 9293 3.10.7.2).
func Passive(p *Params, now time.Duration, o Opening, syn *Segment, opts *Options) *Conn {
	c := NewConn(p)
	if opts != nil {
		c.opts = *opts
	}
	c.open(now, o)
	c.passive = true
	c.state = socket.TCP_SYN_RECV
	c.rcv.wscale = c.chooseWScale()
	c.peerSYN(now, syn)
	c.setSendWindow(syn, 0)
	p.Counters.PassiveOpens.Add(1)
	return c
}

// peerSYN takes the peer's initial sequence number and options.
func (c *Conn) peerSYN(now time.Duration, seg *Segment) {
	c.irs = seg.Seq
	c.rcv.nxt = seg.Seq.Add(1)
	c.rcv.edge = c.rcv.nxt.Add(c.initialRcvWnd())
	c.rcv.acked = c.rcv.nxt
	o := &seg.Options
	c.snd.peerMSS = int(o.MSS)
	if c.snd.peerMSS == 0 {
		c.snd.peerMSS = c.defaultMSS()
	}
	if o.HasWScale {
		c.snd.wscale = min(o.WScale, maxWScale)
	} else {
		c.rcv.wscale = 0
	}
	c.useWScale = o.HasWScale
	c.useSACK = o.SACKPermitted
	if c.useTS = o.HasTS; o.HasTS {
		c.tsRecent, c.tsRecentAt = o.TSVal, now
	}
	c.updateMSS()
	c.rcv.mss = max(1, min(c.snd.mss, c.windowLimit()/2, defaultMSS4))
}

// uncrossSYN lets the SYN,ACK of a simultaneous open pass as the ACK that it
// is: its SYN has been received before.
func (c *Conn) uncrossSYN(seg *Segment) {
	if c.state == socket.TCP_SYN_RECV && !c.passive && seg.has(header.SYN|header.ACK) &&
		!seg.has(header.RST) && seg.Seq == c.irs && seg.Ack == c.snd.nxt {
		seg.Flags &^= header.SYN
		seg.Seq++
	}
}

// repeatSynAck answers a repeated SYN: our SYN,ACK was lost. It does not touch
// the timer, and is limited as other answers are.
func (c *Conn) repeatSynAck(now time.Duration) {
	if c.challenged == 0 || now-c.challenged >= challengeInterval {
		c.challenged = now
		c.synDue = true
	}
}

// completeHandshake is the part of the fifth step for SYN-RECEIVED.
func (c *Conn) completeHandshake(now time.Duration, seg *Segment) bool {
	if !c.snd.una.Less(seg.Ack) || c.snd.nxt.Less(seg.Ack) {
		c.p.Counters.BadAck.Add(1)
		c.replyReset(seg.Ack)
		return false
	}
	if c.deferred(now, seg) {
		return false
	}
	c.snd.una = seg.Ack
	c.setSendWindow(seg, c.snd.wscale)
	c.handshakeRTT(now, seg)
	c.synDue = false
	c.establish(now)
	if c.writeShut { // shut down or closed while the handshake was under way
		c.state = socket.TCP_FIN_WAIT1
	}
	return true
}

// deferred tells whether the last ACK of a handshake waits for data
// (TCP_DEFER_ACCEPT). After that time the SYN,ACK is sent once more, and its
// answer taken.
func (c *Conn) deferred(now time.Duration, seg *Segment) bool {
	until := c.stats.opened + c.opts.DeferAccept
	if !c.passive || c.opts.DeferAccept <= 0 || len(seg.Payload) > 0 || seg.has(header.FIN) || now >= until {
		return false
	}
	c.p.Counters.Deferred.Add(1)
	c.arm(timerRetransmit, until)
	return true
}

// sendSYN is the SYN, or in SYN-RECEIVED the SYN,ACK.
func (c *Conn) sendSYN(now time.Duration, out *Segment) {
	c.synDue = false
	out.Flags = header.SYN
	out.Seq = c.iss
	out.Window = uint16(c.initialRcvWnd())
	o := &out.Options
	o.MSS = c.advertisedMSS()
	if c.state == socket.TCP_SYN_SENT {
		o.HasWScale, o.SACKPermitted, o.HasTS = true, true, true
	} else {
		out.Flags |= header.ACK
		out.Ack = c.rcv.nxt
		c.ackNow = false
		o.HasWScale, o.SACKPermitted, o.HasTS = c.useWScale, c.useSACK, c.useTS
	}
	if o.HasWScale {
		o.WScale = c.rcv.wscale
	}
	if o.HasTS {
		o.TSVal, o.TSEcr = c.tsAt(now), c.tsRecent
	}
	if c.snd.nxt == c.iss {
		c.snd.nxt = c.iss.Add(1)
		c.stats.synSent = now
	}
	if !c.armed(timerRetransmit) {
		c.armRetransmit(now)
	}
	c.countSent(now, out)
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
		// One that came from LISTEN goes back there: nobody is to be told.
		c.p.Counters.AttemptFails.Add(1)
		if e = syscall.ECONNREFUSED; c.passive {
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
