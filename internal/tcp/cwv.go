package tcp

import (
	"time"

	"example.com/berth/internal/seqnum"
)

// cwndUse tells whether the congestion window is what holds the sender back
// (RFC 7661 4.3, with the test that Linux makes): it remembers the most that was
// in flight during a round trip, and whether more wanted out.
type cwndUse struct {
	used    int
	until   seqnum.Value // SND.NXT when used was measured
	limited bool
}

func (u *cwndUse) reset(nxt seqnum.Value) { *u = cwndUse{until: nxt} }

// noteCwndUse is called when all has been sent that may be: blocked tells
// whether cwnd was the reason to stop.
func (c *Conn) noteCwndUse(blocked bool) {
	if !blocked {
		c.noteAppLimited()
	}
	flight := c.fl.bytes()
	u := &c.cwv
	if blocked || u.until.LessEq(c.snd.una) || !u.limited && flight > u.used {
		u.used, u.until, u.limited = flight, c.snd.nxt, blocked
	}
}

// cwndLimited tells whether cwnd may grow. In slow start it may up to twice
// what is in use, so that it need not be hit exactly.
func (c *Conn) cwndLimited() bool {
	if c.cwv.limited {
		return true
	}
	return c.cc.Cwnd() < c.cc.SSThresh() && c.cc.Cwnd() < 2*c.cwv.used
}

// restartAfterIdle lets the congestion control shrink a window that says
// nothing about the path any more (RFC 5681 4.1).
func (c *Conn) restartAfterIdle(now time.Duration) {
	if c.p.NoIdleRestart || c.fl.len() > 0 || c.lastData == 0 {
		return
	}
	if idle := now - c.lastData; idle > c.rtt.rto {
		c.cc.OnIdle(now, int(idle/c.rtt.rto))
	}
}
