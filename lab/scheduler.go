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
// A turn begins when nothing else is left to do at this instant; see quiescence.
// In a turn first what was posted is done, in the order of berth.Order; then the
// events that are due, in the order of their time and, at one time, in that in
// which they were planned; and again from the beginning until nothing is due.
// Then the callers are woken that the turn had something for, and they run, and
// post.
type scheduler struct {
	epoch   time.Time
	prepare func() // called first in every turn
	running atomic.Bool
	quiet   quiescence
	alarm   *time.Timer   // goes off when an event is due
	stop    chan struct{} // closed when the loop is to end

	mu     sync.Mutex // guards what follows; not held while anything is done
	posts  []todo
	wakes  []todo
	events eventQueue
	serial uint64
	armed  time.Duration // what alarm is set for; 0: it is not
	asked  bool          // a turn was asked for
	active bool          // the loop is in a turn
	closed bool
	idle   sync.Cond // active has ended
}

// A todo is a task with its place.
type todo struct {
	order berth.Order
	task  berth.Task
}

func newScheduler() *scheduler {
	s := &scheduler{epoch: time.Now(), quiet: newQuiescence(), stop: make(chan struct{})}
	s.alarm = time.NewTimer(later)
	s.idle.L = &s.mu
	go s.loop()
	return s
}

// now is the time since the lab was made.
func (s *scheduler) now() time.Duration { return time.Since(s.epoch) }

// Running implements berth.Scheduler. Once the lab is closed, hosts act at once.
func (s *scheduler) Running() bool { return s.running.Load() }

// Post implements berth.Scheduler.
func (s *scheduler) Post(o berth.Order, t berth.Task) { s.put(&s.posts, o, t) }

// Wake implements berth.Scheduler.
func (s *scheduler) Wake(o berth.Order, t berth.Task) { s.put(&s.wakes, o, t) }

// put adds a task to one of the two lists. Once the loop has ended the task is done
// on a goroutine of its own: whoever posts it may hold a lock that it takes.
func (s *scheduler) put(list *[]todo, o berth.Order, t berth.Task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		go t.Turn()
		return
	}
	*list = append(*list, todo{o, t})
	s.arm()
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

// arm sees to the next turn. The lock is held.
func (s *scheduler) arm() {
	switch {
	case s.active || s.closed || s.asked:
	case len(s.posts) > 0 || len(s.wakes) > 0:
		s.ask()
	case len(s.events) > 0:
		if at := s.events[0].at; s.armed == 0 || at < s.armed {
			s.armed = max(at, 1)
			s.alarm.Reset(time.Until(s.epoch.Add(at)))
		}
	}
}

// ask asks for a turn at this instant. The lock is held.
func (s *scheduler) ask() {
	if !s.asked {
		s.asked = true
		s.quiet.await()
	}
}

// loop takes turns. That an event is due is not enough for one: timers of the
// program go off at the same instant, and what they start comes first.
func (s *scheduler) loop() {
	for {
		select {
		case <-s.alarm.C:
			s.mu.Lock()
			s.armed = 0
			s.ask()
			s.mu.Unlock()
		case <-s.quiet.reached:
			s.turn()
		case <-s.stop:
			return
		}
	}
}

// turn does what there is to do.
func (s *scheduler) turn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = false
	if s.closed {
		return
	}
	s.active = true
	s.running.Store(true)
	defer s.end()
	s.unlocked(s.prepare)
	for !s.closed && (s.posted() || s.due()) {
	}
	s.running.Store(s.closed)
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

// close ends the loop. What is posted from then on is done without it, what was
// planned is not done.
func (s *scheduler) close() {
	s.mu.Lock()
	s.closed = true
	s.running.Store(true)
	s.alarm.Stop()
	s.quiet.stop()
	close(s.stop)
	for s.active {
		s.idle.Wait()
	}
	rest := append(s.posts, s.wakes...)
	s.posts, s.wakes, s.events = nil, nil, nil
	s.mu.Unlock()
	doAll(rest)
}
