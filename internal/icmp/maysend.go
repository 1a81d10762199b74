package icmp

import (
	"net/netip"

	"example.com/berth/internal/header"
)

// Arrival is what a host knows of a packet besides its bytes.
type Arrival struct {
	// LinkGroup: the frame was sent to a link-layer broadcast or multicast
	// address.
	LinkGroup bool
	// Broadcast: the destination is a broadcast address of IPv4.
	Broadcast bool
	// SourceBroadcast: the source is a broadcast address of IPv4.
	SourceBroadcast bool
	// Loopback: the packet never left the host, and may come from 127.0.0.1.
	Loopback bool
}

// MaySend4 tells whether an ICMP error may answer a packet, which begins with
// its IPv4 header (RFC 1122 3.2.2): never about an error, a group's packet, a
// later fragment, or a source that is not one host.
func MaySend4(packet []byte, a Arrival) bool {
	var ip header.IPv4
	rest, err := ip.ParseQuoted(packet)
	switch {
	case err != nil,
		a.LinkGroup, a.Broadcast, a.SourceBroadcast,
		isGroup4(ip.Dst),
		!isOneHost4(ip.Src, a.Loopback),
		ip.Offset > 0:
		return false
	}
	return ip.Protocol != header.ProtocolICMP || len(rest) > 0 && isQuery4(rest[0])
}

// isQuery4 tells whether an ICMPv4 type is known not to be an error. One that is
// not known might be.
func isQuery4(typ uint8) bool {
	switch typ {
	case header.ICMPv4EchoReply, header.ICMPv4EchoRequest,
		header.ICMPv4RouterAdvert, header.ICMPv4RouterSolicit,
		header.ICMPv4Timestamp, header.ICMPv4TimestampReply,
		header.ICMPv4AddressMask, header.ICMPv4AddressMaskReply:
		return true
	}
	return false
}

func isGroup4(a netip.Addr) bool {
	return a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// isOneHost4 refuses 0.0.0.0/8, 127.0.0.0/8 from outside, multicast, and class
// E with the limited broadcast.
func isOneHost4(a netip.Addr, loopback bool) bool {
	first := a.As4()[0]
	return first != 0 && first < 224 && (first != 127 || loopback)
}

// MaySend6 tells whether an ICMPv6 error of a type may answer a packet, which
// begins with its IPv6 header (RFC 4443 2.4 e). EvenMulticast is that of the
// parameter problem which the error reports. A packet to a group is answered
// only for that, and with packet too big.
func MaySend6(packet []byte, a Arrival, typ uint8, evenMulticast bool) bool {
	var ip header.IPv6
	rest, err := ip.ParseQuoted(packet)
	if err != nil || ip.Src.IsUnspecified() || ip.Src.IsMulticast() || ip.Src.IsLoopback() && !a.Loopback {
		return false
	}
	if (a.LinkGroup || ip.Dst.IsMulticast()) && typ != header.ICMPv6PacketTooBig && !evenMulticast {
		return false
	}
	protocol, rest, first, ok := header.UpperLayer(ip.NextHeader, rest)
	if !ok || protocol != header.ProtocolICMPv6 {
		return true
	}
	// The type of the message stands in the first fragment alone.
	return first && len(rest) > 0 && !header.ICMPv6IsError(rest[0]) && rest[0] != header.ICMPv6Redirect
}
