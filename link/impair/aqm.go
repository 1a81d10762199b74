package impair

import "time"

// AQM manages the queue before a link (active queue management): it signals
// congestion before the queue is full. The zero value is drop-tail.
type AQM struct {
	// CoDel keeps the time that packets wait near Target (RFC 8289).
	CoDel bool
	// Target is how long packets may wait; 0 stands for 5 ms.
	Target time.Duration
	// Interval is how long all may wait longer before the first is dropped,
	// about the longest usual round trip; 0 stands for 100 ms.
	Interval time.Duration
	// ECN makes CoDel mark what it would drop, if the packet says that its
	// transport understands that (RFC 3168).
	ECN bool

	// MarkAt and MarkAfter are the step thresholds that DCTCP wants (RFC 8257
	// 3.1): a packet that comes when more than MarkAt bytes wait, or has waited
	// longer than MarkAfter, is marked, or dropped if it cannot be (RFC 8257
	// 3.5). 0 is no threshold. They need neither CoDel nor ECN.
	MarkAt    int
	MarkAfter time.Duration
}

func (q *AQM) target() time.Duration {
	if q.Target == 0 {
		return 5 * time.Millisecond
	}
	return q.Target
}

func (q *AQM) interval() time.Duration {
	if q.Interval == 0 {
		return 100 * time.Millisecond
	}
	return q.Interval
}
