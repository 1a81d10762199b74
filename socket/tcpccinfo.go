package socket

import "time"

// TCPCCInfo is the value of TCP_CC_INFO: what a congestion control tells of
// itself. It is zero for those that tell nothing, as cubic and reno, and but for
// bbr's fields on the kernel's sockets, which do not say whose it is.
type TCPCCInfo struct {
	// Of bbr: the bandwidth of the path in bytes a second, its least round trip,
	// and what the pacing rate and the congestion window are of these.
	Bandwidth            uint64
	MinRTT               time.Duration
	PacingGain, CwndGain float64

	// Of dctcp: the fraction of data that the network marks, estimated; and what
	// was delivered, and marked of that, in the present observation window, in
	// bytes.
	Alpha             float64
	Delivered, Marked uint32
}
