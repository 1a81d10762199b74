package labrun

import (
	"sync"
	"time"
)

// A flow is what one perf command sends, as both of its ends see it: they are in
// one program, so what arrives is counted where it arrives.
type flow struct {
	task *task
	spec perfSpec

	mu      sync.Mutex // guards what follows
	total   int64
	latest  time.Duration // when something arrived last
	now     int64         // how much of total arrived at that instant
	retrans uint64
	rtt     rtts
	ahead   order
}

// perfSpec is what the far end must know of a command.
type perfSpec struct {
	reverse    bool
	time       time.Duration
	bytes      int64 // of each stream
	congestion string
}

// arrived counts bytes.
func (f *flow) arrived(at time.Duration, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count(at, n)
}

func (f *flow) count(at time.Duration, n int) {
	if f.latest != at {
		f.latest, f.now = at, 0
	}
	f.total += int64(n)
	f.now += int64(n)
}

// before is how much arrived before an instant that is no earlier than the latest
// arrival: the same however the goroutines of that instant are scheduled.
func (f *flow) before(at time.Duration) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.latest == at {
		return f.total - f.now
	}
	return f.total
}

// ended adds what a sender's TCP says at the end of a stream.
func (f *flow) ended(retransmits uint32, rtt time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.retrans += uint64(retransmits)
	if rtt > 0 {
		f.rtt.add(rtt)
	}
}

// datagram counts one that arrived.
func (f *flow) datagram(at time.Duration, seq uint32, sent time.Duration, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ahead.see(seq, at-sent) {
		f.count(at, n)
	}
}

// An order is what is known of the sequence of datagrams.
type order struct {
	seen      []uint64 // a bit for each sequence number
	any       bool
	last      uint32 // the highest
	received  int
	reordered int
	transit   time.Duration
	jitter    float64 // nanoseconds (RFC 3550 6.4.1)
}

// see takes a datagram; false for one that came before.
func (o *order) see(seq uint32, transit time.Duration) bool {
	word := int(seq / 64)
	for len(o.seen) <= word {
		o.seen = append(o.seen, 0)
	}
	if o.seen[word]&(1<<(seq%64)) != 0 {
		return false
	}
	o.seen[word] |= 1 << (seq % 64)
	o.received++
	if o.any {
		o.jitter += (float64((transit - o.transit).Abs()) - o.jitter) / 16
		if seq < o.last {
			o.reordered++
		}
	}
	o.any, o.transit, o.last = true, transit, max(o.last, seq)
	return true
}
