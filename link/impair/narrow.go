package impair

import "time"

// narrow is a link of a limited rate, or of the rate of a trace, with a queue
// before it. A packet is taken from the queue when the link is free for it, so
// that what is decided there (by queue management, or by a rate that has
// changed) is decided when it would be on a real link.
type narrow struct {
	queue fifo
	codel codel

	free time.Duration // when the last bit of what was taken is sent
	rate int64         // of what was taken last
	rest int64         // the part of a nanosecond lost in free, in units of 1/rate

	trace  *Trace
	cursor opportunity // of trace
	slot   int         // bytes that an opportunity carries
}

// idle tells whether a packet that comes at now finds nothing before it.
func (n *narrow) idle(now time.Duration) bool { return n.queue.empty() && n.free <= now }

// start returns when the link takes the first packet of the queue.
func (n *narrow) start(cfg *Config) time.Duration {
	came := n.queue.first().came
	if cfg.Trace == nil {
		return max(n.free, came)
	}
	return cfg.Trace.time(n.next(cfg.Trace, came).number)
}

// send takes a packet of length bytes that has come and finds the link free at
// now. It returns when the last bit is sent. A rate of 0 is infinite.
func (n *narrow) send(cfg *Config, length int, came, now time.Duration) (sent time.Duration) {
	if cfg.Trace != nil {
		n.cursor, n.trace = n.next(cfg.Trace, came), cfg.Trace
		n.cursor.spend(length, n.slot)
		n.free, n.rate, n.rest = n.trace.time(n.cursor.number), 0, 0
		return n.free
	}
	if n.trace != nil || n.free < now || n.rate != cfg.Rate {
		n.free, n.rest = max(n.free, now), 0
	}
	n.trace, n.rate = nil, cfg.Rate
	if n.rate == 0 {
		return n.free
	}
	// A nanosecond is rate parts; what does not make a whole one is carried
	// over, so that the rate is exact in the long run.
	parts := int64(length)*8*int64(time.Second) + n.rest
	n.free += time.Duration(parts / n.rate)
	n.rest = parts % n.rate
	return n.free
}

// next returns the opportunity that a packet that came then can use.
func (n *narrow) next(t *Trace, came time.Duration) opportunity {
	c := n.cursor
	if n.trace != t {
		return opportunity{t.after(max(came, n.free)), n.slot}
	}
	if c.left == 0 {
		c = opportunity{c.number + 1, n.slot}
	}
	if t.time(c.number) <= came {
		c = opportunity{t.after(came), n.slot}
	}
	return c
}

// waiting returns the bytes that are not yet sent at now: those in the queue,
// and at a fixed rate that part of the packet in transmission.
func (n *narrow) waiting(now time.Duration) float64 {
	unsent := max(0, n.free-now).Seconds() * float64(n.rate) / 8
	return unsent + float64(n.queue.bytes)
}

// clear releases all.
func (n *narrow) clear() {
	n.queue.clear()
	*n = narrow{slot: n.slot}
}
