package eventloop

import (
	"testing"
	"time"
)

type handler struct{ name string }

func (handler) Ready(Events) {}

// An ID finds its descriptor until that is removed, and never the next in its place.
func TestIDs(t *testing.T) {
	var s slots
	a := s.add(10, handler{"a"})
	b := s.add(11, handler{"b"})
	if fd, h, ok := s.find(b); fd != 11 || h != (handler{"b"}) || !ok {
		t.Errorf("b is %d %v %t", fd, h, ok)
	}
	if !s.remove(a) || s.remove(a) {
		t.Error("one was removed never or twice")
	}
	c := s.add(10, handler{"c"})
	if uint32(c) != uint32(a) {
		t.Errorf("the free place %x was not used, but %x", a, c)
	}
	if _, _, ok := s.find(a); ok {
		t.Error("an old ID finds the new descriptor")
	}
	for _, id := range []ID{0, 99, c + 1<<32} {
		if _, _, ok := s.find(id); ok || s.remove(id) {
			t.Errorf("ID %x is somebody's", id)
		}
	}
}

func TestTimers(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	var all timers
	a, b, c := new(Timer), new(Timer), new(Timer)
	if all.wait(start) != -1 {
		t.Error("somebody is waited for without a timer")
	}
	all.set(a, at(30))
	all.set(b, at(10))
	all.set(c, at(20))
	all.set(b, at(40)) // it moves
	all.stop(a)
	all.stop(a) // it is out
	for _, tt := range []struct {
		now  time.Time
		wait int
		due  *Timer
	}{
		{start, 20, nil},
		{at(19).Add(time.Microsecond), 1, nil}, // rounded up: it must not be early
		{at(20), 0, c},
		{at(20), 20, nil},
		{at(50), 0, b},
		{at(50), -1, nil},
	} {
		if got := all.wait(tt.now); got != tt.wait {
			t.Errorf("at %v: wait %d ms, want %d", tt.now.Sub(start), got, tt.wait)
		}
		if got := all.due(tt.now); got != tt.due {
			t.Errorf("at %v: due is %v, want %v", tt.now.Sub(start), got, tt.due)
		}
	}
	all.set(a, start.AddDate(100, 0, 0))
	if got := all.wait(start); got != maxWait {
		t.Errorf("wait %d ms for a century", got)
	}
}

// Who posts wakes the loop if it sleeps, once; a closed one does what was posted.
func TestQueue(t *testing.T) {
	var q queue
	nothing := Func(func() {})
	if !q.sleep() {
		t.Error("it does not sleep though there is nothing to do")
	}
	for i, want := range []bool{true, false} {
		if wake, ok := q.post(nothing); wake != want || !ok {
			t.Errorf("post %d: wake %t, ok %t", i, wake, ok)
		}
	}
	if q.sleep() {
		t.Error("it sleeps though there is something to do")
	}
	if !q.close() || q.close() || q.over() {
		t.Error("closed never, or twice, or before its work is done")
	}
	if _, ok := q.post(nothing); ok {
		t.Error("it takes something when it is closed")
	}
	due := q.take()
	if len(due) != 2 || !q.over() {
		t.Errorf("%d were posted, over %t", len(due), q.over())
	}
	q.giveBack(due)
	if due[0] != nil {
		t.Error("what is done is kept")
	}
}
