package script

import (
	"time"

	"example.com/berth"
)

// start is what a host's clock shows when a script begins.
var start = time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)

// A clock is the time of one script, which passes when the script says so, and
// the timers of the host that go by it. It implements berth.Scheduler: all that
// the host does, it does on the goroutine of the script, which is always its
// turn, and no call waits.
type clock struct {
	now    time.Duration
	timers []*timer // in no order: a host has a few
	serial int
	posts  []berth.Task
}

func (c *clock) time() time.Time { return start.Add(c.now) }

// Running implements berth.Scheduler.
func (c *clock) Running() bool { return true }

// Post implements berth.Scheduler.
func (c *clock) Post(_ berth.Order, t berth.Task) { c.posts = append(c.posts, t) }

// Wake implements berth.Scheduler.
func (c *clock) Wake(_ berth.Order, t berth.Task) { c.posts = append(c.posts, t) }

// Timer implements berth.Scheduler.
func (c *clock) Timer(t berth.Task) berth.Timer { return &timer{clock: c, task: t} }

// settle does what was posted.
func (c *clock) settle() {
	for len(c.posts) > 0 {
		batch := c.posts
		c.posts = nil
		for _, t := range batch {
			t.Turn()
		}
	}
}

// first is the timer that goes off first, or nil.
func (c *clock) first() (f *timer) {
	for _, t := range c.timers {
		if f == nil || t.at < f.at || t.at == f.at && t.serial < f.serial {
			f = t
		}
	}
	return f
}

// step lets time pass until the next timer, which goes off, or until the given
// time, if that is earlier. It tells whether a timer went off.
func (c *clock) step(until time.Duration) bool {
	t := c.first()
	if t == nil || t.at > until {
		c.now = max(c.now, until)
		return false
	}
	c.now = max(c.now, t.at)
	t.Stop()
	t.task.Turn()
	c.settle()
	return true
}

// A timer is one of the host.
type timer struct {
	clock  *clock
	task   berth.Task
	at     time.Duration
	serial int
	set    bool
}

// Set implements berth.Timer.
func (t *timer) Set(at time.Time) {
	c := t.clock
	if !t.set {
		t.set = true
		c.timers = append(c.timers, t)
	}
	c.serial++
	t.at, t.serial = at.Sub(start), c.serial
}

// Stop implements berth.Timer.
func (t *timer) Stop() {
	if !t.set {
		return
	}
	t.set = false
	list := t.clock.timers
	for i := range list {
		if list[i] == t {
			list[i] = list[len(list)-1]
			t.clock.timers = list[:len(list)-1]
			return
		}
	}
}

type alarm struct{}

// Turn implements berth.Task: that time has stopped there is all.
func (alarm) Turn() {}
