package berth

import (
	"encoding/binary"

	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
	"example.com/berth/internal/tcp"
	"example.com/berth/link"
)

// A segmentTemplate is the headers of the segments that a connection sends, with
// blanks for what differs from one to the next. A busy connection has one; its
// socket's lock guards it.
type segmentTemplate struct {
	_ lean.Incomparable

	// What it was made from. It is good while that is the same.
	ip   *ipOptions // never changed but replaced
	ifc  *Interface
	gen  uint64 // of the path
	hops int32  // what routers say

	blanks ipBlanks
	pseudo uint32 // of the pseudo-header, without the length
	start  int    // of the TCP header in head
	head   [header.EthernetLen + header.IPv6Len + header.TCPMinLen]byte
}

// segmentsInRow is how many segments go the long way before a template is made.
const segmentsInRow = 8

// frame writes the headers of a segment.
func (s *stream) frame(f *link.Frame, head []byte, seg *tcp.Segment) {
	if t := s.template; t != nil && t.good(s) && seg.Auth == nil {
		t.frame(f, head, seg)
		s.host.count.TCP.SegsOut.Add(1)
		return
	}
	options := s.ip.sentTo(s.remote.Addr())
	s.host.frameSegment(&s.path, s.ip, options, s.local, s.remote, s.label, f, head, seg)
	if s.inRow++; s.inRow < segmentsInRow {
		return
	}
	s.inRow, s.template = 0, nil
	if t := s.host.transportOf(&s.path, s.ip, s.local, s.remote, s.label, 0); t.df && options == nil {
		s.template = s.newTemplate(&t)
	}
}

func (s *stream) newTemplate(d *transport) *segmentTemplate {
	t := &segmentTemplate{
		ip: s.ip, ifc: s.path.ifc, gen: s.path.gen, hops: s.path.ifc.hopLimit.Load(),
		pseudo: header.PseudoSum(d.src, d.dst, d.protocol, 0),
	}
	ip := s.path.appendIP(t.head[:0], d, 0)
	t.start = len(ip)
	th := header.TCP{SrcPort: s.local.Port(), DstPort: s.remote.Port()}
	th.Append(ip)
	t.blanks = newIPBlanks(ip[t.ifc.linkHeader:], d.dst.Is4())
	return t
}

// good tells whether what the template was made from has not changed.
func (t *segmentTemplate) good(s *stream) bool {
	return t.ip == s.ip && t.gen == s.path.gen && t.ifc == s.path.ifc && t.hops == t.ifc.hopLimit.Load()
}

// frame makes f the frame of a segment, with its headers in head.
func (t *segmentTemplate) frame(f *link.Frame, head []byte, seg *tcp.Segment) {
	head = append(head, t.head[:t.start+header.TCPMinLen]...)
	th := head[t.start:]
	binary.BigEndian.PutUint32(th[4:], uint32(seg.Seq))
	binary.BigEndian.PutUint32(th[8:], uint32(seg.Ack))
	binary.BigEndian.PutUint16(th[14:], seg.Window)
	binary.BigEndian.PutUint16(th[18:], seg.Urgent)
	head = seg.Options.Append(head)
	th = head[t.start:]
	binary.BigEndian.PutUint16(th[12:], uint16(len(th)/4)<<12|uint16(seg.Flags)&0x1ff)
	f.Head = head
	length := len(th) + len(seg.Payload)
	t.blanks.fill(head[t.ifc.linkHeader:t.start], length, 0, seg.ECN)
	putSegment(f, seg, t.blanks.four)
	t.ifc.checksum(f, t.start, tcpChecksumAt, t.pseudo+uint32(length)&0xffff+uint32(length)>>16)
}

// putSegment puts what a segment carries into its frame.
func putSegment(f *link.Frame, seg *tcp.Segment, four bool) {
	f.Payload, f.Buffer = seg.Payload, seg.Buffer
	if seg.SegSize > 0 && len(seg.Payload) > seg.SegSize {
		f.GSO, f.SegSize = link.GSOTCP6, uint16(seg.SegSize)
		if four {
			f.GSO = link.GSOTCP4
		}
	}
}
