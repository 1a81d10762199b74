package impair

import "time"

// narrow is a link of a limited rate with a queue before it (drop-tail).
type narrow struct {
	free time.Duration // when the last bit of all that was accepted is sent
	rest int64         // the part of a nanosecond lost in free, in units of 1/rate
}

// pass sends a packet of length bytes that comes at now, at rate bits a second,
// unless more than queue bytes would wait. It returns when the last bit is
// sent. A rate of 0 is infinite.
func (n *narrow) pass(length int, now time.Duration, rate int64, queue int) (sent time.Duration, ok bool) {
	if rate == 0 {
		return now, true
	}
	if n.free <= now {
		n.free, n.rest = now, 0
	} else if n.waiting(now, rate)+float64(length) > float64(queue) {
		return 0, false
	}
	// A nanosecond is rate parts; what does not make a whole one is carried
	// over, so that the rate is exact in the long run.
	parts := int64(length)*8*int64(time.Second) + n.rest
	n.free += time.Duration(parts / rate)
	n.rest = parts % rate
	return n.free, true
}

// waiting returns the bytes that are not yet sent at now: that part of the
// packet in transmission, and all behind it.
func (n *narrow) waiting(now time.Duration, rate int64) float64 {
	return (n.free - now).Seconds() * float64(rate) / 8
}
