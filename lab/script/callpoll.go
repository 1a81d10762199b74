package script

import (
	"context"
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
