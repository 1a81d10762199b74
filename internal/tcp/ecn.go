package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
)

// ECNMode says when explicit congestion notification is used: the classic one
// (RFC 3168), or accurate ECN (RFC 9768) with classic ECN for peers that know no
// better. The values are those of Linux's tcp_ecn.
type ECNMode uint8

const (
	ECNOff             ECNMode = iota
	ECNOn                      // ask for classic ECN, and grant it
	ECNPassive                 // grant it to peers that ask
	ECNAccurate                // ask for accurate ECN, and grant either
	ECNAccurateGranted         // ask for classic ECN, and grant either
	ECNAccuratePassive         // grant either to peers that ask
)

// Codepoints of the IP header (RFC 3168 5).
const (
	ecnECT1 = 1
	ecnECT0 = 2
	ecnCE   = 3
)

// ecnVars is the state of ECN (RFC 3168 6.1).
type ecnVars struct {
	accurate bool // negotiated: marks are counted, by accurateECN
	echo     bool // classic ECN was negotiated: marks are echoed
	send     bool // negotiated either, and data goes out as ECN-capable
	// ce is set while acknowledgments carry ECE: until the peer says CWR, or
	// for an algorithm that needs every mark, while what arrives is marked.
	ce bool
	// owed: an acknowledgment of what arrived before ce changed, up to
	// owedAck, is to be sent (RFC 8257 3.2).
	owed bool
	// cwrDue: the next new data tells the peer that its echo was heard.
	cwrDue bool
	// reduced: the window was reduced for a mark, and none of what was sent
	// since, from point on, is acknowledged yet.
	reduced        bool
	owedAck, point seqnum.Value
}

// ecnSetup is what a SYN has that asks for ECN (RFC 3168 6.1.1).
const ecnSetup = header.ECE | header.CWR

// ecnAllowed tells whether ECN is used where the peer asks for it, ecnWanted
// whether this side does.
func (c *Conn) ecnAllowed() bool { return c.p.grantsECN(c.opts) }

func (c *Conn) ecnWanted() bool {
	return c.p.ECN == ECNOn || c.p.ECN == ECNAccurate || c.p.ECN == ECNAccurateGranted || c.algorithm().ECN
}

// grantsECN tells whether connections with these options use ECN where the peer
// asks for it.
func (p *Params) grantsECN(opts *Options) bool {
	return p.ECN != ECNOff || opts.algorithm(p).ECN
}

// ecnPeerSYN takes the peer's SYN of a passive open, or its SYN,ACK. A SYN,ACK
// with both flags is the reflection of a peer that knows neither (RFC 3168
// 6.1.1).
func (c *Conn) ecnPeerSYN(seg *Segment) {
	if c.accuratePeerSYN(seg) {
		return
	}
	switch flags := seg.Flags & ecnSetup; {
	case !seg.has(header.ACK):
		c.ecn.echo = c.passive && flags == ecnSetup && c.ecnAllowed()
		c.ecn.send = c.ecn.echo
	case flags == header.ECE && c.ecnWanted():
		c.ecn.echo = true
		c.ecn.send = int(c.retries) < c.synTries() // RFC 3168 6.1.1.1: never after a SYN without it
	}
}

// ecnRepeatedSYN takes a SYN that came again: one that does not ask any more
// had lost hope in ECN on this path (RFC 3168 6.1.1.1).
func (c *Conn) ecnRepeatedSYN(seg *Segment) {
	if seg.Flags&ecnSetup != ecnSetup {
		c.ecn.send = false
	}
}

// synTries is how many SYNs ask for ECN.
func (c *Conn) synTries() int {
	if c.accurateWanted() {
		return accurateTries
	}
	return 1
}

// ecnSYN is what our SYN or SYN,ACK says. A SYN whose first copy was not
// answered goes without, in case something on the way drops those that ask.
func (c *Conn) ecnSYN() header.TCPFlags {
	switch {
	case c.passive && c.ecn.accurate:
		return withACE(handshakeACE[c.rare.accurate.handshake])
	case c.passive && c.ecn.echo:
		return header.ECE
	case c.passive || c.synchronized() || int(c.retries) >= c.synTries() || !c.ecnWanted():
		return 0
	case c.accurateWanted():
		return aceFlags
	}
	return ecnSetup
}

// ecnData marks a segment of new data as ECN-capable. Retransmissions, pure
// acknowledgments and probes are not (RFC 3168 6.1.4 to 6.1.6).
func (c *Conn) ecnData(out *Segment) {
	if !c.ecn.send {
		return
	}
	out.ECN = ecnECT0
	if c.ecn.cwrDue {
		out.Flags |= header.CWR
		c.ecn.cwrDue = false
	}
}

// ecnControl marks what ecnData leaves out as ECN-capable, too, where the host is to
// (RFC 8311 4.3, draft-ietf-tcpm-generalized-ecn): retransmissions, acknowledgments,
// probes, FIN and RST, but no SYN. That needs accurate ECN, which tells of marks of any
// packet, and for acknowledgments SACK: their marks are acknowledged, and without SACK
// the peer could take that for duplicates (RFC 9768 3.2.2.5.1).
func (c *Conn) ecnControl(out *Segment) {
	if !c.p.ECNControl || !c.ecn.accurate || !c.ecn.send || out.has(header.SYN) {
		return
	}
	if c.useSACK || len(out.Payload) > 0 || out.Flags&(header.FIN|header.RST) != 0 {
		out.ECN = ecnECT0
	}
}

// tellsOfMarks tells whether an acknowledgment that brings nothing may be the answer to
// marks of our acknowledgments: one that is a duplicate has SACK blocks (RFC 9768
// 3.2.2.5.1).
func (c *Conn) tellsOfMarks(seg *Segment) bool {
	return c.p.ECNControl && c.ecn.accurate && c.useSACK && seg.Options.SACKCount == 0
}

// ecnReceived is what a segment says about the network that arrived with so many
// bytes of payload. It reports whether the peer has to know at once.
func (c *Conn) ecnReceived(seg *Segment, size int) (soon bool) {
	if c.ecn.accurate {
		return c.accurateReceived(seg, size)
	}
	if c.ecn.echo && len(seg.Payload) > 0 {
		c.classicReceived(seg)
	}
	return false
}

// classicReceived takes a segment of data (RFC 3168 6.1.3).
func (c *Conn) classicReceived(seg *Segment) {
	e, marked := &c.ecn, seg.ECN == ecnCE
	if marked {
		c.p.Counters.ECNMarks.Add(1)
	}
	if c.algorithm().ECN {
		if marked != e.ce {
			// RFC 8257 3.2: what came before is acknowledged apart, so that
			// the sender can count marks.
			if c.rcv.acked.Less(c.rcv.nxt) {
				e.owed, e.owedAck = true, c.rcv.nxt
			}
			e.ce = marked
			c.hurryAcks()
		}
		return
	}
	if seg.has(header.CWR) {
		e.ce = false
	}
	if marked {
		e.ce = true
		c.hurryAcks()
	}
}

// hurryAcks has this segment and the next acknowledged at once: the peer should
// learn of the network's state soon.
func (c *Conn) hurryAcks() {
	c.delack.quick, c.delack.interactive = max(c.delack.quick, 2), false
}

// sendOwedAck acknowledges what came before the marks began, or ended.
func (c *Conn) sendOwedAck(now time.Duration, out *Segment) {
	e := &c.ecn
	e.owed = false
	out.Seq = c.snd.nxt
	e.ce = !e.ce
	c.address(now, out, header.TCPOptionsMax)
	e.ce = !e.ce
	out.Ack, c.rcv.acked, c.ackNow = e.owedAck, e.owedAck, true
	c.countSent(now, out)
}

// ecnEchoed answers to an echo of a mark: as to a loss, but once for a window of
// data, and not where a loss has been answered (RFC 3168 6.1.2). Flight is what
// was in flight before the acknowledgment.
func (c *Conn) ecnEchoed(now time.Duration, s *ackSample, flight int) {
	e := &c.ecn
	if e.reduced && e.point.LessEq(c.snd.una) {
		e.reduced = false
	}
	if !s.marked || e.reduced {
		return
	}
	e.cwrDue = !e.accurate
	if c.ca < caRecovery {
		e.reduced, e.point = true, c.snd.nxt
		c.p.Counters.ECNReductions.Add(1)
		c.cc.OnECN(now, flight)
	}
}

// ecnFeedback takes what an acknowledgment says of marks. An echo of classic ECN
// stands for all that it delivers.
func (c *Conn) ecnFeedback(now time.Duration, seg *Segment, s *ackSample, progress bool) {
	switch {
	case c.ecn.accurate:
		c.accurateFeedback(now, seg, s, progress)
	case c.ecn.send && seg.has(header.ECE):
		s.marked, s.markedBytes = true, s.delivered
		c.need().deliveredCE += uint32(max(s.segments, 1))
	}
}
