package berth

import (
	"encoding/binary"
	"net/netip"

	"example.com/berth/internal/header"
	"example.com/berth/internal/tcp"
	"example.com/berth/link"
)

// A path is the way out to a destination: the answer of the routes, kept by
// those who send often, and good for as long as the routes do not change.
type path struct {
	ifc  *Interface
	next netip.Addr // the next hop
	src  netip.Addr // the source address to use
	mtu  int        // of the path
	gen  uint64     // of the network state that it comes from
}

// zoned gives a link-local destination without a zone that of the way out.
func (p *path) zoned(dst netip.AddrPort) netip.AddrPort {
	if dst.Addr().Zone() != "" {
		return dst
	}
	return netip.AddrPortFrom(p.ifc.scoped(dst.Addr()), dst.Port())
}

// stale tells whether routes, addresses or path MTUs have changed since.
func (p *path) stale(h *Host) bool { return p.gen != h.gen.Load() }

// largeSend is the longest payload of TCP in one frame, if the device cuts
// large frames; else 0.
func (p *path) largeSend() int {
	want := link.OffloadTCP4
	if p.next.Is6() {
		want = link.OffloadTCP6
	}
	if p.ifc.info.Load().Offload&want == 0 {
		return 0
	}
	return header.MaxPacket - header.IPv6Len - header.TCPMaxLen
}

// woken tells whether what comes in waits for a reader to be woken.
func (p *path) woken() bool {
	_, ok := p.ifc.dev.(link.Drainer)
	return ok
}

// direct tells whether dst is on the link itself, without a gateway before it.
func (p *path) direct(dst netip.Addr) bool { return p.next.WithZone("") == dst.WithZone("") }

// send gives frames to the interface.
func (p *path) send(frames []link.Frame) { p.ifc.output(frames, p.next) }

// sendSegments is send for frames of TCP, which may be large though the device
// does not cut: the connection began on another path, or the device has changed.
func (p *path) sendSegments(frames []link.Frame) {
	info := p.ifc.info.Load()
	for i := range frames {
		if !cuts(info, &frames[i]) {
			p.cutAndSend(frames)
			return
		}
	}
	p.send(frames)
}

// cuts tells whether a device cuts a frame by itself, or need not.
func cuts(info *link.Info, f *link.Frame) bool {
	need := f.GSO.Offload()
	return info.Offload&need == need &&
		(need == 0 || info.MaxSegments == 0 || len(f.Payload) <= info.MaxSegments*int(f.SegSize))
}

// transport is what a transport tells IP about a packet.
type transport struct {
	protocol uint8
	src, dst netip.Addr
	tos, ttl uint8
	df       bool
	id       uint16     // IPv4; 0 is sent if df
	label    uint32     // IPv6
	options  []byte     // IPv4
	via      netip.Addr // IPv4: in the header in place of dst, if valid
}

// header4 is an IPv4 header for so many bytes of payload.
func (t *transport) header4(length int) header.IPv4 {
	h := header.IPv4{
		TOS: t.tos, PayloadLen: length, ID: t.id, DF: t.df, TTL: t.ttl,
		Protocol: t.protocol, Src: t.src, Dst: t.dst, Options: t.options,
	}
	if t.via.IsValid() {
		h.Dst = t.via
	}
	return h
}

// appendIP appends room for the link's header and the IP header of a packet
// whose payload has the given length.
func (p *path) appendIP(head []byte, t *transport, length int) []byte {
	head = append(head, zeros[:p.ifc.linkHeader]...)
	if t.dst.Is4() {
		h := t.header4(length)
		if t.df {
			h.ID = 0 // RFC 6864 4.1: it has no meaning, and so tells nothing
		}
		return h.Append(head)
	}
	h := header.IPv6{
		TrafficClass: t.tos, FlowLabel: t.label, PayloadLen: length,
		NextHeader: t.protocol, HopLimit: t.ttl, Src: t.src, Dst: t.dst,
	}
	return h.Append(head)
}

var zeros [64]byte

// frameTCP makes f the frame of a segment, with its headers in head.
func (p *path) frameTCP(f *link.Frame, head []byte, t *transport, th *header.TCP, seg *tcp.Segment) {
	length := th.HeaderLen() + len(seg.Payload)
	head = p.appendIP(head, t, length)
	start := len(head)
	f.Head = th.Append(head)
	putSegment(f, seg, t.dst.Is4())
	if seg.Auth != nil {
		seg.Sign(f.Head[start:])
	}
	p.checksum(f, t, start, tcpChecksumAt)
}

// Where the transports have their checksums.
const (
	tcpChecksumAt  = 16
	udpChecksumAt  = 6
	icmpChecksumAt = 2
)

// checksum completes the checksum of a frame whose transport begins at start,
// or leaves that to a device that does it.
func (p *path) checksum(f *link.Frame, t *transport, start, at int) {
	p.ifc.checksum(f, start, at, header.PseudoSum(t.src, t.dst, t.protocol, len(f.Head)-start+len(f.Payload)))
}

// checksum is that of path, given the partial sum of the pseudo-header.
func (ifc *Interface) checksum(f *link.Frame, start, at int, pseudo uint32) {
	field := f.Head[start+at : start+at+2]
	if ifc.info.Load().Offload&link.OffloadChecksum != 0 {
		binary.BigEndian.PutUint16(field, header.Partial(pseudo))
		f.Checksum = link.ChecksumPartial
		f.CsumStart, f.CsumOffset = uint16(start), uint16(at)
		return
	}
	sum := header.Sum(f.Head[start:], pseudo)
	sum = header.SumAt(f.Payload, len(f.Head)-start, sum)
	if at == udpChecksumAt {
		binary.BigEndian.PutUint16(field, header.FoldUDP(sum))
		return
	}
	binary.BigEndian.PutUint16(field, header.Fold(sum))
}
