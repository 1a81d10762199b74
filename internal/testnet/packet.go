package tuntap_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/link"
)

const (
	srcPort = 40404
	dstPort = 50505
)

// pattern returns n bytes in which every place can be told from others nearby.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

// datagram returns a UDP frame with n bytes of pattern and its checksum partial,
// a large one if seg is not zero.
func datagram(t testing.TB, src, dst string, n, seg int) link.Frame {
	t.Helper()
	f := frame(src, dst, header.ProtocolUDP, header.UDPLen, n, func(b []byte, check uint16) []byte {
		h := header.UDP{SrcPort: srcPort, DstPort: dstPort, PayloadLen: n, Checksum: check}
		return h.Append(b)
	})
	f.CsumOffset = 6
	if seg != 0 {
		f.GSO, f.SegSize = link.GSOUDP, uint16(seg)
	}
	return f
}

// segment is datagram for TCP.
func segment(t testing.TB, src, dst string, n, seg int) link.Frame {
	t.Helper()
	h := header.TCP{
		SrcPort: srcPort, DstPort: dstPort, Seq: 0, Ack: 1, Flags: header.ACK, Window: 1000,
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
	return link.Frame{Head: head, Payload: pattern(n), Checksum: link.ChecksumPartial, CsumStart: uint16(start)}
}

// packet is what tests look at in a packet of one of the flows above.
type packet struct {
	protocol uint8
	seq      seqnum.Value // of TCP
	payload  []byte
}

// parse reads a frame and verifies every checksum, those that are partial once
// completed; ok is false if it is none of ours.
func parse(f *link.Frame) (p packet, ok bool, err error) {
	b := f.AppendTo(nil)
	var from, to netip.Addr
	var body []byte
	if len(b) > 0 && b[0]>>4 == 4 {
		var ip header.IPv4
		if body, err = ip.Parse(b); err != nil {
			return p, true, err
		}
		p.protocol, from, to = ip.Protocol, ip.Src, ip.Dst
	} else {
		var ip header.IPv6
		if body, err = ip.Parse(b); err != nil {
			return p, true, err
		}
		p.protocol, from, to = ip.NextHeader, ip.Src, ip.Dst
	}
	whole := bytes.Clone(body)
	switch p.protocol {
	case header.ProtocolTCP:
		var h header.TCP
		if p.payload, err = h.Parse(body); err != nil {
			return p, true, err
		}
		p.seq, ok = h.Seq, h.SrcPort == srcPort
	case header.ProtocolUDP:
		var h header.UDP
		if p.payload, err = h.Parse(body); err != nil {
			return p, true, err
		}
		ok = h.DstPort == dstPort
	}
	if !ok {
		return p, false, nil
	}
	pseudo := header.PseudoSum(from, to, p.protocol, len(whole))
	if f.Checksum == link.ChecksumPartial {
		at := int(f.CsumOffset)
		if int(f.CsumStart) != len(b)-len(whole) {
			return p, true, fmt.Errorf("the summed bytes begin at %d, want %d", f.CsumStart, len(b)-len(whole))
		}
		if got := uint16(whole[at])<<8 | uint16(whole[at+1]); got != header.Partial(pseudo) {
			return p, true, fmt.Errorf("partial checksum %#x, want %#x", got, header.Partial(pseudo))
		}
		return p, true, nil
	}
	if header.Fold(header.Sum(whole, pseudo)) != 0 {
		return p, true, fmt.Errorf("protocol %d: bad checksum", p.protocol)
	}
	return p, true, nil
}
