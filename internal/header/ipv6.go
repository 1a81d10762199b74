package header

import (
	"encoding/binary"
	"net/netip"
)

// IPv6Len is the length of an IPv6 header without extension headers.
const IPv6Len = 40

// IPv6 is an IPv6 header (RFC 8200 3).
type IPv6 struct {
	TrafficClass uint8  // DSCP and ECN
	FlowLabel    uint32 // 20 bits
	PayloadLen   int    // bytes that follow the header, extension headers included
	NextHeader   uint8
	HopLimit     uint8
	Src, Dst     netip.Addr
}

// Parse reads the header and returns what follows, cut to the payload length.
func (h *IPv6) Parse(b []byte) (rest []byte, err error) {
	rest, err = h.ParseQuoted(b)
	if err != nil {
		return nil, err
	}
	if len(rest) < h.PayloadLen {
		return nil, ErrTruncated
	}
	return rest[:h.PayloadLen:h.PayloadLen], nil
}

// ParseQuoted is Parse for a packet quoted in an ICMPv6 message: what follows
// the header may be shorter than PayloadLen says.
func (h *IPv6) ParseQuoted(b []byte) (rest []byte, err error) {
	if len(b) < IPv6Len {
		return nil, ErrTruncated
	}
	first := binary.BigEndian.Uint32(b)
	if first>>28 != 6 {
		return nil, ErrVersion
	}
	h.TrafficClass = uint8(first >> 20)
	h.FlowLabel = first & 0xfffff
	h.PayloadLen = int(binary.BigEndian.Uint16(b[4:]))
	h.NextHeader = b[6]
	h.HopLimit = b[7]
	h.Src = addr16(b[8:24])
	h.Dst = addr16(b[24:40])
	rest = b[IPv6Len:]
	return rest[:min(len(rest), h.PayloadLen)], nil
}

// Append appends the encoded header to b.
func (h *IPv6) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, 6<<28|uint32(h.TrafficClass)<<20|h.FlowLabel&0xfffff)
	b = binary.BigEndian.AppendUint16(b, uint16(h.PayloadLen))
	b = append(b, h.NextHeader, h.HopLimit)
	b = append16(b, h.Src)
	return append16(b, h.Dst)
}
