package gso

import (
	"encoding/binary"

	"example.com/berth/internal/header"
	"example.com/berth/link"
)

// A plan is what the segments of one large frame have in common.
type plan struct {
	head      []byte // all headers of the large frame
	payload   []byte // what follows them
	size      int    // of the payload of a segment
	ip        int    // where the IP header begins
	transport int    // where the transport's begins
	v6        bool
	udp       bool
	bare      bool   // UDP without a checksum
	pseudo    uint32 // the sum of the pseudo-header but the length
}

// read finds the headers. It reports whether they are there, whole, and those
// that f.GSO says.
func (p *plan) read(medium link.Medium, f *link.Frame) bool {
	b := f.Head
	if len(b) == 0 {
		b = f.Payload
	}
	p.size = int(f.SegSize)
	p.ip = medium.HeaderLen()
	if p.size < minSegment || len(b) < p.ip {
		return false
	}
	protocol, length := p.network(b)
	p.transport = p.ip + length
	if length == 0 || p.transport > len(b) {
		return false
	}
	n := 0
	switch {
	case f.GSO == link.GSOTCP4 && !p.v6 && protocol == header.ProtocolTCP,
		f.GSO == link.GSOTCP6 && p.v6 && protocol == header.ProtocolTCP:
		n = tcpLen(b[p.transport:])
	case f.GSO == link.GSOUDP && protocol == header.ProtocolUDP:
		n, p.udp = udpLen, true
	}
	end := p.transport + n
	if n == 0 || end > len(b) || len(f.Head) > 0 && end != len(f.Head) {
		return false
	}
	p.head, p.payload = b[:end], f.Payload
	if len(f.Head) == 0 {
		p.payload = b[end:]
	}
	if p.udp && f.Checksum != link.ChecksumPartial {
		p.bare = binary.BigEndian.Uint16(b[p.transport+6:]) == 0
	}
	return true
}

const udpLen = 8

// tcpLen returns the length that a TCP header says it has; 0 if it cannot be.
func tcpLen(b []byte) int {
	if len(b) < header.TCPMinLen || b[12]>>4 < 5 {
		return 0
	}
	return int(b[12]>>4) * 4
}

// network reads the IP header and returns the transport's protocol and where
// in the packet that begins; 0 if the header cannot be. It sums what the
// pseudo-header takes from it.
func (p *plan) network(b []byte) (protocol byte, length int) {
	b = b[p.ip:]
	switch {
	case len(b) >= header.IPv4MinLen && b[0]>>4 == 4 && b[0]&15 >= 5:
		protocol, length = b[9], int(b[0]&15)*4
		p.pseudo = header.Sum(b[12:20], uint32(protocol))
	case len(b) >= header.IPv6Len && b[0]>>4 == 6:
		p.v6 = true
		protocol, length = extensions(b)
		p.pseudo = header.Sum(b[8:40], uint32(protocol))
	}
	return protocol, length
}

// extensions walks the extension headers that may stand before a transport's.
func extensions(b []byte) (protocol byte, length int) {
	var e header.Extensions
	if _, err := e.Parse(b[6], b[header.IPv6Len:]); err != nil || e.HasFragment {
		return 0, 0
	}
	return e.Protocol, header.IPv6Len + e.HeaderLen
}

// finish makes of a copy of the headers those of the segment with the given
// data, which begins off bytes into the payload.
func (p *plan) finish(h, data []byte, off int) {
	p.finishIP(h[p.ip:], len(h)-p.ip+len(data), off/p.size)
	t := h[p.transport:]
	length := len(t) + len(data)
	at := tcpChecksum
	if p.udp {
		at = udpChecksum
		binary.BigEndian.PutUint16(t[4:], uint16(length))
	} else {
		finishTCP(t, off, off+len(data) == len(p.payload))
	}
	binary.BigEndian.PutUint16(t[at:], 0)
	if !p.bare {
		sum := header.Sum(t, p.pseudo+uint32(length)) // a TCP header is even
		binary.BigEndian.PutUint16(t[at:], check(header.Sum(data, sum), p.udp))
	}
}

// finishIP sets the fields of the index-th packet, which is length bytes long.
func (p *plan) finishIP(h []byte, length, index int) {
	if p.v6 {
		binary.BigEndian.PutUint16(h[4:], uint16(length-header.IPv6Len))
		return
	}
	binary.BigEndian.PutUint16(h[2:], uint16(length))
	binary.BigEndian.PutUint16(h[4:], binary.BigEndian.Uint16(h[4:])+uint16(index))
	binary.BigEndian.PutUint16(h[10:], 0)
	n := int(h[0]&15) * 4
	binary.BigEndian.PutUint16(h[10:], header.Fold(header.Sum(h[:n], 0)))
}

// finishTCP sets the sequence number and flags of the segment that begins off
// bytes into the large one.
func finishTCP(t []byte, off int, last bool) {
	binary.BigEndian.PutUint32(t[4:], binary.BigEndian.Uint32(t[4:])+uint32(off))
	flags := header.TCPFlags(t[13])
	if !last {
		flags &^= header.FIN | header.PSH
	}
	if off > 0 {
		flags &^= header.CWR
	}
	if flags.Has(header.URG) {
		up := int(binary.BigEndian.Uint16(t[18:])) - off
		if up <= 0 { // it was in an earlier segment
			up, flags = 0, flags&^header.URG
		}
		binary.BigEndian.PutUint16(t[18:], uint16(up))
	}
	t[13] = byte(flags)
}
