package gateway

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	"example.com/berth"
	"example.com/berth/internal/eventloop"
	"example.com/berth/socket"
)

// A looped is what any flow is that is carried on the loop: from the program's
// first packet to the Judge's answer, and the outside's descriptor. All but what says
// otherwise is the loop's goroutine's.
type looped struct {
	flow
	self onLoop // the conn or gramConn that this is part of
	c    *carrier
	bf   *berth.Flow // until it is answered
	in   socket.Socket
	fd   int // outside; -1: there is none
	id   eventloop.ID

	state  loopState
	may    bool        // what the Judge says
	queued atomic.Bool // it is posted, by any goroutine
}

// An onLoop is a flow as the loop and the carrier see it.
type onLoop interface {
	eventloop.Runner
	abort() // the gateway ends
}

// loopState is how far a flow is.
type loopState uint8

const (
	loopNew        loopState = iota
	loopJudged               // the Judge has answered
	loopConnecting           // the outside has not yet
	loopOpen
	loopOver
)

// init makes it a flow that is about to be posted.
func (r *looped) init(self onLoop, c *carrier, bf *berth.Flow) {
	r.self, r.c, r.bf, r.fd = self, c, bf, -1
	r.queued.Store(true)
}

// post has it run once more; it may be called from any goroutine.
func (r *looped) post() {
	if r.queued.CompareAndSwap(false, true) {
		r.c.loop.Post(r.self)
	}
}

// judge asks the Judge, and has it run when he has answered.
func (r *looped) judge() {
	if r.c.closed {
		r.bf.Drop()
		r.leave()
		return
	}
	r.c.live[r.self] = struct{}{}
	r.state = loopJudged
	if !r.c.consult(func() { r.may = r.allowed() }, r.self) {
		r.bf.Drop()
		r.leave()
	}
}

// leave forgets it.
func (r *looped) leave() {
	r.state = loopOver
	if r.fd >= 0 {
		r.c.loop.Forget(r.id)
		unix.Close(r.fd)
		r.fd = -1
	}
	delete(r.c.live, r.self)
	r.g.flows.Add(-1)
}
