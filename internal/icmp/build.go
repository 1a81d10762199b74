package icmp

import (
	"encoding/binary"
	"net/netip"

	"example.com/berth/internal/header"
)

// The longest messages: with a bare IP header they fit what every host takes,
// 576 bytes in IPv4 (RFC 1812 4.3.2.3) and 1280 in IPv6 (RFC 4443 2.4 c).
const (
	MaxError4 = 576 - header.IPv4MinLen
	MaxError6 = header.MinMTU6 - header.IPv6Len
)

// AppendError4 appends an ICMPv4 error message about a packet, with as much of
// it as fits, and its checksum. Of h type, code and the four bytes count.
func AppendError4(b []byte, h *header.ICMP, packet []byte) []byte {
	at := len(b)
	b = h.Append(b)
	b = append(b, packet[:min(len(packet), MaxError4-header.ICMPLen)]...)
	header.PutICMPv4Checksum(b[at:])
	return b
}

// AppendError6 is AppendError4 for ICMPv6, whose checksum covers the addresses
// of the message.
func AppendError6(b []byte, h *header.ICMP, packet []byte, src, dst netip.Addr) []byte {
	at := len(b)
	b = h.Append(b)
	b = append(b, packet[:min(len(packet), MaxError6-header.ICMPLen)]...)
	header.PutICMPv6Checksum(b[at:], src, dst)
	return b
}

// Problem6 is the header of the message that reports a parameter problem.
func Problem6(p *header.ParameterProblem) header.ICMP {
	h := header.ICMP{Type: header.ICMPv6ParameterProblem, Code: p.Code}
	h.SetPointer(p.Pointer)
	return h
}

// AppendEchoReply4 appends the reply to an echo request, a whole ICMPv4 message
// whose checksum is right: the same bytes with another type (RFC 1122 3.2.2.6).
func AppendEchoReply4(b, request []byte) []byte {
	at := len(b)
	b = append(b, request...)
	reply := b[at:]
	was := uint32(binary.BigEndian.Uint16(reply))
	reply[0], reply[1] = header.ICMPv4EchoReply, 0
	check := header.UpdateChecksum(binary.BigEndian.Uint16(reply[2:]), was, header.ICMPv4EchoReply<<8)
	if check == 0 { // right unless all else is zero, too; 0xffff is right in both cases
		check = 0xffff
	}
	binary.BigEndian.PutUint16(reply[2:], check)
	return b
}

// AppendEchoReply6 appends the reply to an echo request, a whole ICMPv6 message
// (RFC 4443 4.2), to be sent from src to dst.
func AppendEchoReply6(b, request []byte, src, dst netip.Addr) []byte {
	at := len(b)
	b = append(b, request...)
	b[at], b[at+1] = header.ICMPv6EchoReply, 0
	header.PutICMPv6Checksum(b[at:], src, dst)
	return b
}
