package eventloop

import "time"

// A breather says when the loop's goroutine is to yield: once every few
// milliseconds. One that does not for 10 ms is taken by Go's scheduler for one that
// keeps others from running: it is preempted by a signal, its processor is taken away
// in its next system call, and the scheduler's monitor looks every 20 microseconds
// what it does, for milliseconds to come. A loop that makes little but short system
// calls would spend 5 % of its time on that.
type breather struct {
	turns int
	last  time.Time
}

const (
	breathTurns = 4 // the clock is not asked in each
	breath      = 5 * time.Millisecond
)

// due tells in each turn whether to yield in it.
func (b *breather) due(clock func() time.Time) bool {
	if b.turns++; b.turns < breathTurns {
		return false
	}
	b.turns = 0
	now := clock()
	if now.Sub(b.last) < breath {
		return false
	}
	b.last = now
	return true
}
