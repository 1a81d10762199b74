package eventloop

import "sync"

// queue is what was posted and is not done yet.
type queue struct {
	mu     sync.Mutex
	next   []Runner
	spare  []Runner // its memory is used again
	asleep bool     // the loop waits, and must be woken
	closed bool
}

// keepQueued is the most Runners whose memory is kept for later.
const keepQueued = 1024

// post queues a Runner. It tells whether the loop has to be woken for it, and
// whether there is one still.
func (q *queue) post(r Runner) (wake, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false, false
	}
	q.next = append(q.next, r)
	wake, q.asleep = q.asleep, false
	return wake, true
}

// take returns what was posted until now. Who has done it gives it back.
func (q *queue) take() []Runner {
	q.mu.Lock()
	defer q.mu.Unlock()
	due := q.next
	q.next, q.spare = q.spare, nil
	return due
}

// giveBack is the end of a take.
func (q *queue) giveBack(done []Runner) {
	clear(done)
	q.mu.Lock()
	defer q.mu.Unlock()
	if cap(done) <= keepQueued {
		q.spare = done[:0]
	}
}

// sleep tells whether there is nothing to do, so that the loop may wait; who posts
// wakes it from then on.
func (q *queue) sleep() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.asleep = len(q.next) == 0 && !q.closed
	return q.asleep
}

// awake is the end of a sleep.
func (q *queue) awake() {
	q.mu.Lock()
	q.asleep = false
	q.mu.Unlock()
}

// close lets nothing more be posted, and tells whether it was the first to.
func (q *queue) close() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	first := !q.closed
	q.closed = true
	return first
}

// over tells whether it is closed and all is done.
func (q *queue) over() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed && len(q.next) == 0
}
