package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
)

// sendLost resends the first segment that is taken for lost, as far as the
// window of recovery allows (RFC 8985 9.3). The first one of a recovery goes out in any
// case, and the very first in flight even into a closed window: there it is the
// probe (RFC 9293 3.8.6, SHLD-16).
func (c *Conn) sendLost(now time.Duration, out *Segment) bool {
	if c.fl.nextLost() < 0 || c.holding() {
		return false
	}
	c.cutMTUProbe()
	i := c.fl.nextLost()
	r := c.fl.records.at(i)
	if r.seq != c.snd.una && c.snd.una.Add(c.snd.wnd).Less(r.end) {
		return false
	}
	if pipe := c.pipe(); !c.force && pipe > 0 && pipe+r.len() > c.cwnd() {
		return false
	}
	if c.ca == caRecovery {
		c.p.Counters.FastRetransmits.Add(1)
	}
	c.resend(now, out, i)
	return true
}

// resend sends record i again, and with it those after it that are lost, too,
// and fit into the same segment: many small segments are resent as one.
func (c *Conn) resend(now time.Duration, out *Segment, i int) {
	r := c.fl.records.at(i)
	out.Seq = r.seq
	var end seqnum.Value
	var fin bool
	for j := i; ; {
		c.failTest(r)
		r.sent = now
		c.fl.set(r, flagResent|flagTwice, 0)
		c.snap(now, j, 1)
		end, fin = r.end, r.has(flagFIN)
		if j++; fin || j == c.fl.len() {
			break
		}
		r = c.fl.records.at(j)
		if !r.has(flagLost) || r.has(flagResent) || r.end.Sub(out.Seq) > c.snd.mss || c.snd.una.Add(c.snd.wnd).Less(r.end) {
			break
		}
	}
	n := end.Sub(out.Seq)
	if fin {
		out.Flags |= header.FIN
		n--
	}
	if n > 0 {
		out.Payload, out.Buffer = c.sendQ.slice(out.Seq, n, c.snd.mss)
		if end == c.sendQ.end || fin {
			out.Flags |= header.PSH
		}
	}
	c.force = false
	if c.useSACK && !c.p.NoRACK {
		c.fl.noteResend(out.Seq, end, c.snd.nxt, now)
	}
	c.noteRetransmission(now, out.Seq, end)
	if c.ca == caRecovery {
		c.ep.noteHighRxt(end)
	}
	c.sentInRecovery(n)
	c.p.Counters.Retransmits.Add(1)
	c.need().retrans++
	c.rare.bytesRetrans += uint64(n)
	if i == 0 && c.partials() <= 1 || !c.armed(timerRetransmit) {
		c.armRetransmit(now)
	}
	c.address(now, out, c.optionRoom(n))
	c.countSent(now, out)
}

// sentInRecovery counts what is sent against what PRR allows.
func (c *Conn) sentInRecovery(n int) {
	if c.ca == caRecovery {
		c.ep.prr.sent(n)
	}
}
