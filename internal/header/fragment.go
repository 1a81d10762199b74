package header

import "encoding/binary"

// FragmentLen is the length of an IPv6 fragment header.
const FragmentLen = 8

// Fragment is the fragment header of IPv6 (RFC 8200 4.5).
type Fragment struct {
	NextHeader uint8
	Offset     int // bytes, a multiple of 8
	More       bool
	ID         uint32
}

// IsAtomic tells whether the fragment is a whole packet, which is processed in
// isolation from all others (RFC 6946 4).
func (h *Fragment) IsAtomic() bool { return h.Offset == 0 && !h.More }

// Parse reads the header and returns what follows. The reserved bits are
// ignored.
func (h *Fragment) Parse(b []byte) (rest []byte, err error) {
	if len(b) < FragmentLen {
		return nil, ErrTruncated
	}
	off := binary.BigEndian.Uint16(b[2:])
	h.NextHeader = b[0]
	h.Offset = int(off &^ 7)
	h.More = off&1 != 0
	h.ID = binary.BigEndian.Uint32(b[4:])
	return b[FragmentLen:], nil
}

// Append appends the encoded header to b.
func (h *Fragment) Append(b []byte) []byte {
	off := uint16(h.Offset) &^ 7
	if h.More {
		off |= 1
	}
	b = append(b, h.NextHeader, 0)
	b = binary.BigEndian.AppendUint16(b, off)
	return binary.BigEndian.AppendUint32(b, h.ID)
}
