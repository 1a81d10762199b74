package tcp

import (
	"time"

	"example.com/berth/internal/lean"
	"example.com/berth/internal/seqnum"
)

// Packetization layer path MTU discovery (RFC 4821, with the timer of RFC 8899)
// finds the path MTU without ICMP, from what arrives. One segment that is larger
// than the others is the probe; if it alone is lost, packets of that size do not
// pass, which is no congestion; if it arrives they do, and segments grow. Between
// what passes and what does not the search halves, until that is not worth it.
//
// It begins where a path swallows what is large: when segments above the base
// were resent for R1 in vain, segments shrink to the base (a black hole, RFC 2923
// 2.1), and then the search goes up. Sizes, conditions and times are those of
// Linux's tcp_mtu_probing.
//
// A probe needs SACK, without which its loss would look like any other. Without
// it segments shrink in a black hole, and tryWhole is all that makes them grow.

// MTUProbing says when and how a host searches for path MTUs.
type MTUProbing struct {
	Mode MTUProbeMode
	// BaseMSS is the payload, options not counted, that a path is trusted to
	// let through when nothing else is known.
	BaseMSS int
	// Interval is after how long a search that is over begins again, since
	// paths change (RFC 8899's PMTU_RAISE_TIMER).
	Interval time.Duration
	// Threshold ends the search when fewer bytes are left to search in.
	Threshold int
	// Floor is the least MSS that black holes bring about, one after the other.
	Floor int
}

// MTUProbeMode is when probes are sent.
type MTUProbeMode uint8

// The modes, in the order of Linux's tcp_mtu_probing but for the zero value.
const (
	MTUProbeBlackHole MTUProbeMode = iota // after a black hole was found
	MTUProbeAlways                        // from the base on, on every connection
	MTUProbeNever                         // never, and black holes stay
)

// defaultMTUProbing has Linux's values, but that black holes are looked for.
func defaultMTUProbing() MTUProbing {
	return MTUProbing{BaseMSS: 1024, Interval: 600 * time.Second, Threshold: 8, Floor: 48}
}

// probeCwnd is the congestion window in segments that a probe asks for: its loss
// must be noticed by what follows it.
const probeCwnd = 11

// mtuSearch is where the search is. Sizes are those of IP packets.
type mtuSearch struct {
	_ lean.Incomparable

	low, high  int           // low passes, above high nothing does
	size       int           // of the probe in flight; 0: there is none
	start, end seqnum.Value  // the probe
	since      time.Duration // when the search last began
	// doubted: a black hole was seen where large packets had passed. Before
	// all else it is tried whether they do again, for it may have been an outage.
	doubted bool
}

// packet is the size of a packet with n bytes of payload in it.
func (c *Conn) packet(n int) int { return n + c.headers() + c.ipOptions() + c.standingOptions() }

// payload is the reverse.
func (c *Conn) payload(packet int) int { return packet - c.packet(0) }

// mtuCeiling is the largest packet that the peer takes and the path is said to
// let through.
func (c *Conn) mtuCeiling() int {
	mss := int(c.snd.peerMSS)
	if c.opts.MaxSeg > 0 {
		mss = min(mss, c.opts.MaxSeg)
	}
	return min(c.mtu, mss+c.headers())
}

// pathMSS is the largest payload of a packet that is known to pass, without
// options.
func (c *Conn) pathMSS() int {
	if s := c.seldom().search; s != nil {
		return max(min(c.mtuMSS(), s.low-c.headers()), 1)
	}
	return c.mtuMSS()
}

// beginSearch takes a size for the largest that passes for sure.
func (c *Conn) beginSearch(now time.Duration, low int) {
	c.need().search = &mtuSearch{low: low, high: c.mtuCeiling(), since: now}
}

// searchFromBase begins where probes are sent from the first segment on.
func (c *Conn) searchFromBase(now time.Duration) {
	if base := c.packet(c.p.MTUProbing.BaseMSS); c.p.MTUProbing.Mode == MTUProbeAlways && c.useSACK && base < c.mtuCeiling() {
		c.beginSearch(now, base)
		c.updateMSS()
	}
}

// checkBlackHole is called at each retransmission time-out: a large segment that
// was resent until R1 may be too large (RFC 4821 7.7). It is cut to the base, and
// if that does not help to the half with each time-out.
func (c *Conn) checkBlackHole(now time.Duration) {
	p := &c.p.MTUProbing
	if p.Mode == MTUProbeNever || c.retries+1 < retries1 {
		return
	}
	mss := p.BaseMSS
	s := c.seldom().search
	if s != nil && c.payload(s.low) <= mss {
		mss = max(c.payload(s.low)/2, p.Floor, c.p.MinMSS)
	}
	if n := c.fl.records.front().len(); n <= mss || n <= 1 {
		return
	}
	if c.retries+1 == retries1 {
		c.p.Counters.BlackHoles.Add(1)
	}
	if s == nil {
		c.beginSearch(now, c.packet(mss))
		s = c.rare.search
		s.doubted, s.end = true, c.snd.nxt
	} else {
		s.low, s.size = c.packet(mss), 0
	}
	c.lowerMSS(true)
}

// A probing says what becomes of a probe.
type probing uint8

const (
	probeNotNow  probing = iota // other segments go
	probeWaits                  // there will be room for it soon: nothing else may go
	probeMayGo                  // its turn has come
	probeSettled                // the search is over, for now
)

// sendMTUProbe sends a probe, if one is due. It reports false with waits set
// where new data has to wait for it.
func (c *Conn) sendMTUProbe(now time.Duration, out *Segment) (sent, waits bool) {
	s := c.seldom().search
	if s == nil || s.size != 0 {
		return false, false
	}
	if !c.useSACK {
		c.tryWhole(now, s)
		return false, false
	}
	size := (s.low + s.high) / 2
	if s.doubted {
		size = s.high
	}
	switch c.probingFor(s, size) {
	case probeSettled:
		if now-s.since >= c.p.MTUProbing.Interval {
			s.low, s.high, s.since = min(s.low, c.mtuCeiling()), c.mtuCeiling(), now
		}
	case probeWaits:
		return false, true
	case probeMayGo:
		n := c.payload(size)
		s.size, s.start, s.end = size, c.snd.nxt, c.snd.nxt.Add(n)
		c.p.Counters.MTUProbes.Add(1)
		c.transmit(now, out, n, false, n)
		return true, false
	}
	return false, false
}

// tryWhole is the search without probes: when what was in flight at a black hole
// has arrived segments get their whole size back, once, for it may have been an
// outage; and again when the search would begin anew.
func (c *Conn) tryWhole(now time.Duration, s *mtuSearch) {
	switch {
	case now-s.since >= c.p.MTUProbing.Interval:
		c.rare.search = nil
	case s.doubted && s.end.LessEq(c.snd.una):
		s.doubted, s.low = false, s.high
	default:
		return
	}
	c.updateMSS()
}

// probingFor decides on a probe of a size. It goes where its loss would be
// noticed: all in order, a window's worth of data behind it, and the window open
// for that.
func (c *Conn) probingFor(s *mtuSearch, size int) probing {
	n := c.payload(size)
	needed := n + (int(c.reo.degree)+1)*c.snd.mss
	window := probeCwnd * c.snd.mss
	if s.doubted {
		window = needed // on a path that loses much it is never large
	}
	switch {
	case s.high-s.low < c.p.MTUProbing.Threshold || size > s.high || n <= c.snd.mss:
		return probeSettled
	case c.ca != caOpen || c.hasSACK() || c.cc.Cwnd() < window,
		c.unsent() < needed, c.snd.wnd < needed:
		return probeNotNow
	case c.usable() < needed, c.pipe()+n > c.cwnd():
		if c.fl.len() == 0 {
			return probeNotNow
		}
		return probeWaits
	}
	return probeMayGo
}

// mtuProbeAcked is called when SND.UNA has moved: a probe that arrived shows
// that packets of its size pass.
func (c *Conn) mtuProbeAcked() {
	s := c.seldom().search
	if s == nil || s.size == 0 || c.snd.una.Less(s.end) {
		return
	}
	s.low, s.size, s.doubted = s.size, 0, false
	c.p.Counters.MTUProbesPassed.Add(1)
	c.updateMSS()
}

// mtuProbeLost tells whether of what was in flight the probe alone is lost: it
// was too large, and goes again in pieces. The congestion window has nothing to
// do with it (RFC 4821 7.6.1).
func (c *Conn) mtuProbeLost(ack *ackSample) bool {
	s := c.seldom().search
	if s == nil || s.size == 0 || c.snd.una != s.start || ack.lost != s.end.Sub(s.start) ||
		c.fl.records.front().end != s.end || !c.fl.records.front().has(flagLost) {
		return false
	}
	s.high, s.size, s.doubted = s.size-1, 0, false
	c.p.Counters.MTUProbesLost.Add(1)
	c.fl.resegment(c.snd.mss, false)
	return true
}

// cutMTUProbe gives up a probe that something else interfered with: it says
// nothing, and what is resent of it goes in pieces.
func (c *Conn) cutMTUProbe() {
	s := c.seldom().search
	if s == nil || s.size == 0 {
		return
	}
	s.size = 0
	if c.fl != nil {
		c.fl.resegment(c.snd.mss, false)
	}
}
