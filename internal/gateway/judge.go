package gateway

import (
	"time"

	"example.com/berth/internal/policy"
)

// A Judge says who may talk to whom. Its methods are called from many goroutines,
// and may block: the program waits meanwhile.
type Judge interface {
	// Decide judges a flow that the program wants to begin.
	Decide(now time.Time, f policy.Flow) policy.Verdict
	// NewHello returns who is to judge what the program says in a flow whose verdict
	// was to Inspect it.
	NewHello(f policy.Flow, v policy.Verdict) Hello
}

// A Hello judges a flow by what the program says. It is called by one goroutine at a
// time, and must not keep what it is fed.
type Hello interface {
	// Feed takes the next bytes of a stream, or the next datagram. They are held
	// back until it is done; if the verdict allows then, they go on. Of a stream what
	// follows is fed, too, as long as the verdict has Inspect. Every datagram is fed,
	// as one may begin something new.
	Feed(b []byte) (done bool, v policy.Verdict)
	// End is the verdict on what is still held back, where no more comes, or not in
	// time.
	End() policy.Verdict
}

var _ Hello = (*policy.Hello)(nil)

// Kind is what an [Event] tells.
type Kind uint8

// The kinds of event.
const (
	// Denied: the verdict refused the flow, before it began or by its Hello.
	Denied Kind = iota + 1
	// Failed: it was allowed, and the world did not let it begin. Err says why.
	Failed
	// Begun: the flow has begun.
	Begun
	// Ended: it is over, with Err if one side ended it by force.
	Ended
)

// String is the word for it: "begun".
func (k Kind) String() string {
	switch k {
	case Denied:
		return "denied"
	case Failed:
		return "failed"
	case Begun:
		return "begun"
	case Ended:
		return "ended"
	}
	return "none"
}

// An Event is something that happened to a flow.
type Event struct {
	Kind Kind
	Time time.Time
	// ID is the flow's number, from 1 on: the same in all of its events.
	ID      uint64
	Flow    policy.Flow
	Verdict policy.Verdict
	// Inwards is set on a flow that came to a published port; its Src is outside.
	Inwards bool
	// Sent and Received are what the program has, in bytes of data; with Ended, or
	// with Denied where a Hello did it.
	Sent, Received int64
	// Duration is the time since the flow began, with Ended.
	Duration time.Duration
	Err      error
}
