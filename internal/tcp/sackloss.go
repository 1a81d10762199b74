package tcp

import (
	"time"

	"example.com/berth/internal/seqnum"
)

// RFC 6675 finds losses by counting: what DupThresh segments have arrived above is
// lost. It is for connections with SACK where RACK is turned off (Params.NoRACK).
// It knows nothing of time, so a retransmission that is lost waits for a time-out,
// and a path that reorders by three segments seems to lose them.
//
// The scoreboard keeps segments apart, so they are counted as they are, where the
// RFC, without that knowledge, has to guess them from runs and bytes (section 3, at
// the end; IsLost in section 4). This covers duplicate acknowledgments for small
// segments, too (section 5, step 1). What is in flight (SetPipe) is flight.pipe;
// how much may be sent is PRR's to say, as with RACK.

// A sackTop holds where the highest segments begin that were acknowledged
// selectively, the highest first; or places below what is in flight.
type sackTop [dupThresh]seqnum.Value

// add enters a segment.
func (t *sackTop) add(seq seqnum.Value) {
	for i := range t {
		if t[i].Less(seq) {
			t[i], seq = seq, t[i]
		}
	}
}

// reset forgets all: nothing is in flight below seq.
func (t *sackTop) reset(seq seqnum.Value) {
	for i := range t {
		t[i] = seq
	}
}

// sackDetect takes for lost what lies below DupThresh segments that arrived, and
// returns how many bytes that are.
func (f *flight) sackDetect() (lost int) {
	first := f.records.front().seq
	for i, seq := range f.top {
		f.top[i] = seqnum.Max(seq, first) // what is behind must not get out of reach
	}
	for f.lossEdge < f.records.len() {
		r := f.records.at(f.lossEdge)
		if r.has(flagSacked) {
			f.lossEdge = f.skipSacked(f.lossEdge)
			continue
		}
		if !r.seq.Less(f.top[dupThresh-1]) {
			break
		}
		switch {
		case r.has(flagLost): // known already
		case r.has(flagResent): // by guess: only the second copy counts now
			lost += r.len()
			f.set(r, flagLost, 0)
			f.rates.noteLost(f.lossEdge, r.len())
		default:
			lost += r.len()
			f.lose(f.lossEdge)
		}
		f.lossEdge++
	}
	return lost
}

// noteHighRxt notes where the highest retransmission of a recovery ends (HighRxt),
// and the first one (RescueRxt).
func (e *episode) noteHighRxt(end seqnum.Value) {
	if !e.repairing {
		e.repairing, e.highRxt, e.rescueRxt = true, end, end
	}
	e.highRxt = seqnum.Max(e.highRxt, end)
}

// sendGuess sends what NextSeg offers as a last resort, when all that is lost was
// resent and nothing new can be sent: a segment that something has arrived above
// (rule 3), or else, once in a recovery that has got on, the last one in flight
// (rule 4, the rescue). Both keep acknowledgments coming.
func (c *Conn) sendGuess(now time.Duration, out *Segment) bool {
	if !c.p.NoRACK || !c.useSACK || c.ca != caRecovery || !c.ep.repairing || c.fl.len() == 0 ||
		c.unsent() > 0 && c.usable() > 0 || c.fl.nextLost() >= 0 {
		return false
	}
	e := c.ep
	i, rescue := c.fl.unsacked(e.highRxt), false
	if i < 0 {
		if i = c.fl.lastUnsacked(); i < 0 || !e.rescueRxt.Less(c.snd.una) {
			return false
		}
		rescue = true
	}
	r := c.fl.records.at(i)
	if c.pipe()+r.len() > c.cwnd() || c.snd.una.Add(c.snd.wnd).Less(r.end) {
		return false
	}
	high := e.highRxt
	c.resend(now, out, i)
	if rescue {
		e.highRxt, e.rescueRxt = high, c.point
	}
	return true
}

// unsacked returns the first segment from a place on that has not arrived though
// one above it has, or -1.
func (f *flight) unsacked(from seqnum.Value) int {
	i := f.skipSacked(f.index(from))
	if i == f.records.len() || !f.records.at(i).seq.Less(f.top[0]) {
		return -1
	}
	return i
}

// lastUnsacked returns the last segment that has not arrived, or -1.
func (f *flight) lastUnsacked() int {
	i := f.records.len() - 1
	for i >= 0 && f.records.at(i).has(flagSacked) {
		i--
	}
	return i
}
