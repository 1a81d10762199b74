package tcp

import (
	"sync"
	"time"

	"example.com/berth/internal/lean"
)

// A RateSample is what an acknowledgment tells of how fast the network delivers
// (draft-ietf-ccwg-bbr, section 4.1): about the segment last sent of those that
// it is the first to tell of, from when the one before that was delivered until
// now.
type RateSample struct {
	Rate     float64       // bytes a second; 0: no sample
	RTT      time.Duration // of that segment; 0 if it was resent
	Prior    uint64        // Ack.Total when it was sent
	InFlight int           // what was in flight when it was sent, itself included
	Lost     int           // bytes lost since
	// Delivered are the bytes delivered between its being sent and now.
	Delivered int
	// AppLimited: the sender had nothing more to send then, so that the rate
	// says more about the application than about the network.
	AppLimited bool
	// LossInFlight is InFlight of the last segment that this acknowledgment,
	// or a timer before it, found lost, LossLost the bytes lost since that was
	// sent, and LossAppLimited its AppLimited; 0 where none was.
	LossInFlight, LossLost int
	LossAppLimited         bool
	// TotalLost are all bytes ever taken for lost, what a timer found included.
	TotalLost uint64
}

// A snapshot is the state of delivery when a segment was sent. There is one for
// each record of the flight. In the zero value nothing is known.
type snapshot struct {
	delivered              uint64
	lost                   uint64
	deliveredAt, firstSent time.Duration
	inFlight               int
	appLimited             bool
}

var flightSnapshots ringPool[snapshot]

// deliveryRate is the state of delivery. A connection whose algorithm wants rates
// has one, others while something is in flight, for TCP_INFO. Its methods that a
// flight calls may be called on nil: nobody wants rates.
type deliveryRate struct {
	_ lean.Incomparable

	snapshots   ring[snapshot] // one for each record of the flight
	deliveredAt time.Duration  // when something was last delivered
	firstSent   time.Duration  // when the segment was sent that was delivered last
	lost        uint64         // bytes ever taken for lost
	// limitedUntil is Ack.Total at which all will be delivered that was sent
	// while the application had no more; 0: it has.
	limitedUntil uint64
	lastLost     snapshot // of the segment last taken for lost
}

var deliveries = sync.Pool{New: func() any { return new(deliveryRate) }}

// takeOff begins to sample the rates of a flight. Where nothing was in flight
// before, the application had nothing to send.
func (c *Conn) takeOff() {
	if c.delivery == nil {
		c.measureRates()
		c.delivery.limitedUntil = c.stats.delivered
	}
	c.fl.rates = c.delivery
}

// landed forgets the flight, all of which has arrived.
func (c *Conn) landed() {
	c.fl.release()
	c.fl = nil
	if d := c.delivery; d != nil && !c.algorithm().Rates {
		d.forget()
		*d = deliveryRate{snapshots: d.snapshots}
		deliveries.Put(d)
		c.delivery = nil
	}
}

// measureRates begins to sample rates for an algorithm, if they are not yet.
func (c *Conn) measureRates() {
	if c.delivery == nil {
		c.delivery = deliveries.Get().(*deliveryRate)
	}
}

// push adds n records of which nothing is known.
func (d *deliveryRate) push(n int) {
	if d == nil {
		return
	}
	first := d.snapshots.len()
	d.snapshots.extend(&flightSnapshots, n)
	for i := range n {
		*d.snapshots.at(first + i) = snapshot{}
	}
}

// pop drops the first k records.
func (d *deliveryRate) pop(k int) {
	if d != nil {
		d.snapshots.discard(k)
	}
}

// forget drops all records.
func (d *deliveryRate) forget() {
	if d != nil {
		d.snapshots.reset(&flightSnapshots)
	}
}

// noteLost takes note that record i of n bytes is taken for lost.
func (d *deliveryRate) noteLost(i, n int) {
	if d != nil {
		d.lost += uint64(n)
		d.lastLost = *d.snapshots.at(i)
	}
}

// arrived takes record i, which arrived, for the sample if it was sent last.
func (d *deliveryRate) arrived(i int, r *record, s *ackSample) {
	if d == nil {
		return
	}
	p := d.snapshots.at(i)
	if p.deliveredAt == 0 {
		return
	}
	if n := &s.newest; n.deliveredAt == 0 || p.delivered > n.delivered || p.delivered == n.delivered && r.sent >= s.newestSent {
		*n, s.newestSent, s.newestTwice = *p, r.sent, r.has(flagTwice)
	}
}

// snap notes the state of delivery with k records from index i on, which are being
// sent in this order.
func (c *Conn) snap(now time.Duration, i, k int) {
	d := c.delivery
	if d == nil {
		return
	}
	first, last := c.fl.records.at(i), c.fl.records.at(i+k-1)
	pipe := c.fl.net() - last.end.Sub(first.end) // with the first of them
	for end := first.end; ; i++ {
		r := c.fl.records.at(i)
		if pipe += r.end.Sub(end); pipe <= r.len() { // nothing else is in flight
			d.firstSent, d.deliveredAt = now, now
		}
		*d.snapshots.at(i) = snapshot{
			delivered: c.stats.delivered, lost: d.lost,
			deliveredAt: d.deliveredAt, firstSent: d.firstSent,
			inFlight: max(0, pipe), appLimited: d.limitedUntil > 0,
		}
		if end = r.end; end == last.end {
			return
		}
	}
}

// noteAppLimited is called when all has been sent that may be.
func (c *Conn) noteAppLimited() {
	if d := c.delivery; d != nil && c.unsent() < c.snd.mss && c.pipe() < c.cc.Cwnd() && c.fl.nextLost() < 0 {
		d.limitedUntil = max(c.stats.delivered+uint64(c.pipe()), 1)
	}
}

// noteRate follows the rate of delivery with an acknowledgment, and returns what it
// tells of it, in bytes a second; 0: nothing.
func (c *Conn) noteRate(now time.Duration, s *ackSample) float64 {
	d, p := c.delivery, &s.newest
	if s.delivered > 0 {
		d.deliveredAt = now
	}
	if c.stats.delivered > d.limitedUntil {
		d.limitedUntil = 0
	}
	if p.deliveredAt == 0 {
		return 0
	}
	d.firstSent = s.newestSent
	// The longer of the two: acknowledgments may be compressed, and so may be
	// what was sent.
	interval := max(s.newestSent-p.firstSent, now-p.deliveredAt)
	if interval <= 0 || interval < c.rtt.min {
		return 0
	}
	rate := float64(c.stats.delivered-p.delivered) / interval.Seconds()
	// For TCP_INFO. A sample that the application limits counts only if it is
	// higher than the last (as Linux).
	if !p.appLimited || float32(rate) >= c.lastRate {
		c.lastRate, c.rateLimited = float32(rate), p.appLimited
	}
	return rate
}

// rateSample makes the sample of an acknowledgment, for algorithms that want rates.
func (c *Conn) rateSample(now time.Duration, s *ackSample) RateSample {
	d := c.delivery
	r := RateSample{Rate: c.noteRate(now, s), TotalLost: d.lost}
	if l := &d.lastLost; l.deliveredAt != 0 {
		r.LossInFlight, r.LossLost, r.LossAppLimited = l.inFlight, int(d.lost-l.lost), l.appLimited
		*l = snapshot{}
	}
	p := &s.newest
	if p.deliveredAt == 0 {
		return r
	}
	if !s.newestTwice { // else it may be the first that arrived (Karn)
		r.RTT = now - s.newestSent
	}
	r.Prior, r.InFlight, r.AppLimited = p.delivered, p.inFlight, p.appLimited
	r.Lost, r.Delivered = int(d.lost-p.lost), int(c.stats.delivered-p.delivered)
	return r
}
