package wire

import (
	"sync"

	"example.com/berth/link"
)

// maxBatch is the most frames that one call of Input gets from the queue.
const maxBatch = 64

// An inlet is the receiving side of a device: the handler, and the queue of
// what comes while the handler is busy.
type inlet struct {
	mu sync.Mutex // guards all below but batch and kept; never held across a call of the handler

	idle       sync.Cond // the end of a delivery and of a call of Changed
	handler    link.Handler
	delivering bool // some goroutine is in Input; it empties the queue
	changing   int  // goroutines in Changed
	down       bool
	closed     bool
	queue      queue

	inFrames, inBytes, queued, queueFull, unheard, bad uint64
	taken, takenBytes                                  uint64 // of a pair's other end

	// The one that delivers owns these.
	batch []link.Frame
	kept  []*link.Kept
}

func (in *inlet) init(limit int) {
	in.idle.L = &in.mu
	in.queue.limit = limit
}

// deliver hands frames to the handler, or leaves them in the queue for the
// goroutine that is delivering. It returns how many were taken; frames that
// nobody hears are.
func (in *inlet) deliver(frames []link.Frame) int {
	in.mu.Lock()
	h := in.handler
	switch {
	case h == nil || in.closed || in.down:
		in.unheard += uint64(len(frames))
		in.take(frames)
		in.mu.Unlock()
		return len(frames)
	case in.delivering:
		n := in.enqueue(frames)
		in.take(frames[:n])
		in.mu.Unlock()
		return n
	}
	in.delivering = true
	in.count(frames)
	in.take(frames)
	in.mu.Unlock()

	finished := false
	defer func() {
		if !finished {
			in.abandon()
		}
	}()
	h.Input(frames)
	for in.next() {
		h.Input(in.batch)
	}
	finished = true
	return len(frames)
}

// enqueue keeps as many frames as there is room for. The caller holds the lock.
func (in *inlet) enqueue(frames []link.Frame) int {
	for i := range frames {
		if !in.queue.put(&frames[i]) {
			in.queued += uint64(i)
			in.queueFull += uint64(len(frames) - i)
			return i
		}
	}
	in.queued += uint64(len(frames))
	return len(frames)
}

// next makes a batch of what waits in the queue. If nothing does, the delivery
// is over: that is decided under the lock, so that no frame is left behind.
func (in *inlet) next() bool {
	if len(in.kept) > 0 {
		in.releaseBatch()
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed || in.queue.n == 0 {
		in.end()
		return false
	}
	for in.queue.n > 0 && len(in.batch) < maxBatch {
		k := in.queue.take()
		in.kept = append(in.kept, k)
		in.batch = append(in.batch, k.Frame)
	}
	in.count(in.batch)
	return true
}

func (in *inlet) releaseBatch() {
	for _, k := range in.kept {
		k.Release()
	}
	clear(in.kept)
	clear(in.batch)
	in.kept, in.batch = in.kept[:0], in.batch[:0]
}

// end ends a delivery. The caller holds the lock.
func (in *inlet) end() {
	in.delivering = false
	if in.closed {
		in.unheard += uint64(in.queue.clear())
		in.idle.Broadcast()
	}
}

// abandon ends a delivery whose handler did not return (a panic, or the Goexit
// of a test that failed), so that Close need not wait for ever.
func (in *inlet) abandon() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.unheard += uint64(in.queue.clear())
	in.end()
}

// count counts frames about to be handed in. The caller holds the lock.
func (in *inlet) count(frames []link.Frame) {
	in.inFrames += uint64(len(frames))
	in.inBytes += bytesIn(frames)
}

// take counts frames that were taken of whoever sends. The caller holds the lock.
func (in *inlet) take(frames []link.Frame) {
	in.taken += uint64(len(frames))
	in.takenBytes += bytesIn(frames)
}

func (in *inlet) addTaken(s *Stats) {
	in.mu.Lock()
	defer in.mu.Unlock()
	s.OutFrames += in.taken
	s.OutBytes += in.takenBytes
}

func (in *inlet) malformed(n int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.bad += uint64(n)
}

func (in *inlet) attach(h link.Handler) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.closed:
		return link.ErrClosed
	case in.handler != nil:
		return link.ErrAttached
	}
	in.handler = h
	return nil
}

// changed tells the handler that Info has changed.
func (in *inlet) changed() {
	in.mu.Lock()
	h := in.handler
	if h == nil || in.closed {
		in.mu.Unlock()
		return
	}
	in.changing++
	in.mu.Unlock()

	defer func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		if in.changing--; in.closed {
			in.idle.Broadcast()
		}
	}()
	h.Changed()
}

func (in *inlet) setDown(down bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.down = down
}

// close waits until nobody is in the handler, and sees to it that nobody will
// be. It reports whether this call closed the inlet.
func (in *inlet) close() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	first := !in.closed
	in.closed = true
	for in.delivering || in.changing > 0 {
		in.idle.Wait()
	}
	in.unheard += uint64(in.queue.clear())
	return first
}

func (in *inlet) addTo(s *Stats) {
	in.mu.Lock()
	defer in.mu.Unlock()
	s.InFrames += in.inFrames
	s.InBytes += in.inBytes
	s.Queued += in.queued
	s.QueueFull += in.queueFull
	s.Unheard += in.unheard
	s.Malformed += in.bad
}
