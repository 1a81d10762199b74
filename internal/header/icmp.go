package header

import (
	"encoding/binary"
	"net/netip"
)

// ICMPLen is the length of an ICMP header with the four bytes whose meaning
// depends on the type.
const ICMPLen = 8

// Types of ICMP for IPv4 (RFC 792, RFC 950, RFC 1256).
const (
	ICMPv4EchoReply        = 0
	ICMPv4Unreachable      = 3
	ICMPv4SourceQuench     = 4
	ICMPv4Redirect         = 5
	ICMPv4EchoRequest      = 8
	ICMPv4RouterAdvert     = 9
	ICMPv4RouterSolicit    = 10
	ICMPv4TimeExceeded     = 11
	ICMPv4ParameterProblem = 12
	ICMPv4Timestamp        = 13
	ICMPv4TimestampReply   = 14
	ICMPv4AddressMask      = 17
	ICMPv4AddressMaskReply = 18
)

// Codes of ICMPv4Unreachable (RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1).
const (
	ICMPv4NetUnreachable      = 0
	ICMPv4HostUnreachable     = 1
	ICMPv4ProtocolUnreachable = 2
	ICMPv4PortUnreachable     = 3
	ICMPv4FragmentationNeeded = 4
	ICMPv4SourceRouteFailed   = 5
	ICMPv4NetUnknown          = 6
	ICMPv4HostUnknown         = 7
	ICMPv4SourceIsolated      = 8
	ICMPv4NetProhibited       = 9
	ICMPv4HostProhibited      = 10
	ICMPv4NetTOS              = 11
	ICMPv4HostTOS             = 12
	ICMPv4Filtered            = 13
	ICMPv4PrecedenceViolation = 14
	ICMPv4PrecedenceCutoff    = 15
)

// ICMPv4RedirectHost is the code of an ICMPv4 redirect for one host.
const ICMPv4RedirectHost = 1

// Types of ICMPv6 (RFC 4443, RFC 2710, RFC 4861, RFC 3810).
const (
	ICMPv6Unreachable      = 1
	ICMPv6PacketTooBig     = 2
	ICMPv6TimeExceeded     = 3
	ICMPv6ParameterProblem = 4
	ICMPv6EchoRequest      = 128
	ICMPv6EchoReply        = 129
	ICMPv6MLDQuery         = 130
	ICMPv6MLDReport        = 131
	ICMPv6MLDDone          = 132
	ICMPv6RouterSolicit    = 133
	ICMPv6RouterAdvert     = 134
	ICMPv6NeighborSolicit  = 135
	ICMPv6NeighborAdvert   = 136
	ICMPv6Redirect         = 137
	ICMPv6MLDv2Report      = 143
)

// Codes of ICMPv6Unreachable (RFC 4443 3.1).
const (
	ICMPv6NoRoute            = 0
	ICMPv6Prohibited         = 1
	ICMPv6BeyondScope        = 2
	ICMPv6AddressUnreachable = 3
	ICMPv6PortUnreachable    = 4
	ICMPv6PolicyFail         = 5
	ICMPv6RejectRoute        = 6
)

// Codes of time exceeded, in both versions.
const (
	ICMPHopLimitExceeded   = 0
	ICMPReassemblyExceeded = 1
)

// ICMP is the header of a message of ICMP for IPv4 or ICMPv6: type, code,
// checksum, and four bytes whose meaning depends on the type.
type ICMP struct {
	Type, Code uint8
	Checksum   uint16
	Rest       [4]byte
}

// Parse reads the header and returns what follows. The checksum is not
// verified.
func (h *ICMP) Parse(b []byte) (rest []byte, err error) {
	if len(b) < ICMPLen {
		return nil, ErrTruncated
	}
	h.Type, h.Code = b[0], b[1]
	h.Checksum = binary.BigEndian.Uint16(b[2:])
	h.Rest = [4]byte(b[4:8])
	return b[ICMPLen:], nil
}

// Append appends the encoded header to b.
func (h *ICMP) Append(b []byte) []byte {
	b = append(b, h.Type, h.Code, uint8(h.Checksum>>8), uint8(h.Checksum))
	return append(b, h.Rest[:]...)
}

// ID returns the identifier of an echo message.
func (h *ICMP) ID() uint16 { return binary.BigEndian.Uint16(h.Rest[0:]) }

// SetID sets the identifier of an echo message.
func (h *ICMP) SetID(id uint16) { binary.BigEndian.PutUint16(h.Rest[0:], id) }

// Seq returns the sequence number of an echo message.
func (h *ICMP) Seq() uint16 { return binary.BigEndian.Uint16(h.Rest[2:]) }

// SetSeq sets the sequence number of an echo message.
func (h *ICMP) SetSeq(seq uint16) { binary.BigEndian.PutUint16(h.Rest[2:], seq) }

// MTU returns the next hop's MTU in an ICMPv6 packet too big message.
func (h *ICMP) MTU() uint32 { return binary.BigEndian.Uint32(h.Rest[:]) }

// SetMTU sets what MTU returns.
func (h *ICMP) SetMTU(mtu uint32) { binary.BigEndian.PutUint32(h.Rest[:], mtu) }

// MTU4 returns the next hop's MTU in an ICMPv4 fragmentation needed message; 0
// from routers older than RFC 1191.
func (h *ICMP) MTU4() uint16 { return binary.BigEndian.Uint16(h.Rest[2:]) }

// SetMTU4 sets what MTU4 returns.
func (h *ICMP) SetMTU4(mtu uint16) { binary.BigEndian.PutUint16(h.Rest[2:], mtu) }

// Pointer returns what an ICMPv6 parameter problem points at.
func (h *ICMP) Pointer() uint32 { return binary.BigEndian.Uint32(h.Rest[:]) }

// SetPointer sets what Pointer returns.
func (h *ICMP) SetPointer(at uint32) { binary.BigEndian.PutUint32(h.Rest[:], at) }

// Pointer4 returns what an ICMPv4 parameter problem points at.
func (h *ICMP) Pointer4() uint8 { return h.Rest[0] }

// SetPointer4 sets what Pointer4 returns.
func (h *ICMP) SetPointer4(at uint8) { h.Rest[0] = at }

// Gateway returns the router that an ICMPv4 redirect names.
func (h *ICMP) Gateway() netip.Addr { return netip.AddrFrom4(h.Rest) }

// IsError4 tells whether the message is an error of ICMPv4, which quotes a
// packet (RFC 1122 3.2.2).
func (h *ICMP) IsError4() bool { return ICMPv4IsError(h.Type) }

// IsError6 tells whether the message is an error of ICMPv6 (RFC 4443 2.1).
func (h *ICMP) IsError6() bool { return ICMPv6IsError(h.Type) }

// ICMPv4IsError tells whether messages of a type are errors.
func ICMPv4IsError(typ uint8) bool {
	switch typ {
	case ICMPv4Unreachable, ICMPv4SourceQuench, ICMPv4Redirect, ICMPv4TimeExceeded, ICMPv4ParameterProblem:
		return true
	}
	return false
}

// ICMPv6IsError tells whether messages of a type are errors.
func ICMPv6IsError(typ uint8) bool { return typ < 128 }

// Quoted4 returns the packet that an ICMPv4 error quotes, given what follows
// the header: all of it, but for the extensions of RFC 4884 if there are any.
func (h *ICMP) Quoted4(rest []byte) []byte {
	switch h.Type {
	case ICMPv4Unreachable, ICMPv4TimeExceeded, ICMPv4ParameterProblem:
		return withoutExtensions(rest, 4*int(h.Rest[1]))
	}
	return rest
}

// Quoted6 is Quoted4 for ICMPv6.
func (h *ICMP) Quoted6(rest []byte) []byte {
	switch h.Type {
	case ICMPv6Unreachable, ICMPv6TimeExceeded:
		return withoutExtensions(rest, 8*int(h.Rest[0]))
	}
	return rest
}

// withoutExtensions cuts a quoted packet to a length stated, which is 0 when
// there are no extensions, and otherwise at least 128 (RFC 4884 3).
func withoutExtensions(quoted []byte, length int) []byte {
	if length < 128 || length > len(quoted) {
		return quoted
	}
	return quoted[:length]
}

// PutICMPv4Checksum computes the checksum of a whole ICMPv4 message and puts
// it in its place.
func PutICMPv4Checksum(message []byte) { putICMPChecksum(message, 0) }

// PutICMPv6Checksum computes the checksum of a whole ICMPv6 message and puts
// it in its place.
func PutICMPv6Checksum(message []byte, src, dst netip.Addr) {
	putICMPChecksum(message, PseudoSum(src, dst, ProtocolICMPv6, len(message)))
}

func putICMPChecksum(message []byte, acc uint32) {
	message[2], message[3] = 0, 0
	binary.BigEndian.PutUint16(message[2:], Fold(Sum(message, acc)))
}
