package nat

import "example.com/berth/internal/header"

// A direction is where a packet goes.
type direction uint8

const (
	outward direction = iota
	inward
)

// A tcpState is what was seen of a connection: the state machine of RFC 6146
// section 3.5.2.2, which suits any translator, with its states as sets of what
// leads to them. Whoever speaks first, and be it both at once (RFC 5382 REQ-2),
// a connection is established once both have sent a SYN, until both have sent a
// FIN or one a RST. After a RST any other packet shows that it lives: the RST
// was forged, or out of the window.
type tcpState uint8

const (
	synOut tcpState = 1 << iota
	synIn
	finOut
	finIn
	reset
	// pickedUp: the connection was there before the translator. An answer stands
	// for the SYN.
	pickedUp
)

// tcpBegin is the state before the first packet of a connection.
func tcpBegin(f header.TCPFlags, d direction) tcpState {
	if d == outward && f&header.SYN == 0 {
		return pickedUp | synOut
	}
	return 0
}

// next is the state after a packet.
func (s tcpState) next(f header.TCPFlags, d direction) tcpState {
	if f&header.RST != 0 {
		return s | reset
	}
	if s.over() && f&(header.SYN|header.ACK) == header.SYN {
		s = 0 // the next connection between the same endpoints
	}
	s &^= reset
	if f&header.SYN != 0 || s&pickedUp != 0 {
		s |= synOut << d
	}
	if f&header.FIN != 0 {
		s |= finOut << d
	}
	return s
}

func (s tcpState) over() bool {
	return s&reset != 0 || s&(finOut|finIn) == finOut|finIn
}

func (s tcpState) established() bool {
	return s&(synOut|synIn) == synOut|synIn && !s.over()
}
