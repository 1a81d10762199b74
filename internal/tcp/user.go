package tcp

import (
	"syscall"
	"time"

	"example.com/berth/internal/buffer"
	"example.com/berth/socket"
)

// Write is the SEND of RFC 9293: it puts as much of b into the send queue as
// there is room for, and returns how much that is. More says that more follows
// (MSG_MORE). It gives EAGAIN if there is no room, or no connection yet, a
// pending error before anything else, and EPIPE if no more may be written.
func (c *Conn) Write(now time.Duration, b []byte, more bool) (int, error) {
	if err := c.mayWrite(); err != nil {
		return 0, err
	}
	c.more = more
	room := c.writeRoom()
	n := 0
	if room > 0 {
		n = c.sendQ.append(b[:min(len(b), room)], c.unsent() == 0, c.snd.mss, c.p.SndBuf.Min, c.p.Budget)
		if n < min(len(b), room) {
			c.noMemory = true
			c.p.Counters.NoSendMemory.Add(1)
		}
	}
	c.refused = n < len(b)
	c.noteBusy(now)
	if n == 0 && len(b) > 0 {
		return 0, syscall.EAGAIN
	}
	return n, nil
}

func (c *Conn) mayWrite() error {
	if c.err != 0 {
		return c.TakeError()
	}
	switch {
	case c.writeShut || c.state == socket.TCP_CLOSE:
		return syscall.EPIPE
	case c.state == socket.TCP_SYN_SENT, c.state == socket.TCP_SYN_RECV && !c.early:
		return syscall.EAGAIN
	}
	return nil
}

// WriteBuffer is Write of the first n bytes of a buffer. If they fill half of it at
// least they are not copied: the queue holds the buffer, whose bytes must not be
// changed then. Where there is room for some of them there is for all, so that the
// queue may exceed its limit by a buffer.
func (c *Conn) WriteBuffer(now time.Duration, buf *buffer.Buffer, n int) (int, error) {
	if 2*n < buf.Size() {
		return c.Write(now, buf.Bytes()[:n], false)
	}
	if err := c.mayWrite(); err != nil {
		return 0, err
	}
	if c.writeRoom() <= 0 || !c.sendQ.adopt(buf, n, c.p.Budget) {
		return c.Write(now, buf.Bytes()[:n], false) // which knows what to do then
	}
	c.more, c.refused = false, false
	c.noteBusy(now)
	return n, nil
}

// writeRoom is how much the send queue may grow.
func (c *Conn) writeRoom() int {
	room := c.sndBuf - c.sendQ.queued
	if c.opts.NotSentLowat > 0 {
		room = min(room, c.opts.NotSentLowat-c.unsent())
	}
	return room
}

// unsent is the number of bytes written and never sent.
func (c *Conn) unsent() int { return max(0, c.sendQ.end.Sub(c.snd.nxt)) }

// Read is the RECEIVE of RFC 9293: it copies what arrived in order into b, but
// not across the mark of urgent data. At the end of the stream it returns 0. It
// gives EAGAIN if nothing is there, a pending error once, and ENOTCONN if there
// never was a connection. The time matters if TimesReads says so.
func (c *Conn) Read(now time.Duration, b []byte) (int, error) {
	if len(b) > 0 && c.atHole() {
		c.skipHole()
	}
	if c.recvQ.queued == 0 {
		return 0, c.nothingToRead()
	}
	n := c.recvQ.read(b[:c.beforeMark(len(b))], c.p.Budget)
	if n > 0 {
		c.wasRead(now, n)
	}
	return n, nil
}

// Awaits tells whether a Read would find nothing now but may later, on an established
// connection.
func (c *Conn) Awaits() bool {
	return c.state == socket.TCP_ESTABLISHED && c.recvQ.queued == 0 && !c.finRcvd && !c.readShut && c.err == 0
}

// HasRoom tells whether an established connection takes a Write of n bytes, as far as
// the send buffer goes.
func (c *Conn) HasRoom(n int) bool {
	return c.state == socket.TCP_ESTABLISHED && !c.writeShut && c.err == 0 && n <= c.writeRoom()
}

// TimesReads tells whether Read goes by the time: once the round trip is known, to
// measure how much the user reads in one.
func (c *Conn) TimesReads() bool { return c.rate.rtt != 0 }

// AckDue tells whether a Read has made an acknowledgment due, of what was read or of
// the room that it made. If not, Next has no more than it had before.
func (c *Conn) AckDue() bool { return c.ackNow }

// AckCanWait tells whether all that there is to send is an acknowledgment of data that
// nobody has read yet, and nothing but data is going on. A shell whose reader is about to
// read them may leave it until then: AckDue is true after that Read, and what Next gives
// tells of the room that was made, too.
func (c *Conn) AckCanWait() bool {
	return c.ackNow && c.readable() && c.delack.quick == 0 && c.quiet() && c.undisturbed()
}

// Peek is Read that leaves everything as it is, of what comes after from octets
// that it gave before.
func (c *Conn) Peek(b []byte, from int) (int, error) {
	hole := 0
	if c.atHole() {
		hole = 1
	}
	if c.recvQ.queued == hole {
		return 0, c.nothingToRead()
	}
	n := min(len(b), c.Readable()-from)
	return c.recvQ.peek(b[:n], hole+from), nil
}

// nothingToRead is what a Read without data gives: nil at the end of the stream.
func (c *Conn) nothingToRead() error {
	switch {
	case c.finRcvd:
		return nil
	case c.err != 0:
		return c.TakeError()
	case c.readShut:
		return nil
	case c.state == socket.TCP_CLOSE:
		return syscall.ENOTCONN
	}
	return syscall.EAGAIN
}

// Events returns what Poll would find, as Linux's tcp_poll.
func (c *Conn) Events() socket.Events {
	var e socket.Events
	over := c.state == socket.TCP_CLOSE || c.state == socket.TCP_TIME_WAIT
	readEnd := c.readShut || c.finRcvd
	if over || readEnd && c.writeShut {
		e |= socket.POLLHUP
	}
	if readEnd {
		e |= socket.POLLIN | socket.POLLRDHUP
	}
	if c.state != socket.TCP_SYN_SENT && (c.state != socket.TCP_SYN_RECV || c.early) {
		if c.readable() {
			e |= socket.POLLIN
		}
		if c.writeShut || c.writable() {
			e |= socket.POLLOUT
		}
		if c.rcv.urgent == urgentHere {
			e |= socket.POLLPRI
		}
	}
	if c.err != 0 {
		e |= socket.POLLERR
	}
	return e
}

func (c *Conn) readable() bool {
	want := max(min(c.opts.RcvLowat, c.windowLimit()), 1)
	if c.atHole() {
		want++
	}
	return c.recvQ.queued >= want
}

// writable tells whether it is worth to write: there is room for a third of the
// buffer (as Linux), and the last write did not find the host out of memory.
func (c *Conn) writable() bool {
	if c.noMemory {
		return false
	}
	room := c.sndBuf - c.sendQ.queued
	if room < c.sendQ.queued/2 {
		return false
	}
	return c.opts.NotSentLowat == 0 || c.unsent() < c.opts.NotSentLowat
}
