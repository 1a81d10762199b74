package impair

import (
	"sync"
	"time"

	"example.com/berth/link"
	"example.com/berth/link/gso"
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
	medium   link.Medium
	input    bool // what Event.Input says
	path     path
	schedule schedule
	stats    Stats
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
	l.medium = medium
	l.path.configure(cfg, stream, true)
}

// Configure changes what happens to packets from now on. Packets on their way
// stay as they are. The random values go on, unless Seed is another. A config
// that cannot be changes nothing.
func (l *Line) Configure(cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	l.path.configure(cfg, l.path.stream, false)
	return nil
}

// Config returns what the line does now.
func (l *Line) Config() Config { return l.path.cfg }

// Stats returns the counters.
func (l *Line) Stats() Stats {
	s := l.stats
	s.OnTheWay = len(l.schedule.heap) + len(l.schedule.held)
	s.OnTheWayBytes = l.schedule.bytes
	return s
}

// Push takes in packets that come at now. The frames are lent: the line keeps
// what it needs.
func (l *Line) Push(now time.Duration, frames []link.Frame) {
	d := desks.Get().(*desk)
	l.accept(d, now, frames, false)
	desks.Put(d)
}

// Next returns when something leaves next. It is not ok if nothing is on its
// way.
func (l *Line) Next() (at time.Duration, ok bool) { return l.schedule.next() }

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
	for len(batch) < cap(batch) {
		k := l.schedule.take(now)
		if k == nil {
			break
		}
		batch = append(batch, k)
	}
	return batch
}

// Clear loses all that is on its way, as when a cable is cut.
func (l *Line) Clear() {
	l.stats.Cleared += uint64(len(l.schedule.heap) + len(l.schedule.held))
	l.schedule.clear()
	l.path.clear()
}

// A desk is the working memory for packets that come in. It is in use until
// those that leave at once have left, and that may lead to another call.
type desk struct {
	cutter gso.Cutter
	direct []link.Frame // leave at once; lent
}

var desks = sync.Pool{New: func() any { return new(desk) }}

// accept takes packets in. If those that leave at once may, they go on the
// desk, else all that leaves is left to take.
func (l *Line) accept(d *desk, now time.Duration, frames []link.Frame, direct bool) {
	packets := l.cut(d, frames)
	for i := range packets {
		l.packet(d, &packets[i], now, direct)
	}
}

// idle tells whether packets can pass without a look.
func (l *Line) idle() bool { return l.schedule.empty() && l.path.cfg.transparent() }

// count counts packets that come.
func (l *Line) count(frames []link.Frame) {
	l.stats.Packets += uint64(len(frames))
	for i := range frames {
		l.stats.Bytes += uint64(frames[i].Len())
	}
}

// cut brings frames into the form in which they are impaired.
func (l *Line) cut(d *desk, frames []link.Frame) []link.Frame {
	offload := link.OffloadAll
	switch {
	case l.path.cfg.looksInside():
		offload = 0
	case l.path.cfg.perPacket():
		offload = link.OffloadChecksum
	}
	out, bad := d.cutter.Cut(l.medium, offload, frames)
	l.stats.Malformed += uint64(bad)
	l.count(out)
	return out
}
