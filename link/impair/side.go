package impair

import (
	"sync"
	"time"

	"example.com/berth/link"
)

// maxBatch is the most packets that leave a device in one call.
const maxBatch = 64

// A side is the shell of one direction of a device: a line, the clock and the
// timer that drive it, and the sink that it leads to.
//
// One goroutine at a time lets packets leave; others, and those that come back
// to the side from within, leave theirs on the line for it.
type side struct {
	now  func() time.Duration
	sink func([]link.Frame) (taken int)

	mu     sync.Mutex // guards all below but batch and kept; never held across sink
	idle   sync.Cond  // busy has ended
	line   Line
	busy   bool // some goroutine is letting packets leave
	closed bool
	timer  *time.Timer
	armed  time.Duration // when the timer fires; 0 if it will not

	// The one that is busy owns these.
	batch []link.Frame
	kept  []*link.Kept
}

// push takes packets in. It reports false if the side is closed.
func (s *side) push(frames []link.Frame) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.unimpaired() {
		s.line.count(frames)
		s.empty(frames)
		return true
	}
	d := desks.Get().(*desk)
	defer d.clear()
	d.open = !s.busy
	s.line.accept(d, s.now(), frames)
	if !s.busy {
		s.empty(d.direct)
	}
	return true
}

// unimpaired tells whether packets can pass without a look. The caller holds
// the lock.
func (s *side) unimpaired() bool { return !s.busy && s.line.idle() }

// empty lets direct and then all that is due leave. The caller holds the lock,
// and s.busy is false.
func (s *side) empty(direct []link.Frame) {
	s.busy = true
	defer s.rest()
	if len(direct) > 0 {
		s.leave(direct)
	}
	for s.due() {
		s.leave(s.batch)
		s.release()
	}
}

// due makes a batch of what is due. The caller holds the lock.
func (s *side) due() bool {
	if _, ok := s.line.Next(); s.closed || !ok {
		return false
	}
	if s.kept == nil {
		s.kept = make([]*link.Kept, 0, maxBatch)
	}
	s.kept = s.line.take(s.now(), s.kept)
	for _, k := range s.kept {
		s.batch = append(s.batch, k.Frame)
	}
	return len(s.batch) > 0
}

// leave calls the sink without the lock, which the caller holds.
func (s *side) leave(frames []link.Frame) {
	s.mu.Unlock()
	taken := 0
	defer func() {
		s.mu.Lock()
		s.line.stats.Passed += uint64(taken)
		s.line.stats.Refused += uint64(len(frames) - taken)
	}()
	taken = s.sink(frames)
}

func (s *side) release() {
	for _, k := range s.kept {
		k.Release()
	}
	clear(s.kept)
	clear(s.batch)
	s.kept, s.batch = s.kept[:0], s.batch[:0]
}

// rest ends busy. The caller holds the lock.
func (s *side) rest() {
	s.busy = false
	if s.closed {
		s.line.Clear()
		s.idle.Broadcast()
		return
	}
	s.arm()
}

// arm sets the timer for what is due later. The caller holds the lock.
func (s *side) arm() {
	at, ok := s.line.Next()
	if !ok || s.armed != 0 && s.armed <= at {
		return
	}
	s.armed = at
	if wait := at - s.now(); s.timer == nil {
		s.timer = time.AfterFunc(wait, s.fire)
	} else {
		s.timer.Reset(wait)
	}
}

// fire is what the timer does.
func (s *side) fire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = 0
	if !s.busy && !s.closed {
		s.empty(nil)
	}
}

// shut lets nothing more leave; wait waits for what is leaving.
func (s *side) shut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
	if !s.busy {
		s.line.Clear()
	}
}

func (s *side) wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.busy {
		s.idle.Wait()
	}
}

func (s *side) configure(cfg Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line.advance(s.now()) // as it was until now
	err := s.line.Configure(cfg)
	if !s.busy && !s.closed {
		s.arm()
	}
	return err
}

func (s *side) read() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.line.Stats()
}

// straight tells whether frames may go to the device beneath without a look,
// which then says itself what it does not take.
func (s *side) straight(frames []link.Frame) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || !s.unimpaired() {
		return false
	}
	s.line.count(frames)
	return true
}

func (s *side) passed(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line.stats.Passed += uint64(n)
}
