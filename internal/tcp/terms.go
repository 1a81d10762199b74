package tcp

import "example.com/berth/internal/header"

// terms are what this end offers in its SYN or SYN,ACK depends on.
type terms struct {
	p    *Params
	opts *Options
	mtu  int
	ipv6 bool
}

func (t terms) headers() int {
	if t.ipv6 {
		return headers6
	}
	return headers4
}

// mtuMSS is the largest payload of a packet of the path MTU, without options.
func (t terms) mtuMSS() int { return max(t.mtu-t.headers(), 1) }

// defaultMSS is the send MSS for a peer that names none (RFC 9293 MUST-15).
func (t terms) defaultMSS() int {
	if t.ipv6 {
		return defaultMSS6
	}
	return defaultMSS4
}

// mss is the MSS option (RFC 9293 3.7.1, MUST-14, MUST-67): options are the
// sender's to subtract (RFC 6691).
func (t terms) mss() uint16 {
	mss := min(t.mtuMSS(), 0xffff)
	if t.opts.MaxSeg > 0 {
		mss = min(mss, t.opts.MaxSeg)
	}
	return uint16(mss)
}

// windowLimit is what a receive buffer offers room for: half of it, for a queue
// may need twice the memory of what is in it (recvQueue).
func (t terms) windowLimit(rcvBuf int) int {
	limit := rcvBuf / 2
	if t.opts.WindowClamp > 0 {
		limit = min(limit, t.opts.WindowClamp)
	}
	return limit
}

// rcvBuf is the receive buffer that a connection begins with.
func (t terms) rcvBuf() int {
	if t.opts.RcvBuf != 0 {
		return t.opts.RcvBuf
	}
	return t.p.RcvBuf.Default
}

// window is the window in SYN segments, which is never scaled, out of a buffer
// that offers limit: whole segments, where it is more than one, and as much of that
// as the field can say.
func (t terms) window(limit int) int {
	if mss := int(t.mss()); limit > mss {
		limit -= limit % mss
	}
	return min(limit, maxWindow)
}

// wscale is the shift with which the largest buffer that the connection may get
// can be offered (RFC 7323 2.3).
func (t terms) wscale() uint8 {
	limit := t.p.RcvBuf.Max
	if t.opts.RcvBuf != 0 {
		limit = t.opts.RcvBuf
	}
	if t.opts.WindowClamp > 0 {
		limit = min(limit, t.opts.WindowClamp)
	}
	var s uint8
	for limit > maxWindow && s < maxWScale {
		limit >>= 1
		s++
	}
	return s
}

// terms are those of this connection.
func (c *Conn) terms() terms { return terms{p: c.p, opts: c.opts, mtu: c.mtu, ipv6: c.ipv6} }

// synAck is the SYN,ACK that answers a SYN with these options.
func (t terms) synAck(syn *header.TCPOptions, out *Segment) {
	out.Flags = header.SYN | header.ACK
	out.Window = uint16(t.window(t.windowLimit(t.rcvBuf())))
	o := &out.Options
	o.MSS, o.SACKPermitted, o.HasTS = t.mss(), syn.SACKPermitted, syn.HasTS
	if o.HasWScale = syn.HasWScale; o.HasWScale {
		o.WScale = t.wscale()
	}
}

// headers is the length of the headers of a segment, options apart.
func (c *Conn) headers() int { return c.terms().headers() }
