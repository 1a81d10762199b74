package tcp

import (
	"time"

	"example.com/berth/internal/seqnum"
)

// caState is the state of congestion and loss, with the numbers that TCP_INFO
// shows on Linux.
type caState uint8

const (
	caOpen     caState = 0 // nothing out of the ordinary
	caDisorder caState = 1 // duplicate acknowledgments, perhaps a loss
	caRecovery caState = 3 // fast recovery (RFC 6675, RFC 6582)
	caLoss     caState = 4 // after a retransmission time-out
)

// recoveryVars is the state of loss recovery.
//
// SACK and its absence share one path. Without SACK each duplicate
// acknowledgment stands for a segment that arrived, and the first segment in
// flight is the one that is lost; with it the scoreboard knows. In both, what
// may be sent is cwnd less the pipe, which makes RFC 6582's inflation and
// deflation of cwnd, and limited transmit (RFC 3042), come out by themselves.
type recoveryVars struct {
	state caState
	// point is SND.NXT when recovery began: RecoveryPoint, or "recover".
	point seqnum.Value
	// dups counts duplicate acknowledgments in a row; arrived are the bytes
	// that they stand for on a connection without SACK. Of these there can be
	// no more than maxDups, the segments in flight before the first (RFC 5681
	// 6: who forges more gains nothing).
	dups, maxDups, arrived int
	// force lets one segment be resent whatever cwnd says: the fast
	// retransmit.
	force bool
	// partials counts the acknowledgments of this recovery, on a connection
	// without SACK, that left a hole.
	partials int
	// rescued: rule 4 of NextSeg was used.
	rescued bool
	// high is HighRxt, the end of what was resent in this recovery.
	high seqnum.Value
}

func (r *recoveryVars) init(nxt seqnum.Value) { r.point, r.high = nxt, nxt }

// pipe is the estimate of what is in the network, in bytes.
func (c *Conn) pipe() int { return max(0, c.fl.pipe()-c.rec.arrived) }

// detectLoss looks at what an acknowledgment means for what is in flight.
func (c *Conn) detectLoss(now time.Duration, s *ackSample) {
	if !c.useSACK {
		c.countArrived(s)
	}
	if c.rec.state >= caRecovery && c.recovered() {
		c.endRecovery(now)
	}
	if c.fl.records.len() == 0 {
		c.rec.state, c.rec.dups, c.rec.arrived = caOpen, 0, 0
		return
	}
	s.lost = c.fl.detectLoss()
	switch {
	case c.rec.state == caRecovery && !c.useSACK && s.acked > 0 && c.snd.una.Less(c.rec.point):
		// A partial acknowledgment: the next segment is lost, too (RFC 6582
		// 3.2, step 3).
		c.fl.loseFirst()
		c.rec.force = true
		c.rec.partials++
	case c.rec.state >= caRecovery:
	case s.lost > 0, !c.useSACK && c.rec.dups >= dupThresh:
		c.enterRecovery(now)
	case c.rec.dups > 0 || c.fl.sacked > 0:
		c.rec.state = caDisorder
	default:
		c.rec.state = caOpen
	}
}

// countArrived estimates, on a connection without SACK, what has arrived beyond
// the first hole.
func (c *Conn) countArrived(s *ackSample) {
	switch {
	case c.rec.state == caLoss:
		return // duplicates may be those of what was resent
	case s.duplicate:
		if c.rec.dups == 0 {
			c.rec.maxDups = c.fl.records.len()
		}
		if c.rec.dups++; c.rec.dups <= c.rec.maxDups {
			c.rec.arrived += c.snd.mss
		}
	case s.acked > 0:
		// The first of the acknowledged segments filled the hole; the others
		// are some that had arrived.
		c.rec.dups = 0
		c.rec.arrived -= max(0, s.acked-c.snd.mss)
		if c.rec.state < caRecovery {
			c.rec.arrived = 0
		}
	}
	c.rec.arrived = max(0, min(c.rec.arrived, c.fl.bytes()-c.snd.mss))
}

// enterRecovery is the start of fast recovery (RFC 6675 5, RFC 6582 3.2).
func (c *Conn) enterRecovery(now time.Duration) {
	c.p.Counters.Recoveries.Add(1)
	c.rec.state = caRecovery
	c.rec.point = c.snd.nxt
	c.rec.high = c.snd.una
	c.rec.force, c.rec.rescued, c.rec.partials = true, false, 0
	c.fl.loseFirst()
	if !c.ecn.reduced {
		c.cc.OnLoss(now, c.fl.bytes())
	}
}

// recovered tells whether all that was in flight when recovery began has
// arrived. Without SACK that takes an acknowledgment of something later, or
// else the duplicates of what was resent would begin another one (RFC 6582 4).
func (c *Conn) recovered() bool {
	if c.useSACK || c.fl.records.len() == 0 {
		return c.rec.point.LessEq(c.snd.una)
	}
	return c.rec.point.Less(c.snd.una)
}

func (c *Conn) endRecovery(now time.Duration) {
	if c.rec.state == caRecovery {
		c.cc.OnRecovered(now, c.fl.bytes())
	}
	c.rec.state, c.rec.dups, c.rec.arrived, c.rec.force, c.rec.partials = caOpen, 0, 0, false, 0
}

// enterLoss is what a retransmission time-out means for the congestion window
// and for what is in flight (RFC 5681 3.1, RFC 6675 5.1).
func (c *Conn) enterLoss(now time.Duration, forget bool) {
	c.cc.OnRTO(now, c.fl.bytes(), c.retries == 0 && c.rec.state < caRecovery)
	c.rec.state = caLoss
	c.rec.point = c.snd.nxt
	c.rec.dups, c.rec.arrived, c.rec.force, c.rec.partials = 0, 0, false, 0
	c.fl.loseAll(forget)
}

// nextUnlost is rules 3 and 4 of NextSeg (RFC 6675 4), for when there is
// nothing new to send: a segment below the highest one sacked that is not known
// to be lost, or once in a recovery the last one in flight, so that ACKs keep
// coming. It returns -1 for none.
func (c *Conn) nextUnlost() int {
	if c.rec.state != caRecovery || !c.useSACK {
		return -1
	}
	f := &c.fl
	if i := f.skipSacked(f.index(c.rec.high)); i < f.records.len() && f.sackedAfter(i) {
		return i
	}
	if c.rec.rescued {
		return -1
	}
	c.rec.rescued = true
	i := f.records.len() - 1
	for i >= 0 && f.records.at(i).has(flagSacked) {
		i--
	}
	if i >= 0 && f.records.at(i).has(flagResent) {
		return -1
	}
	return i
}
