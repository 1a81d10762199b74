package script

import (
	"context"
	"slices"
	"syscall"
	"time"

	"example.com/berth/socket"
)

// until makes a call that waits for so many milliseconds at most; a negative
// number is no bound.
func (r *run) until(g *running, ms int64, look func() (int64, error)) {
	deadline := r.world.now() + time.Duration(ms)*time.Millisecond
	stop := func() {}
	if ms > 0 {
		stop = r.world.alarm(deadline) // so that time stops there
	}
	g.waits = ms != 0
	g.try = func() (int64, error) {
		n, err := look()
		if n == 0 && err == nil && g.waits && (ms < 0 || r.world.now() < deadline) {
			return 0, syscall.EAGAIN
		}
		stop()
		return n, err
	}
}

// callPoll is poll([{fd=3, events=POLLIN, revents=POLLIN}, ...], n, ms).
func callPoll(r *run, c *call) (*running, *Error) {
	if err := c.want(3); err != nil {
		return nil, err
	}
	list := &c.args[0]
	if list.kind != exprList {
		return nil, errorf(list.pos, "a list of {fd=, events=, revents=} is expected, not %v", list)
	}
	var fds []socket.PollFD
	for i := range list.list {
		e := &list.list[i]
		if e.field("fd") == nil || e.field("events") == nil {
			return nil, errorf(e.pos, "{fd=, events=, revents=} is expected, not %v", e)
		}
		f, err := r.file(e.field("fd"))
		if err != nil {
			return nil, err
		}
		events, err := r.int(e.field("events"))
		if err != nil {
			return nil, err
		}
		fds = append(fds, socket.PollFD{Socket: f.sock, Events: socket.Events(events)})
	}
	ms, err := r.int(&c.args[2])
	if err != nil {
		return nil, err
	}
	g := &running{}
	r.until(g, ms, func() (int64, error) {
		n, err := r.world.Poll(context.Background(), fds, 0)
		return int64(n), err
	})
	g.verify = func() *Error {
		for i := range fds {
			e := list.list[i].field("revents")
			if e == nil {
				e = &expr{pos: list.list[i].pos}
			}
			if err := r.same(e, int64(fds[i].Revents)); err != nil {
				err.Message = "revents: " + err.Message + " (" + fds[i].Revents.String() + ")"
				return err
			}
		}
		return nil
	}
	return g, nil
}

// An interest is what an epoll descriptor waits for.
type interest struct{ entries []watch }

// A watch is one socket of it, with what is given back.
type watch struct {
	fd     int
	file   *file
	events int64
	data   int64
}

// Numbers of epoll on Linux.
const (
	epollCtlAdd  = 1
	epollCtlDel  = 2
	epollCtlMod  = 3
	epollET      = 1 << 31
	epollOneshot = 1 << 30
)

// callEpollCreate is epoll_create(size) and epoll_create1(flags).
func callEpollCreate(r *run, c *call) (*running, *Error) {
	if err := c.want(1); err != nil {
		return nil, err
	}
	return &running{try: func() (int64, error) { return r.made(c, &file{poll: &interest{}}) }}, nil
}

// event reads {events=EPOLLIN, fd=4}; u32, u64 and ptr may stand for fd.
func (r *run) epollEvent(e *expr) (events, data int64, err *Error) {
	v, d := e.field("events"), firstField(e, "fd", "u32", "u64", "ptr")
	if v == nil || d == nil {
		return 0, 0, errorf(e.pos, "{events=, fd=} is expected, not %v", e)
	}
	if events, err = r.int(v); err != nil {
		return 0, 0, err
	}
	data, err = r.int(d)
	return events, data, err
}

// callEpollCtl is epoll_ctl(epfd, op, fd, event).
func callEpollCtl(r *run, c *call) (*running, *Error) {
	if err := c.want(4); err != nil {
		return nil, err
	}
	ep, err := r.file(&c.args[0])
	if err != nil {
		return nil, err
	}
	op, err := r.int(&c.args[1])
	if err != nil {
		return nil, err
	}
	fd, err := r.int(&c.args[2])
	if err != nil {
		return nil, err
	}
	w := watch{fd: int(fd), file: r.files[int(fd)]}
	if op != epollCtlDel {
		if w.events, w.data, err = r.epollEvent(&c.args[3]); err != nil {
			return nil, err
		}
		if w.events&(epollET|epollOneshot) != 0 {
			return nil, unsupported(c.pos, "EPOLLET and EPOLLONESHOT")
		}
	}
	return &running{try: func() (int64, error) {
		if ep.poll == nil || w.file == nil {
			return -1, syscall.EBADF
		}
		return 0, ep.poll.change(op, w)
	}}, nil
}

// change adds, changes or takes away an entry.
func (p *interest) change(op int64, w watch) error {
	i := slices.IndexFunc(p.entries, func(x watch) bool { return x.fd == w.fd })
	switch {
	case op == epollCtlAdd && i >= 0:
		return syscall.EEXIST
	case op == epollCtlAdd:
		p.entries = append(p.entries, w)
	case i < 0:
		return syscall.ENOENT
	case op == epollCtlMod:
		p.entries[i] = w
	case op == epollCtlDel:
		p.entries = slices.Delete(p.entries, i, i+1)
	default:
		return syscall.EINVAL
	}
	return nil
}

// callEpollWait is epoll_wait(epfd, {events=, fd=}, n, ms), also with a list.
func callEpollWait(r *run, c *call) (*running, *Error) {
	if err := c.want(4); err != nil {
		return nil, err
	}
	ep, err := r.file(&c.args[0])
	if err != nil {
		return nil, err
	}
	most, err := r.int(&c.args[2])
	if err != nil {
		return nil, err
	}
	ms, err := r.int(&c.args[3])
	if err != nil {
		return nil, err
	}
	if ep.poll == nil {
		return ep.run(nil), nil
	}
	var got []watch
	g := &running{}
	r.until(g, ms, func() (n int64, err error) {
		got, err = ep.poll.look(r, int(most))
		return int64(len(got)), err
	})
	g.verify = func() *Error { return r.sameEpoll(&c.args[1], got) }
	return g, nil
}

// look is what is ready.
func (p *interest) look(r *run, most int) (ready []watch, err error) {
	for _, w := range p.entries {
		fds := []socket.PollFD{{Socket: w.file.sock, Events: socket.Events(w.events)}}
		if _, err := r.world.Poll(context.Background(), fds, 0); err != nil {
			return nil, err
		}
		if w.events = int64(fds[0].Revents); w.events != 0 && len(ready) < most {
			ready = append(ready, w)
		}
	}
	return ready, nil
}

// sameEpoll compares what epoll_wait has filled in.
func (r *run) sameEpoll(e *expr, got []watch) *Error {
	list := e.list
	switch e.kind {
	case exprAny:
		return nil
	case exprStruct:
		list = []expr{*e}
	}
	for i := range min(len(list), len(got)) {
		if list[i].kind == exprAny {
			continue
		}
		events, data, err := r.epollEvent(&list[i])
		if err != nil {
			return err
		}
		if events != got[i].events || data != got[i].data {
			return errorf(list[i].pos, "the event is %v of %d, not %v", socket.Events(got[i].events), got[i].data, &list[i])
		}
	}
	return nil
}
