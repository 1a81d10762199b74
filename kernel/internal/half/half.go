// Package half is the waiting on one half of a socket, its reading or its
// writing: what ends a wait besides the thing waited for, which is a deadline,
// a context, or that the socket is closed.
package half

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// longAgo is a deadline that has passed: it ends a wait at once.
var longAgo = time.Unix(1, 0)

// Half is the reading or the writing side of a socket. The runtime's poller knows one deadline a side;
// contexts that end break the wait through the same deadline, which then goes
// back to what the user set.
type Half struct {
	// Set sets the deadline of the descriptor below.
	Set func(time.Time) error
	// Errno gives the contract's error for one of an operation.
	Errno func(error) error

	mu       sync.Mutex // guards what follows, and orders the calls of Set
	deadline time.Time
	breaks   int // contexts that have ended and whose calls have not yet returned
}

// SetDeadline sets the time at which waiting operations end; the zero Time
// takes it away.
func (h *Half) SetDeadline(t time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deadline = t
	return h.apply()
}

// Deadline is what was last set.
func (h *Half) Deadline() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.deadline
}

// Apply sets the deadline again, on a descriptor that is new.
func (h *Half) Apply() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.apply()
}

func (h *Half) apply() error {
	if h.breaks > 0 {
		return h.Set(longAgo)
	}
	return h.Set(h.deadline)
}

func (h *Half) interrupt(by int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.breaks += by
	_ = h.apply() // it fails only on a closed socket, where nobody waits
}

func (h *Half) passed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.deadline.IsZero() && !h.deadline.After(time.Now())
}

// Await runs op, which waits on this side, until it ends for a reason of its
// own: done, closed, the deadline or ctx.
func (h *Half) Await(ctx context.Context, closed *atomic.Bool, op func() error) error {
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
		if closed.Load() {
			return syscall.EBADF
		}
		err := op()
		switch {
		case err == nil:
			return nil
		case closed.Load():
			return syscall.EBADF
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return h.Errno(err)
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
