package tcp

import (
	"time"

	"example.com/berth/internal/lean"
	"example.com/berth/internal/seqnum"
)

// RACK (RFC 8985) finds losses by time: what was sent before something that has
// arrived, and did not arrive for a round trip and a reordering window, is lost.
// That holds for retransmissions, too, and needs neither three duplicates nor a
// large flight.
//
// The segments in flight have to be looked at in the order in which they were
// last sent. Those sent once are in that order in the scoreboard, from lossEdge
// up; those resent are in a queue of their own. Both are looked at only as far
// as something is lost, so that the work is O(1) for each segment, and O(log n)
// for each acknowledgment.
//
// The timer of RFC 8985 6.2 expires when all candidates are lost; here it does
// when the first is, and is then armed for the next.

// rackVars are RACK's variables that mean something while there is a flight
// (RFC 8985 5.3).
type rackVars struct {
	_ lean.Incomparable

	sent time.Duration // RACK.xmit_ts
	end  seqnum.Value  // RACK.end_seq
	fack seqnum.Value  // RACK.fack
	rtt  time.Duration // RACK.rtt; 0: unknown
	// again: RACK.segment was a retransmission.
	again bool
	// dsackRound is RACK.dsack_round, if inRound.
	dsackRound seqnum.Value
	inRound    bool
}

// A resend is a retransmission: the records within seq and end that are still
// in flight since sent. Next is SND.NXT at that time: what was sent in the same
// instant and lies beyond it was sent later, what lies below it may have been
// sent before.
type resend struct {
	seq, end, next seqnum.Value
	sent           time.Duration
}

// reordering is what a connection has learned of the order in which segments
// arrive.
type reordering struct {
	seen    uint32 // how often something came late: RACK.reordering_seen
	degree  uint16 // by how many segments at most, or dupThresh (sackloss.go)
	mult    uint8  // RACK.reo_wnd_mult
	persist uint8  // RACK.reo_wnd_persist
}

// maxReordering bounds the degree that is told (Linux's tcp_max_reordering).
const maxReordering = 300

// reoPersist is how many recoveries without a DSACK the adapted window lasts
// (RFC 8985 3.3.2).
const reoPersist = 16

// sentAfter is RACK_sent_after: RACK.segment was sent after another.
func (v *rackVars) sentAfter(sent time.Duration, end seqnum.Value) bool {
	return v.sent > sent || v.sent == sent && end.Less(v.end)
}

// sentAfterResend is RACK_sent_after for a retransmission.
func (v *rackVars) sentAfterResend(e *resend) bool {
	if v.again {
		return v.sentAfter(e.sent, e.end)
	}
	return v.sentAfter(e.sent, e.next)
}

// rackDelivered is steps 2 and 3 of RFC 8985 6.2: it takes the latest segment
// that arrived for RACK.segment, and looks for those that came late.
func (c *Conn) rackDelivered(now time.Duration, s *ackSample) {
	v := &c.fl.rack
	if s.sent != 0 {
		v.rtt = now - s.sent
		if s.sent > v.sent || s.sent == v.sent && v.end.Less(s.end) {
			v.sent, v.end, v.again = s.sent, s.end, s.again
		}
	}
	if s.delivered == 0 {
		return
	}
	if s.original && s.lowest.Less(v.fack) {
		c.sawReordering(v.fack.Sub(s.lowest))
	}
	if v.fack.Less(s.highest) {
		v.fack = s.highest
	}
}

// sawReordering takes note of a segment that came late, after others that are up
// to so many bytes above it.
func (c *Conn) sawReordering(bytes int) {
	c.reo.seen++
	degree := (bytes + c.snd.mss - 1) / c.snd.mss
	c.reo.degree = uint16(max(int(c.reo.degree), min(degree, maxReordering)))
}

// widenReordering is the adaptation of step 4, for an acknowledgment with a
// DSACK: once a round trip, it means that something was resent too early.
func (c *Conn) widenReordering() {
	if c.fl != nil {
		v := &c.fl.rack
		if v.inRound && c.snd.una.Less(v.dsackRound) {
			return
		}
		v.dsackRound, v.inRound = c.snd.nxt, true
	}
	if c.reo.mult < 255 {
		c.reo.mult++
	}
	c.reo.persist = reoPersist
}

// narrowReordering is called at the end of each recovery.
func (c *Conn) narrowReordering() {
	if c.reo.persist > 0 {
		c.reo.persist--
	}
	if c.reo.persist == 0 {
		c.reo.mult = 1
	}
}

// reoWnd is RACK.reo_wnd, the end of step 4. While nothing has come late, three
// segments that arrived above a hole mean a loss, as they always did.
func (c *Conn) reoWnd() time.Duration {
	if c.reo.seen == 0 && (c.ca >= caRecovery || c.fl.sackedSegs >= dupThresh) {
		return 0
	}
	return min(time.Duration(c.reo.mult)*c.rtt.min/4, c.rtt.srtt)
}

// rackDetect is RACK_detect_loss (RFC 8985 6.2, step 5). It returns how many
// bytes are newly taken for lost, and arms the reordering timer for what may be
// lost next.
func (c *Conn) rackDetect(now time.Duration) (lost int) {
	lost, next := c.fl.expire(now, c.fl.rack.rtt+c.reoWnd())
	if next == 0 {
		if c.probe == probeReorder {
			c.stopProbe()
		}
		return lost
	}
	c.probe = probeReorder
	c.arm(timerProbe, max(next, now+tsTick))
	// The retransmission timer gives way (RFC 8985 8).
	if at := c.due(timerRetransmit); at != 0 && at < c.due(timerProbe) {
		c.arm(timerRetransmit, c.due(timerProbe))
	}
	return lost
}

// reorderTimeout is the reordering timer.
func (c *Conn) reorderTimeout(now time.Duration) {
	if c.fl.len() == 0 {
		return
	}
	var s ackSample
	if s.lost = c.rackDetect(now); s.lost > 0 {
		if c.ca < caRecovery && !c.mtuProbeLost(&s) {
			c.enterRecovery(now, &s)
		}
		c.reduceRate(&s)
	}
}

// expire takes for lost what was sent before RACK.segment and has not arrived
// within patience. It returns how many bytes that are, and when more will be
// lost; 0 if never.
func (f *flight) expire(now, patience time.Duration) (lost int, next time.Duration) {
	for f.lossEdge < f.records.len() {
		r := f.records.at(f.lossEdge)
		if r.has(flagSacked) {
			f.passSacked()
			continue
		}
		if !r.has(flagLost | flagResent) {
			if !f.rack.sentAfter(r.sent, r.end) {
				break
			}
			if at := r.sent + patience; at > now {
				next = at
				break
			}
			lost += r.len()
			f.lose(f.lossEdge)
		}
		f.lossEdge++
	}
	for f.resends.len() > 0 {
		e := f.resends.front()
		if !f.rack.sentAfterResend(e) {
			break
		}
		// What was resent in this very moment is not lost yet, though there is a
		// path without any delay and nothing came late: else each acknowledgment
		// that comes with it would have all of it sent again.
		if at := e.sent + max(patience, 1); at > now && f.alive(e) {
			if next == 0 || at < next {
				next = at
			}
			break
		}
		lost += f.loseResend(e)
		f.resends.discard(1)
	}
	return lost, next
}

// forgetLatest makes RACK begin anew: what it took for the latest arrival may
// have been a retransmission that was for nothing.
func (f *flight) forgetLatest() {
	if f != nil {
		f.rack.sent, f.rack.end = 0, 0
	}
}

// noteResend remembers that what lies between two sequence numbers was resent.
func (f *flight) noteResend(seq, end, next seqnum.Value, now time.Duration) {
	f.resends.push(&flightResends, resend{seq, end, next, now})
}

// alive tells whether something of a retransmission is still in flight.
func (f *flight) alive(e *resend) bool {
	for i := f.index(e.seq); i < f.records.len(); i++ {
		r := f.records.at(i)
		if !r.seq.Less(e.end) {
			break
		}
		if r.has(flagResent) && r.sent == e.sent {
			return true
		}
	}
	return false
}

// loseResend takes for lost what of a retransmission is in flight, and returns
// how many bytes that are.
func (f *flight) loseResend(e *resend) (lost int) {
	for i := f.index(e.seq); i < f.records.len(); i++ {
		r := f.records.at(i)
		if !r.seq.Less(e.end) {
			break
		}
		if r.has(flagResent) && r.sent == e.sent {
			lost += r.len()
			f.lose(i)
		}
	}
	return lost
}
