package header

import "encoding/binary"

// UDPLen is the length of a UDP header.
const UDPLen = 8

// UDP is a UDP header (RFC 768).
type UDP struct {
	SrcPort, DstPort uint16
	PayloadLen       int
	// Checksum is 0 if the sender computed none, which IPv6 forbids
	// (RFC 8200 8.1).
	Checksum uint16
}

// Parse reads the header and returns the payload, cut to the length in the
// header. The checksum is not verified.
func (h *UDP) Parse(b []byte) (rest []byte, err error) {
	rest, err = h.ParseQuoted(b)
	if err != nil {
		return nil, err
	}
	if len(rest) < h.PayloadLen {
		return nil, ErrTruncated
	}
	return rest, nil
}

// ParseQuoted is Parse for a header whose payload is not all there: in a packet
// that an ICMP message quotes, or that lies in two pieces. What follows the
// header may be shorter than PayloadLen says.
func (h *UDP) ParseQuoted(b []byte) (rest []byte, err error) {
	if len(b) < UDPLen {
		return nil, ErrTruncated
	}
	n := int(binary.BigEndian.Uint16(b[4:]))
	if n < UDPLen {
		return nil, ErrLength
	}
	h.SrcPort = binary.BigEndian.Uint16(b[0:])
	h.DstPort = binary.BigEndian.Uint16(b[2:])
	h.PayloadLen = n - UDPLen
	h.Checksum = binary.BigEndian.Uint16(b[6:])
	n = min(n, len(b))
	return b[UDPLen:n:n], nil
}

// Append appends the encoded header to b.
func (h *UDP) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, h.SrcPort)
	b = binary.BigEndian.AppendUint16(b, h.DstPort)
	b = binary.BigEndian.AppendUint16(b, uint16(UDPLen+h.PayloadLen))
	return binary.BigEndian.AppendUint16(b, h.Checksum)
}

// FoldUDP is Fold for UDP, where a checksum of 0 means that there is none and is
// sent as its other form, all ones (RFC 768).
func FoldUDP(acc uint32) uint16 {
	if c := Fold(acc); c != 0 {
		return c
	}
	return 0xffff
}
