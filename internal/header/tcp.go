package header

import (
	"encoding/binary"

	"example.com/berth/internal/seqnum"
)

// Lengths of a TCP header.
const (
	TCPMinLen = 20
	TCPMaxLen = 60
)

// TCPFlags are the control bits of a TCP header.
type TCPFlags uint16

// The control bits (RFC 9293 3.1; AE: RFC 9768).
const (
	FIN TCPFlags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
	AE
)

// Has tells whether all of x are set.
func (f TCPFlags) Has(x TCPFlags) bool { return f&x == x }

// String gives a letter a flag, as in packet traces: "S", "SA", "FA"; ECE is E,
// CWR is W, AE is N; "." stands for none.
func (f TCPFlags) String() string {
	const letters = "SFRPAUEWN"
	order := [...]TCPFlags{SYN, FIN, RST, PSH, ACK, URG, ECE, CWR, AE}
	b := make([]byte, 0, len(order))
	for i, x := range order {
		if f&x != 0 {
			b = append(b, letters[i])
		}
	}
	if len(b) == 0 {
		return "."
	}
	return string(b)
}

// TCP is a TCP header (RFC 9293 3.1).
type TCP struct {
	SrcPort, DstPort         uint16
	Seq, Ack                 seqnum.Value
	Flags                    TCPFlags
	Window, Checksum, Urgent uint16
	Options                  TCPOptions
}

// HeaderLen returns the encoded length with the options padded.
func (h *TCP) HeaderLen() int { return TCPMinLen + h.Options.Len() }

// Parse reads the header with its options and returns the payload. The checksum
// is not verified.
func (h *TCP) Parse(b []byte) (rest []byte, err error) {
	if len(b) < TCPMinLen {
		return nil, ErrTruncated
	}
	hlen := int(b[12]>>4) * 4
	if hlen < TCPMinLen {
		return nil, ErrHeaderLength
	}
	if hlen > len(b) {
		return nil, ErrTruncated
	}
	h.SrcPort = binary.BigEndian.Uint16(b[0:])
	h.DstPort = binary.BigEndian.Uint16(b[2:])
	h.Seq = seqnum.Value(binary.BigEndian.Uint32(b[4:]))
	h.Ack = seqnum.Value(binary.BigEndian.Uint32(b[8:]))
	h.Flags = TCPFlags(binary.BigEndian.Uint16(b[12:]) & 0x1ff)
	h.Window = binary.BigEndian.Uint16(b[14:])
	h.Checksum = binary.BigEndian.Uint16(b[16:])
	h.Urgent = binary.BigEndian.Uint16(b[18:])
	h.Options.parse(b[TCPMinLen:hlen])
	return b[hlen:], nil
}

// Append appends the encoded header with its options to b. It allocates nothing
// if b has room for HeaderLen bytes more.
func (h *TCP) Append(b []byte) []byte {
	at := len(b)
	b = append(b, make([]byte, TCPMinLen)...)
	f := (*[TCPMinLen]byte)(b[at:])
	binary.BigEndian.PutUint16(f[0:], h.SrcPort)
	binary.BigEndian.PutUint16(f[2:], h.DstPort)
	binary.BigEndian.PutUint32(f[4:], uint32(h.Seq))
	binary.BigEndian.PutUint32(f[8:], uint32(h.Ack))
	binary.BigEndian.PutUint16(f[14:], h.Window)
	binary.BigEndian.PutUint16(f[16:], h.Checksum)
	binary.BigEndian.PutUint16(f[18:], h.Urgent)
	b = h.Options.Append(b)
	binary.BigEndian.PutUint16(b[at+12:], uint16((len(b)-at)/4)<<12|uint16(h.Flags)&0x1ff)
	return b
}
