package tcp

import (
	"syscall"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// takeText is the seventh step, and the eighth where FIN is next in order.
func (c *Conn) takeText(now time.Duration, seg *Segment) {
	if c.finRcvd { // beyond the peer's FIN there is nothing
		if c.state == socket.TCP_TIME_WAIT && seg.Len() > 0 {
			c.ackNow = true // RFC 9293 3.10.7.4, fifth step
		}
		return
	}
	if len(seg.Payload) > 0 && c.nobodyReads() {
		c.refuse(seg)
		return
	}
	if seg.has(header.FIN) {
		c.rcv.fin, c.rcv.hasFin = seg.Seq.Add(len(seg.Payload)), true
	}
	switch {
	case len(seg.Payload) == 0 && !seg.has(header.FIN):
	case seg.Seq != c.rcv.nxt:
		c.takeOutOfOrder(seg)
	case len(seg.Payload) > 0:
		c.takeInOrder(now, seg)
	}
	if c.rcv.hasFin && c.rcv.fin == c.rcv.nxt {
		c.takeFIN(now)
	}
}

// refuse resets the peer, which sends to nobody: as from CLOSED, which is where the
// connection goes (RFC 9293 3.10.7.1).
func (c *Conn) refuse(seg *Segment) {
	c.p.Counters.AfterClose.Add(1)
	c.replyReset(seg.Ack)
	c.fail(syscall.ECONNRESET)
}

// nobodyReads tells whether data would be for nobody: RFC 1122 4.2.2.13 wants a
// reset then, so that the peer learns of it.
func (c *Conn) nobodyReads() bool {
	return c.orphan || c.readShut && c.state != socket.TCP_ESTABLISHED
}

// takeInOrder takes text that begins at RCV.NXT, and what waited for it.
func (c *Conn) takeInOrder(now time.Duration, seg *Segment) {
	first := c.rcv.nxt
	taken := c.store(seg)
	if taken < len(seg.Payload) {
		c.p.Counters.RcvBufFull.Add(1)
		c.ackNow = true
		if taken == 0 {
			return
		}
	}
	c.rcv.nxt = seg.Seq.Add(taken)
	c.measureSender(now, seg)
	c.dataArrived(now)
	c.noteEnd(seg, taken)
	if c.ooo != nil {
		dup := c.ooo.overlap(c.rcv.nxt)
		c.noteDuplicate(dup.Left, dup.Right)
		c.rcv.nxt = c.ooo.deliver(c.rcv.nxt, &c.recvQ, c.p.Budget)
		c.scheduleAck(now, seg)
		if len(c.ooo.spans) == 0 {
			c.dropOutOfOrder()
		}
	} else {
		c.scheduleAck(now, seg)
	}
	if c.rcv.hasFin && c.rcv.fin.Less(c.rcv.nxt) {
		c.rcv.hasFin = false // it was no FIN of this stream
	}
	c.stats.bytesReceived += uint64(c.rcv.nxt.Sub(first))
}

// store puts text into the receive queue and returns how much it took. A queue
// that is full refuses it and takes the window back: more was promised than there
// is room for, since a user made the buffer smaller, or since right edges rounded
// up to the window's unit crept ahead of it. In a host without memory what is out
// of order is given up for what is not; if that does not help, no more is taken
// than what a queue may always hold, and the window goes back, too.
func (c *Conn) store(seg *Segment) int {
	q, n := &c.recvQ, len(seg.Payload)
	if q.queued > 0 && q.queued+n > c.rcvBuf {
		c.takeBackWindow(seg.Seq)
		return 0
	}
	if q.add(seg.Payload, seg.Buffer, false, c.p.Budget) {
		return n
	}
	if c.ooo != nil {
		c.p.Counters.OutOfOrderDrops.Add(1)
		c.dropOutOfOrder()
		if q.add(seg.Payload, seg.Buffer, false, c.p.Budget) {
			return n
		}
	}
	taken := q.addLittle(seg.Payload, c.p.RcvBuf.Min, c.p.Budget)
	if taken < n {
		c.takeBackWindow(seg.Seq.Add(taken))
	}
	return taken
}

// takeOutOfOrder keeps text that begins beyond RCV.NXT (SHLD-31) and
// acknowledges at once (RFC 5681 4.2).
func (c *Conn) takeOutOfOrder(seg *Segment) {
	c.quickAckMode()
	if c.ackNow && !c.useSACK {
		c.acksOwed = min(c.acksOwed+1, maxAcksOwed)
	}
	c.ackNow = true
	if len(seg.Payload) == 0 {
		return
	}
	if c.ooo == nil {
		c.ooo = newReassembly()
	}
	dup, taken := c.ooo.insert(seg.Seq, seg.Payload, seg.Buffer, c.rcvBuf, c.p.Budget)
	switch {
	case taken:
		c.p.Counters.OutOfOrder.Add(1)
		c.need().outOfOrder++
	case dup == (header.SACKBlock{}):
		c.p.Counters.OutOfOrderDrops.Add(1)
	default:
		c.p.Counters.Duplicates.Add(1)
	}
	c.noteDuplicate(dup.Left, dup.Right)
	if len(c.ooo.spans) == 0 {
		c.dropOutOfOrder()
	}
}

func (c *Conn) dropOutOfOrder() {
	if c.ooo != nil {
		c.ooo.discard(c.p.Budget)
		c.ooo = nil
	}
}

// noteDuplicate has the next acknowledgment report bytes that came twice
// (RFC 2883).
func (c *Conn) noteDuplicate(left, right seqnum.Value) {
	if c.useSACK && c.state != socket.TCP_SYN_RECV && left.Less(right) && c.dsack == (header.SACKBlock{}) {
		c.dsack = header.SACKBlock{Left: left, Right: right}
	}
}

// takeFIN is the eighth step.
func (c *Conn) takeFIN(now time.Duration) {
	c.rcv.nxt++
	c.rcv.hasFin = false
	c.finRcvd = true
	c.dropOutOfOrder()
	c.ackNow = true
	switch c.state {
	case socket.TCP_ESTABLISHED:
		c.state = socket.TCP_CLOSE_WAIT
	case socket.TCP_FIN_WAIT1: // our FIN is not acknowledged, or we were in FIN-WAIT-2
		c.state = socket.TCP_CLOSING
	case socket.TCP_FIN_WAIT2:
		c.enterTimeWait(now)
	}
}
