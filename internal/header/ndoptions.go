package header

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// Types of neighbor discovery options (RFC 4861 4.6, RFC 3971, RFC 4191,
// RFC 8106).
const (
	ndSourceLink = 1
	ndTargetLink = 2
	ndPrefixInfo = 3
	ndRedirected = 4
	ndMTU        = 5
	ndNonce      = 14
	ndRouteInfo  = 24
	ndRDNSS      = 25
	ndDNSSL      = 31
)

// maxNDOptions bounds the work that one message makes. A router advertisement
// of 1280 bytes filled with the smallest options has 152.
const maxNDOptions = 160

// walkNDOptions calls f with each option's type and its bytes behind the
// length: 6, or 8 more for each further unit.
func walkNDOptions(b []byte, f func(kind uint8, data []byte)) error {
	for count := 0; len(b) > 0; count++ {
		if len(b) < 8 {
			return ErrTruncated
		}
		size := int(b[1]) * 8
		if size == 0 || count == maxNDOptions {
			return ErrOption
		}
		if size > len(b) {
			return ErrTruncated
		}
		f(b[0], b[2:size:size])
		b = b[size:]
	}
	return nil
}

// parseHW reads a link-layer address option. One that holds no Ethernet address
// is passed over.
func parseHW(hw *MAC, has *bool, data []byte) {
	if len(data) == len(hw) {
		*hw, *has = MAC(data), true
	}
}

func appendHW(b []byte, kind uint8, hw MAC) []byte {
	return append(append(b, kind, 1), hw[:]...)
}

// PrefixInfo is an on-link prefix, or one to make addresses of
// (RFC 4861 4.6.2).
type PrefixInfo struct {
	Prefix             netip.Prefix // masked
	OnLink, Autonomous bool
	Valid, Preferred   time.Duration // seconds; may be Infinite
}

const (
	prefixOnLink     = 0x80
	prefixAutonomous = 0x40
)

func (p *PrefixInfo) parse(data []byte) bool {
	if len(data) != 30 || data[0] > 128 {
		return false
	}
	p.OnLink = data[1]&prefixOnLink != 0
	p.Autonomous = data[1]&prefixAutonomous != 0
	p.Valid = getSeconds(data[2:])
	p.Preferred = getSeconds(data[6:])
	p.Prefix = netip.PrefixFrom(addr16(data[14:30]), int(data[0])).Masked()
	return true
}

func (p *PrefixInfo) append(b []byte) []byte {
	flags := bit(p.OnLink, prefixOnLink) | bit(p.Autonomous, prefixAutonomous)
	b = append(b, ndPrefixInfo, 4, uint8(max(p.Prefix.Bits(), 0)), flags)
	b = binary.BigEndian.AppendUint32(b, seconds(p.Valid))
	b = binary.BigEndian.AppendUint32(b, seconds(p.Preferred))
	b = append(b, 0, 0, 0, 0)
	return append16(b, p.Prefix.Addr())
}

// RouteInfo is a more specific route by the router that advertises it
// (RFC 4191 2.3).
type RouteInfo struct {
	Prefix     netip.Prefix  // masked
	Preference int8          // 1 high, 0 medium, -1 low
	Lifetime   time.Duration // seconds; may be Infinite
}

func (r *RouteInfo) parse(data []byte) bool {
	// The prefix takes no more room than it needs: 0, 8 or 16 bytes. A reserved
	// preference makes the option invalid.
	if len(data) > 22 || data[0] > 128 || int(data[0]) > (len(data)-6)*8 || data[1]>>3&3 == 2 {
		return false
	}
	var prefix [16]byte
	copy(prefix[:], data[6:])
	r.Prefix = netip.PrefixFrom(netip.AddrFrom16(prefix), int(data[0])).Masked()
	r.Preference = preference(data[1] >> 3)
	r.Lifetime = getSeconds(data[2:])
	return true
}

func (r *RouteInfo) append(b []byte) []byte {
	bits := max(r.Prefix.Bits(), 0)
	units := (bits + 63) / 64
	b = append(b, ndRouteInfo, uint8(1+units), uint8(bits), preferenceBits(r.Preference)<<3)
	b = binary.BigEndian.AppendUint32(b, seconds(r.Lifetime))
	prefix := r.Prefix.Addr().As16()
	return append(b, prefix[:units*8]...)
}
