package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// decline takes out of the options of a SYN what the host does not want.
func (p *Params) decline(o *header.TCPOptions) {
	o.HasWScale = o.HasWScale && !p.NoWindowScaling
	o.SACKPermitted = o.SACKPermitted && !p.NoSACK
	o.HasTS = o.HasTS && !p.NoTimestamps
}

// peerSYN takes the peer's initial sequence number and options.
func (c *Conn) peerSYN(now time.Duration, seg *Segment) {
	c.irs = seg.Seq
	c.rcv.nxt = seg.Seq.Add(1)
	c.rcv.edge = c.rcv.nxt.Add(c.initialRcvWnd())
	c.rcv.acked = c.rcv.nxt
	o := &seg.Options
	c.p.decline(o)
	makeRoom(c.seldom().auth, o)
	if a := c.seldom().auth; a != nil {
		a.setIRS(seg.Seq)
	}
	c.snd.peerMSS = o.MSS
	if c.snd.peerMSS == 0 {
		c.snd.peerMSS = uint16(c.terms().defaultMSS())
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
	c.ecnPeerSYN(seg)
	c.updateMSS()
	c.rcv.mss = max(1, min(c.snd.mss, c.windowLimit()/2, defaultMSS4))
}

// handshakeRTT takes the first sample of the round trip. Where the SYN was
// resent and no timestamp tells which one is answered, the time-out begins
// again at three seconds (RFC 6298 5.7).
func (c *Conn) handshakeRTT(now time.Duration, seg *Segment) {
	if c.stats.synSent == 0 { // a SYN cookie: nobody knows when
		c.rtt.rto = max(c.rtt.rto, fallbackRTO)
		return
	}
	r := now - c.stats.synSent
	if c.retries > 0 {
		if r = c.echoRTT(now, seg); r == 0 {
			c.rtt.rto, c.rtt.backoff = max(c.rtt.rto, fallbackRTO), 0
			return
		}
	}
	c.sampleRTT(now, r)
}

// sendSYN is the SYN, or in SYN-RECEIVED the SYN,ACK.
func (c *Conn) sendSYN(now time.Duration, out *Segment) {
	c.synDue = false
	out.Flags = header.SYN
	out.Seq = c.iss
	out.Window = uint16(c.initialRcvWnd())
	out.Flags |= c.ecnSYN()
	o := &out.Options
	o.MSS = c.advertisedMSS()
	if c.state == socket.TCP_SYN_SENT {
		o.HasWScale, o.SACKPermitted, o.HasTS = !c.p.NoWindowScaling, !c.p.NoSACK, !c.p.NoTimestamps
		makeRoom(c.seldom().auth, o)
	} else {
		out.Flags |= header.ACK
		out.Ack = c.rcv.nxt
		c.rcv.acked, c.ackNow = c.rcv.nxt, false
		c.stop(timerDelayedAck)
		o.HasWScale, o.SACKPermitted, o.HasTS = c.useWScale, c.useSACK, c.useTS
	}
	if o.HasWScale {
		o.WScale = c.rcv.wscale
	}
	if o.HasTS {
		o.TSVal, o.TSEcr = c.tsAt(now), c.tsRecent
	}
	first := c.snd.nxt == c.iss
	if first {
		c.snd.nxt = c.iss.Add(1)
		c.stats.synSent = now
	}
	c.addFastOpen(out)
	if first && c.ecn.accurate {
		c.p.addHandshakeOption(o)
	}
	if !c.armed(timerRetransmit) {
		c.armRetransmit(now)
	}
	c.countSent(now, out)
}
