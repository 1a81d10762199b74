package impair

import (
	"strconv"
	"time"

	"example.com/berth/link"
)

// maxBytes bounds what is on its way in one direction.
const maxBytes = 128 << 20

// packet decides about one packet: it is dropped, scheduled, or put on the desk
// if it may leave at once.
func (l *Line) packet(d *desk, f *link.Frame, now time.Duration, direct bool) {
	var v Verdict
	if l.path.cfg.Rule != nil {
		v = l.path.cfg.Rule(now, f)
	}
	if v.Drop {
		l.path.draw() // what becomes of the others does not change
		l.tell(ByRule, v.Reason, f, now)
		return
	}
	g := *f
	if v.Replace != nil {
		g = link.Frame{Payload: v.Replace, Time: f.Time}
		g.Comment = l.tell(Changed, v.Reason, f, now)
	}
	if v.Delay > 0 {
		g.Comment = also(g.Comment, l.tell(Held, v.Reason, f, now))
	}
	fate := l.path.decide(g.Len(), now, v.Delay)
	if fate.dropped == 0 && l.schedule.bytes+g.Len() > maxBytes {
		fate.dropped = Overflow
	}
	if fate.dropped != 0 {
		l.tell(fate.dropped, "", f, now)
		return
	}
	l.send(d, f, &g, &fate, now, direct)
}

// send schedules packet g, which came as f.
func (l *Line) send(d *desk, f, g *link.Frame, fate *fate, now time.Duration, direct bool) {
	if !fate.corrupt && !fate.reorder && !fate.duplicate &&
		direct && fate.due <= now && l.schedule.empty() {
		d.direct = append(d.direct, *g)
		return
	}
	var k, twin *link.Kept
	if fate.corrupt {
		k = g.KeepCopy()
		flip(&k.Frame, fate.bit)
		k.Comment = also(k.Comment, l.tell(Corrupted, "bit "+strconv.Itoa(fate.bit), f, now))
	} else {
		k = g.Keep()
	}
	if fate.duplicate {
		twin = k.Keep()
		twin.Comment = also(k.Comment, l.tell(Duplicated, "", f, now))
	}
	if fate.reorder {
		k.Comment = also(k.Comment, l.tell(Reordered, "", f, now))
		l.schedule.holdBack(k, fate.due, l.path.cfg.gap(), l.path.cfg.hold())
	} else {
		l.schedule.add(k, fate.due)
		l.schedule.overtaken(fate.due)
	}
	if twin != nil {
		l.schedule.add(twin, fate.due)
	}
}

// flip flips one bit. A receiver must find that out by itself.
func flip(f *link.Frame, bit int) {
	at, mask := bit/8, byte(0x80)>>(bit%8)
	if at < len(f.Head) {
		f.Head[at] ^= mask
	} else {
		f.Payload[at-len(f.Head)] ^= mask
	}
	f.Checksum = link.ChecksumFull
}

// tell counts and reports what happened to a packet, and returns the remark for
// a capture.
func (l *Line) tell(c Cause, reason string, f *link.Frame, now time.Duration) string {
	l.stats.count(c)
	if l.path.cfg.Observe != nil {
		l.path.cfg.Observe(Event{Now: now, Input: l.input, Cause: c, Reason: reason, Frame: f})
	}
	if c.Dropped() {
		return ""
	}
	return comment(c, reason)
}

// also joins remarks.
func also(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
