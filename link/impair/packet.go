package impair

import (
	"strconv"
	"time"

	"example.com/berth/link"
	"example.com/berth/link/gso"
)

// What is on its way in one direction is bounded: what exceeds one of these is
// dropped as it comes, and counted as Overflow.
const (
	maxBytes   = 128 << 20
	maxPackets = 1 << 18
)

// packet takes in one packet: it goes past the rule, and then into the narrow
// link or the queue before it.
func (l *Line) packet(d *desk, f *link.Frame, now time.Duration) {
	p := passenger{frame: f, number: l.stats.Packets, came: now}
	l.stats.Packets++
	l.stats.Bytes += uint64(f.Len())
	if l.cfg.Rule != nil && !l.rule(d, &p) {
		l.fates.draw(&l.cfg, f.Len()) // what becomes of the others does not change
		return
	}
	p.fate = l.fates.draw(&l.cfg, p.frame.Len())
	if l.cfg.Trace == nil && l.narrow.idle(now) {
		l.narrow.codel.idle()
		l.depart(d, &p, now, l.narrow.send(&l.cfg, p.frame.Len(), now, now))
	} else {
		l.enqueue(&p, now)
	}
}

// rule asks the rule, and tells whether the packet goes on: as it is, or on the
// desk as what it has become.
func (l *Line) rule(d *desk, p *passenger) bool {
	v := l.cfg.Rule(p.came, p.frame)
	if v.Drop {
		l.tell(ByRule, v.Reason, p, p.came)
		return false
	}
	if v.Replace == nil && v.Delay <= 0 {
		return true
	}
	d.frame = *p.frame
	if v.Replace != nil {
		d.frame = link.Frame{Payload: v.Replace, Time: p.frame.Time, Serial: p.frame.Serial}
		d.frame.Comment = l.tell(Changed, v.Reason, p, p.came)
	}
	if v.Delay > 0 {
		p.extra = v.Delay
		d.frame.Comment = also(d.frame.Comment, l.tell(Held, v.Reason, p, p.came))
	}
	p.frame = &d.frame
	return true
}

// full tells whether one packet more, of length bytes, is too much.
func (l *Line) full(length int) bool {
	return l.schedule.bytes+l.narrow.queue.bytes+length > maxBytes ||
		l.schedule.len()+l.narrow.queue.count >= maxPackets
}

// depart lets a packet go that the narrow link took at now and has sent at
// sent: what chance has in store for it happens.
func (l *Line) depart(d *desk, p *passenger, now, sent time.Duration) {
	// A packet does not leave before the one ahead of it, whatever becomes of
	// that one: so faults do not change when the others leave.
	due := sent + p.fate.flight
	l.last = max(l.last, due)
	switch {
	case l.strikes(p.fate.lost, Lost, p):
		l.drop(Lost, "", p, now)
		return
	case l.strikes(p.fate.burst, LostBurst, p):
		l.drop(LostBurst, "", p, now)
		return
	case l.full(p.frame.Len()):
		l.drop(Overflow, "", p, now)
		return
	}
	p.fate.corrupt = l.strikes(p.fate.corrupt, Corrupted, p)
	p.fate.duplicate = l.strikes(p.fate.duplicate, Duplicated, p)
	p.fate.reorder = l.strikes(p.fate.reorder, Reordered, p)
	if p.extra == 0 && !p.fate.reorder {
		due = l.last
	}
	l.send(d, p, now, due+p.extra)
}

// strikes tells whether a fault that chance has in store happens.
func (l *Line) strikes(inStore bool, c Cause, p *passenger) bool {
	if !inStore || l.cfg.Pardon == nil || !l.cfg.Pardon(p.number, c) {
		return inStore
	}
	p.spared = p.spared || c == Lost || c == LostBurst || c == Reordered
	return false
}

// send does what changes a packet, and schedules it or puts it on the desk.
func (l *Line) send(d *desk, p *passenger, now, due time.Duration) {
	odd := p.fate.corrupt || p.fate.duplicate || p.fate.reorder
	if d != nil && d.open && !odd && due <= now && l.schedule.empty() {
		d.direct = append(d.direct, *p.frame)
		return
	}
	if p.fate.corrupt {
		remark := l.tell(Corrupted, "bit "+strconv.Itoa(p.fate.bit), p, now)
		p.copy()
		p.remark(remark)
		flip(p.frame, p.fate.bit)
	} else if p.kept == nil {
		p.keep()
	}
	var twin *link.Kept
	if p.fate.duplicate {
		twin = p.frame.Keep()
		twin.Comment = also(twin.Comment, l.tell(Duplicated, "", p, now))
	}
	if p.fate.reorder {
		p.remark(l.tell(Reordered, "", p, now))
		l.schedule.holdBack(p.kept, due, l.cfg.gap(), l.cfg.hold())
	} else {
		l.schedule.add(p.kept, due)
		// One that was spared would not have overtaken others.
		if !p.spared && p.extra == 0 {
			l.schedule.overtaken(due)
		}
	}
	if twin != nil {
		l.schedule.add(twin, due)
	}
}

// flip flips one bit. A receiver must find that out by itself.
func flip(f *link.Frame, bit int) {
	*at(f, bit/8) ^= byte(0x80) >> (bit % 8)
	f.Checksum = link.ChecksumFull
}

// at is the i-th byte of a frame.
func at(f *link.Frame, i int) *byte {
	if i < len(f.Head) {
		return &f.Head[i]
	}
	return &f.Payload[i-len(f.Head)]
}

// drop tells why a packet is dropped, and releases it.
func (l *Line) drop(c Cause, reason string, p *passenger, now time.Duration) {
	l.tell(c, reason, p, now)
	p.release()
}

// tell counts and reports what happened to a packet, and returns the remark for
// a capture.
func (l *Line) tell(c Cause, reason string, p *passenger, now time.Duration) string {
	l.stats.count(c)
	if l.cfg.Observe != nil {
		l.observe(Event{Now: now, Input: l.input, Packet: p.number, Cause: c, Reason: reason, Frame: p.frame})
	}
	if c.Dropped() {
		return ""
	}
	return comment(c, reason)
}

// observe hands the event to who wants it, with the frame's checksums.
func (l *Line) observe(e Event) {
	if e.Frame.Checksum == link.ChecksumPartial {
		var c gso.Cutter
		if whole, bad := c.Cut(l.medium, e.Frame.GSO.Offload()&^link.OffloadChecksum, []link.Frame{*e.Frame}); bad == 0 && len(whole) == 1 {
			e.Frame = &whole[0]
		}
	}
	l.cfg.Observe(e)
}
