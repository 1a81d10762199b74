package testnet

import (
	"fmt"
	"net/netip"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/link"
)

// The ports of the packets that Datagram and Segment make.
const (
	SrcPort = 40404
	DstPort = 50505
)

// Pattern returns n bytes in which every place can be told from others nearby.
func Pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

// Datagram returns a frame with a UDP datagram of n bytes of Pattern and its
// checksum partial; if seg is not zero, a large one of segments of that size.
func Datagram(src, dst string, n, seg int) link.Frame {
	f := frame(src, dst, header.ProtocolUDP, header.UDPLen, n, func(b []byte, check uint16) []byte {
		h := header.UDP{SrcPort: SrcPort, DstPort: DstPort, PayloadLen: n, Checksum: check}
		return h.Append(b)
	})
	f.CsumOffset = 6
	if seg != 0 {
		f.GSO, f.SegSize = link.GSOUDP, uint16(seg)
	}
	return f
}

// Segment is Datagram for TCP, with sequence numbers from 0.
func Segment(src, dst string, n, seg int) link.Frame {
	h := header.TCP{
		SrcPort: SrcPort, DstPort: DstPort, Seq: 0, Ack: 1, Flags: header.ACK, Window: 1000,
		Options: header.TCPOptions{HasTS: true, TSVal: 1, TSEcr: 2},
	}
	f := frame(src, dst, header.ProtocolTCP, h.HeaderLen(), n, func(b []byte, check uint16) []byte {
		h.Checksum = check
		return h.Append(b)
	})
	f.CsumOffset = 16
	if seg != 0 {
		f.GSO, f.SegSize = link.GSOTCP4, uint16(seg)
		if netip.MustParseAddr(src).Is6() {
			f.GSO = link.GSOTCP6
		}
	}
	return f
}

func frame(src, dst string, protocol uint8, headerLen, n int, transport func(b []byte, check uint16) []byte) link.Frame {
	from, to := netip.MustParseAddr(src), netip.MustParseAddr(dst)
	var head []byte
	if from.Is4() {
		ip := header.IPv4{TTL: 64, Protocol: protocol, DF: true, Src: from, Dst: to, PayloadLen: headerLen + n}
		head = ip.Append(nil)
	} else {
		ip := header.IPv6{HopLimit: 64, NextHeader: protocol, Src: from, Dst: to, PayloadLen: headerLen + n}
		head = ip.Append(nil)
	}
	start := len(head)
	head = transport(head, header.Partial(header.PseudoSum(from, to, protocol, headerLen+n)))
	return link.Frame{Head: head, Payload: Pattern(n), Checksum: link.ChecksumPartial, CsumStart: uint16(start)}
}

// OnEthernet puts an Ethernet header before a frame.
func OnEthernet(f link.Frame, dst, src [6]byte) link.Frame {
	eth := header.Ethernet{Dst: dst, Src: src, Type: header.EtherTypeIPv4}
	if f.Head[0]>>4 == 6 {
		eth.Type = header.EtherTypeIPv6
	}
	f.Head = append(eth.Append(nil), f.Head...)
	f.CsumStart += header.EthernetLen
	return f
}

// Packet is what tests look at in a packet that Datagram or Segment made.
type Packet struct {
	Protocol uint8
	Seq      seqnum.Value // of TCP
	Payload  []byte
}

// ParsePacket reads a frame and verifies its checksums: a whole one sums up, a
// partial one is the sum of the pseudo-header and says the right place. It
// reports ok as false if the frame is none of Datagram's or Segment's.
func ParsePacket(medium link.Medium, f *link.Frame) (p Packet, ok bool, err error) {
	b := f.AppendTo(nil)
	if len(b) < medium.HeaderLen() {
		return p, false, nil
	}
	b = b[medium.HeaderLen():]
	from, to, protocol, body, err := parseIP(b)
	if err != nil {
		return p, false, nil // ARP, for one
	}
	p.Protocol = protocol
	whole := body
	switch p.Protocol {
	case header.ProtocolTCP:
		var h header.TCP
		if p.Payload, err = h.Parse(body); err != nil {
			return p, true, err
		}
		p.Seq, ok = h.Seq, h.SrcPort == SrcPort
	case header.ProtocolUDP:
		var h header.UDP
		if p.Payload, err = h.Parse(body); err != nil {
			return p, true, err
		}
		ok = h.DstPort == DstPort
	}
	if !ok {
		return p, false, nil
	}
	pseudo := header.PseudoSum(from, to, p.Protocol, len(whole))
	if f.Checksum == link.ChecksumPartial {
		at := int(f.CsumOffset)
		if want := f.Len() - len(whole); int(f.CsumStart) != want {
			return p, true, fmt.Errorf("the summed bytes begin at %d, want %d", f.CsumStart, want)
		}
		if got := uint16(whole[at])<<8 | uint16(whole[at+1]); got != header.Partial(pseudo) {
			return p, true, fmt.Errorf("partial checksum %#x, want %#x", got, header.Partial(pseudo))
		}
		return p, true, nil
	}
	if header.Fold(header.Sum(whole, pseudo)) != 0 {
		return p, true, fmt.Errorf("protocol %d: bad checksum", p.Protocol)
	}
	return p, true, nil
}

func parseIP(b []byte) (src, dst netip.Addr, protocol uint8, body []byte, err error) {
	if len(b) > 0 && b[0]>>4 == 4 {
		var ip header.IPv4
		body, err = ip.Parse(b)
		return ip.Src, ip.Dst, ip.Protocol, body, err
	}
	var ip header.IPv6
	body, err = ip.Parse(b)
	return ip.Src, ip.Dst, ip.NextHeader, body, err
}
