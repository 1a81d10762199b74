package icmp

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"example.com/berth/internal/header"
	"example.com/berth/internal/ipoptions"
	"example.com/berth/internal/seqnum"
)

// ErrMTU: a message tells an MTU that no link may have. It is ignored: RFC 8201
// 4 and RFC 8021 for IPv6, RFC 1191 3 for IPv4.
var ErrMTU = errors.New("icmp: impossible MTU")

// Error is an ICMP error message that was received: what happened to a packet
// that this host, or somebody who wants it to believe so, has sent.
type Error struct {
	Type, Code uint8
	Verdict
	// MTU is the next hop's, for EMSGSIZE, else 0.
	MTU int
	// Pointer is what a parameter problem points at.
	Pointer uint32
	// Gateway is the router that an ICMPv4 redirect names.
	Gateway netip.Addr

	// Local and Remote are source and destination of the quoted packet, with
	// the ports of TCP and UDP. Of an ICMP echo the local port is its
	// identifier, of another query it is 0.
	Local, Remote netip.AddrPort
	Protocol      uint8
	// HasTransport: at least the first 8 bytes of the transport's header are
	// quoted, so that the ports are there. Without them, as in a later
	// fragment, the message can be used for the path MTU only.
	HasTransport bool
	// Seq is the sequence number of a TCP segment, or that of an echo.
	Seq seqnum.Value
	// Type of a quoted ICMP message.
	QuotedType uint8
	// Transport is what is quoted from the transport's header on, Packet all
	// that is quoted.
	Transport, Packet []byte
}

// Parse4 reads an ICMPv4 error, a whole message whose checksum is right.
// ErrType stands for a message that is to be ignored.
func Parse4(message []byte) (Error, error) {
	var h header.ICMP
	rest, err := h.Parse(message)
	if err != nil {
		return Error{}, err
	}
	verdict, ok := Errno4(h.Type, h.Code)
	if !ok {
		return Error{}, header.ErrType
	}
	e := Error{Type: h.Type, Code: h.Code, Verdict: verdict, Packet: h.Quoted4(rest)}
	var ip header.IPv4
	transport, err := ip.ParseQuoted(e.Packet)
	if err != nil {
		return Error{}, err
	}
	e.quote(ip.Src, arrivesAt(&ip), ip.Protocol, transport, ip.Offset == 0)
	switch {
	case h.Type == header.ICMPv4Redirect:
		e.Gateway = h.Gateway()
	case h.Type == header.ICMPv4ParameterProblem:
		e.Pointer = uint32(h.Pointer4())
	case h.Type == header.ICMPv4Unreachable && h.Code == header.ICMPv4FragmentationNeeded:
		if e.MTU = int(h.MTU4()); e.MTU == 0 {
			e.MTU = plateauBelow(ip.HeaderLen() + ip.PayloadLen)
		}
		if e.MTU < header.MinMTU4 {
			return Error{}, ErrMTU
		}
	}
	return e, nil
}

// arrivesAt is where a quoted packet was to arrive: the end of its source route,
// if it has one.
func arrivesAt(ip *header.IPv4) netip.Addr {
	if len(ip.Options) > 0 {
		var r ipoptions.Received
		if _, ok := r.Parse(ip.Options, ip.Src); ok {
			if last, ok := r.Final(); ok {
				return last
			}
		}
	}
	return ip.Dst
}

// Parse6 reads an ICMPv6 error, a whole message whose checksum is right.
// ErrType stands for a message that is to be ignored.
func Parse6(message []byte) (Error, error) {
	var h header.ICMP
	rest, err := h.Parse(message)
	if err != nil {
		return Error{}, err
	}
	verdict, ok := Errno6(h.Type, h.Code)
	if !ok {
		return Error{}, header.ErrType
	}
	e := Error{Type: h.Type, Code: h.Code, Verdict: verdict, Packet: h.Quoted6(rest)}
	var ip header.IPv6
	rest, err = ip.ParseQuoted(e.Packet)
	if err != nil {
		return Error{}, err
	}
	protocol, transport, first, ok := header.UpperLayer(ip.NextHeader, rest)
	if !ok {
		protocol = header.ProtocolNoNext
	}
	e.quote(ip.Src, ip.Dst, protocol, transport, first)
	switch h.Type {
	case header.ICMPv6PacketTooBig:
		if h.MTU() < header.MinMTU6 {
			return Error{}, ErrMTU
		}
		e.MTU = int(min(h.MTU(), header.IPv6Len+header.MaxPacket))
	case header.ICMPv6ParameterProblem:
		e.Pointer = h.Pointer()
	}
	return e, nil
}

// SoftForTCP tells whether the message is one of those that RFC 9293 section
// 3.9.2.2 names as no reason to give a connection up. Parameter problems are among
// them, which other sockets take for hard.
func (e *Error) SoftForTCP() bool {
	switch four := e.Local.Addr().Is4(); {
	case four && e.Type == header.ICMPv4Unreachable:
		return e.Code == header.ICMPv4NetUnreachable || e.Code == header.ICMPv4HostUnreachable ||
			e.Code == header.ICMPv4SourceRouteFailed
	case four:
		return e.Type == header.ICMPv4TimeExceeded || e.Type == header.ICMPv4ParameterProblem
	case e.Type == header.ICMPv6Unreachable:
		return e.Code == header.ICMPv6NoRoute || e.Code == header.ICMPv6AddressUnreachable
	}
	return e.Type == header.ICMPv6TimeExceeded || e.Type == header.ICMPv6ParameterProblem
}

// quote notes what the quoted packet was.
func (e *Error) quote(src, dst netip.Addr, protocol uint8, transport []byte, first bool) {
	var local, remote uint16
	e.Protocol = protocol
	e.HasTransport = first && len(transport) >= 8
	if e.HasTransport {
		e.Transport = transport
		local, remote = e.transport(transport)
	}
	e.Local = netip.AddrPortFrom(src, local)
	e.Remote = netip.AddrPortFrom(dst, remote)
}

// transport reads the first 8 bytes of the transport's header.
func (e *Error) transport(b []byte) (local, remote uint16) {
	switch e.Protocol {
	case header.ProtocolTCP:
		e.Seq = seqnum.Value(binary.BigEndian.Uint32(b[4:]))
		return binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	case header.ProtocolUDP:
		return binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	case header.ProtocolICMP, header.ProtocolICMPv6:
		e.QuotedType = b[0]
		if isEcho(e.Protocol, b[0]) {
			e.Seq = seqnum.Value(binary.BigEndian.Uint16(b[6:]))
			return binary.BigEndian.Uint16(b[4:]), 0
		}
	}
	return 0, 0
}

func isEcho(protocol, typ uint8) bool {
	if protocol == header.ProtocolICMP {
		return typ == header.ICMPv4EchoRequest || typ == header.ICMPv4EchoReply
	}
	return typ == header.ICMPv6EchoRequest || typ == header.ICMPv6EchoReply
}

// plateaus are the MTUs of the links there are (RFC 1191 7).
var plateaus = [...]int{32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68}

// plateauBelow guesses the MTU that a packet was too long for, from a router
// that does not tell: the next lower one that exists (RFC 1191 5).
func plateauBelow(length int) int {
	for _, p := range plateaus {
		if p < length {
			return p
		}
	}
	return plateaus[len(plateaus)-1]
}
