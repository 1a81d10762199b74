package impair

import (
	"time"

	"example.com/berth/link"
)

// Cause says why a packet was dropped or changed.
type Cause uint8

// The causes. Up to Overflow the packet was dropped.
const (
	ByRule    Cause = iota + 1 // dropped by the rule
	QueueFull                  // no room in the queue of Config.Rate
	Lost                       // Config.Loss
	LostBurst                  // Config.Burst
	Overflow                   // too many packets on their way
	Changed                    // replaced by the rule
	Held                       // delayed by the rule
	Corrupted                  // Config.Corrupt
	Duplicated
	Reordered
)

var causes = [...]string{
	"passed", "dropped by a rule", "dropped: queue full", "lost", "lost in a burst", "dropped: too much on the way",
	"changed by a rule", "delayed by a rule", "corrupted", "duplicated", "reordered",
}

// String says it as the comment of a capture does.
func (c Cause) String() string {
	if int(c) < len(causes) {
		return causes[c]
	}
	return "Cause(?)"
}

// Dropped tells whether the packet did not arrive.
func (c Cause) Dropped() bool { return c >= ByRule && c <= Overflow }

// An Event tells of a packet that was dropped or changed. A packet with several
// causes has several events.
type Event struct {
	// Now counts from when the device was made.
	Now time.Duration
	// Input tells the direction.
	Input bool
	Cause Cause
	// Reason is what the rule said, or which bit was flipped; may be empty.
	Reason string
	// Frame is the packet as it came; lent.
	Frame *link.Frame
}

// Comment is Cause and Reason in one line, for a capture.
func (e *Event) Comment() string { return comment(e.Cause, e.Reason) }

func comment(c Cause, reason string) string {
	if reason == "" {
		return c.String()
	}
	return c.String() + ": " + reason
}

// Stats are the counters of one direction, in packets unless they say bytes.
type Stats struct {
	Packets, Bytes uint64 // that came

	ByRule, QueueFull, Lost, LostBurst, Overflow uint64 // dropped, by cause
	Changed, Held                                uint64 // by the rule
	Corrupted, Duplicated, Reordered             uint64

	// Malformed are large frames whose headers do not allow to cut them;
	// dropped.
	Malformed uint64
	// Refused are packets that the device beneath did not take when they left.
	Refused uint64
	// Passed are packets that left, copies included.
	Passed uint64
	// Cleared are packets that were on their way when Line.Clear, or Close of
	// the device, lost them.
	Cleared uint64
	// OnTheWay and OnTheWayBytes are those that have not left yet.
	OnTheWay, OnTheWayBytes int
}

// count counts one cause.
func (s *Stats) count(c Cause) {
	switch c {
	case ByRule:
		s.ByRule++
	case QueueFull:
		s.QueueFull++
	case Lost:
		s.Lost++
	case LostBurst:
		s.LostBurst++
	case Overflow:
		s.Overflow++
	case Changed:
		s.Changed++
	case Held:
		s.Held++
	case Corrupted:
		s.Corrupted++
	case Duplicated:
		s.Duplicated++
	case Reordered:
		s.Reordered++
	}
}
