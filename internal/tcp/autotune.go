package tcp

import (
	"time"

	"example.com/berth/internal/seqnum"
)

// rcvRate measures how fast the user reads (dynamic right-sizing): the receive
// buffer is to hold what the user reads in a round trip, twice over, so that
// the window never is what holds the sender back.
type rcvRate struct {
	began  time.Duration // of the present measurement
	copied int           // bytes read in it
	space  int           // the most read in a round trip
	// rtt is the round trip as a receiver sees it: by echoed timestamps, or else
	// the time in which a window's worth arrives.
	rtt    time.Duration
	edgeAt time.Duration
	edge   seqnum.Value
	echoed uint32
}

// init begins with the assumption that the reader takes an initial window in a
// round trip, so that the buffer grows before the sender comes up against it.
func (r *rcvRate) init(now time.Duration, nxt seqnum.Value, window, initial int) {
	*r = rcvRate{began: now, space: max(1, min(window, initial)), edge: nxt.Add(window), edgeAt: now}
}

// measureSender learns from a segment with data: how large the peer's segments
// are, and how long the round trip.
func (c *Conn) measureSender(now time.Duration, seg *Segment) {
	size := len(seg.Payload)
	if seg.SegSize > 0 {
		size = min(size, seg.SegSize)
	}
	if size > c.rcv.mss {
		c.rcv.mss = min(size, c.mtuMSS())
	}
	r := &c.rate
	if c.useTS {
		if size < c.rcv.mss || seg.Options.TSEcr == r.echoed {
			return
		}
		r.echoed = seg.Options.TSEcr
		if s := c.echoRTT(now, seg); s > 0 {
			if r.rtt == 0 {
				r.rtt = s
			}
			r.rtt += (s - r.rtt) / 8
		}
		return
	}
	if r.edge.LessEq(c.rcv.nxt) {
		if s := now - r.edgeAt; r.rtt == 0 || s < r.rtt {
			r.rtt = max(s, tsTick)
		}
		r.edge, r.edgeAt = c.rcv.nxt.Add(c.rcvWnd()), now
	}
}

// measureReader grows the receive buffer with what the user reads in a round
// trip. While the sender's window still opens it reads more each time, and the
// buffer leaves room for that.
func (c *Conn) measureReader(now time.Duration, n int) {
	r := &c.rate
	r.copied += n
	if r.rtt == 0 || now-r.began < r.rtt {
		return
	}
	if r.copied > r.space {
		c.growRcvBuf(r.copied, r.space)
		r.space = r.copied
	}
	r.copied, r.began = 0, now
}

func (c *Conn) growRcvBuf(copied, before int) {
	if c.opts.RcvBuf != 0 || c.p.Budget.Pressure() {
		return
	}
	window := int64(2*copied + 16*c.rcv.mss)
	window += 2 * window * int64(copied-before) / int64(before)
	if limit := c.rcvBufLimit(); limit > int64(c.rcvBuf) {
		c.rcvBuf = int(min(max(2*window, int64(c.rcvBuf)), limit))
	}
}

const (
	// fastest is the rate that buffers provide for, in bytes a nanosecond: 24 Gbit/s.
	fastest = 3
	// nearRcvBuf is what the receive buffer may hold however short the round trip
	// is: a window of two of the largest frames, so that the sender can have sent
	// the next when a reader comes for it, and no more than processors have in the
	// nearer caches together with nearSndBuf.
	nearRcvBuf = 256 << 10
	// wokenRcvBuf is that where the device's reader and the user have to be woken, and
	// several large frames are read at once: what the sender can go on with meanwhile.
	// It has been through the kernel, and is in no near cache anyway.
	wokenRcvBuf = 2 << 20
	// nearSndBuf is the same for the send buffer: as much as that window.
	nearSndBuf = 128 << 10
	// wokenSndBuf is that where a reader has to be woken for acknowledgments: what
	// leaves while two futexes take their 14 to 41 us each.
	wokenSndBuf = 512 << 10
)

// rcvBufLimit is how far the receive buffer may grow. Within a machine round
// trips are short, but grow with what is under way as that waits for the reader:
// a buffer that followed them would only make the queue longer, until all that
// many connections have under way lies in main memory. So it is the shortest
// round trip that counts.
func (c *Conn) rcvBufLimit() int64 {
	least := nearRcvBuf
	if c.woken {
		least = wokenRcvBuf
	}
	return c.near(c.p.RcvBuf.Max, least)
}

// near bounds the size of a buffer to what the shortest round trip is worth, or
// least.
func (c *Conn) near(size, least int) int64 {
	if c.rtt.min == 0 {
		return int64(size)
	}
	return min(int64(size), max(2*fastest*int64(c.rtt.min), int64(least)))
}

// growSndBuf lets the send buffer hold two congestion windows: one in flight,
// and one to follow it. Within a machine nothing bounds the congestion window but
// the peer's, and what is written beyond that would only lie and wait, until it is in
// no cache any more.
func (c *Conn) growSndBuf() {
	if c.opts.SndBuf != 0 || c.p.Budget.Pressure() {
		return
	}
	window, least := max(c.cc.Cwnd(), c.initialWindow()), nearSndBuf
	if c.woken {
		least = wokenSndBuf
	}
	limit := c.near(c.p.SndBuf.Max, least)
	c.sndBuf = max(c.sndBuf, int(min(2*int64(window), limit)))
}
