package tcp

import "example.com/berth/internal/header"

// SetIPOptions says how many bytes of options the IP header of each segment has
// from now on. They leave less room for data (RFC 6691), and are none of what the
// MSS option tells the peer.
func (c *Conn) SetIPOptions(n int) {
	if n == c.ipOptions() {
		return
	}
	c.needIPOptions(n)
	if c.cc != nil {
		c.lowerMSS(false)
	}
}

// needIPOptions notes it. Segments leave one by one: that a device cuts what has
// options is more than it promises.
func (c *Conn) needIPOptions(n int) {
	c.need().ipOptions = uint8(n)
	c.large = 0
}

func (c *Conn) ipOptions() int { return int(c.seldom().ipOptions) }

// Answers tells whether a segment is the next one of the stream to a connection
// that was opened passively, and acknowledges what was sent: whether it comes from
// somebody who knows all about the connection, whose way back is believed (RFC 9293
// section 3.9.2.1).
//
// A connection with keys believes nobody: they do not cover options of IP.
func (c *Conn) Answers(seg *Segment) bool {
	return c.passive && seg.Flags&(header.SYN|header.RST|header.ACK) == header.ACK && seg.Seq == c.rcv.nxt &&
		c.snd.una.LessEq(seg.Ack) && seg.Ack.LessEq(c.snd.nxt) && c.seldom().auth == nil
}
