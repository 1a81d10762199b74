package tcp

import "time"

// CongestionControl decides how much a connection may have in flight. Its
// methods are called under the connection's lock; lengths are bytes.
//
// The connection detects losses and repairs them; the congestion control only
// answers with Cwnd and, if it paces, with PacingRate.
type CongestionControl interface {
	// Init is called once, before anything but SetMSS: when the connection is
	// established, or when its user changes the algorithm.
	Init(now time.Duration, w Window)
	// SetMSS tells the size of a full segment whenever that changes.
	SetMSS(mss int)
	// OnAck is called for each acknowledgment that brought something.
	OnAck(now time.Duration, a Ack)
	// OnLoss is called when fast recovery begins, with FlightSize.
	OnLoss(now time.Duration, flight int)
	// OnRecovered is called when fast recovery ends, with what may be in flight
	// without a burst: the threshold where the rate was reduced to that evenly,
	// and FlightSize if that is more, or on a connection without SACK.
	OnRecovered(now time.Duration, flight int)
	// OnRTO is called at a retransmission time-out, with FlightSize; first is
	// set where this is the first sign of congestion in that flight.
	OnRTO(now time.Duration, flight int, first bool)
	// OnECN is called when the peer echoes a mark of the network (RFC 3168
	// 6.1.2), once for each window of data, with FlightSize. Ack.Marked counts
	// all marks.
	OnECN(now time.Duration, flight int)
	// OnUndo is called when the last OnLoss or OnRTO turns out to have been
	// for nothing: what they took is given back (RFC 9438 4.9, RFC 4015).
	OnUndo(now time.Duration)
	// OnIdle is called before data is sent after a pause of that many
	// retransmission time-outs, at least one (RFC 5681 4.1).
	OnIdle(now time.Duration, timeouts int)
	// Cwnd is the congestion window, SSThresh the slow start threshold.
	Cwnd() int
	SSThresh() int
	// PacingRate is in bytes a second; 0 means that there is no pacing.
	PacingRate() uint64
}

// A Window is what a congestion control begins with, in bytes.
type Window struct {
	Initial  int // the initial window (RFC 6928), and the one after a long pause
	Cwnd     int // the window to begin with
	SSThresh int // the threshold to begin with; [NoThreshold] on a new connection
}

// NoThreshold is a slow start threshold that no window reaches: slow start goes
// on until the network ends it. It is the bound of all windows, too.
const NoThreshold = 1 << 30

// An Ack tells a congestion control of one acknowledgment.
type Ack struct {
	Acked     int    // bytes acknowledged in order
	Delivered int    // bytes that are now known to have arrived
	Total     uint64 // all bytes ever delivered
	Lost      int    // bytes that are now taken for lost
	Marked    int    // of Delivered, what the peer says the network marked (ECN)
	InFlight  int    // bytes in the network after this acknowledgment
	// RTT is the round trip of the latest segment delivered, 0 if unknown.
	RTT, SRTT, MinRTT time.Duration
	// Recovery: fast recovery is under way, or the round trip after a mark.
	Recovery bool
	// Rate is what it tells of the speed of the network, for algorithms with
	// Algorithm.Rates.
	Rate RateSample
	// Limited: the congestion window was what held the sender back. Where it
	// was not, the window is not known to be safe and must not grow
	// (RFC 7661).
	Limited bool
}
