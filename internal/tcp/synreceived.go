package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// Passive returns the connection in SYN-RECEIVED state for a SYN that arrived
// at a listener with these options, which it shares; nil means those of p
// (RFC 9293 3.10.7.2).
func Passive(p *Params, now time.Duration, o Opening, syn *Segment, opts *Options) *Conn {
	c := NewConn(p)
	if opts != nil {
		c.opts = opts
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
