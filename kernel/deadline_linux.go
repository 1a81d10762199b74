package kernel

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// longAgo is a deadline that has passed: it ends a wait at once.
var longAgo = time.Unix(1, 0)

// half is the reading or the writing side of a socket: the waiting for
// readiness, and what ends it. The runtime's poller knows one deadline a side;
// contexts that end break the wait through the same deadline, which then goes
// back to what the user set.
type half struct {
	wait func(func(fd uintptr) bool) error // RawConn.Read or Write
	set  func(time.Time) error

	mu       sync.Mutex // guards what follows, and orders the calls of set
	deadline time.Time
	breaks   int // contexts that have ended and whose calls have not yet returned
}

func (h *half) setDeadline(t time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deadline = t
	return h.apply()
}

func (h *half) apply() error {
	if h.breaks > 0 {
		return h.set(longAgo)
	}
	return h.set(h.deadline)
}

func (h *half) interrupt(by int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.breaks += by
	_ = h.apply() // it fails only on a closed socket, where nobody waits
}

func (h *half) passed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.deadline.IsZero() && !h.deadline.After(time.Now())
}

// await calls f whenever the side may be ready, until f returns true; the
// deadline, the context and Close end it too.
func (s *sock) await(ctx context.Context, h *half, f func(fd uintptr) bool) error {
	if s.isClosed() {
		return syscall.EBADF
	}
	if ctx.Done() != nil {
		if err := ctx.Err(); err != nil {
			return err
		}
		stop := context.AfterFunc(ctx, func() { h.interrupt(+1) })
		defer func() {
			if !stop() {
				h.interrupt(-1)
			}
		}()
	}
	for {
		err := h.wait(f)
		switch {
		case err == nil:
			return nil
		case s.isClosed():
			return syscall.EBADF
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return errno(err)
		case ctx.Err() != nil:
			return ctx.Err()
		case h.passed():
			return os.ErrDeadlineExceeded
		}
		// The context of another call on this side has ended, or the deadline
		// was moved on: neither is this call's business.
		runtime.Gosched()
	}
}
