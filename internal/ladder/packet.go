package ladder

import (
	"net/netip"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/link"
)

// Side is one of the two hosts.
type Side int

// The sides of the diagram.
const (
	Left Side = iota
	Right
)

// Packet is one packet on the wire, as it was sent.
type Packet struct {
	From     Side
	Protocol uint8
	// Src and Dst have ports where the protocol does.
	Src, Dst netip.AddrPort
	// Len is the length of what the transport carries, in bytes.
	Len int
	// TCP and ICMP are the headers of those protocols, both versions of ICMP
	// in one.
	TCP  header.TCP
	ICMP header.ICMP

	// Text, if not empty, is the packet's label, made by another reader.
	Text string
	// Lost says why the packet did not arrive; empty if it did.
	Lost string
	// Resent is set if all of it, or a part, was sent before.
	Resent bool
	// Seq and Ack are relative to the first number of their direction.
	Seq, Ack uint32
	// SACK are the blocks of that option, relative.
	SACK [][2]uint32

	// Bytes are those of the packet, if the Trace keeps them.
	Bytes []byte
	// Time is when the packet was sent.
	Time time.Time
}

// decode reads an IP packet; ok is false if it is none, or a fragment.
func decode(b []byte, p *Packet) (ok bool) {
	if len(b) == 0 {
		return false
	}
	var src, dst netip.Addr
	var body []byte
	var err error
	if b[0]>>4 == 4 {
		var ip header.IPv4
		body, err = ip.Parse(b)
		if err != nil || ip.IsFragment() {
			return false
		}
		src, dst, p.Protocol = ip.Src, ip.Dst, ip.Protocol
	} else {
		var ip header.IPv6
		var ext header.Extensions
		if body, err = ip.Parse(b); err != nil {
			return false
		}
		if body, err = ext.Parse(ip.NextHeader, body); err != nil || ext.HasFragment {
			return false
		}
		src, dst, p.Protocol = ip.Src, ip.Dst, ext.Protocol
	}
	return p.transport(src, dst, body)
}

// transport reads the header of the protocol.
func (p *Packet) transport(src, dst netip.Addr, body []byte) (ok bool) {
	var rest []byte
	var err error
	var from, to uint16
	switch p.Protocol {
	case header.ProtocolTCP:
		rest, err = p.TCP.Parse(body)
		from, to = p.TCP.SrcPort, p.TCP.DstPort
	case header.ProtocolUDP:
		var udp header.UDP
		rest, err = udp.Parse(body)
		from, to = udp.SrcPort, udp.DstPort
	case header.ProtocolICMP, header.ProtocolICMPv6:
		rest, err = p.ICMP.Parse(body)
	default:
		rest = body
	}
	p.Src, p.Dst = netip.AddrPortFrom(src, from), netip.AddrPortFrom(dst, to)
	p.Len = len(rest)
	return err == nil
}

// read makes a Packet of a frame of an IP medium.
func read(f *link.Frame, scratch []byte) (p *Packet, bytes []byte) {
	p = new(Packet)
	bytes = f.AppendTo(scratch[:0])
	decode(bytes, p)
	return p, bytes
}

// EchoRequest and EchoReply tell whether the packet is one, of either version.
func (p *Packet) EchoRequest() bool {
	return p.Protocol == header.ProtocolICMP && p.ICMP.Type == header.ICMPv4EchoRequest ||
		p.Protocol == header.ProtocolICMPv6 && p.ICMP.Type == header.ICMPv6EchoRequest
}

// EchoReply is EchoRequest for the answer.
func (p *Packet) EchoReply() bool {
	return p.Protocol == header.ProtocolICMP && p.ICMP.Type == header.ICMPv4EchoReply ||
		p.Protocol == header.ProtocolICMPv6 && p.ICMP.Type == header.ICMPv6EchoReply
}
