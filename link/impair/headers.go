package impair

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/link"
)

// A Packet is what a [Match] sees: a frame with its headers read. Whether they
// begin with that of Ethernet is told by the frame's own bytes. It is lent for
// the length of the call.
type Packet struct {
	// Now is the time, as a Rule gets it.
	Now time.Duration
	// Frame is the frame itself; lent.
	Frame *link.Frame

	// Version is that of IP: 4 or 6. It is 0, as is all that follows, if the
	// frame carries no IP (ARP) or is shorter than its IP header says.
	Version int
	// Src and Dst are the addresses.
	Src, Dst netip.Addr
	// Protocol is what IP carries, past the extension headers of IPv6: 6 is
	// TCP, 17 UDP, 1 ICMP, 58 ICMPv6.
	Protocol uint8
	// Fragment tells whether the packet is a part of a larger one, and Offset
	// where that part begins, in bytes. What follows is known of the first
	// part at most.
	Fragment bool
	Offset   int

	// SrcPort and DstPort are those of TCP and UDP.
	SrcPort, DstPort uint16
	// Flags are those of TCP, in the order of the header: FIN is 1, SYN 2, RST
	// 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128, AE 256.
	Flags uint16
	// DataLen is the length in bytes of what TCP or UDP carries.
	DataLen int

	at    layout
	bytes [peeked]byte // the frame's first
}

// peeked is how much of a frame is read: Ethernet, the longest IPv4 and TCP
// headers, or IPv6 with 142 bytes of extension headers.
const peeked = 256

// layout is where the headers of a frame lie.
type layout struct {
	network   int // where the IP header begins
	transport int // what IP carries; 0 if that is not known
	end       int // of the packet; the frame may be padded
	ports     bool
}

// Read fills p with what there is to know of a frame, where no Rule gives one.
func (p *Packet) Read(f *link.Frame) { p.read(0, f) }

var packets = sync.Pool{New: func() any { return new(Packet) }}

// read fills p.
func (p *Packet) read(now time.Duration, f *link.Frame) {
	p.Now, p.Frame = now, f
	p.Version, p.Src, p.Dst, p.Protocol = 0, netip.Addr{}, netip.Addr{}, 0
	p.Fragment, p.Offset, p.SrcPort, p.DstPort, p.Flags, p.DataLen = false, 0, 0, 0, 0, 0
	p.at = layout{}
	b := p.bytes[:f.Peek(p.bytes[:])]
	at, version := network(b, f.Len())
	p.at.network = at
	switch version {
	case 4:
		p.readIPv4(b)
	case 6:
		p.readIPv6(b)
	}
	if p.Version != 0 && p.at.transport != 0 && p.Offset == 0 {
		p.readTransport(b)
	}
}

// network finds the IP header, in a frame of length bytes that begins with b,
// without being told the medium: version is 0 if there is none. What could be
// both is IP if all fits, which an Ethernet address does not do by chance, and
// else Ethernet.
func network(b []byte, length int) (at, version int) {
	version = fits(b, length)
	if version == 4 && header.Fold(header.Sum(b[:int(b[0]&15)*4], 0)) == 0 ||
		version == 6 && int(binary.BigEndian.Uint16(b[4:]))+header.IPv6Len == length {
		return 0, version
	}
	if len(b) > header.EthernetLen {
		inner := b[header.EthernetLen:]
		switch etherType := binary.BigEndian.Uint16(b[12:]); {
		case etherType == header.EtherTypeIPv4 && inner[0]>>4 == 4, etherType == header.EtherTypeIPv6 && inner[0]>>4 == 6:
			return header.EthernetLen, fits(inner, length-header.EthernetLen)
		case etherType == header.EtherTypeARP:
			return header.EthernetLen, 0
		}
	}
	return 0, version
}

// fits returns the version of the IP header that b begins with, if its lengths
// fit into length bytes, or else 0.
func fits(b []byte, length int) int {
	switch {
	case len(b) >= header.IPv4MinLen && b[0]>>4 == 4:
		head, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
		if head >= header.IPv4MinLen && head <= len(b) && head <= total && total <= length {
			return 4
		}
	case len(b) >= header.IPv6Len && b[0]>>4 == 6:
		if header.IPv6Len+int(binary.BigEndian.Uint16(b[4:])) <= length {
			return 6
		}
	}
	return 0
}

func (p *Packet) readIPv4(b []byte) {
	h := b[p.at.network:]
	p.Version, p.Protocol = 4, h[9]
	p.Src, p.Dst = netip.AddrFrom4([4]byte(h[12:])), netip.AddrFrom4([4]byte(h[16:]))
	part := binary.BigEndian.Uint16(h[6:])
	p.Offset = int(part&0x1fff) * 8
	p.Fragment = part&0x3fff != 0
	p.at.transport = p.at.network + int(h[0]&15)*4
	p.at.end = p.at.network + int(binary.BigEndian.Uint16(h[2:]))
}

func (p *Packet) readIPv6(b []byte) {
	h := b[p.at.network:]
	p.Version = 6
	p.Src, p.Dst = netip.AddrFrom16([16]byte(h[8:])), netip.AddrFrom16([16]byte(h[24:]))
	p.at.end = p.at.network + header.IPv6Len + int(binary.BigEndian.Uint16(h[4:]))
	next, at := h[6], p.at.network+header.IPv6Len
	b = b[:min(len(b), p.at.end)]
	for p.Offset == 0 {
		rest := b[at:]
		size := 8 // of a fragment header, and the least of the others
		switch next {
		case header.ProtocolHopByHop, header.ProtocolRouting, header.ProtocolDestination:
			if len(rest) >= 2 {
				size += int(rest[1]) * 8
			}
		case header.ProtocolFragment:
			if len(rest) >= size {
				part := binary.BigEndian.Uint16(rest[2:])
				p.Offset = int(part &^ 7)
				p.Fragment = part&^6 != 0 // RFC 6946: an atomic fragment is none
			}
		default:
			p.Protocol, p.at.transport = next, at
			return
		}
		if len(rest) < size {
			return // cut short, or longer than what was read
		}
		next, at = rest[0], at+size
	}
	p.Protocol = next
}

func (p *Packet) readTransport(b []byte) {
	h, length := b[min(p.at.transport, len(b)):], p.at.end-p.at.transport
	h = h[:min(len(h), length)]
	switch {
	case p.Protocol == header.ProtocolTCP && len(h) >= header.TCPMinLen:
		p.Flags = binary.BigEndian.Uint16(h[12:]) & 0x1ff
		p.DataLen = max(0, length-int(h[12]>>4)*4)
	case p.Protocol == header.ProtocolUDP && len(h) >= header.UDPLen:
		p.DataLen = length - header.UDPLen
	default:
		return
	}
	p.at.ports = true
	p.SrcPort, p.DstPort = binary.BigEndian.Uint16(h), binary.BigEndian.Uint16(h[2:])
}
