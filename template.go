package berth

import (
	"encoding/binary"
	"net/netip"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
	"example.com/berth/link"
	"example.com/berth/socket"
)

// A template is the headers of the datagrams that a socket sends to one and the
// same destination, with blanks for what differs: the length, the identifier and
// the checksums. It is never changed: who has it may send by it without a lock. It
// is for datagrams that nothing special is asked for; all others go the long way,
// by prepare.
type template struct {
	_ lean.Incomparable

	asked netip.AddrPort // the destination that the call named; zero: the peer
	path  path           // with the state of the configuration that it is from

	most    int  // bytes of payload that fit into one packet
	fixedID bool // it may not be cut, or is of IPv6, and needs no identifier (RFC 6864 4.1)
	blanks  ipBlanks
	pseudo  uint32 // of the pseudo-header, without the length
	ports   uint32 // of the UDP header, without the length
	start   int    // of the UDP header in head
	head    [header.EthernetLen + header.IPv6Len + header.UDPLen]byte
}

// templateAfter is how many datagrams in a row go to one destination before a
// template is made for it: what goes to many in turns is better off without.
const templateAfter = 8

// plainFlags are those that a template knows of, or that mean nothing to UDP.
const plainFlags = socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT

// takes tells whether a datagram of so many bytes may go by the template. What else
// could be in its way would have taken the template from the socket (changed). The
// socket's lock need not be held.
func (t *template) takes(s *datagram, length int, flags socket.Flags, to netip.AddrPort) bool {
	return flags&^plainFlags == 0 && length <= t.most && t.good(s, to) && !s.writers.expired.Load()
}

// good tells whether the template is for a destination, as the call named it, and
// the configuration has not changed.
func (t *template) good(s *datagram, to netip.AddrPort) bool {
	return t.asked == to && !t.path.stale(s.host)
}

// learn notes that a datagram goes the long way to d, which the caller named to, and
// makes a template when it is time. The lock is held.
func (s *datagram) learn(d *destination, flags socket.Flags, to netip.AddrPort, c *socket.Control) {
	if s.asked != to {
		s.asked, s.inRow = to, 0
	}
	t := s.template.Load()
	if s.inRow++; s.inRow < templateAfter || t != nil && t.good(s, to) {
		return
	}
	t = nil
	if flags&^plainFlags == 0 && !s.corkTo.IsValid() && c.Present == 0 && s.ip.header == nil && s.host.turns == nil && !s.isPing() &&
		!d.to.Addr().IsMulticast() && !s.host.isBroadcast(d.to.Addr()) {
		t = s.newTemplate(d, to)
	}
	s.template.Store(t)
}

func (s *datagram) newTemplate(d *destination, to netip.AddrPort) *template {
	df, probe := s.fragmentation(d.to.Addr())
	t := &template{
		asked: to, path: d.path,
		fixedID: df || !d.to.Addr().Is4(),
		pseudo:  header.PseudoSum(d.path.src, d.to.Addr(), header.ProtocolUDP, 0),
	}
	t.most = d.path.mtuFor(probe) - ipHeaderLen(d.to.Addr()) - header.UDPLen
	ip := d.path.appendIP(t.head[:0], &transport{
		protocol: header.ProtocolUDP, src: d.path.src, dst: d.to.Addr(), tos: d.tos, ttl: d.ttl,
		df: df, label: s.host.flowLabel(s.local, d.to),
	}, 0)
	t.start = len(ip)
	u := header.UDP{SrcPort: s.local.Port(), DstPort: d.to.Port()}
	t.ports = header.Sum(u.Append(ip)[t.start:t.start+4], 0)
	t.blanks = newIPBlanks(ip[d.path.ifc.linkHeader:], d.to.Addr().Is4())
	return t
}

// send sends a datagram. No lock is held.
func (t *template) send(h *Host, data []byte) {
	b := batches.Get().(*batch)
	f := &b.frames[0]
	f.Head = append(b.heads[0][:0], t.head[:t.start+header.UDPLen]...)
	b.n = 1
	t.fill(h, f, data)
	t.path.send(b.frames[:1])
	b.release()
	h.count.UDP.Out.Add(1)
}

// fill fills in the blanks, and the data: what is short goes behind the headers, which
// takes no buffer, as a receiver copies it anyway.
func (t *template) fill(h *Host, f *link.Frame, data []byte) {
	ip, udp := f.Head[t.path.ifc.linkHeader:t.start], f.Head[t.start:]
	if len(f.Head)+len(data) <= headSize {
		n := len(f.Head)
		f.Head = f.Head[:n+len(data)]
		copy(f.Head[n:], data)
	} else {
		f.Buffer = buffer.Get(len(data))
		f.Payload = f.Buffer.Bytes()[:copy(f.Buffer.Bytes(), data)]
	}
	length, id := header.UDPLen+len(data), uint16(0)
	if !t.fixedID {
		id = uint16(h.fragmentID())
	}
	t.blanks.fill(ip, length, id, 0)
	binary.BigEndian.PutUint16(udp[4:], uint16(length))
	sum := t.pseudo + uint32(length)
	if t.path.ifc.info.Load().Offload&link.OffloadChecksum != 0 {
		binary.BigEndian.PutUint16(udp[udpChecksumAt:], header.Partial(sum))
		f.Checksum = link.ChecksumPartial
		f.CsumStart, f.CsumOffset = uint16(t.start), udpChecksumAt
		return
	}
	sum = header.Sum(data, sum+t.ports+uint32(length))
	binary.BigEndian.PutUint16(udp[udpChecksumAt:], header.FoldUDP(sum))
}
