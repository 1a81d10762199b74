package berth

import (
	"errors"

	"example.com/berth/internal/header"
	"example.com/berth/internal/reassembly"
	"example.com/berth/link"
)

// receive takes one frame from the device to whoever it is for. The goroutine
// that brings it goes all the way. Batch is what the frame came with, or nil.
func (ifc *Interface) receive(f *link.Frame, batch *arrivals) {
	c := &ifc.host.count
	c.IP.In.Add(1)
	b := f.Head
	if len(b) == 0 {
		b = f.Payload
	}
	in := inPacket{ifc: ifc, batch: batch}
	if ifc.linkHeader > 0 {
		var eth header.Ethernet
		rest, err := eth.Parse(b)
		switch {
		case err != nil:
			c.IP.BadHeader.Add(1)
			return
		case eth.Dst != ifc.info.Load().Addr && !eth.Dst.IsMulticast():
			c.IP.NotForUs.Add(1) // a promiscuous device
			return
		case eth.Type == header.EtherTypeARP:
			ifc.receiveARP(rest, eth.Dst)
			return
		case eth.Type != header.EtherTypeIPv4 && eth.Type != header.EtherTypeIPv6:
			c.IP.NotIP.Add(1)
			return
		}
		b, in.group = rest, eth.Dst.IsMulticast()
	}
	ifc.receiveIP(f, b, &in)
}

// receiveIP takes a packet that begins with b, which is what lies in one piece
// with the IP header; in has what is known about it already.
func (ifc *Interface) receiveIP(f *link.Frame, b []byte, in *inPacket) {
	if len(b) == 0 {
		ifc.host.count.IP.BadHeader.Add(1)
		return
	}
	in.take(f)
	switch b[0] >> 4 {
	case 4:
		ifc.receiveIPv4(in, f, b)
	case 6:
		ifc.receiveIPv6(in, f, b)
	default:
		ifc.host.count.IP.BadHeader.Add(1)
	}
}

// take notes what the frame says of the packet.
func (in *inPacket) take(f *link.Frame) {
	in.buf, in.checksum, in.csumOffset = f.Buffer, f.Checksum, f.CsumOffset
	if f.GSO != link.GSONone {
		in.gso, in.segSize = f.GSO, int(f.SegSize)
	}
}

// split sets what the packet carries, given what of it lies behind the IP
// header (rest) and how long it is to be. It is false if the frame is shorter.
// Link padding goes.
func (in *inPacket) split(f *link.Frame, rest []byte, length int) bool {
	if len(f.Head) == 0 {
		if len(rest) < length {
			return false
		}
		in.body = rest[:length:length]
		return true
	}
	if len(rest)+len(f.Payload) < length {
		return false
	}
	if len(rest) >= length {
		in.body, in.buf = rest[:length:length], nil // the head is lent
		return true
	}
	in.head, in.body = rest, f.Payload[:length-len(rest)]
	if len(in.head) == 0 {
		in.head = nil
	}
	return true
}

func (ifc *Interface) receiveIPv4(in *inPacket, f *link.Frame, b []byte) {
	h := ifc.host
	var ip header.IPv4
	if _, err := ip.ParseQuoted(b); err != nil {
		h.count.IP.BadHeader.Add(1)
		return
	}
	hlen := ip.HeaderLen()
	if header.Fold(header.Sum(b[:hlen], 0)) != 0 {
		h.count.IP.BadChecksum.Add(1)
		return
	}
	in.ip = b[:hlen:hlen]
	if !in.split(f, b[hlen:], ip.PayloadLen) {
		h.count.IP.BadHeader.Add(1)
		return
	}
	in.src, in.dst = ip.Src, ip.Dst
	in.protocol, in.tos, in.ttl = ip.Protocol, ip.TOS, ip.TTL
	n := h.net.Load()
	if len(ip.Options) > 0 && !in.receiveOptions(n) {
		return
	}
	if !ifc.plausibleSource(n, in.src) {
		h.count.IP.BadSource.Add(1)
		return
	}
	if !ifc.accepts(n, in) {
		if in.foreign = h.forwards(n, in); !in.foreign {
			h.forward(in, n)
			return
		}
		if !h.hasHops(in) {
			return
		}
	}
	if ip.IsFragment() {
		h.reassemble(in, ip.Offset, ip.MF, reassembly.Key{ID: uint32(ip.ID), Protocol: ip.Protocol}, 0, 0)
		return
	}
	if in.options != nil && !in.foreign {
		in.arrive()
	}
	h.deliver(in)
}

func (ifc *Interface) receiveIPv6(in *inPacket, f *link.Frame, b []byte) {
	h := ifc.host
	var ip header.IPv6
	if _, err := ip.ParseQuoted(b); err != nil {
		h.count.IP.BadHeader.Add(1)
		return
	}
	in.ip = b[:header.IPv6Len:header.IPv6Len]
	if !in.split(f, b[header.IPv6Len:], ip.PayloadLen) {
		h.count.IP.BadHeader.Add(1)
		return
	}
	in.src, in.dst = ifc.seen(ip.Src), ifc.seen(ip.Dst)
	in.protocol, in.tos, in.ttl, in.nextAt = ip.NextHeader, ip.TrafficClass, ip.HopLimit, 6
	n := h.net.Load()
	if !ifc.plausibleSource(n, in.src) {
		h.count.IP.BadSource.Add(1)
		return
	}
	if !ifc.accepts(n, in) {
		if in.foreign = h.forwards(n, in); !in.foreign {
			h.forward(in, n)
			return
		}
		if !h.hasHops(in) {
			return
		}
	}
	if isExtension(in.protocol) && !in.extensions() {
		return
	}
	h.deliver(in)
}

// isExtension tells whether a next header is an extension header.
func isExtension(next uint8) bool {
	switch next {
	case header.ProtocolHopByHop, header.ProtocolRouting, header.ProtocolFragment, header.ProtocolDestination:
		return true
	}
	return false
}

// extensions walks the extension headers, and is true when what follows is to
// be delivered. It answers what is wrong with them.
func (in *inPacket) extensions() bool {
	h := in.ifc.host
	if len(in.head) > 0 {
		in.buf = nil // linear copies
	}
	b := in.linear()
	var e header.Extensions
	rest, err := e.Parse(in.protocol, b)
	if err != nil {
		h.count.IP.BadExtension.Add(1)
		if problem, ok := errors.AsType[*header.ParameterProblem](err); ok {
			h.parameterProblem(in, problem)
		}
		return false
	}
	in.alert, in.nextAt = e.RouterAlert, e.NextHeaderAt
	if e.HasFragment && in.fragmented { // a fragment of a reassembled packet
		h.count.IP.BadExtension.Add(1)
		return false
	}
	if e.HasFragment {
		in.fragmented = true
		if !e.Fragment.IsAtomic() {
			in.carry(b, rest)
			h.reassemble(in, e.Fragment.Offset, e.Fragment.More, reassembly.Key{ID: e.Fragment.ID},
				e.Fragment.NextHeader, e.FragmentNamedAt)
			return false
		}
	}
	in.carry(b, rest)
	in.protocol = e.Protocol
	return true
}

// carry makes the extension headers, which are what is before rest in b, a part
// of the IP header.
// It is called seldom, and too much to have a copy at every call.
//
//go:noinline
func (in *inPacket) carry(b, rest []byte) {
	walked := b[:len(b)-len(rest)]
	in.ip = append(append(make([]byte, 0, len(in.ip)+len(walked)), in.ip...), walked...)
	in.head, in.body = nil, rest
}
