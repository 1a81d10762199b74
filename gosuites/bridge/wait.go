package bridge

import (
	"context"
	"os"
	"sync"
	"syscall"
	"time"

	"example.com/berth/socket"
)

// A deadline ends waits for readiness. A wait in a call on the socket is ended
// by berth itself.
type deadline struct {
	mu      sync.Mutex // guards what follows
	at      time.Time
	changed chan struct{} // closed by the next change; nil if nobody asks
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = t
	if d.changed != nil {
		close(d.changed)
		d.changed = nil
	}
}

func (d *deadline) get() (at time.Time, changed <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changed == nil {
		d.changed = make(chan struct{})
	}
	return d.at, d.changed
}

// wait waits until the socket is ready for one of the events.
func (f *FD) wait(e socket.Events, d *deadline) error {
	for {
		at, changed := d.get()
		left := time.Duration(-1)
		if !at.IsZero() {
			if left = time.Until(at); left <= 0 {
				return os.ErrDeadlineExceeded
			}
		}
		fds := []socket.PollFD{{Socket: f.socket, Events: e}}
		n, err := host().Poll(until{context.Background(), changed}, fds, left)
		switch {
		case err != nil || n == 0: // another deadline, or the end of this one
		case fds[0].Revents&socket.POLLNVAL != 0:
			return syscall.EBADF
		default:
			return nil
		}
	}
}

// until is the context that ends when a channel is closed.
type until struct {
	context.Context
	done <-chan struct{}
}

func (u until) Done() <-chan struct{} { return u.done }

func (u until) Err() error {
	select {
	case <-u.done:
		return context.Canceled
	default:
		return nil
	}
}

// WaitWrite waits until a connect under way has ended or, without one, until a
// write would not block.
func (f *FD) WaitWrite() error {
	if f.peer.IsValid() && !f.made {
		return f.connect()
	}
	return f.wait(socket.POLLOUT, &f.writeUntil)
}

// RawRead calls fn when there is something to read, until fn is content.
func (f *FD) RawRead(fn func(fd uintptr) bool) error {
	return f.raw(fn, socket.POLLIN|socket.POLLRDHUP, &f.readUntil)
}

// RawWrite calls fn when a write would not block, until fn is content.
func (f *FD) RawWrite(fn func(fd uintptr) bool) error {
	return f.raw(fn, socket.POLLOUT, &f.writeUntil)
}

func (f *FD) raw(fn func(fd uintptr) bool, e socket.Events, d *deadline) error {
	for {
		if at, _ := d.get(); !at.IsZero() && !time.Now().Before(at) {
			return os.ErrDeadlineExceeded
		}
		done := false
		if err := f.Control(func(fd uintptr) { done = fn(fd) }); err != nil || done {
			return err
		}
		if err := f.wait(e, d); err != nil {
			return err
		}
	}
}
