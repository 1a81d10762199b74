package tcp

import (
	"time"

	"example.com/berth/internal/buffer"
)

// BufferLimits are the sizes of a buffer in bytes: the least, the one to begin
// with, and the one up to which autotuning grows it.
type BufferLimits struct{ Min, Default, Max int }

// Params are the settings of a host that its connections share. They are not
// changed after first use. [DefaultParams] gives Linux's values.
type Params struct {
	// MinRTO, MaxRTO and InitialRTO bound the retransmission time-out
	// (RFC 6298). MinRTO is the least that the variation of the round trip adds
	// to its mean, as on Linux.
	MinRTO, MaxRTO, InitialRTO time.Duration
	// SynRetries and SynAckRetries are how often a SYN and a SYN,ACK are resent.
	SynRetries, SynAckRetries int
	// Retries2 sets R2 (RFC 9293 3.8.3): a connection ends after the time that
	// this many retransmissions at MinRTO with exponential backoff take.
	// OrphanRetries is the same for one that the user has closed.
	Retries2, OrphanRetries int
	// Options are those of a connection whose user has set none.
	Options Options
	// TimeWait is 2 MSL.
	TimeWait time.Duration
	// DelayedAckMin and DelayedAckMax bound the delay of an acknowledgment.
	DelayedAckMin, DelayedAckMax time.Duration
	// RcvBuf and SndBuf are the sizes of the buffers. The window offered is
	// half of the receive buffer: the other half is what holding data costs.
	RcvBuf, SndBuf BufferLimits
	// InitialWindow is the initial congestion window in segments (RFC 6928).
	InitialWindow int
	// MinMSS is the least segment size that a peer or a path can bring about.
	MinMSS int
	// Budget is the host's memory for queues; nil for no limit.
	Budget *buffer.Budget
	// ECN says when explicit congestion notification is used, and which.
	ECN ECNMode
	// ECNControl has connections with accurate ECN send all segments but SYN as
	// ECN-capable, not only new data.
	ECNControl bool
	// AccECNOption says when accurate ECN tells bytes by the AccECN option, and
	// AccECNBeacon how often in a round trip at least where that is "as needed"; 0:
	// no more often than needed.
	AccECNOption AccECNOption
	AccECNBeacon int
	// NoTimestamps, NoSACK and NoWindowScaling leave these options out of
	// handshakes.
	NoTimestamps, NoSACK, NoWindowScaling bool
	// NoTailLossProbe leaves the end of a flight to the retransmission time-out
	// (without RFC 8985 7), and NoIdleRestart keeps the congestion window of a
	// connection that was idle (without RFC 5681 4.1).
	NoTailLossProbe, NoIdleRestart bool
	// NoRACK finds losses by counting (RFC 6675) where RFC 8985 6 goes by time.
	NoRACK bool
	// MTUProbing says how path MTUs are found without ICMP.
	MTUProbing MTUProbing
	// Algorithms are the congestion controls that a connection can have; the
	// first is the one of those that choose none.
	Algorithms []*Algorithm
	// Counters count for all connections of the host.
	Counters *Counters

	shared *optionsCache // nil: none is shared

	// noPrediction has each segment go the long way; for tests.
	noPrediction bool
}

// maxRcvBuf and maxSndBuf are how far buffers grow by themselves. To go on through a
// round trip in which something is resent takes twice what is in flight; half of the
// receive buffer is window, and a writer that polls finds room when a third of the
// send buffer is free. So they carry 150 Mbit/s over 100 ms with losses. The one is
// as large as the window scale can say that 6 MiB have, which were Linux's until it
// went to 32 (6.16); the other twice Linux's.
const (
	maxRcvBuf = maxWindow << 7
	maxSndBuf = 8 << 20
)

// DefaultParams returns the settings that Linux has, but for the largest buffers,
// with counters of their own and without a budget.
func DefaultParams() *Params {
	return &Params{
		MinRTO:        200 * time.Millisecond,
		MaxRTO:        120 * time.Second,
		InitialRTO:    time.Second, // RFC 6298 2.1
		SynRetries:    7,           // Linux: 6, which is not the three minutes of RFC 9293 3.8.3, MUST-23
		SynAckRetries: 5,
		Retries2:      15, // 924.6 s; RFC 9293 SHLD-11 wants at least 100 s
		OrphanRetries: 8,
		Options: Options{
			KeepIdle:     2 * time.Hour, // RFC 9293 MUST-28
			KeepInterval: 75 * time.Second,
			KeepCount:    9,
			Linger2:      60 * time.Second,
		},
		TimeWait:      60 * time.Second, // RFC 9293 MUST-13 with an MSL of 30 s
		DelayedAckMin: 40 * time.Millisecond,
		DelayedAckMax: 200 * time.Millisecond, // RFC 9293 MUST-40: less than 500 ms
		RcvBuf:        BufferLimits{4 << 10, 128 << 10, maxRcvBuf},
		SndBuf:        BufferLimits{4 << 10, 16 << 10, maxSndBuf},
		InitialWindow: 10,
		MinMSS:        216, // FreeBSD's; against packet floods by small MSS (CVE-2019-11479)
		ECN:           ECNPassive,
		AccECNOption:  AccECNOptionAlways,
		AccECNBeacon:  3,
		MTUProbing:    defaultMTUProbing(),
		Algorithms:    Algorithms(),
		Counters:      new(Counters),
		shared:        new(optionsCache),
	}
}
