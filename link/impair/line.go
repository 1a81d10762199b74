package impair

import (
	"sync"
	"time"

	"example.com/berth/link"
	"example.com/berth/link/gso"
)

const (
	// maxBytes bounds what is on its way in one direction.
	maxBytes = 128 << 20
	// maxBatch is the most packets that leave in one call.
	maxBatch = 64
)

// A line is the shell of one direction: it asks the path about each packet,
// keeps what is to leave later, and lets it leave when it is due.
//
// One goroutine at a time lets packets leave; others, and those that come back
// to the line from within, leave theirs in the schedule for it.
type line struct {
	input  bool
	medium link.Medium
	now    func() time.Duration
	sink   func([]link.Frame) (taken int)

	mu       sync.Mutex // guards all below but batch and kept; never held across sink
	idle     sync.Cond  // busy has ended
	path     path
	schedule schedule
	stats    Stats
	busy     bool // some goroutine is letting packets leave
	closed   bool
	timer    *time.Timer
	armed    time.Duration // when the timer fires; 0 if it will not

	// The one that is busy owns these.
	batch []link.Frame
	kept  []*link.Kept
}

// desk is the working memory of one call of push. It is in use until packets
// that leave at once have left, and that may lead to another call.
type desk struct {
	cutter gso.Cutter
	direct []link.Frame
}

var desks = sync.Pool{New: func() any { return new(desk) }}

// push takes packets in. It reports false if the line is closed.
func (l *line) push(frames []link.Frame) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	if l.unimpaired() {
		l.count(frames)
		l.empty(frames)
		return true
	}
	d := desks.Get().(*desk)
	defer desks.Put(d)
	now := l.now()
	packets := l.cut(d, frames)
	for i := range packets {
		l.accept(d, &packets[i], now)
	}
	if !l.busy {
		l.empty(d.direct)
	}
	clear(d.direct)
	d.direct = d.direct[:0]
	return true
}

// unimpaired tells whether packets can pass without a look. The caller holds
// the lock.
func (l *line) unimpaired() bool {
	return !l.busy && l.schedule.empty() && l.path.cfg.transparent()
}

// count counts packets that come. The caller holds the lock.
func (l *line) count(frames []link.Frame) {
	l.stats.Packets += uint64(len(frames))
	for i := range frames {
		l.stats.Bytes += uint64(frames[i].Len())
	}
}

// cut brings frames into the form in which they are impaired.
func (l *line) cut(d *desk, frames []link.Frame) []link.Frame {
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

// empty lets direct and then all that is due leave. The caller holds the lock,
// and l.busy is false.
func (l *line) empty(direct []link.Frame) {
	l.busy = true
	defer l.rest()
	if len(direct) > 0 {
		l.leave(direct)
	}
	for l.due() {
		l.leave(l.batch)
		l.release()
	}
}

// due makes a batch of what is due. The caller holds the lock.
func (l *line) due() bool {
	if l.closed || l.schedule.empty() {
		return false
	}
	now := l.now()
	for len(l.batch) < maxBatch {
		k := l.schedule.take(now)
		if k == nil {
			break
		}
		l.kept = append(l.kept, k)
		l.batch = append(l.batch, k.Frame)
	}
	return len(l.batch) > 0
}

// leave calls the sink without the lock, which the caller holds.
func (l *line) leave(frames []link.Frame) {
	l.mu.Unlock()
	taken := 0
	defer func() {
		l.mu.Lock()
		l.stats.Passed += uint64(taken)
		l.stats.Refused += uint64(len(frames) - taken)
	}()
	taken = l.sink(frames)
}

func (l *line) release() {
	for _, k := range l.kept {
		k.Release()
	}
	clear(l.kept)
	clear(l.batch)
	l.kept, l.batch = l.kept[:0], l.batch[:0]
}

// rest ends busy, and sets the timer for what is due later. The caller holds
// the lock.
func (l *line) rest() {
	l.busy = false
	if l.closed {
		l.schedule.clear()
		l.idle.Broadcast()
		return
	}
	at, ok := l.schedule.next()
	if !ok || l.armed != 0 && l.armed <= at {
		return
	}
	l.armed = at
	if wait := at - l.now(); l.timer == nil {
		l.timer = time.AfterFunc(wait, l.fire)
	} else {
		l.timer.Reset(wait)
	}
}

// fire is what the timer does.
func (l *line) fire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = 0
	if !l.busy && !l.closed {
		l.empty(nil)
	}
}

// shut lets nothing more leave; wait waits for what is leaving.
func (l *line) shut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.timer != nil {
		l.timer.Stop()
	}
	if !l.busy {
		l.schedule.clear()
	}
}

func (l *line) wait() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.busy {
		l.idle.Wait()
	}
}

func (l *line) configure(cfg Config, first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	stream := uint64(0)
	if l.input {
		stream = 1
	}
	l.path.configure(cfg, stream, first)
}

func (l *line) read() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.OnTheWay = len(l.schedule.heap) + len(l.schedule.held)
	s.OnTheWayBytes = l.schedule.bytes
	return s
}
