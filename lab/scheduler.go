package lab

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.com/berth"
)

// A scheduler is the lab's one loop: all that hosts and links do, they do in its
// turns, one thing after the other, in an order that is the same in every run.
//
// A turn begins when nothing else is left to do at this instant: it is the
// function of a timer that goes off at once, and under testing/synctest such a
// timer goes off when every goroutine of the bubble is durably blocked, and
// before time moves on. In a turn first what was posted is done, in the order of
// berth.Order; then the events that are due, in the order of their time and, at
// one time, in that in which they were planned; and again from the beginning
// until nothing is due. Then the callers are woken that the turn had something
// for, and they run, and post.
//
// Timers of the program under test go off at the same instants as events do, and
// those goroutines must come first, as the turn is to see what they post. So the
// first turn of an instant puts itself off once.
type scheduler struct {
	epoch   time.Time
	prepare func() // called first in every turn
	running atomic.Bool

	mu      sync.Mutex // guards what follows; not held while anything is done
	posts   []todo
	wakes   []todo
	events  eventQueue
	serial  uint64
	timer   *time.Timer
	armed   time.Time     // what the timer is set for; zero: it is not
	settled bool          // the turn was put off
	last    time.Duration // when the latest turn was
	active  bool          // a goroutine is in turn
	closed  bool
	idle    sync.Cond // active has ended
}

// A todo is a task with its place.
type todo struct {
	order berth.Order
	task  berth.Task
}

func newScheduler() *scheduler {
	s := &scheduler{epoch: time.Now(), last: -1}
	s.idle.L = &s.mu
	return s
}

// now is the time since the lab was made.
func (s *scheduler) now() time.Duration { return time.Since(s.epoch) }

// Running implements berth.Scheduler. Once the lab is closed, hosts act at once.
func (s *scheduler) Running() bool { return s.running.Load() }

// Post implements berth.Scheduler.
func (s *scheduler) Post(o berth.Order, t berth.Task) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		t.Turn()
		return
	}
	s.posts = append(s.posts, todo{o, t})
	s.arm()
	s.mu.Unlock()
}

// Wake implements berth.Scheduler.
func (s *scheduler) Wake(o berth.Order, t berth.Task) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		t.Turn()
		return
	}
	s.wakes = append(s.wakes, todo{o, t})
	s.arm()
	s.mu.Unlock()
}

// do calls f in a turn, and waits until it is over.
func (s *scheduler) do(f func()) {
	if s.running.Load() {
		f()
		return
	}
	done := make(chan struct{})
	s.Post(berth.Order{}, function(func() {
		f()
		s.Wake(berth.Order{}, function(func() { close(done) }))
	}))
	<-done
}

type function func()

func (f function) Turn() { f() }

// plan has e's task done at the given time, and not at the one it was planned
// for before.
func (s *scheduler) plan(e *event, at time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if e.planned {
		if e.at == at {
			return
		}
		s.events.remove(e)
	}
	s.serial++
	e.at, e.serial = at, s.serial
	s.events.add(e)
	s.arm()
}

// cancel takes e out of the plan.
func (s *scheduler) cancel(e *event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.planned {
		s.events.remove(e)
	}
}

// Timer implements berth.Scheduler.
func (s *scheduler) Timer(t berth.Task) berth.Timer { return &timer{s, event{task: t}} }

type timer struct {
	s *scheduler
	e event
}

func (t *timer) Set(at time.Time) { t.s.plan(&t.e, at.Sub(t.s.epoch)) }
func (t *timer) Stop()            { t.s.cancel(&t.e) }

// arm sets the timer for the next turn. The lock is held.
func (s *scheduler) arm() {
	if s.active || s.closed {
		return
	}
	var at time.Time
	switch {
	case len(s.posts) > 0 || len(s.wakes) > 0 || s.settled:
		at = s.epoch // at once
	case len(s.events) > 0:
		at = s.epoch.Add(s.events[0].at)
	default:
		return
	}
	if !s.armed.IsZero() && !at.Before(s.armed) {
		return
	}
	s.armed = at
	if s.timer == nil {
		s.timer = time.AfterFunc(later, s.turn)
	} else {
		s.timer.Reset(later)
	}
	s.timer.Reset(max(0, time.Until(at)))
}

// later is any time to come. In a bubble of testing/synctest, a timer that is set
// for now goes off during the call, before other goroutines have blocked, unless
// it was set for later before: then it waits for them like any other.
const later = time.Hour

// turn is what the timer does.
func (s *scheduler) turn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active || s.closed {
		return
	}
	s.armed = time.Time{}
	now := s.now()
	if !s.settled && s.last != now {
		s.settled = true
		s.arm()
		return
	}
	s.settled, s.last = false, now
	s.active = true
	s.running.Store(true)
	defer s.end()
	s.unlocked(s.prepare)
	for s.posted() || s.due() {
		if s.closed {
			break
		}
	}
	s.running.Store(false)
	s.wake()
}

// end ends a turn, also one that panics.
func (s *scheduler) end() {
	s.running.Store(s.closed)
	s.active = false
	s.idle.Broadcast()
	s.arm()
}

func (s *scheduler) unlocked(f func()) {
	s.mu.Unlock()
	defer s.mu.Lock()
	f()
}

// posted does what was posted.
func (s *scheduler) posted() bool {
	if len(s.posts) == 0 {
		return false
	}
	batch := s.posts
	s.posts = nil
	s.unlocked(func() { doAll(batch) })
	return true
}

// due does the first event, if its time has come.
func (s *scheduler) due() bool {
	if len(s.events) == 0 || s.events[0].at > s.now() {
		return false
	}
	e := s.events[0]
	s.events.remove(e)
	s.unlocked(e.task.Turn)
	return true
}

// wake wakes those that wait for the end of the turn.
func (s *scheduler) wake() {
	batch := s.wakes
	s.wakes = nil
	s.unlocked(func() { doAll(batch) })
}

func doAll(batch []todo) {
	slices.SortStableFunc(batch, func(a, b todo) int { return a.order.Compare(&b.order) })
	for _, t := range batch {
		t.task.Turn()
	}
}

// close ends the loop. What is posted from then on is done at once, what was
// planned is not done.
func (s *scheduler) close() {
	s.mu.Lock()
	s.closed = true
	s.running.Store(true)
	if s.timer != nil {
		s.timer.Stop()
	}
	for s.active {
		s.idle.Wait()
	}
	rest := append(s.posts, s.wakes...)
	s.posts, s.wakes, s.events = nil, nil, nil
	s.mu.Unlock()
	doAll(rest)
}
