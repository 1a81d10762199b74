package tcp

import (
	"time"

	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// mtuMSS is the largest payload of a packet of the path MTU, without options.
func (c *Conn) mtuMSS() int { return c.terms().mtuMSS() }

// advertisedMSS is the MSS option that we send.
func (c *Conn) advertisedMSS() uint16 { return c.terms().mss() }

// updateMSS computes the effective send MSS (RFC 9293 3.7.1, MUST-16): what the
// peer, the path and the user allow, less the options of every segment, IP's as
// well as TCP's. A peer
// or a path that wants tiny segments does not get them all that tiny
// (CVE-2019-11479).
func (c *Conn) updateMSS() {
	mss := max(min(int(c.snd.peerMSS), c.pathMSS()), min(c.p.MinMSS, c.pathMSS()))
	if c.opts.MaxSeg > 0 {
		mss = min(mss, max(c.opts.MaxSeg, c.p.MinMSS))
	}
	mss = max(mss-c.standingOptions()-c.ipOptions(), 1)
	c.snd.mss = mss
	if c.cc != nil {
		c.cc.SetMSS(mss)
	}
}

// lowerMSS computes the effective send MSS anew while segments are in flight.
// Where it fell, these are cut, and if lost is set, the long ones did not pass.
func (c *Conn) lowerMSS(lost bool) {
	before := c.snd.mss
	if c.updateMSS(); c.snd.mss < before && c.fl != nil {
		c.fl.resegment(c.snd.mss, lost)
	}
}

// SetMTU changes the path MTU. If checkSeq is set, the news came in an ICMP
// message about a segment with sequence number seq: it is believed only if that
// is in flight and the MTU falls (RFC 5927 7). Segments that became too long
// are resent at once in pieces; this is no congestion, and neither cwnd nor the
// time-out change.
func (c *Conn) SetMTU(now time.Duration, mtu int, seq seqnum.Value, checkSeq bool) {
	if c.state == socket.TCP_CLOSE || c.mtu == mtu {
		return
	}
	if checkSeq {
		if !c.inFlight(seq) || c.ignoresICMP() {
			c.p.Counters.ICMPIgnored.Add(1)
			return
		}
		floor := minMTU4
		if c.ipv6 {
			floor = minMTU6
		}
		if mtu = max(mtu, floor); mtu >= c.mtu {
			c.p.Counters.ICMPIgnored.Add(1)
			return
		}
		c.p.Counters.PathMTUDrops.Add(1)
	}
	c.mtu = mtu
	if s := c.seldom().search; s != nil {
		c.cutMTUProbe()
		s.high = min(s.high, mtu)
		s.low = min(s.low, s.high)
	}
	if c.state == socket.TCP_SYN_SENT {
		return
	}
	c.lowerMSS(checkSeq)
}

// MTU returns the path MTU that the connection sends with.
func (c *Conn) MTU() int { return c.mtu }

// inFlight tells whether seq was sent and is not acknowledged.
func (c *Conn) inFlight(seq seqnum.Value) bool {
	return c.snd.una.LessEq(seq) && seq.Less(c.snd.nxt)
}

// resegment cuts the records of segments longer than mss. If lost is set, those
// of them that have not arrived are taken for lost.
func (f *flight) resegment(mss int, lost bool) {
	old := f.records
	f.records = ring[record]{}
	for i := range old.len() {
		r := *old.at(i)
		if lost && r.len() > mss && !r.has(flagSacked) {
			r.flags = r.flags&^flagResent | flagLost
		}
		for r.len() > mss {
			part := r
			part.end = r.seq.Add(mss)
			part.flags &^= flagFIN
			f.records.push(&flightRecords, part)
			r.seq = part.end
		}
		f.records.push(&flightRecords, r)
	}
	if n := old.len(); n > 0 {
		old.pop(&flightRecords, n)
	}
	f.rates.forget()
	f.rates.push(f.records.len())
	f.recount()
}
