package impair

import (
	"time"

	"example.com/berth/link"
)

// A Line is one direction of an impaired link as a pure machine: what it does
// depends on what was pushed into it and on the times that it is given. It has
// no clock, no timer, no lock and no goroutine: a program with an event loop of
// its own, such as a simulator, drives it. [Device] is the shell that drives
// two of them by the clock.
//
//	line.Push(now, frames)
//	for {
//		at, ok := line.Next()
//		// ... until at, or until there is more to push
//		batch = line.Take(at, batch[:0])
//		// ... carry the batch on, and release it
//	}
//
// Times count from whatever the driver likes, and do not run backwards.
type Line struct {
	medium link.Medium
	input  bool // what Event.Input says
	cfg    Config
	stats  Stats

	// The stations behind the rule, in their order.
	narrow   narrow
	fates    fates
	schedule schedule

	last time.Duration // when the latest packet leaves, faults set aside
	seen time.Duration // the latest time that was given
}

// NewLine returns a line for frames of the given medium. The error is that of
// [Config.Validate].
func NewLine(medium link.Medium, cfg Config) (*Line, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	l := new(Line)
	l.init(medium, 0, cfg)
	return l, nil
}

// init begins a line. Lines with one seed and different streams draw different
// random values.
func (l *Line) init(medium link.Medium, stream uint64, cfg Config) {
	l.medium, l.cfg = medium, cfg
	l.narrow.slot = opportunityBytes + medium.HeaderLen()
	l.fates.seed(cfg.Seed, stream)
}

// Configure changes what happens to packets from now on. Packets on their way
// stay as they are, but those that still wait in the queue are taken from it at
// the new rate. The random values go on, unless Seed is another. A config that
// cannot be changes nothing. Take, first, what is due before.
func (l *Line) Configure(cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	if !l.narrow.queue.empty() {
		l.narrow.free = max(l.narrow.free, l.seen) // what waits was not taken until now
	}
	if cfg.Seed != l.cfg.Seed {
		l.fates.seed(cfg.Seed, l.fates.stream)
	}
	l.cfg = cfg
	return nil
}

// Config returns what the line does now.
func (l *Line) Config() Config { return l.cfg }

// Stats returns the counters.
func (l *Line) Stats() Stats {
	s, q := l.stats, &l.narrow.queue
	s.OnTheWay, s.OnTheWayBytes = l.schedule.len()+q.count, l.schedule.bytes+q.bytes
	s.Queued, s.QueuedBytes = q.count, q.bytes
	return s
}

// Push takes in packets that come at now. The frames are lent: the line keeps
// what it needs.
func (l *Line) Push(now time.Duration, frames []link.Frame) {
	d := desks.Get().(*desk)
	l.accept(d, now, frames)
	d.clear()
}

// Next returns when the line is to be looked at next, by Take: when something
// leaves, or the queue moves. It is not ok if nothing is on its way.
func (l *Line) Next() (at time.Duration, ok bool) {
	at, ok = l.schedule.next()
	if !l.narrow.queue.empty() {
		if start := l.narrow.start(&l.cfg); !ok || start < at {
			at, ok = start, true
		}
	}
	return at, ok
}

// Take appends to batch what leaves by now, in order, up to its capacity. The
// caller releases what it took. If there is more, Next says so.
func (l *Line) Take(now time.Duration, batch []*link.Kept) []*link.Kept {
	before := len(batch)
	batch = l.take(now, batch)
	l.stats.Passed += uint64(len(batch) - before)
	return batch
}

// take is Take without counting.
func (l *Line) take(now time.Duration, batch []*link.Kept) []*link.Kept {
	l.advance(now)
	for len(batch) < cap(batch) {
		k := l.schedule.take(now)
		if k == nil {
			break
		}
		batch = append(batch, k)
	}
	return batch
}

// Clear loses all that is on its way, as when a cable is cut. The link is free
// then.
func (l *Line) Clear() {
	l.stats.Cleared += uint64(l.schedule.len() + l.narrow.queue.count)
	l.schedule.clear()
	l.narrow.clear()
	l.last = 0
}

// accept takes packets in. Those that leave at once stay on the desk, if that
// is open; all others are left to take.
func (l *Line) accept(d *desk, now time.Duration, frames []link.Frame) {
	l.advance(now)
	packets := l.cut(d, frames)
	for i := range packets {
		l.packet(d, &packets[i], now)
	}
}

// idle tells whether packets can pass without a look.
func (l *Line) idle() bool {
	return l.schedule.empty() && l.narrow.queue.empty() && l.cfg.transparent()
}

// count counts packets that pass without a look.
func (l *Line) count(frames []link.Frame) {
	l.stats.Packets += uint64(len(frames))
	l.fates.skip(len(frames))
	for i := range frames {
		l.stats.Bytes += uint64(frames[i].Len())
	}
}

// cut brings frames into the form in which they are impaired.
func (l *Line) cut(d *desk, frames []link.Frame) []link.Frame {
	offload := link.OffloadAll
	switch {
	case l.cfg.looksInside():
		offload = 0
	case l.cfg.perPacket():
		offload = link.OffloadChecksum
	}
	out, bad := d.cutter.Cut(l.medium, offload, frames)
	l.stats.Malformed += uint64(bad)
	return out
}
