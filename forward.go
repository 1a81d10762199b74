package berth

import (
	"encoding/binary"
	"sync"
	"syscall"

	"example.com/berth/internal/header"
	"example.com/berth/internal/reassembly"
	"example.com/berth/link"
	"example.com/berth/link/gso"
)

// forward sends a packet on that is for somebody else, or says why not. Which
// of its checks comes first follows RFC 1812 section 5.2.1 and RFC 4443.
func (h *Host) forward(in *inPacket, n *network) {
	c := &h.count.IP
	if !n.forwarding || !forwardable(in) {
		c.NotForUs.Add(1)
		if in.routed { // RFC 1122 section 3.3.5
			h.sourceRouteFailed(in)
		}
		return
	}
	if in.ttl <= 1 {
		c.TTLExceeded.Add(1)
		h.timeExceeded(in)
		return
	}
	p, err := h.route(in.dst, in.src, 0)
	if err != nil {
		c.ForwardNoRoute.Add(1)
		h.noRoute(in, err)
		return
	}
	if in.routed && in.options.Strict() && !p.direct(in.dst) {
		c.ForwardNoRoute.Add(1)
		h.sourceRouteFailed(in)
		return
	}
	h.redirect(in, &p)
	size := len(in.ip) + in.len()
	if in.segSize > 0 {
		size = len(in.ip) + in.transportLen() + in.segSize
	}
	if size > p.mtu {
		if in.src.Is4() && !in.dontFragment() && in.segSize == 0 {
			c.Forwarded.Add(1)
			in.passOn(&p)
			h.forwardFragments(in, &p)
			return
		}
		c.ForwardTooBig.Add(1)
		h.packetTooBig(in, p.mtu)
		return
	}
	c.Forwarded.Add(1)
	in.passOn(&p)
	h.forwardFrame(in, &p)
}

// forwardable tells whether a router may forward a packet at all: not what is
// addressed to a group or a link, nor what comes from nowhere.
func forwardable(in *inPacket) bool {
	return !in.group && !in.dst.IsMulticast() && !in.dst.IsLoopback() && !in.dst.IsUnspecified() &&
		!in.dst.IsLinkLocalUnicast() && !in.src.IsLinkLocalUnicast() && !in.src.IsUnspecified() &&
		!in.src.IsLoopback()
}

// dontFragment tells whether the DF bit of an IPv4 packet is set.
func (in *inPacket) dontFragment() bool { return in.ip[6]&0x40 != 0 }

// transportLen is the length of the transport's header, as far as it is one
// whose frames a device cuts or sums.
func (in *inPacket) transportLen() int {
	if len(in.head) > 0 {
		return len(in.head)
	}
	n := 0
	switch in.protocol {
	case header.ProtocolTCP:
		if len(in.body) > 12 {
			n = int(in.body[12]>>4) * 4
		}
	case header.ProtocolUDP:
		n = header.UDPLen
	}
	return min(n, len(in.body))
}

// hop writes the IP header with one hop less behind room for the link's.
func (in *inPacket) hop(head []byte, p *path) []byte {
	at := p.ifc.linkHeader
	head = append(append(head, zeros[:at]...), in.ip...)
	if in.dst.Is6() {
		head[at+7]--
		return head
	}
	was := binary.BigEndian.Uint16(head[at+8:])
	head[at+8]--
	is := binary.BigEndian.Uint16(head[at+8:])
	sum := binary.BigEndian.Uint16(head[at+10:])
	binary.BigEndian.PutUint16(head[at+10:], header.UpdateChecksum(sum, uint32(was), uint32(is)))
	return head
}

var cutters = sync.Pool{New: func() any { return new(gso.Cutter) }}

// forwardFrame sends a packet on in the form that the device takes.
func (h *Host) forwardFrame(in *inPacket, p *path) {
	b := batches.Get().(*batch)
	head := in.hop(b.heads[0][:0], p)
	start := len(head)
	n := in.transportLen()
	in.buf.Retain()
	f := &b.frames[0]
	b.n = 1
	f.Buffer, f.Checksum, f.Payload = in.buf, in.checksum, in.body
	if len(in.head) > 0 {
		f.Head = append(head, in.head...)
	} else {
		f.Head, f.Payload = append(head, in.body[:n]...), in.body[n:]
	}
	if in.checksum == link.ChecksumPartial {
		f.CsumStart, f.CsumOffset = uint16(start), in.csumOffset
	}
	if in.segSize > 0 {
		f.GSO, f.SegSize = in.gso, uint16(in.segSize)
	}
	p.cutAndSend(b.frames[:1])
	b.release()
}

// cutAndSend is send for frames that may be in a form that the device does not
// take: large ones, or with a partial checksum.
func (p *path) cutAndSend(frames []link.Frame) {
	if p.ifc.linkHeader > 0 {
		for i := range frames {
			p.ifc.putEthernet(frames[i].Head, header.MAC{}) // the cutter looks at the type
		}
	}
	info := p.ifc.info.Load()
	offload := info.Offload
	for i := range frames {
		if !cuts(info, &frames[i]) {
			offload &= link.OffloadChecksum // none of this batch, then
		}
	}
	cutter := cutters.Get().(*gso.Cutter)
	cut, bad := cutter.Cut(info.Medium, offload, frames)
	p.ifc.host.count.IP.BadHeader.Add(uint64(bad))
	p.send(cut)
	cutters.Put(cutter)
}

// forwardFragments cuts an IPv4 packet that may be cut. One that is a fragment
// already keeps its place.
func (h *Host) forwardFragments(in *inPacket, p *path) {
	var ip header.IPv4
	if _, err := ip.ParseQuoted(in.ip); err != nil {
		return // it was parsed before
	}
	whole := in.linear()
	if in.checksum == link.ChecksumPartial {
		whole = append([]byte(nil), whole...)
		d := datagramOut{
			transport:  transport{protocol: in.protocol, src: in.src, dst: in.dst},
			checksumAt: int(in.csumOffset),
		}
		clear(whole[d.checksumAt : d.checksumAt+2])
		d.sum(whole)
	}
	for cut := range reassembly.Split(len(whole), reassembly.Room(p.mtu, len(in.ip))) {
		part := ip
		part.TTL--
		part.Offset, part.PayloadLen = ip.Offset+cut.Offset, cut.Len()
		part.MF = ip.MF || cut.More
		if cut.Offset > 0 {
			part.Options = header.AppendCopiedOptions(nil, ip.Options)
		}
		b := batches.Get().(*batch)
		b.frames[0].Head = part.Append(append(b.heads[0][:0], zeros[:p.ifc.linkHeader]...))
		b.frames[0].Payload = whole[cut.Offset:cut.End]
		b.n = 1
		h.count.IP.FragmentsSent.Add(1)
		p.send(b.frames[:1])
		b.release()
	}
}

// noRoute answers a packet that there is no route for.
func (h *Host) noRoute(in *inPacket, err error) {
	if err == syscall.EINVAL { // a blackhole
		return
	}
	h.netUnreachable(in, err)
}
