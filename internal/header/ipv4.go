package header

import (
	"encoding/binary"
	"net/netip"
)

// Lengths of an IPv4 header.
const (
	IPv4MinLen = 20
	IPv4MaxLen = 60
)

// MaxPacket is the longest IPv4 packet, and the longest payload of IPv6 without
// jumbograms.
const MaxPacket = 65535

// MinMTU4 and MinMTU6 are the least that a link of each version carries
// (RFC 791 3.2, RFC 8200 5).
const (
	MinMTU4 = 68
	MinMTU6 = 1280
)

// The fragmentation bits of IPv4.
const (
	ipv4DF     = 0x4000
	ipv4MF     = 0x2000
	ipv4Offset = 0x1fff
)

// IPv4 is an IPv4 header (RFC 791 3.1).
type IPv4 struct {
	TOS           uint8 // DSCP and ECN
	PayloadLen    int   // bytes that follow the header
	ID            uint16
	DF, MF        bool
	Offset        int // of a fragment, in bytes, a multiple of 8
	TTL, Protocol uint8
	Src, Dst      netip.Addr
	// Options are the encoded options, at most 40 bytes; Append pads them.
	Options []byte
}

// HeaderLen returns the encoded length, options padded.
func (h *IPv4) HeaderLen() int { return IPv4MinLen + (len(h.Options)+3)&^3 }

// IsFragment tells whether the packet is a part of a larger one.
func (h *IPv4) IsFragment() bool { return h.MF || h.Offset != 0 }

// Parse reads the header and returns the payload, cut to the total length. It
// verifies version, header length, total length and checksum
// (RFC 1122 3.2.1.1, 3.2.1.2). The options are left as they are.
func (h *IPv4) Parse(b []byte) (rest []byte, err error) {
	rest, err = h.ParseQuoted(b)
	if err != nil {
		return nil, err
	}
	if len(rest) < h.PayloadLen {
		return nil, ErrTruncated
	}
	if hlen := h.HeaderLen(); Fold(Sum(b[:hlen], 0)) != 0 {
		return nil, ErrChecksum
	}
	return rest[:h.PayloadLen:h.PayloadLen], nil
}

// ParseQuoted is Parse for a packet quoted in an ICMP message: what follows the
// header may be shorter than PayloadLen says, and the checksum, which a router
// may not have updated, is not looked at.
func (h *IPv4) ParseQuoted(b []byte) (rest []byte, err error) {
	if len(b) < IPv4MinLen {
		return nil, ErrTruncated
	}
	if b[0]>>4 != 4 {
		return nil, ErrVersion
	}
	hlen := int(b[0]&15) * 4
	if hlen < IPv4MinLen {
		return nil, ErrHeaderLength
	}
	total := int(binary.BigEndian.Uint16(b[2:]))
	if total < hlen {
		return nil, ErrLength
	}
	if len(b) < hlen {
		return nil, ErrTruncated
	}
	frag := binary.BigEndian.Uint16(b[6:])
	h.TOS = b[1]
	h.PayloadLen = total - hlen
	h.ID = binary.BigEndian.Uint16(b[4:])
	h.DF = frag&ipv4DF != 0
	h.MF = frag&ipv4MF != 0
	h.Offset = int(frag&ipv4Offset) * 8
	h.TTL = b[8]
	h.Protocol = b[9]
	h.Src = addr4(b[12:16])
	h.Dst = addr4(b[16:20])
	h.Options = nil
	if hlen > IPv4MinLen {
		h.Options = b[IPv4MinLen:hlen:hlen]
	}
	rest = b[hlen:]
	return rest[:min(len(rest), h.PayloadLen)], nil
}

// Append appends the encoded header to b, with its checksum.
func (h *IPv4) Append(b []byte) []byte {
	at, hlen := len(b), h.HeaderLen()
	frag := uint16(h.Offset / 8)
	if h.DF {
		frag |= ipv4DF
	}
	if h.MF {
		frag |= ipv4MF
	}
	b = append(b, make([]byte, IPv4MinLen)...)
	f := (*[IPv4MinLen]byte)(b[at:])
	f[0], f[1] = 0x40|uint8(hlen/4), h.TOS
	binary.BigEndian.PutUint16(f[2:], uint16(hlen+h.PayloadLen))
	binary.BigEndian.PutUint16(f[4:], h.ID)
	binary.BigEndian.PutUint16(f[6:], frag)
	f[8], f[9] = h.TTL, h.Protocol
	*(*[4]byte)(f[12:]) = as4(h.Src)
	*(*[4]byte)(f[16:]) = as4(h.Dst)
	b = append(b, h.Options...)
	for len(b) < at+hlen {
		b = append(b, IPv4OptionEnd)
	}
	binary.BigEndian.PutUint16(b[at+10:], Fold(Sum(b[at:], 0)))
	return b
}
