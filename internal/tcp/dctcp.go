package tcp

import (
	"time"

	"example.com/berth/internal/lean"
)

// dctcpGain is g of RFC 8257 4.2.
const dctcpGain = 1.0 / 16

// DCTCP is the congestion control of RFC 8257, for networks under one
// administration whose switches mark packets as soon as a queue builds up: the
// more of the data is marked, the more the window shrinks. In all else, and where
// the peer or the network knows no marks, it is [Reno].
type DCTCP struct {
	_ lean.Incomparable

	Reno
	alpha             float64 // DCTCP.Alpha: the fraction of bytes marked, estimated
	end               uint64  // Ack.Total at which the observation window ends
	delivered, marked int     // in the observation window
}

// NewDCTCP returns a DCTCP.
func NewDCTCP(mss int) *DCTCP { return &DCTCP{Reno: *NewReno(mss), alpha: 1} }

// OnAck updates the estimate once a round trip (RFC 8257 3.3), and lets the
// window grow as Reno's (3.4).
func (d *DCTCP) OnAck(now time.Duration, a Ack) {
	d.delivered += a.Delivered
	d.marked += a.Marked
	if a.Total >= d.end && d.delivered > 0 {
		m := float64(d.marked) / float64(d.delivered)
		d.alpha = float64(d.alpha*(1-dctcpGain)) + float64(dctcpGain*m)
		d.end = a.Total + uint64(a.InFlight)
		d.delivered, d.marked = 0, 0
	}
	d.Reno.OnAck(now, a)
}

// OnECN takes off what alpha says of the window (RFC 8257 3.3, step 9).
func (d *DCTCP) OnECN(time.Duration, int) {
	d.reduce(d.cwnd - int(d.alpha/2*float64(d.cwnd)))
	d.counted = 0
}
