package impair

import (
	"encoding/binary"

	"example.com/berth/internal/header"
	"example.com/berth/link"
)

// Fixed makes an edit for [Change] that corrects the checksums afterwards: that
// of the IPv4 header, and that of TCP, UDP or ICMP unless the packet is a
// fragment. Lengths in headers are left as they are; where they do not fit the
// packet, so are the checksums.
func Fixed(edit func(frame []byte) []byte) func(frame []byte) []byte {
	return func(frame []byte) []byte {
		edited := edit(frame)
		p := packets.Get().(*Packet)
		p.read(0, &link.Frame{Payload: edited})
		p.fix(edited)
		p.Frame = nil
		packets.Put(p)
		return edited
	}
}

// fix corrects the checksums of the frame that p was read from.
func (p *Packet) fix(b []byte) {
	if p.Version == 4 {
		h := b[p.at.network:p.at.transport]
		h[10], h[11] = 0, 0
		binary.BigEndian.PutUint16(h[10:], header.Fold(header.Sum(h, 0)))
	}
	if p.Version == 0 || p.Fragment || p.at.transport == 0 {
		return
	}
	segment := b[p.at.transport:p.at.end]
	pseudo := header.PseudoSum(p.Src, p.Dst, p.Protocol, len(segment))
	switch {
	case p.Protocol == header.ProtocolTCP && len(segment) >= header.TCPMinLen:
		put(segment[16:], segment, pseudo, header.Fold)
	case p.Protocol == header.ProtocolUDP && len(segment) >= header.UDPLen:
		if p.Version == 6 || segment[6]|segment[7] != 0 { // RFC 768: 0 is no checksum
			put(segment[6:], segment, pseudo, header.FoldUDP)
		}
	case ICMP(p) && len(segment) >= 4:
		if p.Version == 4 {
			pseudo = 0 // RFC 792: the message alone
		}
		put(segment[2:], segment, pseudo, header.Fold)
	}
}

// put puts the checksum of b, and of what acc sums, into field, which is a part
// of b.
func put(field, b []byte, acc uint32, fold func(uint32) uint16) {
	field[0], field[1] = 0, 0
	binary.BigEndian.PutUint16(field, fold(header.Sum(b, acc)))
}
