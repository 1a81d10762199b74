package tcp

import "time"

// CongestionControl decides how much a connection may have in flight. Its
// methods are called under the connection's lock; lengths are bytes.
//
// The connection detects losses and repairs them; the congestion control only
// answers with Cwnd and, if it paces, with PacingRate.
type CongestionControl interface {
	// Name is the name of TCP_CONGESTION.
	Name() string
	// Init is called when the connection is established, with the initial
	// window.
	Init(now time.Duration, window int)
	// SetMSS tells the size of a full segment whenever that changes.
	SetMSS(mss int)
	// OnAck is called for each acknowledgment that brought something.
	OnAck(now time.Duration, a Ack)
	// OnLoss is called when fast recovery begins, with FlightSize.
	OnLoss(now time.Duration, flight int)
	// OnRecovered is called when fast recovery ends, with FlightSize.
	OnRecovered(now time.Duration, flight int)
	// OnRTO is called at a retransmission time-out, with FlightSize; first is
	// set where this is the first sign of congestion in that flight.
	OnRTO(now time.Duration, flight int, first bool)
	// OnIdle is called before data is sent after a pause of that many
	// retransmission time-outs, at least one (RFC 5681 4.1).
	OnIdle(now time.Duration, timeouts int)
	// Cwnd is the congestion window, SSThresh the slow start threshold.
	Cwnd() int
	SSThresh() int
	// PacingRate is in bytes a second; 0 means that there is no pacing.
	PacingRate() uint64
}

// An Ack tells a congestion control of one acknowledgment.
type Ack struct {
	Acked     int    // bytes acknowledged in order
	Delivered int    // bytes that are now known to have arrived
	Total     uint64 // all bytes ever delivered
	Lost      int    // bytes that are now taken for lost
	InFlight  int    // bytes in the network after this acknowledgment
	// RTT is the round trip of the latest segment delivered, 0 if unknown.
	RTT, SRTT, MinRTT time.Duration
	Recovery          bool // fast recovery is under way
	// Limited: the congestion window was what held the sender back. Where it
	// was not, the window is not known to be safe and must not grow
	// (RFC 7661).
	Limited bool
}
