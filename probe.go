package berth

import (
	"net/netip"
	"time"

	"example.com/berth/socket"
)

// A Probe is a look at a connection just after it has taken a segment in, sent
// some, or looked at its timers: what plots of TCP are made of, as with Linux's
// tcp_probe. Lengths are bytes.
type Probe struct {
	Local, Remote netip.AddrPort
	State         socket.TCPState
	// Cwnd is the congestion window, SSThresh the slow start threshold; both 0
	// before the connection is established.
	Cwnd, SSThresh int
	// Flight is what is sent and neither acknowledged nor found to be lost.
	Flight int
	// SndWnd is what the peer has room for, RcvWnd what it has been told that
	// there is room for here.
	SndWnd, RcvWnd int
	// SRTT is the smoothed round-trip time; 0 before there is one. RTO is the
	// retransmission time-out, with its back-off.
	SRTT, RTO time.Duration
	// Una is the oldest sequence number that is not acknowledged, Nxt the next to
	// be sent for the first time (RFC 9293 section 3.3.1).
	Una, Nxt uint32
}

// probe tells Config.Probe how the connection is. The lock is held.
func (s *stream) probe() {
	v := s.conn.Vitals()
	s.host.config.Probe(&Probe{
		Local: s.local, Remote: s.remote, State: s.conn.State(),
		Cwnd: v.Cwnd, SSThresh: v.SSThresh, Flight: v.Flight,
		SndWnd: v.SndWnd, RcvWnd: v.RcvWnd, SRTT: v.SRTT, RTO: v.RTO, Una: v.Una, Nxt: v.Nxt,
	})
}
