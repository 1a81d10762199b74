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
	c := new(Conn)
	c.answer(p, now, o, syn, opts)
	return c
}

// answer makes c what Passive returns.
func (c *Conn) answer(p *Params, now time.Duration, o Opening, syn *Segment, opts *Options) {
	c.Init(p)
	if opts != nil {
		c.opts = opts
	}
	c.protect(syn.Auth)
	c.open(now, o)
	c.passive = true
	c.state = socket.TCP_SYN_RECV
	c.rcv.wscale = c.terms().wscale()
	c.peerSYN(now, syn)
	c.setSendWindow(syn, 0)
	p.Counters.PassiveOpens.Add(1)
}

// uncrossSYN lets the SYN,ACK of a simultaneous open pass as the ACK that it
// is: its SYN has been received before.
func (c *Conn) uncrossSYN(seg *Segment) {
	if c.state == socket.TCP_SYN_RECV && !c.passive && seg.has(header.SYN|header.ACK) &&
		!seg.has(header.RST) && seg.Seq == c.irs && seg.Ack == c.snd.nxt {
		seg.Flags &^= header.SYN
		seg.skip(1)
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
	c.snd.una = c.iss.Add(1) // the data of a Fast Open is acknowledged after this
	c.setSendWindow(seg, c.snd.wscale)
	c.handshakeRTT(now, seg)
	c.synDue = false
	marked := c.accurateHandshakeAck(seg)
	c.passHandshake()
	c.establish(now)
	if marked {
		c.cc.OnECN(now, c.cc.Cwnd())
	}
	if c.writeShut { // shut down or closed while the handshake was under way
		c.state = socket.TCP_FIN_WAIT1
	}
	return true
}
