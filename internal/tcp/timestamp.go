package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
)

// tsAt returns the timestamp of a segment sent at a time (RFC 7323 5.4). The
// offset keeps the host's uptime to itself.
func (c *Conn) tsAt(now time.Duration) uint32 { return uint32(now/tsTick) + c.tsOffset }

// outdated is PAWS (RFC 7323 5.3, R1): an old duplicate has a timestamp before
// TS.Recent, unless that is so old itself that the clock may have wrapped (5.5).
func (c *Conn) outdated(now time.Duration, seg *Segment) bool {
	return c.useTS && seg.Options.HasTS &&
		int32(seg.Options.TSVal-c.tsRecent) < 0 &&
		now-c.tsRecentAt < tsOutdated &&
		!seg.has(header.RST)
}

// rememberTS updates TS.Recent from the segment that the next acknowledgment
// will echo (RFC 7323 4.3). First is where the segment began before it was
// trimmed. One whose acknowledgment is not acceptable does not count: whoever
// guesses must not move what PAWS goes by.
func (c *Conn) rememberTS(now time.Duration, first seqnum.Value, seg *Segment) {
	o := &seg.Options
	if !c.useTS || !o.HasTS || c.rcv.acked.Less(first) {
		return
	}
	if int32(o.TSVal-c.tsRecent) >= 0 || now-c.tsRecentAt >= tsOutdated {
		c.tsRecent, c.tsRecentAt = o.TSVal, now
	}
}

// echoRTT returns the round trip that an acknowledgment's timestamp tells of;
// 0 if none. It holds for retransmitted segments, too (RFC 7323 4.1).
func (c *Conn) echoRTT(now time.Duration, seg *Segment) time.Duration {
	if !c.useTS || !seg.Options.HasTS || seg.Options.TSEcr == 0 {
		return 0
	}
	ticks := int32(c.tsAt(now) - seg.Options.TSEcr)
	if ticks < 0 || time.Duration(ticks)*tsTick > now {
		return 0
	}
	return max(time.Duration(ticks)*tsTick, tsTick)
}
