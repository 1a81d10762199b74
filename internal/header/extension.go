package header

import "encoding/binary"

// Limits on what a chain of extension headers may make a host do
// (RFC 8504 5.3). What exceeds them is dropped with ErrExtension or ErrOption.
const (
	maxExtensionsOfAKind = 2
	maxOptions           = 8 // in one header, padding not counted
	maxPadding           = 7 // bytes of padding in a row: all that alignment can need
)

// Codes of the ICMPv6 parameter problem (RFC 4443 3.4, RFC 7112 5).
const (
	ProblemHeader     = 0 // erroneous header field
	ProblemNextHeader = 1 // unrecognized next header
	ProblemOption     = 2 // unrecognized option
	ProblemFirst      = 3 // first fragment without the whole header chain
)

// ParameterProblem is the error of a packet that is to be answered with an
// ICMPv6 parameter problem.
type ParameterProblem struct {
	Code uint8
	// Pointer is the offset of the offending byte from the start of the IPv6
	// header.
	Pointer uint32
	// EvenMulticast: the answer is due even if the packet's destination is a
	// multicast group (RFC 4443 2.4 e.3).
	EvenMulticast bool
}

func (p *ParameterProblem) Error() string {
	switch p.Code {
	case ProblemNextHeader:
		return "header: unrecognized next header"
	case ProblemOption:
		return "header: unrecognized IPv6 option"
	case ProblemFirst:
		return "header: first fragment without all headers"
	}
	return "header: bad field of an IPv6 header"
}

// Extensions is what a chain of IPv6 extension headers says. Offsets count from
// the start of the IPv6 header, as ICMPv6 pointers do.
type Extensions struct {
	// Protocol is the first header that is no extension known here: the upper
	// layer, or ProtocolNoNext. Of a fragment it is Fragment.NextHeader, which
	// may name a further extension header.
	Protocol uint8
	// HeaderLen is the length of the extension headers walked.
	HeaderLen int
	// NextHeaderAt is the offset of the byte that names Protocol: what an
	// ICMPv6 "unrecognized next header" points at.
	NextHeaderAt int
	// HasFragment: there is a fragment header, and it is Fragment. If that is
	// not atomic, it ends the walk, and what follows is the fragment's data.
	HasFragment bool
	Fragment    Fragment
	// FragmentNamedAt is the offset of the byte that names the fragment header:
	// where Fragment.NextHeader belongs in the reassembled packet.
	FragmentNamedAt int
	// UnfragmentableLen is the length of the extension headers before the
	// fragment header; HeaderLen if there is none.
	UnfragmentableLen int
	// RouterAlert: the hop-by-hop options have one (RFC 2711), and this is its
	// value (0: MLD).
	RouterAlert      bool
	RouterAlertValue uint16
}

// Parse walks the chain that begins with header next at the start of b, the
// payload of an IPv6 header, and returns what follows it. A *[ParameterProblem]
// error is to be answered; all others mean that the packet is dropped.
func (e *Extensions) Parse(next uint8, b []byte) (rest []byte, err error) {
	*e = Extensions{Protocol: next, NextHeaderAt: 6}
	var seen [ProtocolDestination + 1]uint8 // the extension headers' numbers
	for rest = b; ; {
		kind := e.Protocol
		var size int
		switch kind {
		case ProtocolHopByHop:
			// Only right behind the IPv6 header (RFC 8200 4.1).
			if e.HeaderLen > 0 {
				return nil, &ParameterProblem{Code: ProblemNextHeader, Pointer: uint32(e.NextHeaderAt)}
			}
			size, err = e.options(rest, true)
		case ProtocolDestination:
			size, err = e.options(rest, false)
		case ProtocolRouting:
			size, err = e.routing(rest)
		case ProtocolFragment:
			size, err = e.fragment(rest)
		default:
			if !e.HasFragment {
				e.UnfragmentableLen = e.HeaderLen
			}
			return rest, nil
		}
		if err != nil {
			return nil, err
		}
		if seen[kind]++; seen[kind] > maxExtensionsOfAKind {
			return nil, ErrExtension
		}
		e.Protocol = rest[0]
		e.NextHeaderAt = IPv6Len + e.HeaderLen
		e.HeaderLen += size
		rest = rest[size:]
		if e.HasFragment && !e.Fragment.IsAtomic() {
			return rest, nil
		}
	}
}

// extensionSize is the length of an extension header with the usual layout: at
// least 8 bytes, so that the walk always advances.
func extensionSize(b []byte) (int, error) {
	if len(b) < 8 {
		return 0, ErrTruncated
	}
	size := (int(b[1]) + 1) * 8
	if size > len(b) {
		return 0, ErrTruncated
	}
	return size, nil
}

// routing refuses all types of routing header that still have something to
// route: type 0 is withdrawn (RFC 5095 3), and a host knows no other
// (RFC 8200 4.4).
func (e *Extensions) routing(b []byte) (int, error) {
	size, err := extensionSize(b)
	if err != nil {
		return 0, err
	}
	if segmentsLeft := b[3]; segmentsLeft != 0 {
		return 0, &ParameterProblem{Code: ProblemHeader, Pointer: uint32(IPv6Len + e.HeaderLen + 2)}
	}
	return size, nil
}

func (e *Extensions) fragment(b []byte) (int, error) {
	if e.HasFragment {
		return 0, ErrExtension
	}
	if _, err := e.Fragment.Parse(b); err != nil {
		return 0, err
	}
	if e.Fragment.NextHeader == ProtocolHopByHop && e.Fragment.Offset == 0 {
		// Put together again, the packet would have the options right behind
		// the IPv6 header. Of other fragments the number means nothing.
		return 0, &ParameterProblem{Code: ProblemNextHeader, Pointer: uint32(IPv6Len + e.HeaderLen)}
	}
	e.HasFragment = true
	e.UnfragmentableLen = e.HeaderLen
	e.FragmentNamedAt = e.NextHeaderAt
	return FragmentLen, nil
}

// Types of IPv6 options (RFC 8200 4.2, RFC 2711).
const (
	ipv6Pad1        = 0
	ipv6PadN        = 1
	ipv6RouterAlert = 5
)

// options walks the options of a hop-by-hop or destination header.
func (e *Extensions) options(b []byte, hopByHop bool) (int, error) {
	size, err := extensionSize(b)
	if err != nil {
		return 0, err
	}
	count, padding := 0, 0
	for at := 2; at < size; {
		if b[at] == ipv6Pad1 {
			if padding++; padding > maxPadding {
				return 0, ErrOption
			}
			at++
			continue
		}
		if at+2 > size || at+2+int(b[at+1]) > size {
			return 0, ErrOption
		}
		data := b[at+2 : at+2+int(b[at+1])]
		if b[at] == ipv6PadN {
			if padding += 2 + len(data); padding > maxPadding || !allZero(data) {
				return 0, ErrOption
			}
		} else {
			padding = 0
			if count++; count > maxOptions {
				return 0, ErrOption
			}
			if err := e.option(b[at], data, IPv6Len+e.HeaderLen+at, hopByHop); err != nil {
				return 0, err
			}
		}
		at += 2 + len(data)
	}
	return size, nil
}

func (e *Extensions) option(typ uint8, data []byte, at int, hopByHop bool) error {
	if hopByHop && typ == ipv6RouterAlert {
		if len(data) != 2 {
			return ErrOption
		}
		e.RouterAlert, e.RouterAlertValue = true, binary.BigEndian.Uint16(data)
		return nil
	}
	// The two highest bits say what to do about an option that is not known
	// (RFC 8200 4.2).
	switch typ >> 6 {
	case 0:
		return nil
	case 1:
		return ErrOption
	case 2:
		return &ParameterProblem{Code: ProblemOption, Pointer: uint32(at), EvenMulticast: true}
	default:
		return &ParameterProblem{Code: ProblemOption, Pointer: uint32(at)}
	}
}

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

// RouterAlertLen is the length of what AppendRouterAlert appends.
const RouterAlertLen = 8

// AppendRouterAlert appends a hop-by-hop header with nothing but a router alert
// for MLD (RFC 2711 2.1, RFC 3810 5), and names the header that follows it.
func AppendRouterAlert(b []byte, next uint8) []byte {
	return append(b, next, 0, ipv6RouterAlert, 2, 0, 0, ipv6PadN, 0)
}

// FirstFragmentComplete tells whether the data of a first fragment, which
// begins with header next, holds all extension headers and the upper layer's
// header (RFC 7112 5).
func FirstFragmentComplete(next uint8, b []byte) bool {
	protocol, rest, _, ok := UpperLayer(next, b)
	if !ok {
		return false
	}
	switch protocol {
	case ProtocolTCP:
		return len(rest) >= TCPMinLen
	case ProtocolUDP, ProtocolICMPv6:
		return len(rest) >= UDPLen
	case ProtocolNoNext:
		return true
	}
	return len(rest) > 0
}

// UpperLayer passes over extension headers without judging them, as for a
// packet that is quoted in an error: protocol is what follows them, rest its
// bytes. If first is false they are not the beginning of the upper layer but a
// later fragment of it. It is not ok if the bytes end among the headers.
func UpperLayer(next uint8, b []byte) (protocol uint8, rest []byte, first, ok bool) {
	for {
		switch next {
		case ProtocolHopByHop, ProtocolDestination, ProtocolRouting:
			size, err := extensionSize(b)
			if err != nil {
				return 0, nil, false, false
			}
			next, b = b[0], b[size:]
		case ProtocolFragment:
			var f Fragment
			after, err := f.Parse(b)
			if err != nil {
				return 0, nil, false, false
			}
			next, b = f.NextHeader, after
			if f.Offset > 0 {
				return next, b, false, true
			}
		default:
			return next, b, true, true
		}
	}
}
