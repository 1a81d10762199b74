package kernel

import (
	"time"
	"unsafe"

	"example.com/berth/socket"
	"golang.org/x/sys/unix"
)

// The bits of tcpi_options.
const (
	tcpiTimestamps  = 1
	tcpiSACK        = 2
	tcpiWindowScale = 4
	tcpiECN         = 8
	tcpiSYNData     = 32
)

// parseTCPInfo reads struct tcp_info, of which an older kernel gives less than
// b could hold: the rest is zero.
func parseTCPInfo(b []byte) socket.TCPInfo {
	full := make([]byte, unsafe.Sizeof(unix.TCPInfo{}))
	copy(full, b)
	k := take[unix.TCPInfo](full)
	scales := full[unsafe.Offsetof(k.Options)+1] // two bit fields, which Go has not
	return socket.TCPInfo{
		State:       socket.TCPState(k.State),
		CAState:     k.Ca_state,
		Retransmits: k.Retransmits,
		Probes:      k.Probes,
		Backoff:     k.Backoff,

		Timestamps:  k.Options&tcpiTimestamps != 0,
		SACK:        k.Options&tcpiSACK != 0,
		WindowScale: k.Options&tcpiWindowScale != 0,
		ECN:         k.Options&tcpiECN != 0,
		SndWScale:   lowNibbleFirst(scales, 0),
		RcvWScale:   lowNibbleFirst(scales, 1),

		RTO:         microseconds(k.Rto),
		ATO:         microseconds(k.Ato),
		RTT:         microseconds(k.Rtt),
		RTTVar:      microseconds(k.Rttvar),
		MinRTT:      minRTT(k.Min_rtt),
		RcvRTT:      microseconds(k.Rcv_rtt),
		SndMSS:      k.Snd_mss,
		RcvMSS:      k.Rcv_mss,
		AdvMSS:      k.Advmss,
		PMTU:        k.Pmtu,
		SndSSThresh: k.Snd_ssthresh,
		SndCwnd:     k.Snd_cwnd,
		RcvSSThresh: k.Rcv_ssthresh,
		RcvSpace:    k.Rcv_space,
		SndWnd:      k.Snd_wnd,
		RcvWnd:      k.Rcv_wnd,

		Unacked:    k.Unacked,
		Sacked:     k.Sacked,
		Lost:       k.Lost,
		Retrans:    k.Retrans,
		Reordering: k.Reordering,

		TotalRetrans:           k.Total_retrans,
		BytesSent:              k.Bytes_sent,
		BytesRetrans:           k.Bytes_retrans,
		BytesAcked:             k.Bytes_acked,
		BytesReceived:          k.Bytes_received,
		SegsOut:                k.Segs_out,
		SegsIn:                 k.Segs_in,
		DataSegsOut:            k.Data_segs_out,
		DataSegsIn:             k.Data_segs_in,
		DSACKDups:              k.Dsack_dups,
		ReordSeen:              k.Reord_seen,
		NotSentBytes:           k.Notsent_bytes,
		DeliveryRate:           k.Delivery_rate,
		PacingRate:             k.Pacing_rate,
		BusyTime:               time.Duration(k.Busy_time) * time.Microsecond,
		RwndLimited:            time.Duration(k.Rwnd_limited) * time.Microsecond,
		SndbufLimited:          time.Duration(k.Sndbuf_limited) * time.Microsecond,
		MaxPacingRate:          noLimit(k.Max_pacing_rate),
		RcvOOOPack:             k.Rcv_ooopack,
		TotalRTO:               uint32(k.Total_rto),
		TotalRTORecoveries:     uint32(k.Total_rto_recoveries),
		TotalRTOTime:           milliseconds(k.Total_rto_time),
		DeliveryRateAppLimited: appLimited(full[unsafe.Offsetof(k.Options)+2]),
		DeliveredCE:            k.Delivered_ce,
		ReceivedCE:             k.Received_ce,
		DeliveredE1Bytes:       k.Delivered_e1_bytes,
		DeliveredE0Bytes:       k.Delivered_e0_bytes,
		DeliveredCEBytes:       k.Delivered_ce_bytes,
		ReceivedE1Bytes:        k.Received_e1_bytes,
		ReceivedE0Bytes:        k.Received_e0_bytes,
		ReceivedCEBytes:        k.Received_ce_bytes,

		SYNData:         k.Options&tcpiSYNData != 0,
		FastOpenFailure: bitsLowFirst(full[unsafe.Offsetof(k.Options)+2], 1, 2),

		LastDataSent: milliseconds(k.Last_data_sent),
		LastDataRecv: milliseconds(k.Last_data_recv),
		LastAckRecv:  milliseconds(k.Last_ack_recv),
	}
}

// lowNibbleFirst is the n-th field of four bits in the order in which C
// compilers lay them out: from the low end on little-endian machines.
func lowNibbleFirst(b uint8, n int) uint8 {
	if bigEndian {
		n = 1 - n
	}
	return b >> (4 * n) & 0xf
}

// bitsLowFirst is a field of n bits behind others of at bits, in the same order.
func bitsLowFirst(b uint8, at, n int) uint8 {
	if bigEndian {
		at = 8 - at - n
	}
	return b >> at & (1<<n - 1)
}

var bigEndian = take[uint8](bytesOf(uint16(1))) == 0

func microseconds(n uint32) time.Duration { return time.Duration(n) * time.Microsecond }

func milliseconds(n uint32) time.Duration { return time.Duration(n) * time.Millisecond }

// minRTT is zero where the kernel has no sample yet and says so with ~0.
func minRTT(n uint32) time.Duration {
	if n == ^uint32(0) {
		return 0
	}
	return microseconds(n)
}

// noLimit is 0 where the kernel says that there is no limit.
func noLimit(rate uint64) uint64 {
	if rate == ^uint64(0) || rate == 1<<32-1 {
		return 0
	}
	return rate
}

// appLimited is the first of the bit fields that follow the window scales.
func appLimited(b uint8) bool {
	if bigEndian {
		return b&0x80 != 0
	}
	return b&1 != 0
}

// sizeofBBRInfo is the length of struct tcp_bbr_info, the longest of union
// tcp_cc_info and the only one of its length.
const sizeofBBRInfo = 20

// parseTCPCCInfo reads that struct, if it is one.
func parseTCPCCInfo(b []byte) socket.TCPCCInfo {
	if len(b) != sizeofBBRInfo {
		return socket.TCPCCInfo{}
	}
	k := take[[5]uint32](b)
	const unit = 256 // of gains
	return socket.TCPCCInfo{
		Bandwidth: uint64(k[1])<<32 | uint64(k[0]), MinRTT: microseconds(k[2]),
		PacingGain: float64(k[3]) / unit, CwndGain: float64(k[4]) / unit,
	}
}
