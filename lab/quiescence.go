package lab

import "time"

// quiescence tells when nothing is left to do at this instant: in a bubble of
// testing/synctest, when every goroutine of it is durably blocked, but before
// synctest.Wait returns and before time moves on. On the wall clock that is at
// once.
//
// It is a timer set for now. Package synctest has only Wait for this, which one
// goroutine of a bubble may call at a time, and it is the program's. Such a timer
// goes off when the bubble is blocked, as any other timer whose time has come; but
// the runtime makes exceptions, which have to be avoided. A timer that is not
// waiting is sent off during the very call that sets it for now: so it is set for
// later first. Timers that are changed while others go off, go off with them if
// they are the next in the heap: so a second timer, the shield, is always next
// before later. And a timer with a channel waits only while somebody waits for the
// channel: so it is one that calls a function.
//
// Where a runtime does otherwise, turns begin early, and the order of calls at one
// instant becomes that of their arrival; the test of the same packets in every run
// shows it.
type quiescence struct {
	turn, shield *time.Timer
	reached      chan struct{} // ready then
}

const (
	year   = 8766 * time.Hour
	beyond = 100 * year // the shield
	later  = 200 * year
)

func newQuiescence() quiescence {
	q := quiescence{reached: make(chan struct{}, 1)}
	q.shield = time.AfterFunc(beyond, func() {})
	q.turn = time.AfterFunc(later, func() { q.reached <- struct{}{} })
	q.turn.Stop()
	return q
}

// await has reached become ready, once.
func (q *quiescence) await() {
	q.turn.Reset(later)
	q.turn.Reset(0)
}

func (q *quiescence) stop() {
	q.turn.Stop()
	q.shield.Stop()
}
