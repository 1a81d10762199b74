package fdlink

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"example.com/berth/link"
	"example.com/berth/link/internal/virtio"
)

// A batch ends at so many frames or bytes. The bytes are few enough to be in the
// second-level cache still when the handler looks at them.
const (
	batchFrames = 64
	batchBytes  = 256 << 10
)

// reader reads batches of frames. Whoever reads one holds turn until it is
// delivered: the device's goroutine, the user's Poller, or who drains it.
type reader struct {
	turn   sync.Mutex
	missed atomic.Bool // somebody found it held and went away: there is more to read
	ended  bool        // its buffers are given back

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
	gone := false
	fill := func(fd uintptr) bool { // one closure for all reads
		var more bool
		more, gone = r.fill(fd)
		return more
	}
	for !gone {
		if err := rc.Read(fill); err != nil {
			return // closed
		}
	}
}

func (r *reader) release() {
	r.turn.Lock()
	defer r.turn.Unlock()
	r.ended = true
	for i := range r.slots {
		r.slots[i].release()
	}
}

// readable reads a batch and delivers it, for a Poller that calls again while there
// is more.
func (r *reader) readable() (again bool) {
	_, gone := r.fill(uintptr(r.d.fd))
	return !gone
}

// fill reads a batch and delivers it. It returns false when there was no more,
// which makes the poller wait, for what has come since that was seen, too. If
// somebody else reads at this moment, that one looks again before it stops.
func (r *reader) fill(fd uintptr) (more, gone bool) {
	if !r.turn.TryLock() {
		r.missed.Store(true)
		if !r.turn.TryLock() {
			return false, false
		}
	}
	return r.read(fd, 1)
}

// drainBatches is how much is read for somebody who wants to know what is
// waiting: as much as the longest queue of a device that is usual.
const drainBatches = 64

// drain reads what is waiting, also what somebody else is reading just now. What
// comes while that is done, and is too much, is left to a goroutine.
func (r *reader) drain(fd uintptr) {
	r.turn.Lock()
	if r.ended {
		r.turn.Unlock()
		return
	}
	if more, gone := r.read(fd, drainBatches); more && !gone {
		go r.d.Drain()
	}
}

// read reads and delivers batches, so many at most, until there is no more. Turn is
// held on entry, and not on return.
func (r *reader) read(fd uintptr, batches int) (more, gone bool) {
	for {
		r.missed.Store(false)
		more = true
		for n := 0; n < batches && more && !gone; n++ {
			more = r.batch(fd)
			r.deliver()
			gone = r.err != nil
		}
		r.turn.Unlock()
		if gone {
			r.d.update(r.h, func(info *link.Info) { info.Up = false })
			return true, true
		}
		if more || !r.missed.Load() || !r.turn.TryLock() {
			return more, false
		}
	}
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
