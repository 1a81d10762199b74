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

	// What it was made from. It is good while all of that is the same.
	asked         netip.AddrPort // the destination that the call named; zero: the peer
	local, remote netip.AddrPort // the socket's ends
	ip            *ipOptions     // the socket's, never changed but replaced
	path          path           // with the state of the configuration

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

// templateFor is the template for a datagram of so many bytes; nil if there is none
// that fits, or the datagram may not go at all as things are. The lock is held.
func (s *datagram) templateFor(length int, flags socket.Flags, to netip.AddrPort) *template {
	t := s.template
	if t == nil || flags&^plainFlags != 0 || length > t.most || !t.good(s, to) ||
		s.closed || s.writers.expired || s.sendEnd || s.err != nil || s.corkTo.IsValid() {
		return nil
	}
	return t
}

// good tells whether the template is for a destination, as the call named it, and
// what it was made from has not changed. The socket's lock is held.
func (t *template) good(s *datagram, to netip.AddrPort) bool {
	return t.asked == to && t.ip == s.ip && t.local == s.local && t.remote == s.remote && !t.path.stale(s.host)
}

// learn notes that a datagram goes the long way to d, which the caller named to, and
// makes a template when it is time. The lock is held.
func (s *datagram) learn(d *destination, flags socket.Flags, to netip.AddrPort, c *socket.Control) {
	if s.asked != to {
		s.asked, s.inRow = to, 0
	}
	if s.inRow++; s.inRow < templateAfter || s.template != nil && s.template.good(s, to) {
		return
	}
	s.template = nil
	if flags&^plainFlags == 0 && c.Present == 0 && s.ip.header == nil && s.host.turns == nil && !s.isPing() &&
		!d.to.Addr().IsMulticast() && !s.host.isBroadcast(d.to.Addr()) {
		s.template = s.newTemplate(d, to)
	}
}

func (s *datagram) newTemplate(d *destination, to netip.AddrPort) *template {
	df, probe := s.fragmentation(d.to.Addr())
	t := &template{
		asked: to, local: s.local, remote: s.remote, ip: s.ip, path: d.path,
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
	f.Buffer = buffer.Get(len(data))
	f.Payload = f.Buffer.Bytes()[:copy(f.Buffer.Bytes(), data)]
	f.Head = append(b.heads[0][:0], t.head[:t.start+header.UDPLen]...)
	b.n = 1
	t.fill(h, f)
	t.path.send(b.frames[:1])
	b.release()
	h.count.UDP.Out.Add(1)
}

// fill fills in the blanks.
func (t *template) fill(h *Host, f *link.Frame) {
	ip, udp := f.Head[t.path.ifc.linkHeader:t.start], f.Head[t.start:]
	length, id := header.UDPLen+len(f.Payload), uint16(0)
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
	sum = header.Sum(f.Payload, sum+t.ports+uint32(length))
	binary.BigEndian.PutUint16(udp[udpChecksumAt:], header.FoldUDP(sum))
}
