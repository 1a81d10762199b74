package pinger

import (
	"math"
	"time"
)

// Stats are what came of all requests.
type Stats struct {
	Sent, Received, Duplicates, Errors int
	// Time is how long it took.
	Time time.Duration

	min, max   time.Duration
	sum, sumSq float64 // of milliseconds
}

func (s *Stats) add(rtt time.Duration) {
	if s.Received == 0 || rtt < s.min {
		s.min = rtt
	}
	s.max = max(s.max, rtt)
	s.Received++
	ms := millis(rtt)
	s.sum += ms
	s.sumSq += ms * ms
}

// Loss is the share of requests without an answer, in percent.
func (s *Stats) Loss() float64 {
	if s.Sent == 0 {
		return 0
	}
	return 100 * float64(s.Sent-s.Received) / float64(s.Sent)
}

// RTT returns the least, mean and greatest round-trip time and their mean
// deviation, in milliseconds.
func (s *Stats) RTT() (least, mean, greatest, mdev float64) {
	if s.Received == 0 {
		return 0, 0, 0, 0
	}
	n := float64(s.Received)
	mean = s.sum / n
	return millis(s.min), mean, millis(s.max), math.Sqrt(max(0, s.sumSq/n-mean*mean))
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
