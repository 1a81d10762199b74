package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
	"example.com/berth/internal/seqnum"
)

// A recovery was for nothing if what was resent had not been lost, but was late.
// Three things tell of that: timestamps, that an acknowledgment answers a segment
// sent before the first retransmission (RFC 3522, Eifel); DSACK, that all that
// was resent has arrived twice (RFC 3708); and F-RTO, after a time-out
// (frto.go). And where all that was taken for lost arrives before anything was
// resent, as when the acknowledgments come in one batch, it was late for certain.
// Then the congestion control gets back what it gave (RFC 4015).

// undoVars is what is known of a recovery's retransmissions.
type undoVars struct {
	_ lean.Incomparable

	from, high seqnum.Value // they lie between these
	stamp      uint32       // the timestamp of the first one
	any        bool         // there was one
	spent      bool         // no more to be undone
	twice      int          // bytes that the peer did not yet report to have come twice
}

// noteRetransmission takes note of bytes that are resent.
func (c *Conn) noteRetransmission(now time.Duration, seq, end seqnum.Value) {
	if c.ep == nil || c.ep.over {
		return
	}
	u := &c.ep.undo
	if !u.any {
		u.any, u.stamp = true, c.tsAt(now)
	}
	u.twice += end.Sub(seq)
	if u.high.Less(end) {
		u.high = end
	}
}

// checkUndo looks whether an acknowledgment tells that the recovery was for
// nothing, and undoes it.
func (c *Conn) checkUndo(now time.Duration, seg *Segment, s *ackSample) {
	if c.ep == nil {
		return
	}
	spurious := c.frtoAck(s)
	switch u := &c.ep.undo; {
	case u.spent:
	case u.any:
		spurious = spurious || u.twice <= 0 || c.eifel(seg, s)
	case !c.ep.over:
		spurious = spurious || s.acked > 0 && (c.fl.len() == 0 || c.fl.lost == 0)
	}
	switch {
	case spurious:
		c.undo(now, s)
	case c.ep.over && c.ep.end.Less(c.snd.una):
		c.dropEpisode()
	}
}

// eifel is the detection of RFC 3522 3.2. As long as other retransmissions are
// in flight, nothing tells that they were for nothing, too.
func (c *Conn) eifel(seg *Segment, s *ackSample) bool {
	return c.useTS && seg.Options.HasTS && seg.Options.TSEcr != 0 && !c.ep.over &&
		s.acked > 0 && int32(seg.Options.TSEcr-c.ep.undo.stamp) < 0 &&
		(c.fl.len() == 0 || c.fl.resent == 0)
}

// undo takes a recovery back (RFC 4015 3, RFC 5682 4).
func (c *Conn) undo(now time.Duration, s *ackSample) {
	c.p.Counters.Undone.Add(1)
	timedOut := c.ep.timedOut && !c.ep.over
	if !c.ep.timedOut && c.ep.undo.any {
		// What was not lost came late: RFC 8985 6.2, step 3, cannot see that
		// where it was resent.
		c.sawReordering(c.ep.undo.high.Sub(c.ep.undo.from))
	}
	if !c.ep.over {
		c.ca, c.force = caOpen, false
		c.point = c.snd.una
		c.fl.restore()
	}
	c.dropEpisode()
	c.cc.OnUndo(now)
	if timedOut {
		c.p.Counters.SpuriousRTOs.Add(1)
		c.fl.forgetLatest()
		c.rtt.backoff = 0
		if s.rtt > 0 {
			c.reseedRTT(s.rtt)
		}
	}
}

// noteDSACK takes a block of bytes that arrived twice.
func (c *Conn) noteDSACK(b header.SACKBlock, s *ackSample) {
	c.p.Counters.DSACKsSeen.Add(1)
	r := c.need()
	r.dsacks += segments(b.Right.Sub(b.Left), c.snd.mss)
	// What the network doubled says nothing of our retransmissions.
	if r.dsacks > r.retrans {
		return
	}
	s.dsack = true
	if t := &c.tlp; t.out && t.retrans && (b.Right == t.end || c.snd.finSent && b.Right == t.end-1) {
		s.dsackOfProbe = true
		return
	}
	if c.ep != nil && c.ep.undo.from.LessEq(b.Left) && b.Right.LessEq(c.ep.undo.high) {
		c.ep.undo.twice -= b.Right.Sub(b.Left)
	}
}
