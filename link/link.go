// Package link is the contract between a host and what carries its frames: a
// [Device] takes batches of frames out and hands batches in.
//
// Devices live in packages of their own below this one: link/wire joins hosts
// in memory, link/tuntap and link/afpacket reach the operating system. Others
// wrap any device: link/pcapng writes what passes to a file, link/impair loses,
// delays and damages it. Package link/gso does for a device that has no offloads
// what they would do, and link/linktest is the suite that every device passes.
//
// # Who owns a frame
//
// One rule for both directions: a frame and the bytes it refers to are lent for
// the length of the call. Whoever keeps one longer calls [Frame.Keep] and later
// [Kept.Release]; nobody changes a frame that was lent, nor its bytes.
package link

import "errors"

// Errors of devices.
var (
	// ErrClosed is what a device's methods give after Close.
	ErrClosed = errors.New("link: device closed")
	// ErrAttached is a second Attach.
	ErrAttached = errors.New("link: device has a handler already")
	// ErrTooLong is a frame longer than the MTU allows.
	ErrTooLong = errors.New("link: frame longer than the MTU")
	// ErrOffload is a large frame, or one with a partial checksum, for a
	// device that has no such offload.
	ErrOffload = errors.New("link: frame needs an offload that the device lacks")
)

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

	// Output sends frames in order and returns how many it took, n. A device
	// that is busy takes fewer and drops nothing silently: the caller counts
	// what was not taken. An error says why frames[n] was not taken; unless it
	// is ErrClosed, those behind it have not been looked at and may be tried in
	// another call. Output never blocks for long, and may call the handler of
	// the other end, or its own, before it returns: no locks are held across it.
	Output(frames []Frame) (int, error)

	// Close stops the device, waits for its goroutines, and releases it. The
	// handler is not called after Close has returned. A second Close does
	// nothing. It must not be called from within the handler.
	Close() error
}

// A Handler takes what a device brings in.
type Handler interface {
	// Input takes frames to their destination before it returns. The device
	// calls it from one goroutine at a time, unless its documentation says
	// otherwise. Large frames and partial checksums come in as they were sent
	// where the device can carry them: a handler takes both.
	Input(frames []Frame)
	// Changed says that Info has changed. It may be called while Input is
	// under way.
	Changed()
}

// A ConcurrentHandler is a Handler whose Input may be called from several
// goroutines at once, if Concurrent says so when it is attached. A device that does
// so brings the frames of one flow in order, from one goroutine at a time.
type ConcurrentHandler interface {
	Handler
	Concurrent() bool
}

// A Drainer is a Device that can be told not to leave what has come in waiting for
// its reader, which on a busy machine may not run for long: a host whose timer is
// about to send something again wants to see acknowledgments first.
type Drainer interface {
	Device
	// Drain hands in what has arrived, as far as the device knows, on the goroutine
	// of the caller, or waits until somebody else who does so is done. It must not be
	// called from within the handler.
	Drain()
}

// A Poller reads descriptors on a goroutine of its own, where a program has a loop
// that serves many. Devices on descriptors that take one (tuntap.OnPoller) have
// theirs read by it: what comes in is then handled on the same goroutine as the rest.
type Poller interface {
	// Poll has read called when fd can be read, again and again until it returns
	// false, or stop was called. When stop returns, read is not running and is not
	// called any more; it must not be called from within read.
	Poll(fd int, read func() (again bool)) (stop func(), err error)
}

// Medium says what a frame begins with.
type Medium uint8

// The media.
const (
	IP       Medium = iota // an IPv4 or IPv6 header
	Ethernet               // an Ethernet II header
)

// HeaderLen returns the length in bytes of the header that frames begin with
// before the IP packet.
func (m Medium) HeaderLen() int {
	if m == Ethernet {
		return 14
	}
	return 0
}

func (m Medium) String() string {
	if m == Ethernet {
		return "Ethernet"
	}
	return "IP"
}

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

// OffloadAll is every offload.
const OffloadAll = OffloadChecksum | OffloadTCP4 | OffloadTCP6 | OffloadUDP
