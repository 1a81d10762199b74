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
	// NewHello returns who is to judge what the program says first in a flow whose
	// verdict was to Inspect it.
	NewHello(f policy.Flow, v policy.Verdict) Hello
}

// A Hello judges a flow by what the program says first.
type Hello interface {
	// Feed takes what has come next: bytes of a stream, or a datagram. It must not
	// keep them. The verdict counts once it is done.
	Feed(b []byte) (done bool, v policy.Verdict)
}

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
