package berth

import (
	"context"
	"syscall"
	"time"

	"example.com/berth/socket"
)

// A pollWait is one call of Poll while it waits.
type pollWait struct{ ready chan struct{} }

func (p *pollWait) signal() {
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

// A watch is a socket's part in a call of Poll. Those of a socket are a list,
// which takes less of a socket that nobody watches than a slice.
type watch struct {
	poll *pollWait
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
		if (*at).poll == p {
			*at = (*at).next
			return
		}
	}
}
