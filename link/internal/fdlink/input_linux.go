package fdlink

import (
	"syscall"
	"time"

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

// reader reads batches of frames. Only its goroutine touches it.
type reader struct {
	d     *Device
	h     link.Handler
	slots []slot
	msgs  []mmsghdr // one a slot, on a socket; nil elsewhere

	frames [batchFrames]link.Frame
	n      int // frames in the batch
	bytes  int
	err    error // why no more can be read
}

func newReader(d *Device, h link.Handler) *reader {
	r := &reader{d: d, h: h, slots: make([]slot, 1)}
	if d.cfg.Socket {
		r.slots, r.msgs = make([]slot, socketSlots), make([]mmsghdr, socketSlots)
	}
	for i := range r.slots {
		r.slots[i].init(d.cfg.VnetHeader)
	}
	for i := range r.msgs {
		r.msgs[i] = message(r.slots[i].iov)
	}
	return r
}

// run reads until the descriptor is closed or gives out.
func (r *reader) run(rc syscall.RawConn) {
	defer r.release()
	fill := r.fill // one closure for all reads
	for {
		if err := rc.Read(fill); err != nil {
			return // closed
		}
		if r.err != nil {
			r.d.update(r.h, func(info *link.Info) { info.Up = false })
			return
		}
	}
}

func (r *reader) release() {
	for i := range r.slots {
		r.slots[i].release()
	}
}

// readable reads a batch and delivers it, for a Poller that calls again while there
// is more.
func (r *reader) readable() (again bool) {
	r.fill(uintptr(r.d.fd))
	if r.err != nil {
		r.d.update(r.h, func(info *link.Info) { info.Up = false })
	}
	return r.err == nil
}

// fill reads a batch and delivers it. It returns false when there was no more,
// which makes the poller wait, for what has come since that was seen, too.
func (r *reader) fill(fd uintptr) bool {
	more := r.batch(fd)
	r.deliver()
	return more || r.err != nil
}

// batch reads what is ready, a batch at most, and returns whether there may be more
// behind it.
func (r *reader) batch(fd uintptr) (more bool) {
	for r.n < batchFrames && r.bytes < batchBytes && r.err == nil {
		last, errno := r.receive(fd)
		switch errno {
		case 0:
			// The next batch looks again before the poller waits: what ended the
			// call may have been an error, with more behind it.
			if last && r.n > 0 {
				return true
			}
		case unix.EAGAIN:
			return false
		case unix.EINTR:
		case unix.ENETDOWN: // said once by a packet socket; the watcher tells the handler
		case unix.EINVAL: // the kernel could not describe this packet, and dropped it
			r.d.count.malformed.Add(1)
		default:
			r.err = errno
		}
	}
	return true
}

// receive makes one system call and adds what it gave to the batch. It reports
// whether that was the last there is, if the call told.
func (r *reader) receive(fd uintptr) (last bool, errno unix.Errno) {
	if r.msgs == nil {
		n, errno := readv(fd, r.slots[0].iov)
		if errno == 0 {
			r.take(&r.slots[0], n)
		}
		return false, errno
	}
	msgs := r.msgs[:min(len(r.msgs), batchFrames-r.n)]
	n, errno := recvmmsg(fd, msgs)
	if errno != 0 {
		return false, errno
	}
	for i := range n {
		r.take(&r.slots[i], int(msgs[i].n))
	}
	return n < len(msgs), 0
}

// take adds what was read to the batch: n bytes, the virtio header included.
func (r *reader) take(s *slot, n int) {
	if n == 0 { // the end of a message socket
		r.err = unix.EPIPE
		return
	}
	if n -= r.d.cfg.VnetHeader; n <= 0 {
		r.d.count.malformed.Add(1)
		return
	}
	f := &r.frames[r.n]
	f.Buffer = s.keep(n)
	f.Payload = f.Buffer.Bytes()[:n]
	if r.d.cfg.VnetHeader > 0 {
		var h virtio.Header
		h.Parse(s.head[:]) // long enough
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
