package header

import (
	"encoding/binary"
	"net/netip"
)

// A MAC is an Ethernet address.
type MAC [6]byte

// Broadcast is the Ethernet address of all stations.
var Broadcast = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// IsBroadcast tells whether m addresses all stations.
func (m MAC) IsBroadcast() bool { return m == Broadcast }

// IsMulticast tells whether m addresses a group; broadcast is one.
func (m MAC) IsMulticast() bool { return m[0]&1 != 0 }

// IsZero tells whether m is the zero address, which no station has.
func (m MAC) IsZero() bool { return m == MAC{} }

// String gives the usual form: 02:00:00:00:00:01.
func (m MAC) String() string {
	const digits = "0123456789abcdef"
	b := make([]byte, 0, 17)
	for i, x := range m {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, digits[x>>4], digits[x&15])
	}
	return string(b)
}

// MulticastMAC gives the Ethernet address that an IP multicast group is sent to
// (RFC 1112 6.4, RFC 2464 7).
func MulticastMAC(group netip.Addr) MAC {
	if group.Is4() {
		a := group.As4()
		return MAC{0x01, 0x00, 0x5e, a[1] & 0x7f, a[2], a[3]}
	}
	a := group.As16()
	return MAC{0x33, 0x33, a[12], a[13], a[14], a[15]}
}

// The EtherTypes that a host takes.
const (
	EtherTypeIPv4 = 0x0800
	EtherTypeARP  = 0x0806
	EtherTypeIPv6 = 0x86dd
)

// EthernetLen is the length of an Ethernet header.
const EthernetLen = 14

// Ethernet is an Ethernet II header (RFC 894). A Type below 0x600 is the length
// field of an 802.3 frame, which carries no IP.
type Ethernet struct {
	Dst, Src MAC
	Type     uint16
}

// Parse reads the header and returns what follows, padding included.
func (h *Ethernet) Parse(b []byte) (rest []byte, err error) {
	if len(b) < EthernetLen {
		return nil, ErrTruncated
	}
	h.Dst = MAC(b[0:6])
	h.Src = MAC(b[6:12])
	h.Type = binary.BigEndian.Uint16(b[12:])
	return b[EthernetLen:], nil
}

// Append appends the encoded header to b.
func (h *Ethernet) Append(b []byte) []byte {
	b = append(b, h.Dst[:]...)
	b = append(b, h.Src[:]...)
	return binary.BigEndian.AppendUint16(b, h.Type)
}
