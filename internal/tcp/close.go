package tcp

import (
	"syscall"
	"time"

	"example.com/berth/socket"
)

// CloseWrite is the CLOSE of RFC 9293: no more will be written, and after what
// is in the queue goes FIN. It is shutdown(2) with SHUT_WR; ENOTCONN if there is
// no connection. A connection that is still being opened is dropped, as on
// Linux.
func (c *Conn) CloseWrite(now time.Duration) error {
	switch c.state {
	case socket.TCP_CLOSE, socket.TCP_TIME_WAIT:
		c.writeShut = true // and so the user finds it, as on Linux
		return syscall.ENOTCONN
	case socket.TCP_SYN_SENT:
		c.giveUpOpening()
		return nil
	}
	c.closeWrite()
	return nil
}

func (c *Conn) closeWrite() {
	c.writeShut = true
	switch c.state {
	case socket.TCP_ESTABLISHED:
		c.state = socket.TCP_FIN_WAIT1
	case socket.TCP_CLOSE_WAIT:
		c.state = socket.TCP_LAST_ACK
	}
}

// CloseRead is shutdown(2) with SHUT_RD: reading gives the end of the stream
// once the queue is empty. ENOTCONN if there is no connection.
func (c *Conn) CloseRead() error {
	switch c.state {
	case socket.TCP_CLOSE, socket.TCP_TIME_WAIT:
		c.readShut = true // and so the user finds it, as on Linux
		return syscall.ENOTCONN
	case socket.TCP_SYN_SENT:
		c.giveUpOpening()
		return nil
	}
	c.readShut = true
	return nil
}

// giveUpOpening drops a connection that is being opened, for a user who shuts it
// down. No half of it has ended, since there was none: reading gives ENOTCONN, as
// on Linux, and not the end of a stream.
func (c *Conn) giveUpOpening() {
	c.p.Counters.AttemptFails.Add(1)
	c.fail(syscall.ECONNRESET)
	c.readShut, c.writeShut = false, false
}

// Close is close(2): nobody will read or write. What was written is still sent
// in the background, in bounded time. If something that was received is lost by
// this, the peer gets a reset (RFC 9293 3.6.1, SHLD-3).
func (c *Conn) Close(now time.Duration) {
	if c.orphan {
		return
	}
	c.orphan, c.readShut = true, true
	unread := c.recvQ.queued > 0
	c.recvQ.clear(c.p.Budget)
	switch c.state {
	case socket.TCP_CLOSE, socket.TCP_TIME_WAIT:
	case socket.TCP_SYN_SENT:
		c.p.Counters.AttemptFails.Add(1)
		c.toClosed()
	case socket.TCP_FIN_WAIT2:
		if unread {
			c.abort()
			return
		}
		c.enterFinWait2(now)
	default:
		if unread {
			c.abort()
			return
		}
		c.closeWrite()
	}
}

// Abort is the ABORT of RFC 9293: the connection is over, and the peer gets a
// reset (SO_LINGER with no time to linger), unless both have closed already
// (3.10.5) and nothing is lost by it.
func (c *Conn) Abort(now time.Duration) {
	if (c.state == socket.TCP_CLOSING || c.state == socket.TCP_LAST_ACK) && c.recvQ.queued == 0 {
		c.orphan = true
		c.toClosed()
		return
	}
	c.abort()
}

// abort ends the connection with a reset.
func (c *Conn) abort() {
	switch c.state {
	case socket.TCP_ESTABLISHED, socket.TCP_CLOSE_WAIT:
		c.p.Counters.EstabResets.Add(1)
	}
	c.queueReset()
	c.orphan = true
	c.toClosed()
}

// giveUp ends a connection whose peer does not answer.
func (c *Conn) giveUp() {
	c.p.Counters.Timeouts.Add(1)
	if c.orphan {
		c.p.Counters.OrphansDropped.Add(1)
		c.queueReset()
	}
	e := syscall.ETIMEDOUT
	if c.softErr != 0 {
		e = c.softErr
	}
	c.fail(e)
}

// fail ends the connection and leaves an error for the user.
func (c *Conn) fail(e syscall.Errno) {
	if e != 0 {
		c.err = e
	}
	c.toClosed()
}

// toClosed enters CLOSED and gives back what the connection held, but for what
// the user may still read.
func (c *Conn) toClosed() {
	c.state = socket.TCP_CLOSE
	c.readShut, c.writeShut = true, true
	c.synDue, c.ackNow, c.probeDue, c.acksOwed = false, false, false, 0
	c.stopAll()
	c.dropDeadlines()
	c.landed()
	c.dropEpisode()
	c.ca = caOpen
	c.sendQ.clear(c.p.Budget)
	c.dropOutOfOrder()
	if c.orphan {
		c.recvQ.clear(c.p.Budget)
		c.err = 0
	}
}

// Recycle is told by the shell that nobody has the connection any more, neither a
// user nor a table. What it still holds is for others.
func (c *Conn) Recycle() {
	if a, ok := c.cc.(interface{ recycle() }); ok {
		c.cc = nil
		a.recycle()
	}
}

// enterFinWait2 waits for the peer's FIN: for as long as it likes while a user
// is there to read, and for a bounded time after Close (CVE-2015-5358).
func (c *Conn) enterFinWait2(now time.Duration) {
	c.state = socket.TCP_FIN_WAIT2
	if !c.orphan {
		return
	}
	if c.opts.Linger2 < 0 {
		c.abort()
		return
	}
	c.arm(timerWait, now+c.opts.Linger2)
}
