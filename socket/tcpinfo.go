package socket

import "time"

// TCPState is a state of a TCP connection (RFC 9293 section 3.3.2) with Linux's
// number.
type TCPState uint8

// The states.
const (
	TCP_ESTABLISHED TCPState = 1 + iota
	TCP_SYN_SENT
	TCP_SYN_RECV
	TCP_FIN_WAIT1
	TCP_FIN_WAIT2
	TCP_TIME_WAIT
	TCP_CLOSE
	TCP_CLOSE_WAIT
	TCP_LAST_ACK
	TCP_LISTEN
	TCP_CLOSING
)

var tcpStateNames = [...]string{
	"", "ESTABLISHED", "SYN-SENT", "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT",
	"CLOSED", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING",
}

// String gives the RFC's name: SYN-RECEIVED, FIN-WAIT-1.
func (s TCPState) String() string {
	if int(s) < len(tcpStateNames) && s != 0 {
		return tcpStateNames[s]
	}
	return "TCPState(?)"
}

// TCPInfo is the value of TCP_INFO. Lengths are bytes unless the name says
// segments; a field that a provider cannot know is zero.
type TCPInfo struct {
	State       TCPState
	CAState     uint8 // 0 open, 1 disorder, 2 cwr, 3 recovery, 4 loss
	Retransmits uint8 // of the segment now being resent
	Probes      uint8 // unanswered keepalive or window probes
	Backoff     uint8

	Timestamps  bool
	SACK        bool
	WindowScale bool
	ECN         bool
	SndWScale   uint8
	RcvWScale   uint8

	RTO         time.Duration
	ATO         time.Duration // delayed-acknowledgement time-out
	RTT         time.Duration // smoothed
	RTTVar      time.Duration
	MinRTT      time.Duration
	RcvRTT      time.Duration // as the receiver estimates it
	SndMSS      uint32
	RcvMSS      uint32
	AdvMSS      uint32
	PMTU        uint32
	SndSSThresh uint32 // segments
	SndCwnd     uint32 // segments
	RcvSSThresh uint32
	RcvSpace    uint32
	SndWnd      uint32 // the peer's window
	RcvWnd      uint32 // the window we offer

	Unacked    uint32 // segments
	Sacked     uint32 // segments; of a listener, its backlog
	Lost       uint32 // segments
	Retrans    uint32 // segments resent and not yet acknowledged
	Reordering uint32 // segments

	TotalRetrans  uint32 // segments
	BytesSent     uint64
	BytesRetrans  uint64
	BytesAcked    uint64
	BytesReceived uint64
	SegsOut       uint32
	SegsIn        uint32
	DataSegsOut   uint32
	DataSegsIn    uint32
	DSACKDups     uint32
	ReordSeen     uint32
	NotSentBytes  uint32
	DeliveryRate  uint64 // bytes a second
	PacingRate    uint64 // bytes a second
	// DeliveryRateAppLimited: the application had no more to send when DeliveryRate
	// was measured.
	DeliveryRateAppLimited bool
	MaxPacingRate          uint64        // bytes a second; 0: no limit
	BusyTime               time.Duration // with data that was not acknowledged yet
	RwndLimited            time.Duration // of that, waiting for the peer's window
	SndbufLimited          time.Duration // of that, with a send buffer too small
	RcvOOOPack             uint32        // segments received out of order
	TotalRTO               uint32        // retransmission time-outs
	TotalRTORecoveries     uint32        // rows of them
	TotalRTOTime           time.Duration // that they lasted
	DeliveredCE            uint32        // segments that the peer says were marked (ECN)
	ReceivedCE             uint32        // segments that arrived marked, with accurate ECN (RFC 9768)

	// Bytes of payload by the codepoint of ECN with which they arrived: at the peer,
	// as its AccECN option says, and here. Without accurate ECN they are 0.
	DeliveredE0Bytes, DeliveredE1Bytes, DeliveredCEBytes uint32
	ReceivedE0Bytes, ReceivedE1Bytes, ReceivedCEBytes    uint32

	// SYNData: the data of a SYN was taken (RFC 7413), the peer's or ours.
	SYNData bool
	// FastOpenFailure is why a client's Fast Open saved nothing: 1 there was no
	// cookie, 2 the data was not acknowledged, 3 and the SYN was resent.
	FastOpenFailure uint8

	LastDataSent time.Duration // since
	LastDataRecv time.Duration
	LastAckRecv  time.Duration
}
