package berth

import (
	"encoding/binary"

	"example.com/berth/internal/header"
)

// ipBlanks are what differs in the IP headers of packets that go the same way: the
// length, the identifier and the marks of the network, with IPv4's checksum.
type ipBlanks struct {
	four bool   // of IPv4
	sum  uint32 // partial sum of the IPv4 header with nothing in the blanks
}

// newIPBlanks empties the length and the checksum of a header; the identifier and
// the marks are 0 in it.
func newIPBlanks(ip []byte, four bool) ipBlanks {
	if !four {
		return ipBlanks{}
	}
	binary.BigEndian.PutUint16(ip[2:], 0)
	binary.BigEndian.PutUint16(ip[10:], 0)
	return ipBlanks{four, header.Sum(ip, 0)}
}

// fill makes it the header of length bytes. IPv6 has no identifier there.
func (b *ipBlanks) fill(ip []byte, length int, id uint16, ecn uint8) {
	if !b.four {
		ip[1] |= ecn << 4
		binary.BigEndian.PutUint16(ip[4:], uint16(length))
		return
	}
	total := uint16(len(ip) + length)
	ip[1] |= ecn
	binary.BigEndian.PutUint16(ip[2:], total)
	binary.BigEndian.PutUint16(ip[4:], id)
	binary.BigEndian.PutUint16(ip[10:], header.Fold(b.sum+uint32(total)+uint32(id)+uint32(ecn)))
}
