package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
	"example.com/berth/socket"
)

// Accurate ECN (RFC 9768) counts marks where classic ECN says that there was one.
// SYN and SYN,ACK agree on it with all three flags of ECN; from then on these are
// the low bits of the receiver's counter of marked packets, the ACE field, in
// every segment. So each acknowledgment tells how many packets were marked since
// the one before, however many of them were lost.
//
// The counter wraps at eight, and the path may change it. What an acknowledgment
// may mean is bounded by how many segments it tells of, and by the counter of
// marked bytes if the peer sends the AccECN option (accecnoption.go). Where the
// handshake shows that the network changes the field in the IP header, or zeroes
// ACE, nothing more is sent as ECN-capable.

const (
	// aceFlags are the bits of the ACE field.
	aceFlags = header.AE | header.CWR | header.ECE
	// aceBits is the field's largest value, aceInitial what both ends begin to
	// count at (RFC 9768 3.2.1).
	aceBits    = 7
	aceInitial = 5
	// aceCWR is the bit that is CWR to who does not know better.
	aceCWR = 2
)

// accurateECN is the state of a connection that counts. Its counters bear the
// RFC's names: r.* is what arrived here, s.* what the peer says arrived there.
type accurateECN struct {
	_ lean.Incomparable

	rCEP, sCEP uint32 // packets
	bytes      ecnBytes
	sCEPTold   uint32 // s.cep when the last option came
	guessed    uint32 // marked bytes that there seem to have been since
	option     optionSender
	ceSinceAck uint8 // marked packets since the last acknowledgment
	handshake  uint8 // the codepoint of the peer's SYN or SYN,ACK
	// ackDue: the peer's SYN,ACK is to be acknowledged by a segment of its own
	// that tells its codepoint.
	ackDue bool
	last   bool // the last packet was marked
	heard  bool // the peer has sent a counter
	deaf   bool // what the peer counts means nothing
	stamp  uint32
	marked time.Duration // when marks were last told of
}

// accurateWanted tells whether this side asks for AccECN.
func (c *Conn) accurateWanted() bool { return c.p.ECN == ECNAccurate }

// grantsAccurate tells whether a SYN with these flags begins a connection in
// AccECN mode. Others than those of classic ECN ask for it, whatever else they
// want (RFC 9768 3.1.3).
func (p *Params) grantsAccurate(flags header.TCPFlags) bool {
	flags &= aceFlags
	return p.ECN >= ECNAccurate && flags != 0 && flags != ecnSetup
}

// ace is the value of the ACE field.
func ace(f header.TCPFlags) uint8 {
	v := uint8(0)
	for bit, x := range [...]header.TCPFlags{header.ECE, header.CWR, header.AE} {
		if f&x != 0 {
			v |= 1 << bit
		}
	}
	return v
}

// withACE is the reverse.
func withACE(v uint8) header.TCPFlags {
	f := header.TCPFlags(0)
	for bit, x := range [...]header.TCPFlags{header.ECE, header.CWR, header.AE} {
		if v>>bit&1 != 0 {
			f |= x
		}
	}
	return f
}

// handshakeACE tells the codepoint of a SYN or a SYN,ACK (RFC 9768, tables 2 and
// 3).
var handshakeACE = [4]uint8{0: 0b010, ecnECT1: 0b011, ecnECT0: 0b100, ecnCE: 0b110}

// handshakeECN is the reverse; other values tell of none.
func handshakeECN(ace uint8) (ecn uint8, ok bool) {
	for e, v := range handshakeACE {
		if v == ace {
			return uint8(e), true
		}
	}
	return 0, false
}

// beginAccurate enters AccECN mode. It is never left again (RFC 9768 3.1.5).
func (c *Conn) beginAccurate(codepoint uint8) {
	c.ecn.accurate, c.ecn.send = true, true
	c.need().accurate = &accurateECN{rCEP: aceInitial, sCEP: aceInitial, sCEPTold: aceInitial, handshake: codepoint}
}

// accuratePeerSYN takes the peer's SYN of a passive open, or its SYN,ACK, and
// reports whether AccECN is agreed on (RFC 9768, table 2).
func (c *Conn) accuratePeerSYN(seg *Segment) bool {
	flags := seg.Flags & aceFlags
	if !seg.has(header.ACK) {
		if !c.passive || !c.p.grantsAccurate(flags) {
			return false
		}
		c.beginAccurate(seg.ECN)
		return true
	}
	told, ok := handshakeECN(ace(flags))
	if !c.accurateWanted() || !ok {
		return false
	}
	c.beginAccurate(seg.ECN)
	a := c.rare.accurate
	a.ackDue = true
	c.noteOption(&seg.Options.AccECN)
	if seg.ECN == ecnCE {
		a.rCEP++
	}
	c.ecn.send = told == 0 // our SYN was not ECN-capable (RFC 9768 3.2.2.3)
	return true
}

// accurateTries is how many SYN or SYN,ACK segments ask for AccECN.
const accurateTries = 2

// accurateRepeatedSynAck answers a SYN,ACK that came again as the first was
// (RFC 9768 3.2.2.1).
func (c *Conn) accurateRepeatedSynAck(seg *Segment) {
	if !c.ecn.accurate || c.passive || !seg.has(header.ACK) || seg.Seq != c.irs {
		return
	}
	a := c.rare.accurate
	a.ackDue, a.handshake = true, seg.ECN
	if seg.ECN == ecnCE && a.rCEP == aceInitial {
		a.rCEP++
	}
}

// accurateHandshakeAck takes the acknowledgment of our SYN,ACK, and reports
// whether it tells of a mark (RFC 9768, table 4).
func (c *Conn) accurateHandshakeAck(seg *Segment) (marked bool) {
	if !c.ecn.accurate || !c.passive || len(seg.Payload) > 0 || seg.Options.SACKCount > 0 {
		return false
	}
	a, v := c.rare.accurate, ace(seg.Flags)
	if v == 0 {
		c.ecn.send, a.deaf = false, true
		return false
	}
	told, ok := handshakeECN(v)
	if ok && told != 0 { // our SYN,ACK was not ECN-capable
		c.ecn.send = false
	}
	if marked = ok && told == ecnCE; marked {
		a.sCEP++
		a.sCEPTold++
	}
	return marked
}

// accurateReceived counts what arrives (RFC 9768 3.2), with so many bytes of
// payload, and decides whether that has to be told at once (3.2.2.5.1): at the
// first marked segment of data, and before the counter can wrap.
func (c *Conn) accurateReceived(seg *Segment, size int) (soon bool) {
	a := c.rare.accurate
	c.noteOption(&seg.Options.AccECN)
	a.count(seg.ECN, size)
	if len(seg.Payload) > 0 {
		a.option.again = 0
	}
	marked := seg.ECN == ecnCE
	changed := marked && !a.last && size > 0
	a.last = marked
	if !marked {
		return false
	}
	n := 1
	if seg.SegSize > 0 {
		n = max(1, (size+seg.SegSize-1)/seg.SegSize)
	}
	c.p.Counters.ECNMarks.Add(uint64(n))
	a.rCEP += uint32(n)
	a.ceSinceAck = uint8(min(int(a.ceSinceAck)+n, aceBits))
	least := uint8(3)
	if size > 0 || c.rcv.acked.Less(c.rcv.nxt) {
		least = 2
	}
	if changed {
		c.hurryAcks()
	}
	return changed || a.ceSinceAck >= least
}

// accurateFlags are those of a segment that acknowledges.
func (c *Conn) accurateFlags() header.TCPFlags {
	a := c.rare.accurate
	a.ceSinceAck = 0
	return withACE(uint8(a.rCEP & aceBits))
}

// sendHandshakeAck acknowledges the SYN,ACK and tells its codepoint. Data waits
// for its turn after it.
func (c *Conn) sendHandshakeAck(now time.Duration, out *Segment) {
	a := c.rare.accurate
	a.ackDue = false
	out.Seq = c.snd.nxt
	c.address(now, out, header.TCPOptionsMax)
	out.Flags = out.Flags&^aceFlags | withACE(handshakeACE[a.handshake])
	out.Options.SACKCount = 0
	c.countSent(now, out)
}

// info fills in what TCP_INFO tells of the counters.
func (a *accurateECN) info(i *socket.TCPInfo) {
	told, received := &a.bytes.told, &a.bytes.received
	i.ReceivedCE = a.rCEP - aceInitial
	i.DeliveredE0Bytes, i.DeliveredE1Bytes, i.DeliveredCEBytes = told[ecnECT0], told[ecnECT1], told[ecnCE]
	i.ReceivedE0Bytes, i.ReceivedE1Bytes, i.ReceivedCEBytes = received[ecnECT0], received[ecnECT1], received[ecnCE]
}
