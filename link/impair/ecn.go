package impair

import (
	"encoding/binary"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/link"
)

// The ECN field (RFC 3168 5). Not-ECT is 0; the other two are ECT(0) and
// ECT(1).
const ce = 3

// congestible tells whether a packet can be marked: whether it is IP, and its
// ECN field says that the transport understands marks, or has one already. The
// IP header is at the offset network.
func congestible(medium link.Medium, f *link.Frame) (network int, ok bool) {
	var b [14 + header.IPv6Len]byte
	h := b[:f.Peek(b[:])]
	network = medium.HeaderLen()
	if len(h) < network+header.IPv4MinLen {
		return 0, false
	}
	h = h[network:]
	switch h[0] >> 4 {
	case 4:
		return network, isIP(medium, b[:], header.EtherTypeIPv4) && h[1]&ce != 0
	case 6:
		return network, isIP(medium, b[:], header.EtherTypeIPv6) && len(h) >= header.IPv6Len && h[1]>>4&ce != 0
	}
	return 0, false
}

// isIP tells whether the frame that begins with b is of an EtherType, if its
// medium has such.
func isIP(medium link.Medium, b []byte, etherType uint16) bool {
	return medium != link.Ethernet || binary.BigEndian.Uint16(b[12:]) == etherType
}

// mark sets "congestion experienced" in a packet that can be marked. The
// passenger then owns its frame.
func (l *Line) mark(reason string, p *passenger, now time.Duration) bool {
	network, ok := congestible(l.medium, p.frame)
	if !ok {
		return false
	}
	remark := l.tell(Marked, reason, p, now)
	switch {
	case len(p.frame.Head) < network+header.IPv4MinLen:
		p.copy() // the header lies in bytes that others have, too
	case p.kept == nil:
		p.keep()
	}
	p.remark(remark)
	setCE(p.frame, network)
	return true
}

// setCE sets both bits of the ECN field.
func setCE(f *link.Frame, network int) {
	field := at(f, network+1)
	if *at(f, network)>>4 == 6 {
		*field |= ce << 4
		return
	}
	was := *field
	*field |= ce
	high, low := at(f, network+10), at(f, network+11)
	sum := header.UpdateChecksum(uint16(*high)<<8|uint16(*low), uint32(was), uint32(*field))
	*high, *low = byte(sum>>8), byte(sum)
}
