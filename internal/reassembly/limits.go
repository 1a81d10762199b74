package reassembly

import "time"

// The time that a packet has to become complete.
const (
	// Timeout4 is Linux's; RFC 1122 3.3.2 leaves 60 to 120 s to the time when
	// links were slow, and with identifiers of 16 bits longer is not safer.
	Timeout4 = 30 * time.Second
	// Timeout6 is RFC 8200 4.5.
	Timeout6 = 60 * time.Second
)

// Limits bound what a table holds. A zero field stands for its default.
type Limits struct {
	// Bytes is the most memory for all packets together. When it is full the
	// oldest packet of all goes: the fragments of a packet are sent at once, so
	// the oldest is the least likely to become complete, and nobody can keep
	// one young by adding to it. Default 4 MiB.
	Bytes int
	// SourceBytes is the same for the packets of one source address, of which
	// the oldest goes. Default a quarter of Bytes.
	SourceBytes int
	// Fragments is the most for one packet; one more ends the packet. Default
	// 256, which carries 64 KiB over links with an MTU of 300.
	Fragments int
}

func (l Limits) withDefaults() Limits {
	if l.Bytes <= 0 {
		l.Bytes = 4 << 20
	}
	if l.SourceBytes <= 0 {
		l.SourceBytes = l.Bytes / 4
	}
	if l.Fragments <= 0 {
		l.Fragments = 256
	}
	return l
}

// What holding things costs besides their bytes, roughly: a packet with its
// place in the maps, a fragment in the list of a packet.
const (
	packetOverhead   = 768
	fragmentOverhead = 64
)

// Counters count what happened to fragments and packets since the table was
// made.
type Counters struct {
	Fragments   uint64 // taken in
	Reassembled uint64 // packets completed
	Duplicates  uint64 // fragments ignored

	// Fragments refused.
	BadLength uint64 // empty, or not a multiple of 8 bytes
	TooLong   uint64 // of a packet longer than 65535 bytes
	Tiny      uint64 // first fragments without all headers

	// Packets given up.
	Overlaps    uint64 // overlapping fragments, or two ends
	TooMany     uint64 // more fragments than Limits.Fragments
	BadECN      uint64 // fragments that contradict each other about ECN
	Evicted     uint64 // by Limits.Bytes
	SourceLimit uint64 // by Limits.SourceBytes
	TimedOut    uint64
}
