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
	QueueFull                  // no room in the queue before the link
	QueueAQM                   // Config.AQM
	Lost                       // Config.Loss
	LostBurst                  // Config.Burst
	Overflow                   // too many packets on their way
	Changed                    // replaced by the rule
	Held                       // delayed by the rule
	Corrupted                  // Config.Corrupt
	Duplicated
	Reordered
	Marked // Config.AQM: congestion experienced (ECN)
)

var causes = [...]string{
	"passed", "dropped by a rule", "dropped: queue full", "dropped: AQM", "lost", "lost in a burst", "dropped: too much on the way",
	"changed by a rule", "delayed by a rule", "corrupted", "duplicated", "reordered", "marked CE",
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
// causes has several events. They come in the order of the stations and of
// time, not of packets: what happens behind the queue is told when it happens.
type Event struct {
	// Now counts from when the device was made; of a Line, it is the time that
	// its driver gave.
	Now time.Duration
	// Input tells the direction.
	Input bool
	// Packet is the number of the packet in its direction, from 0, as counted
	// by Stats.Packets: after large frames were cut.
	Packet uint64
	Cause  Cause
	// Reason is what the rule said, which bit was flipped, or which part of AQM
	// spoke; may be empty.
	Reason string
	// Frame is the packet as it was before; lent.
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

	ByRule, QueueFull, QueueAQM, Lost, LostBurst, Overflow uint64 // dropped, by cause
	Changed, Held                                          uint64 // by the rule
	Corrupted, Duplicated, Reordered, Marked               uint64

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
	// Queued and QueuedBytes are those of them that wait for the narrow link.
	Queued, QueuedBytes int
}

// count counts one cause.
func (s *Stats) count(c Cause) {
	switch c {
	case ByRule:
		s.ByRule++
	case QueueFull:
		s.QueueFull++
	case QueueAQM:
		s.QueueAQM++
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
	case Marked:
		s.Marked++
	}
}
