package icmp

import (
	"net/netip"
	"strings"
	"testing"

	"example.com/berth/internal/header"
)

var addr = netip.MustParseAddr

// packet4 is an IPv4 packet with a payload of a protocol.
func packet4(h header.IPv4, payload string) []byte {
	if !h.Src.IsValid() {
		h.Src = addr("10.0.0.1")
	}
	if !h.Dst.IsValid() {
		h.Dst = addr("10.0.0.2")
	}
	h.PayloadLen = len(payload)
	return append(h.Append(nil), payload...)
}

// packet6 is an IPv6 packet with what follows its header.
func packet6(h header.IPv6, payload string) []byte {
	if !h.Src.IsValid() {
		h.Src = addr("2001:db8::1")
	}
	if !h.Dst.IsValid() {
		h.Dst = addr("2001:db8::2")
	}
	h.PayloadLen = len(payload)
	return append(h.Append(nil), payload...)
}

const eight = "\x00\x35\x00\x36\x00\x08\x00\x00" // a UDP header, ports 53 and 54

func TestMaySend4(t *testing.T) {
	udp := header.IPv4{Protocol: header.ProtocolUDP}
	from := func(src string) header.IPv4 { return header.IPv4{Protocol: header.ProtocolUDP, Src: addr(src)} }
	to := func(dst string) header.IPv4 { return header.IPv4{Protocol: header.ProtocolUDP, Dst: addr(dst)} }
	icmp := header.IPv4{Protocol: header.ProtocolICMP}
	for _, tt := range []struct {
		name    string
		packet  []byte
		arrival Arrival
		want    bool
	}{
		{"a UDP datagram", packet4(udp, eight), Arrival{}, true},
		{"a first fragment", packet4(header.IPv4{Protocol: 17, MF: true}, eight), Arrival{}, true},
		{"a later fragment", packet4(header.IPv4{Protocol: 17, Offset: 8}, eight), Arrival{}, false},
		{"an echo request", packet4(icmp, "\x08\x00......"), Arrival{}, true},
		{"an echo reply", packet4(icmp, "\x00\x00......"), Arrival{}, true},
		{"port unreachable", packet4(icmp, "\x03\x03......"), Arrival{}, false},
		{"source quench", packet4(icmp, "\x04\x00......"), Arrival{}, false},
		{"redirect", packet4(icmp, "\x05\x00......"), Arrival{}, false},
		{"time exceeded", packet4(icmp, "\x0b\x00......"), Arrival{}, false},
		{"parameter problem", packet4(icmp, "\x0c\x00......"), Arrival{}, false},
		{"ICMP of unknown type", packet4(icmp, "\x2a\x00......"), Arrival{}, false},
		{"ICMP without type", packet4(icmp, ""), Arrival{}, false},
		{"to a multicast group", packet4(to("224.0.0.1"), eight), Arrival{}, false},
		{"to all", packet4(to("255.255.255.255"), eight), Arrival{}, false},
		{"to a network's broadcast", packet4(to("10.0.0.255"), eight), Arrival{Broadcast: true}, false},
		{"in a broadcast frame", packet4(udp, eight), Arrival{LinkGroup: true}, false},
		{"from nobody", packet4(from("0.0.0.0"), eight), Arrival{}, false},
		{"from 0/8", packet4(from("0.1.2.3"), eight), Arrival{}, false},
		{"from a multicast group", packet4(from("239.0.0.1"), eight), Arrival{}, false},
		{"from class E", packet4(from("240.0.0.1"), eight), Arrival{}, false},
		{"from all", packet4(from("255.255.255.255"), eight), Arrival{}, false},
		{"from a network's broadcast", packet4(from("10.0.0.255"), eight), Arrival{SourceBroadcast: true}, false},
		{"from loopback, outside", packet4(from("127.0.0.1"), eight), Arrival{}, false},
		{"from loopback, inside", packet4(from("127.0.0.1"), eight), Arrival{Loopback: true}, true},
		{"no packet", []byte("x"), Arrival{}, false},
	} {
		if got := MaySend4(tt.packet, tt.arrival); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// DEF-43.
func TestMaySend6(t *testing.T) {
	udp := header.IPv6{NextHeader: header.ProtocolUDP}
	icmp := header.IPv6{NextHeader: header.ProtocolICMPv6}
	from := func(src string) header.IPv6 { return header.IPv6{NextHeader: 17, Src: addr(src)} }
	group := header.IPv6{NextHeader: 17, Dst: addr("ff02::1")}
	const (
		unreachable = header.ICMPv6Unreachable
		tooBig      = header.ICMPv6PacketTooBig
		problem     = header.ICMPv6ParameterProblem
		options     = "\x3a\x00\x01\x04\x00\x00\x00\x00" // then ICMPv6
		laterPart   = "\x3a\x00\x00\x08\x00\x00\x00\x01" // a fragment header, offset 8; ICMPv6
		laterUDP    = "\x11\x00\x00\x08\x00\x00\x00\x01"
	)
	for _, tt := range []struct {
		name          string
		packet        []byte
		arrival       Arrival
		typ           uint8
		evenMulticast bool
		want          bool
	}{
		{"a UDP datagram", packet6(udp, eight), Arrival{}, unreachable, false, true},
		{"an echo request", packet6(icmp, "\x80\x00......"), Arrival{}, unreachable, false, true},
		{"an error", packet6(icmp, "\x01\x04......"), Arrival{}, unreachable, false, false},
		{"an error of unknown type", packet6(icmp, "\x7f\x04......"), Arrival{}, unreachable, false, false},
		{"a redirect", packet6(icmp, "\x89\x00......"), Arrival{}, unreachable, false, false},
		{"an error behind options", packet6(header.IPv6{NextHeader: 60}, options+"\x01\x04......"), Arrival{}, problem, true, false},
		{"a request behind options", packet6(header.IPv6{NextHeader: 60}, options+"\x80\x00......"), Arrival{}, problem, false, true},
		{"ICMPv6 without type", packet6(icmp, ""), Arrival{}, unreachable, false, false},
		{"a later fragment of ICMPv6", packet6(header.IPv6{NextHeader: 44}, laterPart+"\x80......."), Arrival{}, problem, false, false},
		{"a later fragment of UDP", packet6(header.IPv6{NextHeader: 44}, laterUDP+eight), Arrival{}, problem, false, true},
		{"a first fragment without all headers", packet6(header.IPv6{NextHeader: 60}, options[:4]), Arrival{}, problem, false, true},
		{"to a group", packet6(group, eight), Arrival{}, unreachable, false, false},
		{"to a group, too big", packet6(group, eight), Arrival{}, tooBig, false, true},
		{"to a group, an option that asks for it", packet6(group, eight), Arrival{}, problem, true, true},
		{"to a group, another problem", packet6(group, eight), Arrival{}, problem, false, false},
		{"in a multicast frame", packet6(udp, eight), Arrival{LinkGroup: true}, unreachable, false, false},
		{"in a multicast frame, too big", packet6(udp, eight), Arrival{LinkGroup: true}, tooBig, false, true},
		{"from nobody", packet6(from("::"), eight), Arrival{}, tooBig, false, false},
		{"from a group", packet6(from("ff02::1"), eight), Arrival{}, tooBig, false, false},
		{"from loopback, outside", packet6(from("::1"), eight), Arrival{}, unreachable, false, false},
		{"from loopback, inside", packet6(from("::1"), eight), Arrival{Loopback: true}, unreachable, false, true},
		{"no packet", []byte(strings.Repeat("x", 40)), Arrival{}, unreachable, false, false},
	} {
		if got := MaySend6(tt.packet, tt.arrival, tt.typ, tt.evenMulticast); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
