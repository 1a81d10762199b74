package tcp

import (
	"sort"
	"sync"
	"time"
	"unsafe"

	"example.com/berth/internal/lean"
	"example.com/berth/internal/seqnum"
)

// A flight is the scoreboard (RFC 6675 3): one record for each segment between
// SND.UNA and SND.NXT, in order, and the sums over them that congestion control
// needs. A large segment has a record for each piece that the device cuts it
// into. A connection has one only while something is in flight; methods that
// only ask may be called on nil.
//
// All operations are O(log n) or amortized O(1), whatever the peer sends: runs
// of records that are acknowledged selectively are skipped as one, the border
// below which every record's fate is known only moves up, and so does the
// search for what to resend, but for a retransmission time-out and for what
// proves not to be lost, which start anew.
type flight struct {
	_ lean.Incomparable

	records ring[record]
	// resends are the retransmissions in flight, and some that no longer are,
	// in the order in which they were sent.
	resends ring[resend]
	rack    rackVars

	sacked int // bytes acknowledged selectively
	lost   int // bytes taken for lost
	resent int // bytes resent and not known to have arrived

	sackedSegs int          // records acknowledged selectively
	top        seqnum.Value // where the highest of these begins; or below the flight
	// lossEdge is the index below which every record is sacked, lost or resent.
	// The others are as they were sent first: in order. Of those below,
	// sackedBelow are sacked.
	lossEdge, sackedBelow int
	// Only records from next up to lostEnd may wait to be resent.
	next, lostEnd int

	dups  dupCount // on a connection without SACK
	rates *deliveryRate
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

var (
	flightRecords ringPool[record]
	flightResends ringPool[resend]
	scoreboards   = sync.Pool{New: func() any { return new(flight) }}
)

// newFlight returns a flight in which the next segment begins at seq.
func newFlight(seq seqnum.Value) *flight {
	f := scoreboards.Get().(*flight)
	f.rack.fack = seq
	f.top = seq.Add(-1)
	return f
}

// release gives the flight and its memory back. Small rings stay with it for
// who gets it next.
func (f *flight) release() {
	if f == nil {
		return
	}
	f.rates.forget()
	f.records.reset(&flightRecords)
	f.resends.reset(&flightResends)
	*f = flight{records: f.records, resends: f.resends}
	scoreboards.Put(f)
}

// memory returns the bytes that it takes.
func (f *flight) memory() int {
	if f == nil {
		return 0
	}
	return int(unsafe.Sizeof(*f)) + f.records.bytes(unsafe.Sizeof(record{})) + f.resends.bytes(unsafe.Sizeof(resend{}))
}

// len returns the number of records.
func (f *flight) len() int {
	if f == nil {
		return 0
	}
	return f.records.len()
}

// bytes returns how many sequence numbers are outstanding: FlightSize.
func (f *flight) bytes() int {
	if f.len() == 0 {
		return 0
	}
	return f.records.back().end.Sub(f.records.front().seq)
}

// pipe estimates what is in the network (RFC 6675 4, SetPipe).
func (f *flight) pipe() int {
	if f == nil {
		return 0
	}
	return max(0, f.net())
}

// net is pipe before it is known to be no less than 0: there may be more duplicates
// than segments in flight.
func (f *flight) net() int { return f.bytes() - f.sacked - f.lost + f.resent - f.dups.arrived }

// push records a segment that is sent for the first time.
func (f *flight) push(seq, end seqnum.Value, now time.Duration, flags recordFlags) {
	f.records.push(&flightRecords, record{seq: seq, end: end, sent: now, flags: flags})
	f.rates.push(1)
}

// pushRun records k segments of size bytes each, which are sent at once for the first
// time.
func (f *flight) pushRun(seq seqnum.Value, size, k int, now time.Duration) {
	first := f.records.len()
	f.records.extend(&flightRecords, k)
	for i := range k {
		end := seq.Add(size)
		*f.records.at(first + i) = record{seq: seq, end: end, sent: now}
		seq = end
	}
	f.rates.push(k)
}

// untouched joins the records from index i on that were sent once, all in the same
// instant, end at ack at the latest, and have no flags, and returns how many they are:
// of a large segment one need not look at each piece.
func (f *flight) untouched(i int, ack seqnum.Value) (run record, n int) {
	for ; i < f.records.len(); i++ {
		r := f.records.at(i)
		if r.flags != 0 || ack.Less(r.end) || n > 0 && r.sent != run.sent {
			break
		}
		if n++; n == 1 {
			run = *r
		}
		run.end = r.end
	}
	return run, n
}

// arrived adds the records that end at ack at the latest to the sample, but for those
// that were acknowledged selectively before, and returns how many there are.
func (f *flight) arrived(ack seqnum.Value, s *ackSample) (k int) {
	for k < f.len() {
		run, n := f.untouched(k, ack)
		if n == 0 {
			run, n = *f.records.at(k), 1
		}
		if ack.Less(run.end) {
			break
		}
		k += n
		if !run.has(flagSacked) {
			s.arrived(&run, n)
			f.rates.arrived(k-1, &run, s)
		}
	}
	return k
}

// index returns the index of the first record that ends after seq.
func (f *flight) index(seq seqnum.Value) int {
	return sort.Search(f.records.len(), func(i int) bool { return seq.Less(f.records.at(i).end) })
}

// pop removes the first k records, which are acknowledged.
func (f *flight) pop(k int) {
	if f.sackedSegs > 0 || f.lost > 0 || f.resent > 0 { // else there is nothing to uncount
		for i := range k {
			r := f.records.at(i)
			if i < f.lossEdge && r.has(flagSacked) {
				f.sackedBelow--
			}
			f.uncount(r)
		}
	}
	f.lossEdge = max(0, f.lossEdge-k)
	f.next = max(0, f.next-k)
	f.lostEnd = max(0, f.lostEnd-k)
	f.records.discard(k)
	f.rates.pop(k)
}

// uncount takes a record out of the sums.
func (f *flight) uncount(r *record) {
	if r.flags&(flagSacked|flagLost|flagResent) == 0 {
		return
	}
	n := r.len()
	if r.has(flagSacked) {
		f.sacked -= n
		f.sackedSegs--
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
		f.sackedSegs++
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
		s.arrived(r, 1)
		f.rates.arrived(i, r, s)
		f.set(r, flagSacked, flagLost|flagResent)
		if i < f.lossEdge {
			f.sackedBelow++
		}
		f.top = seqnum.Max(f.top, r.seq)
		r.run = 1
	}
}

// passSacked moves lossEdge over the records there that are sacked.
func (f *flight) passSacked() {
	i := f.skipSacked(f.lossEdge)
	f.sackedBelow += i - f.lossEdge
	f.lossEdge = i
}

// lose takes record i for lost, and a retransmission of it, too.
func (f *flight) lose(i int) {
	r := f.records.at(i)
	f.set(r, flagLost, flagResent)
	f.rates.noteLost(i, r.len())
	f.next = min(f.next, i)
	f.lostEnd = max(f.lostEnd, i+1)
}

// loseFirst takes the first record for lost, unless it is known to have arrived
// or its retransmission is on the way.
func (f *flight) loseFirst() {
	if !f.records.front().has(flagSacked | flagResent) {
		f.lose(0)
	}
}

// loseAfterTimeout takes the first record for lost, and of the others those
// that have not arrived and were last sent before a time (RFC 8985 6.3). If
// forget is set, what the peer acknowledged selectively no longer counts
// (RFC 2018 8).
func (f *flight) loseAfterTimeout(before time.Duration, forget bool) {
	n := f.records.len()
	if forget {
		f.top = f.records.front().seq.Add(-1)
	}
	for i := range n {
		r := f.records.at(i)
		if forget {
			f.set(r, 0, flagSacked)
		}
		if !r.has(flagSacked) && (i == 0 || r.sent <= before) {
			if !r.has(flagLost) || r.has(flagResent) {
				f.rates.noteLost(i, r.len())
			}
			f.set(r, flagLost, flagResent)
		}
	}
	f.lossEdge, f.sackedBelow, f.next, f.lostEnd = 0, 0, 0, n
}

// restore takes for in flight what was taken for lost: it was not.
func (f *flight) restore() {
	if f == nil {
		return
	}
	for i := range f.lostEnd {
		f.set(f.records.at(i), 0, flagLost)
	}
	f.lossEdge, f.sackedBelow, f.next, f.lostEnd = 0, 0, 0, 0
}

// nextLost returns the index of the first record that is lost and not resent,
// or -1.
func (f *flight) nextLost() int {
	if f == nil {
		return -1
	}
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

// recount computes the sums and indexes from the records.
func (f *flight) recount() {
	f.sacked, f.sackedSegs, f.lost, f.resent, f.lossEdge, f.sackedBelow = 0, 0, 0, 0, 0, 0
	f.next, f.lostEnd = 0, 0
	for i := range f.records.len() {
		r := f.records.at(i)
		f.count(r)
		if r.has(flagSacked) {
			r.run = 1
		}
		if r.has(flagLost) {
			f.lostEnd = i + 1
		}
	}
}
