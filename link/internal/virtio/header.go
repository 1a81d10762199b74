package virtio

import (
	"encoding/binary"
	"errors"
)

// Len is the length in bytes of the part of the header that this package reads
// and writes, and of the whole header on a new TUN descriptor or packet socket.
const Len = 10

// MaxLen is the longest header that Linux puts before a frame: with a hash
// report and tunnel offloads.
const MaxLen = 24

// Flags is the flags field.
type Flags uint8

// The flags.
const (
	NeedsCsum Flags = 1 << iota // the checksum is partial: CsumStart and CsumOffset say where
	DataValid                   // the checksum was verified
	RSCInfo                     // CsumStart and CsumOffset count coalesced segments instead
)

// Type is the gso_type field: how a large frame is to be cut.
type Type uint8

// The types.
const (
	TypeNone  Type = 0
	TypeTCP4  Type = 1
	TypeUDP   Type = 3 // fragments of one datagram; refused
	TypeTCP6  Type = 4
	TypeUDPL4 Type = 5 // datagrams of one length

	// TypeECN is a bit beside the others: the TCP header has CWR set, which
	// belongs to the first segment only.
	TypeECN Type = 0x80
)

// Errors of headers. They say why a frame is dropped.
var (
	ErrTruncated = errors.New("virtio: header truncated")
	ErrType      = errors.New("virtio: unknown kind of large frame")
	ErrSegSize   = errors.New("virtio: large frame without a segment size")
	ErrChecksum  = errors.New("virtio: checksum or header outside the frame")
	ErrPartial   = errors.New("virtio: large frame without a partial checksum")
)

// Header is the header.
type Header struct {
	Flags      Flags
	Type       Type
	HdrLen     uint16 // bytes of all headers of a large frame: a hint
	SegSize    uint16 // bytes of payload in each segment of a large frame but the last
	CsumStart  uint16 // where the summed bytes begin, from the start of the frame
	CsumOffset uint16 // where the checksum belongs, from CsumStart
}

// Parse reads a header from b and returns what follows its first Len bytes.
func (h *Header) Parse(b []byte) (rest []byte, err error) {
	if len(b) < Len {
		return nil, ErrTruncated
	}
	*h = Header{
		Flags:      Flags(b[0]),
		Type:       Type(b[1]),
		HdrLen:     binary.NativeEndian.Uint16(b[2:]),
		SegSize:    binary.NativeEndian.Uint16(b[4:]),
		CsumStart:  binary.NativeEndian.Uint16(b[6:]),
		CsumOffset: binary.NativeEndian.Uint16(b[8:]),
	}
	return b[Len:], nil
}

// Append appends the header's Len bytes to b.
func (h *Header) Append(b []byte) []byte {
	b = append(b, byte(h.Flags), byte(h.Type))
	b = binary.NativeEndian.AppendUint16(b, h.HdrLen)
	b = binary.NativeEndian.AppendUint16(b, h.SegSize)
	b = binary.NativeEndian.AppendUint16(b, h.CsumStart)
	return binary.NativeEndian.AppendUint16(b, h.CsumOffset)
}
