// Package link is the contract between a host and what carries its frames: a
// [Device] takes batches of frames out and hands batches in.
//
// Devices live in packages of their own below this one: link/wire joins hosts
// in memory, link/tuntap and link/afpacket reach the operating system. Others
// wrap any device: link/pcapng writes what passes to a file, link/impair loses,
// delays and damages it.
//
// # Who owns a frame
//
// One rule for both directions: a frame and the bytes it refers to are lent for
// the length of the call. Whoever keeps one longer calls [Frame.Keep] and later
// [Kept.Release]; nobody changes the bytes of a frame that was lent.
package link

import (
	"errors"
	"time"

	"example.com/berth/internal/buffer"
)

// ErrClosed is what a device's methods give after Close.
var ErrClosed = errors.New("link: device closed")

// A Device carries frames. Its methods may be called from several goroutines
// at once.
type Device interface {
	// Info says what the device is. It may change while the device is open (an
	// MTU that somebody sets, a link that goes down); the device then calls
	// Handler.Changed.
	Info() Info

	// Attach gives the device the handler of what comes in, and starts it. A
	// device has one handler; a second Attach, or one after Close, fails.
	Attach(Handler) error

	// Output sends frames in order and returns how many it took. A device that
	// is busy takes fewer and drops nothing silently: the caller counts what was
	// not taken. It never blocks for long, and may call the handler of the other
	// end, or its own, before it returns: no locks are held across it.
	Output(frames []Frame) (int, error)

	// Close stops the device, waits for its goroutines, and releases it. The
	// handler is not called after Close has returned. A second Close does
	// nothing. It must not be called from within Handler.Input.
	Close() error
}

// A Handler takes what a device brings in.
type Handler interface {
	// Input takes frames to their destination before it returns. The device
	// calls it from one goroutine at a time, unless its documentation says
	// otherwise.
	Input(frames []Frame)
	// Changed says that Info has changed.
	Changed()
}

// Medium says what a frame begins with.
type Medium uint8

// The media.
const (
	IP       Medium = iota // an IPv4 or IPv6 header
	Ethernet               // an Ethernet II header
)

// Info describes a device.
type Info struct {
	// Name is what the device calls itself: "bt0", "veth1"; may be empty.
	Name string
	// Medium is the format of frames.
	Medium Medium
	// Addr is the device's Ethernet address; zero unless Medium is Ethernet.
	Addr [6]byte
	// MTU is the largest IP packet in bytes, without the link's header.
	MTU int
	// Up tells whether the link carries frames.
	Up bool
	// Offload is what the device does for the stack on output.
	Offload Offload
	// MaxSegments is the most segments that a large frame may stand for when
	// Offload has a segmentation bit; 0 means no limit but 64 KiB.
	MaxSegments int
}

// Offload is a set of things that a device does on output instead of the stack.
type Offload uint8

// The offloads.
const (
	// OffloadChecksum: the transport's checksum may be left partial.
	OffloadChecksum Offload = 1 << iota
	// OffloadTCP4, OffloadTCP6, OffloadUDP: a frame of up to 64 KiB is cut
	// into segments (TSO, USO). They need OffloadChecksum.
	OffloadTCP4
	OffloadTCP6
	OffloadUDP
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

// Kept is a frame that outlives the call that lent it.
type Kept struct {
	Frame
	head [headRoom]byte
}

// headRoom is room for the headers that a stack writes: Ethernet 14, IPv6 40
// with a fragment header 8, TCP 60. Longer ones get memory of their own.
const headRoom = 128

// Keep returns a frame of its own with the same bytes: the head copied, and the
// payload shared where it lies in a pooled buffer, else copied.
func (f *Frame) Keep() *Kept {
	k := keptPool.get()
	k.Frame = *f
	k.Head = append(k.head[:0], f.Head...)
	if f.Buffer != nil {
		f.Buffer.Retain()
	} else if len(f.Payload) > 0 {
		k.Buffer = buffer.Get(len(f.Payload))
		k.Payload = k.Buffer.Bytes()[:copy(k.Buffer.Bytes(), f.Payload)]
	}
	return k
}

// KeepCopy is Keep with a copy of the payload that the caller may change.
func (f *Frame) KeepCopy() *Kept {
	lent := *f
	lent.Buffer = nil
	return lent.Keep()
}

// Release gives the frame back. It must not be used afterwards.
func (k *Kept) Release() {
	k.Buffer.Release()
	k.Frame = Frame{}
	keptPool.put(k)
}
