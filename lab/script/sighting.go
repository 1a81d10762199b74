package script

import (
	"encoding/binary"
	"net/netip"
	"time"

	"example.com/berth/internal/header"
)

// A sighting is a packet that the host sent.
type sighting struct {
	at       time.Duration
	bytes    []byte
	bad      string // what is wrong with it; empty: nothing
	src, dst netip.Addr
	tos, ttl uint8
	label    uint32
	protocol uint8 // ICMPv6 as ICMP
	tcp      header.TCP
	options  []tcpOption
	udp      header.UDP
	icmp     header.ICMP
	payload  int
	segment  []byte // of TCP, header and all
	flow     *flow  // of TCP and UDP
}

// look takes a packet apart.
func look(at time.Duration, b []byte) sighting {
	s := sighting{at: at, bytes: b}
	rest := s.ip(b)
	if s.bad != "" {
		return s
	}
	var err error
	switch s.protocol {
	case header.ProtocolTCP:
		s.verify(rest)
		var data []byte
		if data, err = s.tcp.Parse(rest); err == nil {
			s.segment = rest
			s.options = readOptions(rest[header.TCPMinLen : len(rest)-len(data)])
			s.payload = len(data)
		}
	case header.ProtocolUDP:
		s.verify(rest)
		var data []byte
		if data, err = s.udp.Parse(rest); err == nil {
			s.payload = len(data)
		}
	case header.ProtocolICMP, header.ProtocolICMPv6:
		s.verify(rest)
		s.protocol = header.ProtocolICMP
		_, err = s.icmp.Parse(rest)
	}
	if err != nil {
		s.bad = err.Error()
	}
	return s
}

// ip reads the IP header and returns what it carries.
func (s *sighting) ip(b []byte) []byte {
	if b[0]>>4 == 4 {
		var h header.IPv4
		rest, err := h.Parse(b)
		if err != nil {
			s.bad = err.Error()
		}
		s.src, s.dst, s.tos, s.ttl, s.protocol = h.Src, h.Dst, h.TOS, h.TTL, h.Protocol
		return rest
	}
	var h header.IPv6
	rest, err := h.Parse(b)
	if err != nil {
		s.bad = err.Error()
		return nil
	}
	var e header.Extensions
	if rest, err = e.Parse(h.NextHeader, rest); err != nil {
		s.bad = err.Error()
	}
	s.src, s.dst, s.tos, s.ttl, s.protocol, s.label = h.Src, h.Dst, h.TrafficClass, h.HopLimit, e.Protocol, h.FlowLabel
	return rest
}

// verify checks the transport's checksum.
func (s *sighting) verify(b []byte) {
	acc := uint32(0)
	if s.protocol != header.ProtocolICMP {
		acc = header.PseudoSum(s.src, s.dst, s.protocol, len(b))
	}
	if header.Fold(header.Sum(b, acc)) != 0 {
		s.bad = "the checksum is wrong"
	}
}

// readOptions reads TCP options in their order, padding included.
func readOptions(b []byte) (list []tcpOption) {
	for len(b) > 0 {
		o := tcpOption{kind: b[0]}
		if o.kind == optEnd || o.kind == optNop {
			list, b = append(list, o), b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return append(list, tcpOption{kind: o.kind, data: b[1:]})
		}
		o.data, b = b[2:b[1]], b[b[1]:]
		switch {
		case o.kind == optTimestamps && len(o.data) == 8:
			o.val, o.ecr = binary.BigEndian.Uint32(o.data), binary.BigEndian.Uint32(o.data[4:])
		case o.kind == optSACK && len(o.data)%8 == 0:
			for d := o.data; len(d) > 0; d = d[8:] {
				o.blocks = append(o.blocks, [2]uint32{binary.BigEndian.Uint32(d), binary.BigEndian.Uint32(d[4:])})
			}
		}
		list = append(list, o)
	}
	return list
}

// chatter tells whether a packet is one that a host sends for the sake of its
// link: neighbor discovery, router solicitations, group reports.
func (s *sighting) chatter() bool {
	switch {
	case s.protocol == header.ProtocolIGMP:
		return true
	case s.protocol != header.ProtocolICMP || !s.src.Is6():
		return false
	}
	return s.icmp.Type >= header.ICMPv6MLDQuery && s.icmp.Type <= header.ICMPv6Redirect || s.icmp.Type == header.ICMPv6MLDv2Report
}
