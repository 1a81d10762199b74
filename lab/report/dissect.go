package report

import (
	"net/netip"

	"example.com/berth/internal/header"
	"example.com/berth/link"
)

// kind says how far a frame was understood, and as what.
type kind uint8

const (
	unknown  kind = iota // no protocol that is known here
	damaged              // a header was not as it must be: err
	arp                  // ARP
	fragment             // a piece of a packet that is not its first
	tcp
	udp
	icmp4
	icmp6
	other // IP with another protocol
)

// reading is what a frame says, header by header.
type reading struct {
	kind kind
	err  error // why it is damaged

	hasEth bool
	eth    header.Ethernet
	arp    header.ARP
	ip     uint8 // 4, 6, or 0
	ip4    header.IPv4
	ip6    header.IPv6
	ext    header.Extensions
	tcp    header.TCP
	udp    header.UDP
	icmp   header.ICMP

	protocol uint8          // of the upper layer
	src, dst netip.AddrPort // port 0 where there is none
	pieces   bool           // it is a fragment, the first one included
	segment  []byte         // the transport's header and what it carries
	body     []byte         // what the transport carries
	cut      bool           // bytes at the end were not recorded
}

// dissect reads a frame of the given length, of which data is the beginning.
// What was not recorded is read as zeros from scratch, which dissect returns for
// the next call. The reading refers to scratch or data.
func dissect(m link.Medium, data []byte, length int, scratch []byte) (*reading, []byte) {
	r := &reading{cut: length > len(data)}
	if r.cut {
		length = min(length, link.MaxFrame)
		scratch = append(scratch[:0], data...)
		if missing := length - len(data); missing > 0 {
			scratch = append(scratch, make([]byte, missing)...)
		}
		data = scratch
	}
	if err := r.frame(m, data); err != nil {
		r.kind, r.err = damaged, err
	}
	return r, scratch
}

func (r *reading) frame(m link.Medium, b []byte) (err error) {
	if m == link.Ethernet {
		if b, err = r.eth.Parse(b); err != nil {
			return err
		}
		r.hasEth = true
		switch r.eth.Type {
		case header.EtherTypeARP:
			r.kind = arp
			_, err = r.arp.Parse(b)
			return err
		case header.EtherTypeIPv4, header.EtherTypeIPv6:
		default:
			r.body = b
			return nil
		}
	}
	if len(b) == 0 {
		return header.ErrTruncated
	}
	if b[0]>>4 == 4 {
		return r.packet4(b)
	}
	return r.packet6(b)
}

func (r *reading) packet4(b []byte) error {
	body, err := r.ip4.Parse(b)
	if err != nil {
		return err
	}
	r.ip, r.protocol = 4, r.ip4.Protocol
	r.src, r.dst = netip.AddrPortFrom(r.ip4.Src, 0), netip.AddrPortFrom(r.ip4.Dst, 0)
	r.pieces = r.ip4.IsFragment()
	return r.transport(body, r.ip4.Offset)
}

func (r *reading) packet6(b []byte) error {
	body, err := r.ip6.Parse(b)
	if err != nil {
		return err
	}
	r.ip = 6
	r.src, r.dst = netip.AddrPortFrom(r.ip6.Src, 0), netip.AddrPortFrom(r.ip6.Dst, 0)
	if body, err = r.ext.Parse(r.ip6.NextHeader, body); err != nil {
		return err
	}
	r.protocol = r.ext.Protocol
	r.pieces = r.ext.HasFragment && !r.ext.Fragment.IsAtomic()
	return r.transport(body, r.ext.Fragment.Offset)
}

// transport reads the header of the upper layer, which only the first of a
// packet's fragments has.
func (r *reading) transport(b []byte, offset int) (err error) {
	r.segment, r.body = b, b
	if offset != 0 {
		r.kind = fragment
		return nil
	}
	r.kind = other
	switch r.protocol {
	case header.ProtocolTCP:
		r.kind = tcp
		r.body, err = r.tcp.Parse(b)
		r.ports(r.tcp.SrcPort, r.tcp.DstPort)
	case header.ProtocolUDP:
		r.kind = udp
		if r.pieces {
			r.body, err = r.udp.ParseQuoted(b)
		} else {
			r.body, err = r.udp.Parse(b)
		}
		r.ports(r.udp.SrcPort, r.udp.DstPort)
	case header.ProtocolICMP:
		r.kind = icmp4
		r.body, err = r.icmp.Parse(b)
	case header.ProtocolICMPv6:
		r.kind = icmp6
		r.body, err = r.icmp.Parse(b)
	}
	return err
}

func (r *reading) ports(src, dst uint16) {
	r.src = netip.AddrPortFrom(r.src.Addr(), src)
	r.dst = netip.AddrPortFrom(r.dst.Addr(), dst)
}

// ecn is the field of RFC 3168, and tells apart what a router has marked.
func (r *reading) ecn() uint8 {
	switch r.ip {
	case 4:
		return r.ip4.TOS & 3
	case 6:
		return r.ip6.TrafficClass & 3
	}
	return 0
}

// The codepoints of ECN.
const (
	notECT = iota
	ect1
	ect0
	ce
)

// identification is the one of the packet's fragments, or of an IPv4 packet.
func (r *reading) identification() uint32 {
	if r.ip == 4 {
		return uint32(r.ip4.ID)
	}
	return r.ext.Fragment.ID
}

// quoted reads the packet that an ICMP error is about; ok is false if the
// message is none or quotes too little.
func (r *reading) quoted() (src, dst netip.AddrPort, protocol uint8, ok bool) {
	var q reading
	var body []byte
	var err error
	switch {
	case r.kind == icmp4 && r.icmp.IsError4():
		body, err = q.ip4.ParseQuoted(r.icmp.Quoted4(r.body))
		q.src, q.dst = netip.AddrPortFrom(q.ip4.Src, 0), netip.AddrPortFrom(q.ip4.Dst, 0)
		protocol = q.ip4.Protocol
	case r.kind == icmp6 && r.icmp.IsError6():
		body, err = q.ip6.ParseQuoted(r.icmp.Quoted6(r.body))
		q.src, q.dst = netip.AddrPortFrom(q.ip6.Src, 0), netip.AddrPortFrom(q.ip6.Dst, 0)
		protocol, body, _, ok = header.UpperLayer(q.ip6.NextHeader, body)
		if !ok {
			return src, dst, 0, false
		}
	default:
		return src, dst, 0, false
	}
	if err != nil || len(body) < 4 {
		return src, dst, 0, false
	}
	if protocol == header.ProtocolTCP || protocol == header.ProtocolUDP {
		q.ports(uint16(body[0])<<8|uint16(body[1]), uint16(body[2])<<8|uint16(body[3]))
	}
	return q.src, q.dst, protocol, true
}
