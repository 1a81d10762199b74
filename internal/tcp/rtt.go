package tcp

import (
	"time"

	"example.com/berth/internal/lean"
	"example.com/berth/internal/seqnum"
)

// rttVars is the estimate of the round trip (RFC 6298).
type rttVars struct {
	_ lean.Incomparable

	srtt time.Duration // 0 before the first sample
	// mdev is RFC 6298's RTTVAR, taken with every acknowledgment. rttvar is its
	// maximum within a round trip, so that many samples in one do not wear it
	// down (RFC 7323 appendix G has the problem; this is Linux's answer).
	mdev, mdevMax, rttvar time.Duration
	rto                   time.Duration
	// min is the least seen lately: in the present half of minWindow, which began
	// at minSince and whose own least is minYoung, and the one before it. So a
	// path that became longer is known for one (RFC 8985 6.2, step 1).
	min, minYoung, minSince time.Duration
	turn                    seqnum.Value // SND.NXT when the present round trip began
	backoff                 uint8
}

// sampleRTT takes a measurement of the round trip (RFC 6298 2.2, 2.3). The
// time-out is never less than the mean and MinRTO (Linux's reading of 2.4).
func (c *Conn) sampleRTT(now, r time.Duration) {
	v := &c.rtt
	r = max(r, time.Microsecond)
	v.minimize(now, r)
	if v.srtt == 0 {
		v.srtt, v.mdev = r, r/2
		v.rttvar = max(v.mdev, c.p.MinRTO/4)
		v.mdevMax = v.rttvar
		v.turn = c.snd.nxt
	} else {
		c.smooth(r)
	}
	v.backoff = 0
	c.tlp.sampled = true
	v.rto = min(v.srtt+max(4*v.rttvar, c.p.MinRTO), c.p.MaxRTO)
}

// minWindow is how long the least round trip counts (Linux's
// tcp_min_rtt_wlen).
const minWindow = 300 * time.Second

// minimize follows the least round trip.
func (v *rttVars) minimize(now, r time.Duration) {
	if v.min == 0 {
		v.min, v.minYoung, v.minSince = r, r, now
		return
	}
	if now-v.minSince > minWindow/2 {
		v.min, v.minYoung, v.minSince = v.minYoung, r, now
	}
	v.minYoung = min(v.minYoung, r)
	v.min = min(v.min, v.minYoung)
}

func (c *Conn) smooth(r time.Duration) {
	v := &c.rtt
	delta := r - v.srtt
	v.srtt += delta / 8
	switch {
	case delta < 0 && -delta > v.mdev:
		// A round trip that became shorter is no reason to wait longer.
		v.mdev += (-delta - v.mdev) / 32
	case delta < 0:
		v.mdev += (-delta - v.mdev) / 4
	default:
		v.mdev += (delta - v.mdev) / 4
	}
	if v.mdev > v.mdevMax {
		v.mdevMax = v.mdev
		v.rttvar = max(v.rttvar, v.mdevMax)
	}
	if v.turn.Less(c.snd.una) {
		if v.mdevMax < v.rttvar {
			v.rttvar -= (v.rttvar - v.mdevMax) / 4
		}
		v.turn = c.snd.nxt
		v.mdevMax = c.p.MinRTO / 4
	}
}

// reseedRTT takes the round trip of a segment that was late, not lost, for the
// time-out that follows a spurious one (RFC 4015 3.3).
func (c *Conn) reseedRTT(r time.Duration) {
	v := &c.rtt
	v.srtt, v.rttvar = max(v.srtt, r), max(v.rttvar, r/2)
	v.rto = min(v.srtt+max(4*v.rttvar, c.p.MinRTO), c.p.MaxRTO)
}

// backedOffRTO returns the time-out with its exponential backoff (RFC 6298
// 5.5).
func (c *Conn) backedOffRTO() time.Duration {
	d := c.rtt.rto
	for i := uint8(0); i < c.rtt.backoff && d < c.p.MaxRTO; i++ {
		d *= 2
	}
	return min(d, c.p.MaxRTO)
}

func (c *Conn) backOff() {
	if c.rtt.backoff < 32 {
		c.rtt.backoff++
	}
}
