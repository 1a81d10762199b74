package berth

import (
	"context"
	"syscall"
	"time"

	"example.com/berth/socket"
)

// A watcher hears of events that may have come about on a socket, whose lock is
// held.
type watcher interface{ signal(e socket.Events) }

// A pollWait is one call of Poll while it waits.
type pollWait struct{ ready chan struct{} }

func (p *pollWait) signal(socket.Events) {
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

// Poll waits until one of fds is ready; see [socket.Provider].
func (h *Host) Poll(ctx context.Context, fds []socket.PollFD, timeout time.Duration) (int, error) {
	p := &pollWait{ready: make(chan struct{}, 1)}
	watched := make([]endpoint, 0, len(fds))
	defer func() {
		for _, e := range watched {
			e.base().unwatch(p)
		}
	}()
	for i := range fds {
		if fds[i].Socket == nil {
			continue
		}
		e, ok := fds[i].Socket.(endpoint)
		if !ok || e.base().host != h {
			return 0, syscall.EINVAL
		}
		if timeout != 0 {
			e.base().watch(p)
			watched = append(watched, e)
		}
	}
	var expired <-chan time.Time
	if timeout > 0 {
		t := time.NewTimer(timeout)
		defer t.Stop()
		expired = t.C
	}
	for {
		if n := look(fds); n > 0 || timeout == 0 {
			return n, nil
		}
		select {
		case <-p.ready:
		case <-expired:
			timeout = 0
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// look sets every Revents and counts those that are not zero.
func look(fds []socket.PollFD) (n int) {
	const always = socket.POLLERR | socket.POLLHUP | socket.POLLNVAL
	for i := range fds {
		fds[i].Revents = 0
		if fds[i].Socket == nil {
			continue
		}
		fds[i].Revents = fds[i].Socket.(endpoint).events() & (fds[i].Events | always)
		if fds[i].Revents != 0 {
			n++
		}
	}
	return n
}

// Notify has f called when something may have come about on a socket of this host
// that a [Host.Poll] of it waits for, with the events that this may be; a nil f ends
// that. So one goroutine can serve any number of sockets, and those that nothing
// happens to cost it nothing. What is there already is not told: after Notify the
// socket is to be looked at once.
//
// A call says no more than that it is worth to look: to read, or write, without
// waiting (MSG_DONTWAIT), until EAGAIN. POLLNVAL says that the socket was closed.
//
// f is called by whoever makes the event, with the socket's lock held: it takes a
// note for another goroutine, or for the one that calls when that is done. It must
// not call the host or its sockets, nor block. EINVAL: the socket is not of this host.
func (h *Host) Notify(s socket.Socket, f func(socket.Events)) error {
	e, ok := s.(endpoint)
	if !ok || e.base().host != h {
		return syscall.EINVAL
	}
	e.base().notify(f)
	return nil
}

// A notice is the function of a Notify.
type notice func(socket.Events)

func (n notice) signal(e socket.Events) {
	if e != 0 {
		n(e)
	}
}

func (s *sock) notify(f notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at := &s.polls; *at != nil; at = &(*at).next {
		if _, ok := (*at).poll.(notice); ok {
			*at = (*at).next
			break
		}
	}
	if f != nil && !s.closed {
		s.polls = &watch{f, s.polls}
	}
}

// A watch is a socket's part in a call of Poll, or its Notify. Those of a socket are
// a list, which takes less of a socket that nobody watches than a slice.
type watch struct {
	poll watcher
	next *watch
}

func (s *sock) watch(p *pollWait) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.polls = &watch{p, s.polls}
}

// unwatch ends one watch of a call, which may have several.
func (s *sock) unwatch(p *pollWait) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at := &s.polls; *at != nil; at = &(*at).next {
		if w, ok := (*at).poll.(*pollWait); ok && w == p { // (functions do not compare)
			*at = (*at).next
			return
		}
	}
}
