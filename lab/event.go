package lab

import (
	"container/heap"
	"time"

	"example.com/berth"
)

// An event is something that is to be done at a certain time. It lives in its
// owner.
type event struct {
	task    berth.Task
	at      time.Duration
	serial  uint64 // of those at one time the lowest comes first
	index   int
	planned bool
}

// An eventQueue is a heap of events, the first to be done in front.
type eventQueue []*event

func (q *eventQueue) add(e *event) {
	e.planned = true
	heap.Push((*eventHeap)(q), e)
}

func (q *eventQueue) remove(e *event) {
	heap.Remove((*eventHeap)(q), e.index)
	e.planned = false
}

type eventHeap []*event

func (h eventHeap) Len() int { return len(h) }

func (h eventHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].serial < h[j].serial
}

func (h eventHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *eventHeap) Push(x any) {
	e := x.(*event)
	e.index = len(*h)
	*h = append(*h, e)
}

func (h *eventHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return e
}
