package tcp

import (
	"sync"
	"time"

	"example.com/berth/internal/lean"
	"example.com/berth/internal/seqnum"
)

// caState is the state of congestion and loss, with the numbers that TCP_INFO
// shows on Linux.
type caState uint8

const (
	caOpen     caState = 0 // nothing out of the ordinary
	caDisorder caState = 1 // duplicate acknowledgments, perhaps a loss
	caRecovery caState = 3 // fast recovery (RFC 5681 3.2)
	caLoss     caState = 4 // after a retransmission time-out
)

// With SACK losses are found by RACK (rack.go), or by counting (sackloss.go), and recovery sends what PRR
// allows (prr.go). Without it, three duplicate acknowledgments tell of the first
// loss and partial acknowledgments of the others (RFC 6582): each duplicate
// stands for a segment that arrived, and the first segment in flight is the one
// that is lost. What may be sent is the window less the pipe in both, which makes
// RFC 6582's inflation and deflation of cwnd, and limited transmit (RFC 3042),
// come out by themselves.

// An episode is what has to be known of a recovery, fast or after a time-out,
// until something is acknowledged that was sent after its end: so long the peer
// may still tell that it was for nothing.
type episode struct {
	_ lean.Incomparable

	prr      prr
	undo     undoVars
	frto     frtoState
	frtoWnd  int // the window of step 2 of F-RTO
	timedOut bool
	// repairing: something was resent; highRxt and rescueRxt are those of
	// RFC 6675 (sackloss.go), which mean something then.
	repairing          bool
	highRxt, rescueRxt seqnum.Value
	// partials counts the acknowledgments, on a connection without SACK, that
	// left a hole.
	partials int
	over     bool
	end      seqnum.Value // SND.NXT when it was over
}

var episodes = sync.Pool{New: func() any { return new(episode) }}

// A dupCount counts, on a connection without SACK, duplicate acknowledgments in
// a row. Arrived are the bytes that they stand for. Of these there can be no
// more than most, the segments in flight before the first (RFC 5681 6: who
// forges more gains nothing).
type dupCount struct{ n, most, arrived int }

// cwnd is the window that holds now.
func (c *Conn) cwnd() int {
	if c.ep != nil && !c.ep.over {
		switch {
		case c.ca == caRecovery && c.ep.prr.on:
			return c.ep.prr.cwnd
		case c.ep.frto == frtoProbe:
			return c.ep.frtoWnd
		}
	}
	return c.cc.Cwnd()
}

// pipe is the estimate of what is in the network, in bytes.
func (c *Conn) pipe() int { return c.fl.pipe() }

// detectLoss looks at what an acknowledgment means for what is in flight.
func (c *Conn) detectLoss(now time.Duration, s *ackSample) {
	if !c.useSACK {
		c.countArrived(s)
	}
	if c.ca >= caRecovery && c.recovered() {
		c.endRecovery(now)
	}
	if c.fl.len() == 0 {
		c.ca = caOpen
		c.stopProbe()
		return
	}
	switch {
	case !c.useSACK:
	case c.p.NoRACK:
		s.lost = c.fl.sackDetect(c.lossThreshold())
	default:
		s.lost = c.rackDetect(now)
	}
	switch {
	case c.ca == caRecovery && !c.useSACK && s.acked > 0 && c.snd.una.Less(c.point):
		// A partial acknowledgment: the next segment is lost, too (RFC 6582
		// 3.2, step 3).
		c.fl.loseFirst()
		c.force = true
		c.ep.partials++
	case c.ca >= caRecovery:
	case s.lost > 0 && c.mtuProbeLost(s):
		c.ca = caDisorder
	case s.lost > 0, !c.useSACK && c.fl.dups.n >= dupThresh:
		c.enterRecovery(now, s)
	case c.fl.dups.n > 0 || c.fl.sacked > 0:
		c.ca = caDisorder
	default:
		c.ca = caOpen
	}
	c.reduceRate(s)
}

// reduceRate sets the window of fast recovery and that of F-RTO.
func (c *Conn) reduceRate(s *ackSample) {
	switch {
	case c.ca == caRecovery && c.ep.prr.on:
		c.ep.prr.onAck(c.pipe(), c.cc.SSThresh(), s.delivered, c.snd.mss, s.acked > 0 && s.lost == 0)
	case c.ca == caLoss && c.ep.frto == frtoProbe && c.ep.frtoWnd == 0:
		c.ep.frtoWnd = c.pipe() + frtoSegments*c.snd.mss
	}
}

// countArrived estimates, on a connection without SACK, what has arrived beyond
// the first hole.
func (c *Conn) countArrived(s *ackSample) {
	if c.fl.len() == 0 || c.ca == caLoss {
		return // after a time-out duplicates may be those of what was resent
	}
	d := &c.fl.dups
	switch {
	case s.duplicate:
		if d.n == 0 {
			d.most = c.fl.len()
		}
		if d.n++; d.n <= d.most {
			d.arrived += c.snd.mss
		}
	case s.acked > 0:
		// The first of the acknowledged segments filled the hole; the others
		// are some that had arrived.
		d.n = 0
		d.arrived -= max(0, s.acked-c.snd.mss)
		if c.ca < caRecovery {
			d.arrived = 0
		}
	}
	d.arrived = max(0, min(d.arrived, c.fl.bytes()-c.snd.mss))
}

// enterRecovery is the start of fast recovery (RFC 5681 3.2).
func (c *Conn) enterRecovery(now time.Duration, s *ackSample) {
	c.p.Counters.Recoveries.Add(1)
	c.beginEpisode()
	c.ca, c.point, c.force = caRecovery, c.snd.nxt, true
	c.forgetProbe()
	if c.ecn.reduced {
		c.ep.undo.spent = true // this window of data was answered to already
	} else {
		c.cc.OnLoss(now, c.fl.bytes())
	}
	switch {
	case !c.useSACK:
		c.fl.loseFirst()
	case c.cc.SSThresh() < NoThreshold:
		c.ep.prr.begin(c.fl.bytes() - c.fl.sacked + s.delivered)
	}
}

// recovered tells whether all that was in flight when recovery began has
// arrived. Without SACK that takes an acknowledgment of something later, or
// else the duplicates of what was resent would begin another one (RFC 6582 4).
func (c *Conn) recovered() bool {
	if c.useSACK || c.fl.len() == 0 {
		return c.point.LessEq(c.snd.una)
	}
	return c.point.Less(c.snd.una)
}

func (c *Conn) endRecovery(now time.Duration) {
	if c.ca == caRecovery {
		c.cc.OnRecovered(now, c.burst())
	}
	c.narrowReordering()
	c.ca, c.force = caOpen, false
	if c.fl != nil {
		c.fl.dups = dupCount{}
	}
	c.ep.over, c.ep.end = true, c.snd.nxt
}

// burst is how much may be in flight after fast recovery. PRR has brought that
// up or down to the threshold; without it FlightSize may be small, and a window
// that is not would let go of all at once (RFC 6582 3.2, step 3).
func (c *Conn) burst() int {
	if c.ep.prr.on {
		return max(c.fl.bytes(), c.cc.SSThresh())
	}
	return c.fl.bytes()
}

// enterLoss is what a retransmission time-out means for the congestion window
// and for what is in flight (RFC 5681 3.1, RFC 8985 6.3). Without RACK nothing
// tells what may still arrive, and all that has not counts as lost.
func (c *Conn) enterLoss(now time.Duration, reneged bool) {
	again := c.retries > 0
	first := !again && c.ca < caRecovery
	if first && c.fl.sackedSegs >= dupThresh {
		// Enough arrived above the loss to find it: the degree is too high.
		c.reo.degree = dupThresh
	}
	c.cc.OnRTO(now, c.fl.bytes(), first)
	if first || c.ep == nil {
		c.beginEpisode()
	}
	c.ep.timedOut, c.ep.over, c.ep.prr.on, c.ep.partials = true, false, false, 0
	c.beginFRTO(!reneged && (first || again))
	before := now
	if c.useSACK && !c.p.NoRACK {
		before -= c.roundTrip() + c.reoWnd()
	}
	c.fl.loseAfterTimeout(before, reneged || again)
	c.fl.dups = dupCount{}
	c.ca, c.point, c.force = caLoss, c.snd.nxt, true
	c.forgetProbe()
	c.stopProbe()
}

// roundTrip is the latest that is known, or the time-out if none is.
func (c *Conn) roundTrip() time.Duration {
	switch {
	case c.fl.rack.rtt > 0:
		return c.fl.rack.rtt
	case c.rtt.srtt > 0:
		return c.rtt.srtt
	}
	return c.rtt.rto
}

// beginEpisode begins a recovery that nothing is known of yet.
func (c *Conn) beginEpisode() {
	if c.ep == nil {
		c.ep = episodes.Get().(*episode)
	}
	*c.ep = episode{undo: undoVars{from: c.snd.una, high: c.snd.una}}
}

// dropEpisode forgets a recovery, if there was one.
func (c *Conn) dropEpisode() {
	if c.ep != nil {
		episodes.Put(c.ep)
		c.ep = nil
	}
}

// partials is episode.partials of a recovery that lasts.
func (c *Conn) partials() int {
	if c.ep == nil || c.ep.over {
		return 0
	}
	return c.ep.partials
}
