package wire

import (
	"sync/atomic"

	"example.com/berth/link"
)

// Stats are a device's counters.
type Stats struct {
	OutFrames, OutBytes uint64 // taken by Output
	InFrames, InBytes   uint64 // handed to the handler

	// TooLong and BadOffload are frames that Output refused with
	// link.ErrTooLong and link.ErrOffload.
	TooLong, BadOffload uint64
	// LinkDown are frames that Output took while the link was down.
	LinkDown uint64

	// Queued are frames that came while the device was busy and waited.
	Queued uint64
	// QueueFull are frames for this device that its queue had no room for.
	QueueFull uint64
	// Unheard are frames for this device that nobody took, since it was not
	// attached yet, or closed, or down.
	Unheard uint64
	// Malformed are large frames for this port of a switch or hub that had to
	// be cut and whose headers do not allow it.
	Malformed uint64
}

// sent counts the sending side without a lock; the receiving side is counted
// under the inlet's.
type sent struct {
	frames, bytes, tooLong, badOffload, linkDown atomic.Uint64
}

func (s *sent) took(frames []link.Frame) {
	if len(frames) == 0 {
		return
	}
	s.frames.Add(uint64(len(frames)))
	s.bytes.Add(bytesIn(frames))
}

func (s *sent) refused(err error) {
	if err == link.ErrTooLong {
		s.tooLong.Add(1)
	} else {
		s.badOffload.Add(1)
	}
}

func bytesIn(frames []link.Frame) (n uint64) {
	for i := range frames {
		n += uint64(frames[i].Len())
	}
	return n
}
