package kernel

import (
	"context"
	"encoding/binary"
	"syscall"
	"time"

	"example.com/berth/socket"
	"golang.org/x/sys/unix"
)

// Poll is poll(2). It occupies a thread while it waits.
func (p *Provider) Poll(ctx context.Context, fds []socket.PollFD, timeout time.Duration) (int, error) {
	socks := make([]*sock, len(fds))
	for i := range fds {
		fds[i].Revents = 0
		if fds[i].Socket == nil {
			continue
		}
		s, ok := fds[i].Socket.(*sock)
		if !ok || s.provider != p {
			return 0, syscall.EINVAL
		}
		socks[i] = s
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	var w *waker
	if timeout != 0 {
		var err error
		if w, err = getWaker(); err != nil {
			return 0, err
		}
		woken := make(chan struct{})
		stop := context.AfterFunc(ctx, func() { w.wake(); close(woken) })
		defer func() {
			if !stop() {
				<-woken // it must not reach the waker's next user
			}
			w.put()
		}()
	}
	ps := pollSet{fds: make([]unix.PollFd, len(fds)+1), socks: socks, waker: w}
	defer ps.leave()
	n := ps.enter(fds)
	if n > 0 {
		timeout = 0
	}
	if err := ps.wait(timeout); err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return ps.report(fds), nil
}

// pollSet is the sockets of one call, in the form that poll(2) takes; the last
// entry is the waker's.
type pollSet struct {
	fds   []unix.PollFd
	socks []*sock // those that are not nil have been entered
	waker *waker
}

// enter fills ps.fds and returns how many of the sockets are closed.
func (ps *pollSet) enter(fds []socket.PollFD) (closed int) {
	for i, s := range ps.socks {
		ps.fds[i].Fd = -1
		if s == nil {
			continue
		}
		if !s.life.enter(ps.waker) {
			ps.socks[i] = nil
			closed++
			continue
		}
		ps.fds[i].Fd = s.fd
		ps.fds[i].Events = int16(fds[i].Events)
	}
	last := &ps.fds[len(ps.socks)]
	last.Fd = -1
	if ps.waker != nil {
		last.Fd, last.Events = int32(ps.waker.fd), unix.POLLIN
	}
	return closed
}

func (ps *pollSet) leave() {
	for _, s := range ps.socks {
		if s != nil {
			s.life.leave(ps.waker)
		}
	}
}

func (ps *pollSet) wait(timeout time.Duration) error {
	end := time.Now().Add(timeout)
	for {
		var ts *unix.Timespec
		if timeout >= 0 {
			t := unix.NsecToTimespec(max(0, time.Until(end)).Nanoseconds())
			ts = &t
		}
		if _, err := unix.Ppoll(ps.fds, ts, nil); err != unix.EINTR {
			return errno(err)
		}
	}
}

// report sets the Revents and counts those that are not zero.
func (ps *pollSet) report(fds []socket.PollFD) (n int) {
	for i := range fds {
		if fds[i].Socket == nil {
			continue
		}
		if s := ps.socks[i]; s == nil || s.isClosed() {
			fds[i].Revents = socket.POLLNVAL
		} else {
			fds[i].Revents = socket.Events(uint16(ps.fds[i].Revents))
		}
		if fds[i].Revents != 0 {
			n++
		}
	}
	return n
}

// waker is an eventfd that ends a Poll.
type waker struct{ fd int }

// idleWakers keeps a few for the next call.
var idleWakers = make(chan *waker, 16)

func getWaker() (*waker, error) {
	select {
	case w := <-idleWakers:
		return w, nil
	default:
	}
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, errno(err)
	}
	return &waker{fd: fd}, nil
}

// wake makes the eventfd readable. It cannot fail but by overflow, when it is
// readable already.
func (w *waker) wake() {
	_, _ = unix.Write(w.fd, binary.NativeEndian.AppendUint64(nil, 1))
}

// put empties the eventfd and gives it back.
func (w *waker) put() {
	var b [8]byte
	_, _ = unix.Read(w.fd, b[:])
	select {
	case idleWakers <- w:
	default:
		_ = unix.Close(w.fd)
	}
}
