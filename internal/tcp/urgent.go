package tcp

import (
	"syscall"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// Urgent data (RFC 9293 3.8.5). The pointer is a position in the stream, never
// an index into memory. What lies before it is urgent, however long that is
// (MUST-31); its last octet is the mark of sockatmark(3). Unless SO_OOBINLINE
// keeps it in the stream, as RFC 6093 section 3.2 advises programs to have it,
// that octet is taken out of it and read by itself, as on Linux.

// urgentState is what became of the octet at the mark.
type urgentState uint8

const (
	urgentNone      urgentState = iota // there is no mark, or it has been read past
	urgentAnnounced                    // the octet has not come
	urgentHere                         // it can be read by itself
	urgentTaken                        // it was
)

// checkURG is the sixth step.
func (c *Conn) checkURG(seg *Segment) {
	if c.finRcvd {
		return
	}
	if seg.has(header.URG) {
		// MUST-62: the octet after the urgent data. 0 is taken for 1, as on Linux: one
		// octet before the segment would be none of it.
		c.moveMark(seg.Seq.Add(max(int(seg.Urgent), 1)))
	}
	if c.rcv.urgent != urgentAnnounced {
		return
	}
	if at := (c.rcv.up - 1).Sub(seg.Seq); at >= 0 && at < len(seg.Payload) {
		c.rcv.urgent, c.rcv.octet = urgentHere, seg.Payload[at]
	}
}

// moveMark takes an urgent pointer. One that does not move on is old, and one at
// an octet that has come already is none: an attempt to take away what waits to be
// read.
func (c *Conn) moveMark(up seqnum.Value) {
	if (up - 1).Less(c.rcv.nxt) || c.rcv.urgent != urgentNone && !c.rcv.up.Less(up) {
		return
	}
	// The reader is at the mark that there was. As on Linux its octet, which was
	// announced as out of line, does not become part of the stream.
	if c.atHole() {
		c.skipHole()
	}
	c.rcv.up, c.rcv.urgent = up, urgentAnnounced
	c.rcv.moves++
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
// 3.8.5, MUST-33).
func (c *Conn) Urgent() int {
	if c.rcv.urgent == urgentNone {
		return 0
	}
	return max(0, c.rcv.up.Sub(c.readSeq()))
}

// UrgentMoves counts how often urgent data was announced and its pointer moved
// on, which a program can have itself told of (RFC 9293 3.8.5, MUST-32).
func (c *Conn) UrgentMoves() uint32 { return c.rcv.moves }

// AtMark tells whether the next octet of the stream is the last urgent one
// (SIOCATMARK).
func (c *Conn) AtMark() bool { return c.Urgent() == 1 }

// atHole tells whether the next octet in the queue is one that is read by
// itself.
func (c *Conn) atHole() bool { return c.AtMark() && !c.opts.OOBInline && c.recvQ.queued > 0 }

// skipHole takes that octet out of the stream.
func (c *Conn) skipHole() {
	c.recvQ.drop(1, c.p.Budget)
	c.updateWindow()
	c.passMark()
}

// passMark ends urgent mode when the last urgent octet was read.
func (c *Conn) passMark() {
	if c.rcv.urgent != urgentNone && c.rcv.up.LessEq(c.readSeq()) {
		c.rcv.urgent = urgentNone
	}
}

// beforeMark cuts n octets from the next on to those before the mark. One that
// begins at the mark goes past it.
func (c *Conn) beforeMark(n int) int {
	if u := c.Urgent(); u > 1 {
		return min(n, u-1)
	}
	return n
}

// Readable returns how many octets a Read would give: all that are here, or
// those before the mark.
func (c *Conn) Readable() int {
	n := c.recvQ.queued
	if c.atHole() {
		n--
	}
	return c.beforeMark(n)
}

// ReadUrgent reads the octet at the mark by itself (MSG_OOB), and leaves it if it
// only peeks. Ok is false without an error if it will not come any more. Errors:
// EINVAL if there is none, it was read, or it is left in the stream; EAGAIN if it
// was announced and has not come; ENOTCONN.
func (c *Conn) ReadUrgent(peek bool) (octet byte, ok bool, err error) {
	switch {
	case c.opts.OOBInline, c.rcv.urgent == urgentNone, c.rcv.urgent == urgentTaken:
		return 0, false, syscall.EINVAL
	case c.state == socket.TCP_CLOSE && !c.finRcvd:
		return 0, false, syscall.ENOTCONN
	case c.rcv.urgent == urgentHere:
		if !peek {
			c.rcv.urgent = urgentTaken
		}
		return c.rcv.octet, true, nil
	case c.readShut, c.finRcvd:
		return 0, false, nil
	}
	return 0, false, syscall.EAGAIN
}

// WriteUrgent is Write of data that ends in an urgent octet (MSG_OOB). If there is
// not room for all of it, that octet is still to be written, and nothing is
// urgent yet.
func (c *Conn) WriteUrgent(now time.Duration, b []byte) (int, error) {
	n, err := c.Write(now, b, false)
	if n > 0 && n == len(b) {
		c.snd.up, c.snd.urgent = c.sendQ.end, true
	}
	return n, err
}

// urging tells whether urgent data is not acknowledged yet. Nothing holds it
// back then but the windows.
func (c *Conn) urging() bool { return c.snd.urgent && c.snd.una.Less(c.snd.up) }

// maxPointer is as far as the field of the urgent pointer reaches.
const maxPointer = 0xffff

// markUrgent sets the urgent pointer of a segment that goes out while SND.UP is
// ahead of it (RFC 9293 3.8.5). If that is too far ahead for the field, it says as
// much as it can, but never points at what was sent as not urgent: who receives
// that would take the octet there out of the stream.
func (c *Conn) markUrgent(out *Segment) {
	if !c.snd.urgent {
		return
	}
	switch d := c.snd.up.Sub(out.Seq); {
	case d > maxPointer && out.Seq.Add(maxPointer).LessEq(c.snd.nxt):
	case d > 0:
		out.Flags |= header.URG
		out.Urgent = uint16(min(d, maxPointer))
	case c.snd.up.LessEq(c.snd.una):
		c.snd.urgent = false
	}
}
