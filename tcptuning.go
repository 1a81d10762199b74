package berth

import (
	"time"

	"example.com/berth/internal/tcp"
)

// TCPTuning are settings of TCP that a network of today should not need: for
// tests, and for peers that are old or broken. Zero fields take Linux's values;
// negative numbers and times do as well, but where it is said.
type TCPTuning struct {
	// NoTimestamps, NoSACK and NoWindowScaling leave these options out of
	// handshakes (Linux: tcp_timestamps=0, tcp_sack=0, tcp_window_scaling=0).
	NoTimestamps, NoSACK, NoWindowScaling bool
	// NoTailLossProbe leaves losses at the end of a flight to the retransmission
	// time-out (tcp_early_retrans=0).
	NoTailLossProbe bool
	// NoRACK finds losses by counting segments that arrived out of order (RFC 6675)
	// instead of by time (RFC 8985; tcp_recovery=0 of Linux before 6.17).
	NoRACK bool
	// NoIdleRestart keeps the congestion window of a connection that was idle
	// (tcp_slow_start_after_idle=0).
	NoIdleRestart bool
	// InitialRTO, MinRTO and MaxRTO bound the retransmission time-out: 1 s, 200 ms
	// and 120 s.
	InitialRTO, MinRTO, MaxRTO time.Duration
	// SYNACKRetries is how often a SYN,ACK is sent again; 0 means 5.
	SYNACKRetries int
	// Retries says when a connection is given up whose data is not acknowledged:
	// after the time of this many retransmissions from MinRTO on, each twice as
	// long as the one before (tcp_retries2); 0 means 15. OrphanRetries is the same
	// after Close; 0 means 8.
	Retries, OrphanRetries int
	// DelayedACKMin and DelayedACKMax bound the delay of acknowledgments: 40 and
	// 200 ms. At most 500 ms are allowed (RFC 9293 3.8.6.3).
	DelayedACKMin, DelayedACKMax time.Duration
	// InitialWindow is the congestion window that connections begin with, in
	// segments; 0 means 10 (RFC 6928).
	InitialWindow int
	// AccECNBeacon is how often in a round trip the option of accurate ECN goes out at
	// least where TCPConfig.AccECNOption is AccECNOptionNeeded; 0 means 3, and a
	// negative number no more often than needed (tcp_ecn_option_beacon).
	AccECNBeacon int
}

// apply takes the settings over.
func (t *TCPTuning) apply(p *tcp.Params) {
	p.NoTimestamps, p.NoSACK, p.NoWindowScaling = t.NoTimestamps, t.NoSACK, t.NoWindowScaling
	p.NoTailLossProbe, p.NoRACK, p.NoIdleRestart = t.NoTailLossProbe, t.NoRACK, t.NoIdleRestart
	set(&p.InitialRTO, t.InitialRTO)
	set(&p.MinRTO, t.MinRTO)
	set(&p.MaxRTO, t.MaxRTO)
	set(&p.SynAckRetries, t.SYNACKRetries)
	set(&p.Retries2, t.Retries)
	set(&p.OrphanRetries, t.OrphanRetries)
	set(&p.DelayedAckMin, t.DelayedACKMin)
	set(&p.DelayedAckMax, t.DelayedACKMax)
	p.DelayedAckMax = min(max(p.DelayedAckMax, p.DelayedAckMin), maxDelayedACK)
	p.DelayedAckMin = min(p.DelayedAckMin, p.DelayedAckMax)
	p.MaxRTO = max(p.MaxRTO, p.MinRTO)
	set(&p.InitialWindow, t.InitialWindow)
	if set(&p.AccECNBeacon, t.AccECNBeacon); t.AccECNBeacon < 0 {
		p.AccECNBeacon = 0
	}
}

// maxDelayedACK is the limit of RFC 9293 3.8.6.3 (MUST-40).
const maxDelayedACK = 500*time.Millisecond - 1

// set takes a value that is given over.
func set[T int | time.Duration](p *T, v T) {
	if v > 0 {
		*p = v
	}
}
