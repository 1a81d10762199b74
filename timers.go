package berth

import (
	"container/heap"
	"sync"
	"sync/atomic"
	"time"

	"example.com/berth/internal/lean"
)

// timers is the host's one timer: a heap of who wants to be woken when, and a
// time.Timer armed for the first of them. A deadline that moves later is left
// where it stands and looked at again when it comes, so that the deadline of a
// busy connection, which moves with every segment, costs a comparison and no lock.
//
// Its lock guards the heap alone and is never held while somebody is woken.
type timers struct {
	host *Host

	mu     sync.Mutex
	heap   timerHeap
	timer  *time.Timer
	turn   Timer         // instead, with a Scheduler
	armed  time.Duration // when timer fires; 0: not armed
	firing bool          // fire is under way: it arms the timer when it is done
	closed bool
}

// A timerEntry is one row; it lives in its owner. Its fields belong to timers.
type timerEntry struct {
	_ lean.Incomparable

	owner timerOwner
	at    atomicDuration // 0: not in the heap; changed under the lock of timers
	index int
}

// An atomicDuration is a time that is read without the lock under which it changes.
type atomicDuration struct{ v atomic.Int64 }

func (d *atomicDuration) load() time.Duration   { return time.Duration(d.v.Load()) }
func (d *atomicDuration) store(t time.Duration) { d.v.Store(int64(t)) }

// A timerOwner is woken when its time has come, or earlier; it looks at its own
// deadline and schedules itself again.
type timerOwner interface {
	timerFired(now time.Duration)
}

// schedule sees to it that e's owner is woken at the latest at time at. The owner
// calls it with the lock held under which it also looks at its deadline when it is
// woken: so an entry that is due earlier, and may be fired this instant, will do.
func (t *timers) schedule(e *timerEntry, at time.Duration) {
	if due := e.at.load(); due != 0 && due <= at {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch due := e.at.load(); {
	case t.closed:
		return
	case due == 0:
		e.at.store(at)
		heap.Push(&t.heap, e)
	case at < due:
		e.at.store(at)
		heap.Fix(&t.heap, e.index)
	default:
		return
	}
	t.arm()
}

// remove forgets e.
func (t *timers) remove(e *timerEntry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.at.load() != 0 {
		heap.Remove(&t.heap, e.index)
		e.at.store(0)
	}
}

func (t *timers) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.timer != nil {
		t.timer.Stop()
	}
	if t.turn != nil {
		t.turn.Stop()
	}
	for _, e := range t.heap {
		e.at.store(0)
	}
	t.heap = nil
}

// arm sets the timer for the first deadline, unless it is set for an earlier
// time already.
func (t *timers) arm() {
	if len(t.heap) == 0 || t.firing {
		return
	}
	first := t.heap[0].at.load()
	if t.armed != 0 && t.armed <= first {
		return
	}
	t.armed = first
	if turns := t.host.turns; turns != nil {
		if t.turn == nil {
			t.turn = turns.Timer(t)
		}
		t.turn.Set(t.host.timeOf(first))
		return
	}
	wait := max(first-t.host.now(), 0)
	if t.timer == nil {
		t.timer = time.AfterFunc(wait, t.fire)
	} else {
		t.timer.Reset(wait)
	}
}

// Turn is fire, called by a Scheduler.
func (t *timers) Turn() { t.fire() }

// fire wakes everybody whose time has come.
func (t *timers) fire() {
	deepen()
	now := t.host.now()
	t.mu.Lock()
	t.armed, t.firing = 0, true
	for len(t.heap) > 0 && t.heap[0].at.load() <= now && !t.closed {
		e := heap.Pop(&t.heap).(*timerEntry)
		e.at.store(0)
		t.mu.Unlock()
		e.owner.timerFired(now)
		t.mu.Lock()
	}
	if t.firing = false; !t.closed {
		t.arm()
	}
	t.mu.Unlock()
}

type timerHeap []*timerEntry

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at.load() < h[j].at.load() }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *timerHeap) Push(x any) {
	e := x.(*timerEntry)
	e.index = len(*h)
	*h = append(*h, e)
}

func (h *timerHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return e
}
