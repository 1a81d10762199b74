package impair

import (
	"time"

	"example.com/berth/link"
)

// A Rule decides about one packet. Now counts from when the device was made;
// the frame is lent, has its checksums, and is never a large one. A rule is
// called in order, by one goroutine at a time in each direction; it must not
// block, and must not call the device. [Drop], [Delay], [Change] and [Rules]
// make rules.
type Rule func(now time.Duration, f *link.Frame) Verdict

// A Verdict is what a Rule says. The zero value lets the packet pass.
type Verdict struct {
	// Drop drops the packet.
	Drop bool
	// Delay delays the packet by so much more than Config says; those behind
	// it may overtake it.
	Delay time.Duration
	// Replace, if not nil, are the bytes of another frame to send instead,
	// with the link's header and checksums.
	Replace []byte
	// Reason is for Event.Reason and the capture; may be empty.
	Reason string
}
