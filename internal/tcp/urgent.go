package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
)

// checkURG is the sixth step. The urgent pointer is a position in the stream,
// never an index into memory; urgent data stays in line with the rest, as
// RFC 6093 section 3.2 advises.
func (c *Conn) checkURG(seg *Segment) {
	if !seg.has(header.URG) || c.finRcvd {
		return
	}
	up := seg.Seq.Add(int(seg.Urgent)) // MUST-62: the octet after the urgent data
	if c.readSeq().Less(up) && (!c.rcv.urgent || c.rcv.up.Less(up)) {
		c.rcv.up, c.rcv.urgent = up, true
	}
}

// readSeq returns the sequence number of the next octet to be read.
func (c *Conn) readSeq() seqnum.Value {
	end := c.rcv.nxt
	if c.finRcvd {
		end--
	}
	return end.Add(-c.recvQ.queued)
}

// Urgent returns how many octets have to be read up to and with the last urgent
// one, those included that are still to come; 0 if there is none (RFC 9293
// 3.8.5, MUST-33). At 1 the reader is at the mark of sockatmark(3).
func (c *Conn) Urgent() int {
	if !c.rcv.urgent {
		return 0
	}
	return max(0, c.rcv.up.Sub(c.readSeq()))
}

// passUrgent ends urgent mode when the last urgent octet was read.
func (c *Conn) passUrgent() {
	if c.rcv.urgent && c.rcv.up.LessEq(c.readSeq()) {
		c.rcv.urgent = false
	}
}

// WriteUrgent is Write of data that ends in an urgent octet (MSG_OOB).
func (c *Conn) WriteUrgent(now time.Duration, b []byte) (int, error) {
	n, err := c.Write(now, b, false)
	if n > 0 && n == len(b) {
		c.snd.up, c.snd.urgent = c.sendQ.end, true
	}
	return n, err
}

// markUrgent sets the urgent pointer of a segment that goes out while SND.UP is
// ahead of it (RFC 9293 3.8.5; the field holds what it can).
func (c *Conn) markUrgent(out *Segment) {
	if !c.snd.urgent {
		return
	}
	switch d := c.snd.up.Sub(out.Seq); {
	case d > 0:
		out.Flags |= header.URG
		out.Urgent = uint16(min(d, 0xffff))
	case c.snd.up.LessEq(c.snd.una):
		c.snd.urgent = false
	}
}
