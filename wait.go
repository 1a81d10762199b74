package berth

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/berth/internal/lean"
	"example.com/berth/socket"
)

// waiters are the calls that wait on one side of a socket, reading or writing.
// All of it is guarded by the socket's lock. They wait on a condition variable,
// which they share and which is there as long as one of them waits, so that an
// idle socket owns none.
type waiters struct {
	cond     *waitCond // nil while nobody waits
	waiting  int32
	expired  atomic.Bool // the deadline has passed; read without the lock, too
	deadline *deadline   // nil while there is none
}

// A waitCond is a condition variable, and memory that one of those who wait on it
// lends for what they wait for.
type waitCond struct {
	_ lean.Incomparable

	sync.Cond
	into  []byte // nil: nobody lends any, or something is there already
	given int    // bytes that are there
}

var conds = sync.Pool{New: func() any { return new(waitCond) }}

// wait waits for a broadcast. The socket's lock is held on entry and on return.
func (s *sock) wait(w *waiters) { s.waitWith(w, nil) }

// waitWith is wait of one who lends memory for what may come, or nil. It returns how
// many bytes came there. Of several who wait, the first one's is taken.
func (s *sock) waitWith(w *waiters, into []byte) (given int) {
	if w.cond == nil {
		w.cond = conds.Get().(*waitCond)
		w.cond.L = &s.mu
	}
	c := w.cond
	lends := len(into) > 0 && c.into == nil && c.given == 0
	if lends {
		c.into = into
	}
	w.waiting++
	c.Wait()
	if lends {
		given, c.into, c.given = c.given, nil, 0
	}
	if w.waiting--; w.waiting == 0 {
		c.L = nil
		conds.Put(c)
		w.cond = nil
	}
	return given
}

// lent is the memory of one who waits, if one of them lends any.
func (w *waiters) lent() []byte {
	if w.cond == nil {
		return nil
	}
	return w.cond.into
}

// give says that the first n bytes of what is lent are those that were waited for.
// Who lent it is to be woken.
func (w *waiters) give(n int) { w.cond.into, w.cond.given = nil, n }

// served tells whether what was waited for is where it was to go.
func (w *waiters) served() bool { return w.cond != nil && w.cond.given > 0 }

// broadcast ends the waits under way. The socket's lock is held.
func (w *waiters) broadcast() {
	if w.cond != nil {
		w.cond.Broadcast()
	}
}

// A deadline is a time at which waits end.
type deadline struct {
	_ lean.Incomparable

	sock  *sock
	of    *waiters
	timer *time.Timer
	turn  Timer // instead, with a Scheduler
}

// setDeadline ends the waits under way and to come at time t; the zero Time
// takes the deadline away. The lock is held.
func (s *sock) setDeadline(w *waiters, t time.Time) {
	if d := w.deadline; d != nil {
		d.stop()
		w.deadline = nil
	}
	w.expired.Store(false)
	if t.IsZero() {
		return
	}
	wait := t.Sub(s.host.clock())
	if wait <= 0 {
		w.expired.Store(true)
		w.broadcast()
		return
	}
	d := &deadline{sock: s, of: w}
	w.deadline = d
	if s.host.turns != nil {
		d.turn = s.host.turns.Timer(d)
		d.turn.Set(t)
	} else {
		d.timer = time.AfterFunc(wait, d.Turn)
	}
}

func (d *deadline) stop() {
	if d.turn != nil {
		d.turn.Stop()
	} else {
		d.timer.Stop()
	}
}

// Turn is what happens when the time has come.
func (d *deadline) Turn() {
	s, w := d.sock, d.of
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.deadline != d { // it was changed meanwhile
		return
	}
	w.expired.Store(true)
	if w == &s.readers {
		s.wake(socket.POLLIN)
	} else {
		s.wake(socket.POLLOUT)
	}
}

// block calls try with the socket's lock held until it returns something other
// than EAGAIN, waiting in between for w to be woken. What ends a wait early:
// the deadline, the context, Close. A non-blocking socket,
// or call, gets the EAGAIN.
func (s *sock) block(ctx context.Context, w *waiters, flags socket.Flags, try func() error) error {
	var stop func() bool
	for {
		// The deadline goes first: as in package net, a read after it fails even
		// if there is something to read.
		if err := s.over(ctx, w); err != nil {
			return err
		}
		err := try()
		if err != syscall.EAGAIN || s.nonblock || flags&socket.MSG_DONTWAIT != 0 {
			return err
		}
		if stop == nil && ctx.Done() != nil {
			stop = context.AfterFunc(ctx, func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				w.broadcast()
			})
			defer stop()
		}
		// To send, try lets go of the lock, and whoever took it meanwhile found
		// nobody waiting whom to wake.
		if s.over(ctx, w) == nil {
			s.wait(w)
		}
	}
}

// await is what block does between two tries, for calls without a context that are
// made so often that they try by themselves: it waits for w to be woken. It gives the
// reason if the call is over; EAGAIN, if it must not wait. The socket's lock is held.
func (s *sock) await(w *waiters, flags socket.Flags) error {
	if s.nonblock || flags&socket.MSG_DONTWAIT != 0 {
		return syscall.EAGAIN
	}
	if err := s.ended(w); err != nil {
		return err
	}
	s.wait(w)
	return s.ended(w)
}

// over is the reason for which nobody may wait any more, if there is one. The
// socket's lock is held.
func (s *sock) over(ctx context.Context, w *waiters) error {
	if err := ctx.Err(); err != nil && !s.closed {
		return err
	}
	return s.ended(w)
}

// ended is over for a call without a context.
func (s *sock) ended(w *waiters) error {
	switch {
	case s.closed:
		return syscall.EBADF
	case w.expired.Load() && !s.nonblock:
		return os.ErrDeadlineExceeded
	}
	return nil
}

// wake ends the waits whose condition e may have come about, after the turn if
// one is under way. The socket's lock is held.
func (s *sock) wake(e socket.Events) {
	if s.host.turns == nil || !s.host.turns.Running() {
		s.wakeNow(e)
		return
	}
	if s.awaited() {
		s.wakeAfterTurn(e)
	}
}

// awaited tells whether anybody waits for the socket.
func (s *sock) awaited() bool {
	return s.readers.cond != nil || s.writers.cond != nil || s.polls != nil
}

func (s *sock) wakeAfterTurn(e socket.Events) {
	if s.woken == 0 && e != 0 {
		s.host.turns.Wake(s.order(), (*waker)(s))
	}
	s.woken |= e
}

func (s *sock) wakeNow(e socket.Events) {
	const failed = socket.POLLERR | socket.POLLHUP | socket.POLLNVAL
	if e&(socket.POLLIN|socket.POLLPRI|socket.POLLRDHUP|failed) != 0 {
		s.readers.broadcast()
	}
	if e&(socket.POLLOUT|failed) != 0 {
		s.writers.broadcast()
	}
	for w := s.polls; w != nil; w = w.next {
		w.poll.signal(e)
	}
}

func (s *sock) SetDeadline(t time.Time) error {
	return s.withLock(func() error {
		s.setDeadline(&s.readers, t)
		s.setDeadline(&s.writers, t)
		return nil
	})
}

func (s *sock) SetReadDeadline(t time.Time) error {
	return s.withLock(func() error {
		s.setDeadline(&s.readers, t)
		return nil
	})
}

func (s *sock) SetWriteDeadline(t time.Time) error {
	return s.withLock(func() error {
		s.setDeadline(&s.writers, t)
		return nil
	})
}

func (s *sock) SetNonblock(on bool) error {
	return s.withLock(func() error {
		s.nonblock = on
		return nil
	})
}

// withLock runs f under the socket's lock, on an open socket.
func (s *sock) withLock(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return syscall.EBADF
	}
	return f()
}
