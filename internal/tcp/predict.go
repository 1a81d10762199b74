package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// Header prediction (V. Jacobson, 1990; RFC 7323 4.2 keeps it in mind): nearly all
// segments of an established connection are the next in order, acknowledge what was
// sent in order, or do both, and nothing else is going on. For these, what the steps
// of RFC 9293 3.10.7.4 come to is known before. Each does here what it would have
// done there: which way a segment goes can be seen by nobody.

// expects tells whether a segment is such a one.
func (c *Conn) expects(seg *Segment) bool {
	o := &seg.Options
	return seg.Flags&^header.PSH == header.ACK && seg.Seq == c.rcv.nxt && c.undisturbed() &&
		seg.Seq.Add(len(seg.Payload)).LessEq(c.rcv.edge) &&
		o.SACKCount == 0 && o.Auth.Kind == header.TCPAuthNone && o.HasTS == c.useTS &&
		int32(o.TSVal-c.tsRecent) >= 0 &&
		c.fl.confirmed(seg.Ack, c.snd.una, c.snd.nxt) && !c.p.noPrediction
}

// undisturbed tells that a connection is established and has nothing but data to
// take care of: neither loss nor marks, nothing urgent, out of order or at an end.
func (c *Conn) undisturbed() bool {
	return c.state == socket.TCP_ESTABLISHED && c.rare == nil && c.ca == caOpen && c.ep == nil &&
		c.ooo == nil && c.useSACK && c.snd.wnd > 0 && c.rcv.urgent == urgentNone &&
		!c.ecn.echo && !c.ecn.send && !c.tlp.out && !c.rcv.hasFin && !c.finRcvd && !c.readShut && !c.orphan
}

// confirmed tells whether an acknowledgment is of whole segments that were sent
// once, or there is nothing to acknowledge.
func (f *flight) confirmed(ack, una, nxt seqnum.Value) bool {
	if f == nil {
		return ack == una
	}
	if !una.Less(ack) || nxt.Less(ack) || f.sacked|f.lost|f.resent|f.resends.len() != 0 {
		return false
	}
	for i := range f.records.len() {
		r := f.records.at(i)
		if ack.Less(r.end) || r.flags != 0 {
			return false
		}
		if ack == r.end {
			return true
		}
	}
	return false
}

// inputExpected takes a segment that was expected. Into is as in InputFor.
func (c *Conn) inputExpected(now time.Duration, seg *Segment, into []byte) (r Result) {
	c.stats.segsIn++
	c.heard, c.probes, c.softErr = now, 0, 0
	c.updateSendWindow(seg)
	progress := seg.Ack != c.snd.una
	if progress {
		c.acknowledgeExpected(now, seg.Ack)
		c.more = false // as in Input
	}
	c.rememberTS(now, seg.Seq, seg)
	r.Progress = progress
	if n := len(seg.Payload); n > 0 {
		c.stats.dataSegsIn++
		if n <= len(into) && n < c.snd.mss && c.recvQ.queued == 0 {
			r.Given = n
			c.give(now, seg, into)
		} else {
			c.takeInOrder(now, seg)
		}
	}
	return r
}

// give is takeInOrder and Read in one: text goes to a user who waits for it.
func (c *Conn) give(now time.Duration, seg *Segment, into []byte) {
	n := copy(into, seg.Payload)
	c.rcv.taken = false // what follows is for another call
	c.rcv.nxt = seg.Seq.Add(n)
	c.measureSender(now, seg)
	c.dataArrived(now)
	c.noteEnd(seg, n)
	c.scheduleAck(now, seg)
	c.stats.bytesReceived += uint64(n)
	c.wasRead(now, n)
}

// acknowledgeExpected is acknowledge and what it calls, for whole segments that were
// sent once.
func (c *Conn) acknowledgeExpected(now time.Duration, ack seqnum.Value) {
	f, k := c.fl, 1
	for f.records.at(k-1).end != ack {
		k++
	}
	first, last := f.records.front(), f.records.at(k-1)
	s := ackSample{
		acked: ack.Sub(c.snd.una), delivered: ack.Sub(c.snd.una), segments: k,
		first: first.sent, last: last.sent, sent: last.sent, end: ack,
		lowest: first.seq, highest: ack, original: true,
	}
	for i := range k {
		f.rates.arrived(i, f.records.at(i), &s)
	}
	f.pop(k)
	c.snd.una = ack
	c.sendQ.acked(ack, c.p.Budget)
	c.noteBusy(now)
	c.stats.bytesAcked += uint64(s.acked)
	c.noMemory = false
	c.retries, c.stalled = 0, 0
	c.growSndBuf()
	s.rtt = max(now-s.first, 1)
	c.sampleRTT(now, s.rtt)
	c.rackDelivered(now, &s)
	c.detectLoss(now, &s)
	c.growCwnd(now, &s)
	c.afterFlight(now, &s)
}
