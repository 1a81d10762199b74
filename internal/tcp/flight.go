package tcp

import (
	"sort"
	"time"

	"example.com/berth/internal/seqnum"
)

// A flight is the scoreboard (RFC 6675 3): one record for each segment between
// SND.UNA and SND.NXT, in order, and the sums over them that congestion control
// needs. A large segment has a record for each piece that the device cuts it
// into.
//
// All operations are O(log n) or amortized O(1), whatever the peer sends: runs
// of records that are acknowledged selectively are skipped as one, the border
// below which holes are lost only moves up, and so does the search for what to
// resend, but for a retransmission time-out, which starts anew.
type flight struct {
	records ring[record]

	sacked int // bytes acknowledged selectively
	lost   int // bytes taken for lost
	resent int // bytes resent and not known to have arrived

	// lossEdge is the index below which every record is sacked or lost;
	// sackedAbove counts the sacked records at and above it.
	lossEdge    int
	sackedAbove int
	// high is the end of the highest sacked record; it means something while
	// sacked is not 0.
	high seqnum.Value
	// Only records from next up to lostEnd may wait to be resent.
	next, lostEnd int
}

// A record is a segment in flight.
type record struct {
	seq, end seqnum.Value
	sent     time.Duration // last time
	// run, on a sacked record, is a number of records from here on of which it
	// is known that all are sacked.
	run   uint32
	flags recordFlags
}

type recordFlags uint8

const (
	flagSacked recordFlags = 1 << iota // acknowledged selectively
	flagLost                           // taken for lost
	flagResent                         // resent, and the retransmission in flight
	flagTwice                          // ever resent: no round-trip sample (Karn)
	flagFIN                            // ends with FIN
)

func (r *record) has(f recordFlags) bool { return r.flags&f != 0 }
func (r *record) len() int               { return r.end.Sub(r.seq) }

var flightRecords ringPool[record]

// bytes returns how many sequence numbers are outstanding: FlightSize.
func (f *flight) bytes() int {
	if f.records.len() == 0 {
		return 0
	}
	return f.records.back().end.Sub(f.records.front().seq)
}

// pipe estimates what is in the network (RFC 6675 4, SetPipe).
func (f *flight) pipe() int { return f.bytes() - f.sacked - f.lost + f.resent }

// push records a segment that is sent for the first time.
func (f *flight) push(seq, end seqnum.Value, now time.Duration, flags recordFlags) {
	f.records.push(&flightRecords, record{seq: seq, end: end, sent: now, flags: flags})
}

// index returns the index of the first record that ends after seq.
func (f *flight) index(seq seqnum.Value) int {
	return sort.Search(f.records.len(), func(i int) bool { return seq.Less(f.records.at(i).end) })
}

// pop removes the first k records, which are acknowledged.
func (f *flight) pop(k int) {
	for i := range k {
		r := f.records.at(i)
		f.uncount(r)
		if i >= f.lossEdge && r.has(flagSacked) {
			f.sackedAbove--
		}
	}
	f.lossEdge = max(0, f.lossEdge-k)
	f.next = max(0, f.next-k)
	f.lostEnd = max(0, f.lostEnd-k)
	f.records.pop(&flightRecords, k)
}

// uncount takes a record out of the sums.
func (f *flight) uncount(r *record) {
	n := r.len()
	if r.has(flagSacked) {
		f.sacked -= n
	}
	if r.has(flagLost) {
		f.lost -= n
	}
	if r.has(flagResent) {
		f.resent -= n
	}
}

// trim shortens the first record to begin at seq, up to which it is
// acknowledged.
func (f *flight) trim(seq seqnum.Value) {
	r := f.records.front()
	f.uncount(r)
	r.seq = seq
	f.count(r)
}

func (f *flight) count(r *record) {
	n := r.len()
	if r.has(flagSacked) {
		f.sacked += n
	}
	if r.has(flagLost) {
		f.lost += n
	}
	if r.has(flagResent) {
		f.resent += n
	}
}

// set changes the flags of a record and keeps the sums.
func (f *flight) set(r *record, add, remove recordFlags) {
	f.uncount(r)
	r.flags = r.flags&^remove | add
	f.count(r)
}

// skipSacked returns the first index from i on whose record is not sacked, and
// shortens the way for the next who asks.
func (f *flight) skipSacked(i int) int {
	j := i
	for j < f.records.len() && f.records.at(j).has(flagSacked) {
		j += int(f.records.at(j).run)
	}
	for i < j {
		r := f.records.at(i)
		next := i + int(r.run)
		r.run = uint32(j - i)
		i = next
	}
	return j
}

// sack marks the records that lie wholly within a block, and adds those for
// which that is new to the sample.
func (f *flight) sack(left, right seqnum.Value, s *ackSample) {
	i := f.index(left)
	if i < f.records.len() && f.records.at(i).seq.Less(left) {
		i++ // only part of it arrived: resend it whole
	}
	for i = f.skipSacked(i); i < f.records.len(); i = f.skipSacked(i + 1) {
		r := f.records.at(i)
		if right.Less(r.end) {
			return
		}
		s.sacked += r.len()
		s.arrived(r)
		f.set(r, flagSacked, flagLost|flagResent)
		r.run = 1
		if f.sacked == r.len() || f.high.Less(r.end) {
			f.high = r.end
		}
		if i >= f.lossEdge {
			f.sackedAbove++
		}
	}
}

// sackedAfter tells whether a record after i is sacked.
func (f *flight) sackedAfter(i int) bool {
	return f.sacked > 0 && f.records.at(i).end.Less(f.high)
}

// detectLoss takes for lost every hole above which dupThresh segments are
// sacked (RFC 6675 4, IsLost, in segments), and returns how many bytes that
// are.
func (f *flight) detectLoss() int {
	before := f.lost
	for f.sackedAbove >= dupThresh {
		if f.records.at(f.lossEdge).has(flagSacked) {
			end := f.skipSacked(f.lossEdge)
			f.sackedAbove -= end - f.lossEdge
			f.lossEdge = end
			continue
		}
		f.lose(f.lossEdge)
		f.lossEdge++
	}
	return f.lost - before
}

// lose takes record i for lost. One that was resent already keeps that mark:
// the copy is in flight.
func (f *flight) lose(i int) {
	f.set(f.records.at(i), flagLost, 0)
	f.next = min(f.next, i)
	f.lostEnd = max(f.lostEnd, i+1)
}

// loseFirst takes the first record for lost, if it is not sacked.
func (f *flight) loseFirst() {
	if !f.records.front().has(flagSacked) {
		f.lose(0)
	}
}

// loseAll takes everything that is not sacked for lost, retransmissions too,
// after a time-out. If forget is set, what the peer acknowledged selectively no
// longer counts (RFC 2018 8).
func (f *flight) loseAll(forget bool) {
	n := f.records.len()
	for i := range n {
		r := f.records.at(i)
		if forget {
			f.set(r, 0, flagSacked)
		}
		if !r.has(flagSacked) {
			f.set(r, flagLost, flagResent)
		}
	}
	f.lossEdge, f.sackedAbove = n, 0
	f.next, f.lostEnd = 0, n
}

// nextLost returns the index of the first record that is lost and not resent,
// or -1.
func (f *flight) nextLost() int {
	for f.next < f.lostEnd {
		r := f.records.at(f.next)
		if r.has(flagSacked) {
			f.next = f.skipSacked(f.next)
			continue
		}
		if r.has(flagLost) && !r.has(flagResent) {
			return f.next
		}
		f.next++
	}
	return -1
}

// clear drops all records.
func (f *flight) clear() {
	if n := f.records.len(); n > 0 {
		f.records.pop(&flightRecords, n)
	}
	*f = flight{}
}

// recount computes the sums and indexes from the records.
func (f *flight) recount() {
	f.sacked, f.lost, f.resent, f.lossEdge, f.sackedAbove = 0, 0, 0, 0, 0
	f.next, f.lostEnd = 0, 0
	for i := range f.records.len() {
		r := f.records.at(i)
		f.count(r)
		if r.has(flagSacked) {
			r.run = 1
			f.sackedAbove++
		}
		if r.has(flagLost) {
			f.lostEnd = i + 1
		}
	}
}
