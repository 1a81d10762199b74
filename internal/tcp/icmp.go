package tcp

import (
	"syscall"
	"time"

	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// SoftError is why the peer may be out of reach, as the last ICMP message said
// (RFC 9293 3.9.1.8, MUST-47); 0 if none came since it last answered.
func (c *Conn) SoftError() syscall.Errno { return c.softErr }

// TakeSoftError returns it and clears it: what SO_ERROR gives where there is no
// error, as on Linux.
func (c *Conn) TakeSoftError() syscall.Errno {
	e := c.softErr
	c.softErr = 0
	return e
}

// Error takes an ICMP error about a segment of this connection with sequence
// number seq (RFC 9293 3.9.2.2, MUST-54). Hard says that by RFC 1122 it would
// abort a connection; it does so only while one is being opened, and only if seq
// is in flight, or that of an acknowledgment, for anybody can send an ICMP message
// (RFC 5927 5.2, RFC 5461).
// Other errors are remembered, and told where the connection times out.
func (c *Conn) Error(now time.Duration, e syscall.Errno, hard bool, seq seqnum.Value) {
	if c.state == socket.TCP_CLOSE || !c.inFlight(seq) && seq != c.snd.nxt {
		c.p.Counters.ICMPIgnored.Add(1)
		return
	}
	if hard && c.ignoresICMP() {
		return
	}
	opening := c.state == socket.TCP_SYN_SENT || c.state == socket.TCP_SYN_RECV && !c.passive
	if hard && opening {
		c.p.Counters.AttemptFails.Add(1)
		c.fail(e)
		return
	}
	c.softErr = e
}
