package tcp

import (
	"syscall"
	"time"

	"example.com/berth/socket"
)

// Write is the SEND of RFC 9293: it puts as much of b into the send queue as
// there is room for, and returns how much that is. More says that more follows
// (MSG_MORE). It gives EAGAIN if there is no room, or no connection yet, a
// pending error before anything else, and EPIPE if no more may be written.
func (c *Conn) Write(now time.Duration, b []byte, more bool) (int, error) {
	if c.err != 0 {
		return 0, c.TakeError()
	}
	switch {
	case c.writeShut || c.state == socket.TCP_CLOSE:
		return 0, syscall.EPIPE
	case c.state == socket.TCP_SYN_SENT, c.state == socket.TCP_SYN_RECV:
		return 0, syscall.EAGAIN
	}
	c.more = more
	room := c.writeRoom()
	n := 0
	if room > 0 {
		n = c.sendQ.append(b[:min(len(b), room)], c.snd.mss, c.p.SndBuf.Min, c.p.Budget)
		if n < min(len(b), room) {
			c.noMemory = true
			c.p.Counters.NoSendMemory.Add(1)
		}
	}
	if n == 0 && len(b) > 0 {
		return 0, syscall.EAGAIN
	}
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

// Read is the RECEIVE of RFC 9293: it copies what arrived in order into b, and
// leaves it in the queue if it only peeks. At the end of the stream it returns
// 0. It gives EAGAIN if nothing is there, a pending error once, and ENOTCONN if
// there never was a connection.
func (c *Conn) Read(now time.Duration, b []byte, peek bool) (int, error) {
	if c.recvQ.queued > 0 {
		n := c.recvQ.read(b, peek, c.p.Budget)
		if !peek && n > 0 {
			c.measureReader(now, n)
			c.updateWindow()
			c.passUrgent()
		}
		return n, nil
	}
	switch {
	case c.finRcvd:
		return 0, nil
	case c.err != 0:
		return 0, c.TakeError()
	case c.readShut:
		return 0, nil
	case c.state == socket.TCP_CLOSE:
		return 0, syscall.ENOTCONN
	}
	return 0, syscall.EAGAIN
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
	if c.state != socket.TCP_SYN_SENT && c.state != socket.TCP_SYN_RECV {
		if c.readable() {
			e |= socket.POLLIN
		}
		if c.writeShut || c.writable() {
			e |= socket.POLLOUT
		}
		if c.Urgent() > 0 {
			e |= socket.POLLPRI
		}
	}
	if c.err != 0 {
		e |= socket.POLLERR
	}
	return e
}

func (c *Conn) readable() bool {
	return c.recvQ.queued > 0 && c.recvQ.queued >= min(c.opts.RcvLowat, c.windowLimit())
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
