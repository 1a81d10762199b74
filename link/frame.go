package link

import (
	"time"

	"example.com/berth/internal/buffer"
)

// A Frame is one packet on its way, or a large one that stands for several.
//
// The headers are contiguous. When the stack sends, Head has all of them and
// Payload what the transport carries, which lies in a send buffer. A device
// that reads a packet into one piece of memory hands it in as Payload, with
// Head empty. So: the packet's bytes are Head followed by Payload.
type Frame struct {
	Head    []byte
	Payload []byte
	// Buffer holds the memory of Payload; nil if that is not pooled.
	Buffer *Buffer
	// Time is when the frame was received, or given to the device; zero if the
	// device does not say.
	Time time.Time
	// GSO, if not zero, makes this a large frame.
	GSO GSO
	// SegSize is the length of the payload of each segment of a large frame
	// but the last.
	SegSize uint16
	// Checksum is the state of the transport's checksum.
	Checksum Checksum
	// CsumStart and CsumOffset say, with a Partial checksum, where the summed
	// bytes begin, counted from the start of the frame, and where from there
	// the checksum belongs.
	CsumStart, CsumOffset uint16
	// Serial is a number by which whoever hands a frame to a device that delays
	// it recognises it later; devices carry it unchanged, and 0 means none.
	Serial uint64
	// Comment is a remark for a capture: why a frame was dropped or changed.
	Comment string
}

// Buffer is a block of pooled memory.
type Buffer = buffer.Buffer

// GSO says how a large frame is to be cut.
type GSO uint8

// The kinds of large frame.
const (
	GSONone GSO = iota
	GSOTCP4     // TCP over IPv4
	GSOTCP6     // TCP over IPv6
	GSOUDP      // UDP datagrams of one length over IPv4 or IPv6
)

// Offload returns the offload that a device must have to take such a frame.
func (g GSO) Offload() Offload {
	switch g {
	case GSOTCP4:
		return OffloadTCP4 | OffloadChecksum
	case GSOTCP6:
		return OffloadTCP6 | OffloadChecksum
	case GSOUDP:
		return OffloadUDP | OffloadChecksum
	}
	return 0
}

// Checksum is the state of a frame's transport checksum.
type Checksum uint8

// The states of a checksum.
const (
	// ChecksumFull: it is in the packet; a receiver verifies it.
	ChecksumFull Checksum = iota
	// ChecksumPartial: the field holds the sum of the pseudo-header; a device
	// completes it. A receiver may trust it: it never crossed a wire.
	ChecksumPartial
	// ChecksumVerified: it was verified by the device; only on input.
	ChecksumVerified
)

// Len returns the frame's length in bytes.
func (f *Frame) Len() int { return len(f.Head) + len(f.Payload) }

// AppendTo appends the frame's bytes to b.
func (f *Frame) AppendTo(b []byte) []byte { return append(append(b, f.Head...), f.Payload...) }

// Peek copies the frame's first bytes into b and returns how many: fewer than
// len(b) if the frame is shorter.
func (f *Frame) Peek(b []byte) int {
	n := copy(b, f.Head)
	return n + copy(b[n:], f.Payload)
}

// Check tells whether a device that info describes can take the frame: the
// error is ErrTooLong, ErrOffload or nil.
func (info *Info) Check(f *Frame) error {
	length, limit := f.Len(), info.MTU+info.Medium.HeaderLen()
	if f.GSO != GSONone {
		if need := f.GSO.Offload(); need == 0 || info.Offload&need != need || f.SegSize == 0 {
			return ErrOffload
		}
		if info.MaxSegments > 0 && len(f.Payload) > info.MaxSegments*int(f.SegSize) {
			return ErrOffload
		}
		// What one segment will take; all of it, if the headers are apart.
		if length > MaxFrame || len(f.Head)+int(f.SegSize) > limit {
			return ErrTooLong
		}
		return nil
	}
	if f.Checksum == ChecksumPartial && info.Offload&OffloadChecksum == 0 {
		return ErrOffload
	}
	if length > limit {
		return ErrTooLong
	}
	return nil
}

// CheckAll returns how many frames from the first on the device can take, and
// why it cannot take the one behind them.
func (info *Info) CheckAll(frames []Frame) (good int, err error) {
	for i := range frames {
		if err := info.Check(&frames[i]); err != nil {
			return i, err
		}
	}
	return len(frames), nil
}
