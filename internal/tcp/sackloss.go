package tcp

import (
	"time"

	"example.com/berth/internal/seqnum"
)

// RFC 6675 finds losses by counting: what DupThresh segments have arrived above is
// lost. It is for connections with SACK where RACK is turned off (Params.NoRACK).
// It knows nothing of time, so a retransmission that is lost waits for a time-out,
// and a path that begins to reorder by three segments seems to lose some.
//
// The scoreboard keeps segments apart, so they are counted as they are, where the
// RFC, without that knowledge, has to guess them from runs and bytes (section 3, at
// the end; IsLost in section 4). This covers duplicate acknowledgments for small
// segments, too (section 5, step 1). What is in flight (SetPipe) is flight.pipe;
// how much may be sent is PRR's to say, as with RACK.

// DupThresh adapts: a path that was seen to reorder by more than three segments is
// given as many as that, up to maxReordering (as Linux; RFC 4653 has the same aim),
// until a time-out tells that the loss would have been found with fewer.

// lossThreshold is DupThresh. Where nothing new can be sent, fewer segments than
// that may be all that will ever arrive above a loss: then half of the flight will
// do.
func (c *Conn) lossThreshold() int {
	n := max(dupThresh, int(c.reo.degree))
	if flight := c.fl.len(); flight <= n && (c.unsent() == 0 || c.usable() <= 0) {
		n = max(dupThresh, flight/2)
	}
	return n
}

// sackDetect takes for lost what lies below so many segments that arrived, and
// returns how many bytes that is.
func (f *flight) sackDetect(thresh int) (lost int) {
	f.top = seqnum.Max(f.top, f.records.front().seq.Add(-1)) // what is behind must not get out of reach
	for f.lossEdge < f.records.len() {
		r := f.records.at(f.lossEdge)
		if r.has(flagSacked) {
			f.passSacked()
			continue
		}
		if f.sackedSegs-f.sackedBelow < thresh {
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
	if i == f.records.len() || !f.records.at(i).seq.Less(f.top) {
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
