package tcp

import (
	"time"

	"example.com/berth/internal/header"
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
	// Fourth, the SYN bit.
	if !seg.has(header.SYN) {
		return
	}
	c.peerSYN(now, seg)
	if !acked {
		c.crossedSYN(seg)
		return
	}
	c.heard = now
	c.snd.una = seg.Ack
	c.fastOpenAnswered(seg)
	c.setSendWindow(seg, 0)
	c.handshakeRTT(now, seg)
	c.establish(now)
	c.ackNow = true
	// The rest of the segment is processed from the sixth step on.
	seg.Flags &^= header.SYN
	seg.skip(1)
	c.trim(seg)
	if c.ecn.accurate {
		c.rare.accurate.count(seg.ECN, len(seg.Payload))
	}
	c.checkURG(seg)
	c.takeText(now, seg)
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
	c.snd.nxt = c.iss.Add(1) // data in our SYN was none of the peer's
	c.retries, c.rtt.backoff = 0, 0
	c.synDue = true
}
