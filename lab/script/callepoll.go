package script

import (
	"context"
	"slices"
	"syscall"

	"example.com/berth/socket"
)

// An interest is what an epoll descriptor waits for.
type interest struct{ entries []watch }

// A watch is one socket of it, with what is given back.
type watch struct {
	fd     int
	file   *file
	events int64
	data   int64
	// What EPOLLET and EPOLLONESHOT need: what was ready when it was looked at
	// last, how much had come in by then, whether there is something to tell, and
	// whether all has been told.
	level   socket.Events
	input   progress
	copies  int
	pending bool
	spent   bool
}

// Numbers of epoll on Linux.
const (
	epollCtlAdd  = 1
	epollCtlDel  = 2
	epollCtlMod  = 3
	epollET      = 1 << 31
	epollOneshot = 1 << 30
	// Which of several waiters is woken does not matter to a script.
	epollExclusive = 1 << 28
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
	}
	return &running{try: func() (int64, error) {
		if ep.poll == nil || w.file == nil {
			return -1, syscall.EBADF
		}
		w.level, w.pending = 0, true
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

// look is what is ready: of an entry with EPOLLET only if something has happened
// since it was told last, of one with EPOLLONESHOT only once.
func (p *interest) look(r *run, most int) (ready []watch, err error) {
	for i := range p.entries {
		w := &p.entries[i]
		if err := w.sample(r); err != nil {
			return nil, err
		}
		if w.level == 0 || w.spent || len(ready) == most || w.events&epollET != 0 && !w.pending {
			continue
		}
		w.pending, w.spent = false, w.events&epollOneshot != 0
		told := *w
		told.events = int64(w.level)
		ready = append(ready, told)
	}
	return ready, nil
}

// sample looks at what is ready now. There is something to tell if more is than
// before, or if something has come in.
func (w *watch) sample(r *run) error {
	fds := []socket.PollFD{{Socket: w.file.sock, Events: socket.Events(w.events &^ (epollET | epollOneshot | epollExclusive))}}
	if _, err := r.world.Poll(context.Background(), fds, 0); err != nil {
		return err
	}
	input := r.inputOf(w.file)
	level := fds[0].Revents
	switch {
	case level&^w.level != 0, input != w.input && level&socket.POLLIN != 0, w.file.copies != w.copies && level&socket.POLLERR != 0:
		w.pending = true
	}
	w.level, w.input, w.copies = level, input, w.file.copies
	return nil
}

// A progress is what has come in at a socket: bytes of a connection and the state
// that it has come to, else what waits in its queue.
type progress struct {
	bytes uint64
	state socket.TCPState
}

func (r *run) inputOf(f *file) progress {
	if i, err := socket.Get(f.sock, socket.TCP_INFO); err == nil && i.State != socket.TCP_LISTEN {
		return progress{i.BytesReceived, i.State}
	}
	if i := r.info(f); i != nil {
		return progress{bytes: uint64(i.RecvQueue)}
	}
	return progress{}
}

// watchEdges looks at what is waited for with EPOLLET, whenever something may
// have happened.
func (r *run) watchEdges() error {
	for _, f := range r.files {
		if f.poll == nil {
			continue
		}
		for i := range f.poll.entries {
			if w := &f.poll.entries[i]; w.events&epollET != 0 {
				if err := w.sample(r); err != nil {
					return err
				}
			}
		}
	}
	return nil
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
