package fdlink

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"example.com/berth/link"
	"example.com/berth/link/internal/virtio"
)

// A batch ends at so many frames or bytes. The bytes are few enough to be in the
// second-level cache still when the handler looks at them.
const (
	batchFrames = 32
	batchBytes  = 256 << 10
)

// The sizes of buffers that a packet may lie in. A packet of up to smallSize
// bytes is copied to a buffer of that size, which costs less than to hold a
// larger one; one of up to mediumSize stays where it was read.
const (
	smallSize  = 256
	mediumSize = 2048
)

// reader reads batches of frames. Only its goroutine touches it.
type reader struct {
	d *Device
	h link.Handler

	// A read scatters to the virtio header, then the medium buffer, then the
	// large one behind the place of what is in the medium.
	head          [virtio.MaxLen]byte
	medium, large *link.Buffer
	iov           []unix.Iovec

	frames [batchFrames]link.Frame
	n      int // frames in the batch
	bytes  int
	err    error // why no more can be read
}

func newReader(d *Device, h link.Handler) *reader {
	r := &reader{d: d, h: h}
	r.medium, r.large = link.NewBuffer(mediumSize), link.NewBuffer(link.MaxFrame)
	if n := d.cfg.VnetHeader; n > 0 {
		r.iov = append(r.iov, unix.Iovec{Base: &r.head[0]})
		r.iov[0].SetLen(n)
	}
	r.iov = append(r.iov, unix.Iovec{}, unix.Iovec{})
	r.aim()
	return r
}

// aim points the vector at the buffers for the next packet.
func (r *reader) aim() {
	medium, large := &r.iov[len(r.iov)-2], &r.iov[len(r.iov)-1]
	medium.Base = &r.medium.Bytes()[0]
	medium.SetLen(mediumSize)
	large.Base = &r.large.Bytes()[mediumSize]
	large.SetLen(r.large.Size() - mediumSize)
}

// run reads until the descriptor is closed or gives out.
func (r *reader) run(rc syscall.RawConn) {
	defer r.release()
	fill := r.fill // one closure for all reads
	for {
		if err := rc.Read(fill); err != nil {
			return // closed
		}
		r.deliver()
		if r.err != nil {
			r.d.update(r.h, func(info *link.Info) { info.Up = false })
			return
		}
	}
}

func (r *reader) release() {
	r.medium.Release()
	r.large.Release()
}

// fill reads what is ready, a batch at most. It returns false when there is
// nothing, which makes the poller wait.
func (r *reader) fill(fd uintptr) bool {
	for r.n < batchFrames && r.bytes < batchBytes {
		n, errno := readv(fd, r.iov)
		switch errno {
		case 0:
			if n == 0 { // the end of a message socket
				r.err = unix.EPIPE
				return true
			}
			r.take(n - r.d.cfg.VnetHeader)
		case unix.EAGAIN:
			return r.n > 0
		case unix.EINTR:
		case unix.ENETDOWN: // said once by a packet socket; the watcher tells the handler
		case unix.EINVAL: // the kernel could not describe this packet, and dropped it
			r.d.count.malformed.Add(1)
		default:
			r.err = errno
			return true
		}
	}
	return true
}

func readv(fd uintptr, iov []unix.Iovec) (int, unix.Errno) {
	n, _, errno := unix.Syscall(unix.SYS_READV, fd, uintptr(unsafe.Pointer(&iov[0])), uintptr(len(iov)))
	return int(n), errno
}

// take adds the packet of n bytes that was read to the batch.
func (r *reader) take(n int) {
	if n <= 0 {
		r.d.count.malformed.Add(1)
		return
	}
	f := &r.frames[r.n]
	f.Buffer = r.keep(n)
	f.Payload = f.Buffer.Bytes()[:n]
	if r.d.cfg.VnetHeader > 0 {
		var h virtio.Header
		h.Parse(r.head[:]) // long enough
		if h.Describe(f) != nil {
			r.d.count.malformed.Add(1)
			f.Buffer.Release()
			return
		}
	}
	// One look at the clock a batch: the frames were all waiting by then.
	if r.n == 0 {
		f.Time = time.Now()
	} else {
		f.Time = r.frames[0].Time
	}
	r.n++
	r.bytes += n
}

// keep returns the buffer with the n bytes that were read, and puts another in
// its place for the next packet where it is not a copy.
func (r *reader) keep(n int) (b *link.Buffer) {
	switch {
	case n <= smallSize:
		b = link.NewBuffer(smallSize)
		copy(b.Bytes(), r.medium.Bytes()[:n])
		return b
	case n <= mediumSize:
		b, r.medium = r.medium, link.NewBuffer(mediumSize)
	default:
		b, r.large = r.large, link.NewBuffer(link.MaxFrame)
		copy(b.Bytes(), r.medium.Bytes()[:mediumSize])
	}
	r.aim()
	return b
}

// deliver hands the batch to the handler and takes back what it lent.
func (r *reader) deliver() {
	if r.n == 0 {
		return
	}
	c := &r.d.count
	c.framesIn.Add(uint64(r.n))
	c.bytesIn.Add(uint64(r.bytes))
	c.batchesIn.Add(1)
	batch := r.frames[:r.n]
	r.h.Input(batch)
	for i := range batch {
		batch[i].Buffer.Release()
	}
	clear(batch)
	r.n, r.bytes = 0, 0
}
