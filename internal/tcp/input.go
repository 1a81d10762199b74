package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// Result tells the shell what it has to do about a segment.
type Result struct {
	// Closed: the connection is over, and the segment belongs to nobody (the
	// shell answers with ResetFor).
	Closed bool
	// Reopen: an acceptable SYN arrived in TIME-WAIT. This connection is over,
	// and the segment belongs to a listener, whose connection begins at MinISS
	// or above. Without a listener the connection stays, with KeepTimeWait.
	Reopen bool
	MinISS seqnum.Value
	// Progress: the segment acknowledged something new, so packets reach the
	// peer, and the neighbor on the way to it (RFC 4861 7.3.1).
	Progress bool
	// Given is how many octets of the segment were read at once: see InputFor.
	Given int
}

// Input is SEGMENT ARRIVES (RFC 9293 3.10.7) in any state but LISTEN. The
// segment may be changed; its memory is the caller's again after the call.
// Next tells afterwards what is to be sent.
func (c *Conn) Input(now time.Duration, seg *Segment) Result { return c.InputFor(now, seg, nil) }

// InputFor is Input where a user waits for data with into to put it in. If there is
// room for all that the segment brings, and nothing before it, it may go there, past
// the queue: as if a Read had followed. Given of the result tells. A full segment is
// one of many: those wait for a Read, which takes as many as there is room for.
func (c *Conn) InputFor(now time.Duration, seg *Segment, into []byte) Result {
	if c.expects(seg) {
		return c.inputExpected(now, seg, into)
	}
	if a := c.seldom().auth; (a != nil || seg.Options.Auth.Kind != header.TCPAuthNone) && !admits(a, c.p.Counters, seg) {
		return Result{}
	}
	c.stats.segsIn++
	if len(seg.Payload) > 0 {
		c.stats.dataSegsIn++
	}
	switch c.state {
	case socket.TCP_CLOSE:
		seg.Auth = nil // the connection signs nothing any more
		return Result{Closed: true}
	case socket.TCP_SYN_SENT:
		c.inputSynSent(now, seg)
		return Result{Progress: c.state == socket.TCP_ESTABLISHED}
	case socket.TCP_TIME_WAIT:
		if r := c.reopen(seg); r.Reopen {
			return r
		}
	}
	una := c.snd.una
	c.inputSynchronized(now, seg)
	if c.snd.una == una {
		return Result{}
	}
	c.more = false // what MSG_MORE holds goes with an acknowledgment, as on Linux
	return Result{Progress: true}
}

// Particular tells whether the next acknowledgment is to say something of what
// has arrived that a later one would not: up to where the network's marks changed
// (RFC 8257 3.2), or what came twice (RFC 2883). A shell that hands in several
// segments before it calls Next calls it first then.
func (c *Conn) Particular() bool { return c.ecn.owed || c.dsack != (header.SACKBlock{}) }

// inputSynchronized is RFC 9293 3.10.7.4, step by step. A step that reports
// false has disposed of the segment.
func (c *Conn) inputSynchronized(now time.Duration, seg *Segment) {
	c.uncrossSYN(seg)
	first, end, size := seg.Seq, seg.end(), len(seg.Payload)
	if !c.checkSequence(now, seg) ||
		!c.checkRST(now, seg) ||
		!c.checkSYN(now, seg) {
		return
	}
	old := first != end && end.LessEq(c.rcv.nxt)
	cut := c.trim(seg)
	if !c.checkAck(now, seg) {
		return
	}
	c.rememberTS(now, first, seg)
	c.noteDuplicate(first, seqnum.Min(seg.Seq, end)) // what was trimmed
	if old {
		c.p.Counters.Duplicates.Add(1)
		c.doubtOption(size)
	}
	switch {
	case cut && !c.finRcvd && c.nobodyReads():
		c.refuse(seg)
		return
	case old, cut && !c.finRcvd:
		c.repeated()
	}
	soon := c.ecnReceived(seg, size)
	c.checkURG(seg)
	c.takeText(now, seg)
	c.ackNow = c.ackNow || soon
}

// checkSequence is the first step: timestamps, then sequence numbers.
func (c *Conn) checkSequence(now time.Duration, seg *Segment) bool {
	if c.outdated(now, seg) {
		c.p.Counters.PAWS.Add(1)
		if seg.Len() > 0 || !seg.has(header.ACK) || !seg.Seq.Less(c.rcv.nxt) {
			c.answerInvalid(now, seg)
		} // else acknowledgments have overtaken each other, which happens (as Linux)
		return false
	}
	if seg.has(header.RST) {
		if seg.Seq == c.rcv.nxt || c.acceptable(seg) {
			return true
		}
		c.p.Counters.RstsIgnored.Add(1)
		return false
	}
	if !c.acceptable(seg) {
		c.p.Counters.OutOfWindow.Add(1)
		if c.state == socket.TCP_TIME_WAIT && seg.has(header.FIN) {
			c.arm(timerWait, now+c.p.TimeWait)
		}
		c.answerInvalid(now, seg)
		return false
	}
	return true
}

// acceptable is Table 6 of RFC 9293, and at the edges of the window what Linux
// takes. A segment that ends at what was last acknowledged, or between there and
// RCV.NXT, brings nothing, but its acknowledgment and its window may be new. A peer
// that has used the whole window, while something of it was lost, acknowledges with
// the number at the right edge: if that did not count, both could wait for each
// other. One that does not keep to the window is indulged where its data can be
// read at once.
func (c *Conn) acceptable(seg *Segment) bool {
	if c.state == socket.TCP_TIME_WAIT || c.state == socket.TCP_SYN_RECV || seg.Flags&(header.SYN|header.RST) == header.SYN {
		return c.insideWindow(seg)
	}
	end, edge := seg.end(), seqnum.Max(c.rcv.nxt, c.rcv.edge)
	if seg.has(header.FIN) { // which needs no room
		end--
	}
	switch {
	case seg.end().Less(c.rcv.acked), edge.Less(seg.Seq):
		return false
	case end.LessEq(edge):
		return true
	}
	return c.recvQ.queued == 0 && !c.finRcvd || seg.Seq == c.rcv.nxt && c.rcvWnd() == 0
}

// insideWindow is Table 6 to the letter. A segment at RCV.NXT is accepted though
// the window is closed; of it only ACK, RST and URG count (MUST-66).
func (c *Conn) insideWindow(seg *Segment) bool {
	wnd, n := c.rcvWnd(), seg.Len()
	if wnd == 0 || n == 0 {
		return seg.Seq == c.rcv.nxt || seg.Seq.In(c.rcv.nxt, wnd)
	}
	return seg.Seq.In(c.rcv.nxt, wnd) || seg.Seq.Add(n-1).In(c.rcv.nxt, wnd)
}

// trim cuts what came before, and all where the window is closed. A FIN at the
// right edge is let in, as on Linux: it needs no memory, and there are peers that
// repeat it until it is acknowledged. It reports whether something was cut on the
// right.
func (c *Conn) trim(seg *Segment) bool {
	if old := c.rcv.nxt.Sub(seg.Seq); old > 0 {
		if old > len(seg.Payload) {
			seg.Flags &^= header.FIN
		}
		seg.Payload = seg.Payload[min(old, len(seg.Payload)):]
		seg.skip(old)
	}
	if len(seg.Payload) == 0 || seg.Seq.Less(c.rcv.edge) {
		return false
	}
	seg.Payload = nil
	seg.Flags &^= header.FIN
	c.p.Counters.OutOfWindow.Add(1)
	return true
}

// answerInvalid acknowledges a segment that is not acceptable. Data is always
// answered, because its sender waits for that; what carries none could be the
// answer to an answer, and is limited.
func (c *Conn) answerInvalid(now time.Duration, seg *Segment) {
	switch {
	case seg.has(header.RST):
	case seg.has(header.SYN) && c.state == socket.TCP_SYN_RECV && seg.Seq == c.irs:
		c.ecnRepeatedSYN(seg)
		c.repeatSynAck(now)
	case seg.has(header.SYN):
		c.accurateRepeatedSynAck(seg)
		c.challenge(now)
	case seg.Len() == 0:
		c.limitedAck(now)
	default:
		if seg.Seq.Less(c.rcv.nxt) {
			c.noteDuplicate(seg.Seq, seqnum.Min(seg.Seq.Add(len(seg.Payload)), c.rcv.nxt))
			c.p.Counters.Duplicates.Add(1)
			c.doubtOption(len(seg.Payload))
		}
		c.repeated()
	}
}

// repeated acknowledges at once text that has come before, or that there is no
// room for: its sender waits for that.
func (c *Conn) repeated() {
	c.quickAckMode()
	c.ackNow = true
}

// limitedAck acknowledges, unless it did so a moment ago.
func (c *Conn) limitedAck(now time.Duration) bool {
	if c.challenged != 0 && now-c.challenged < challengeInterval {
		c.p.Counters.AcksLimited.Add(1)
		return false
	}
	c.challenged = now
	c.ackNow = true
	return true
}

// challenge sends the challenge ACK of RFC 5961. Its limit is the connection's
// own: a shared one would tell an attacker about others (CVE-2016-5696).
func (c *Conn) challenge(now time.Duration) {
	if c.limitedAck(now) {
		c.p.Counters.ChallengeAcks.Add(1)
	}
}

// checkRST is the second step, with RFC 5961 3.2.
func (c *Conn) checkRST(now time.Duration, seg *Segment) bool {
	if !seg.has(header.RST) {
		return true
	}
	switch {
	case c.state == socket.TCP_TIME_WAIT:
		// RFC 1337: it would end the protection of the next connection.
		c.p.Counters.RstsIgnored.Add(1)
	case seg.Seq != c.rcv.nxt:
		c.p.Counters.RstsIgnored.Add(1)
		c.challenge(now)
	default:
		c.p.Counters.RstsSeen.Add(1)
		c.resetByPeer()
	}
	return false
}

// checkSYN is the fourth step (there is no third: no security compartments),
// with RFC 5961 4.2: a SYN is challenged, whatever its sequence number.
func (c *Conn) checkSYN(now time.Duration, seg *Segment) bool {
	if !seg.has(header.SYN) {
		return true
	}
	c.challenge(now)
	return false
}

// checkAck is the fifth step.
func (c *Conn) checkAck(now time.Duration, seg *Segment) bool {
	if !seg.has(header.ACK) {
		c.p.Counters.NoAck.Add(1)
		return false
	}
	if c.state == socket.TCP_SYN_RECV && !c.completeHandshake(now, seg) {
		return false
	}
	if c.snd.nxt.Less(seg.Ack) || seg.Ack.Less(c.oldestAck()) {
		c.p.Counters.BadAck.Add(1)
		c.challenge(now)
		return false
	}
	c.heard = now
	c.probes = 0
	c.acknowledge(now, seg)
	return c.afterAck(now)
}

// oldestAck is the least number that an old segment can acknowledge (RFC 5961
// 5.2): not below what was ever sent, though the window would allow it, for then
// somebody guesses.
func (c *Conn) oldestAck() seqnum.Value {
	acked := c.stats.bytesAcked + c.synAcked()
	return c.snd.una.Add(-int(min(acked, uint64(c.snd.maxWnd))))
}

// afterAck changes the state when our FIN is acknowledged.
func (c *Conn) afterAck(now time.Duration) bool {
	if !c.snd.finSent || c.snd.una != c.snd.nxt {
		return true
	}
	switch c.state {
	case socket.TCP_FIN_WAIT1:
		c.enterFinWait2(now)
	case socket.TCP_CLOSING:
		c.enterTimeWait(now)
	case socket.TCP_LAST_ACK:
		c.toClosed()
		return false
	}
	return true
}
