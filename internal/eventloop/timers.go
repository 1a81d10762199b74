package eventloop

import (
	"container/heap"
	"time"
)

// A Timer is a deadline of a Runner's; the zero Timer with a Runner is ready for
// use. It belongs to the loop's goroutine.
type Timer struct {
	Runner Runner
	at     time.Time
	index  int // in the heap, from 1 on; 0: it is not set
}

// timers are a heap of deadlines.
type timers []*Timer

// set arms a timer, whether it is armed or not.
func (t *timers) set(e *Timer, at time.Time) {
	e.at = at
	if e.index != 0 {
		heap.Fix(t, e.index-1)
		return
	}
	heap.Push(t, e)
}

// stop disarms a timer.
func (t *timers) stop(e *Timer) {
	if e.index != 0 {
		heap.Remove(t, e.index-1)
	}
}

// due takes out one whose time has come, or returns nil.
func (t *timers) due(now time.Time) *Timer {
	if len(*t) == 0 || (*t)[0].at.After(now) {
		return nil
	}
	return heap.Pop(t).(*Timer)
}

// wait is how long until the first is due, in whole milliseconds, as epoll counts,
// rounded up; -1 if there is none.
func (t timers) wait(now time.Time) int {
	if len(t) == 0 {
		return -1
	}
	d := t[0].at.Sub(now)
	if d <= 0 {
		return 0
	}
	return int(min((d+time.Millisecond-1)/time.Millisecond, maxWait))
}

// maxWait is the longest wait, in milliseconds: a number that any int holds.
const maxWait = 1 << 30

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].at.Before(t[j].at) }
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = i+1, j+1
}

// Push implements heap.Interface.
func (t *timers) Push(x any) {
	e := x.(*Timer)
	*t = append(*t, e)
	e.index = len(*t)
}

// Pop implements heap.Interface.
func (t *timers) Pop() any {
	old := *t
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*t = old[:len(old)-1]
	e.index = 0
	return e
}
