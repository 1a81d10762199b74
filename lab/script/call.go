package script

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"example.com/berth"
	"example.com/berth/socket"
)

// A file is a descriptor of the script.
type file struct {
	sock     socket.Socket
	domain   socket.Domain
	typ      socket.Type
	nonblock bool
	poll     *interest // of an epoll descriptor
	copies   int       // calls with MSG_ZEROCOPY, each of which is to be told
}

// A running call is one that was made and has not ended.
type running struct {
	call  *call
	event *event
	// try makes the call, or goes on with it: EAGAIN if it has to wait. The
	// host's sockets never wait; a call that does is tried again whenever
	// something has happened.
	try func() (int64, error)
	// waits: EAGAIN does not end the call.
	waits bool
	// verify compares what the call has filled in.
	verify func() *Error
	from   time.Duration
	end    time.Duration
	done   bool
}

// A caller makes a call of the script ready to be tried.
type caller func(r *run, c *call) (*running, *Error)

// begin makes a call. Base is what a relative time of it counts from.
func (r *run) begin(c *call, e *event, base time.Duration) error {
	if err := r.open(c.pos); err != nil {
		return err
	}
	make, ok := callers[c.name]
	if !ok {
		return unsupported(c.pos, "the call %s", c.name)
	}
	g, err := make(r, c)
	if err != nil {
		return err
	}
	g.call, g.event, g.from, g.end = c, e, r.world.now(), r.world.now()
	if c.blocks {
		if g.end = c.end; e.at.relative {
			g.end += base
		}
		if g.end < g.from {
			return errorf(c.pos, "the call ends at %s, before it begins", seconds(g.end))
		}
	}
	r.note(e.text)
	if err := r.tryCall(g); err != nil {
		return err
	}
	switch {
	case g.done:
	case !c.blocks:
		return errorf(c.pos, "%s waits, and the script does not say until when%s", c.name, r.before())
	default:
		r.calls = append(r.calls, g)
	}
	return r.poll()
}

// tryCall makes a call or goes on with it.
func (r *run) tryCall(g *running) error {
	n, err := g.try()
	r.world.settle()
	if err == syscall.EAGAIN && g.waits {
		return nil
	}
	g.done = true
	slack := r.slack(g.end - g.from)
	if now := r.world.now(); now < g.end-slack || now > g.end+slack {
		return errorf(g.call.pos, "%s ended at %s, not at %s%s", g.call.name, seconds(now), seconds(g.end), r.before())
	}
	return r.ended(g, n, err)
}

// poll goes on with the calls that wait.
func (r *run) poll() error {
	if err := r.watchEdges(); err != nil {
		return err
	}
	for i := 0; i < len(r.calls); i++ {
		g := r.calls[i]
		if err := r.tryCall(g); err != nil {
			return err
		}
		if g.done {
			r.calls = append(r.calls[:i], r.calls[i+1:]...)
			i = -1 // it may have let another go on
		}
	}
	return nil
}

// waitFor lets time pass until a call has ended.
func (r *run) waitFor(g *running) error {
	latest := g.end + r.slack(g.end-g.from)
	if err := r.advance(latest); err != nil {
		return err
	}
	if !g.done {
		return errorf(g.call.pos, "%s still waits at %s: it was to end at %s%s", g.call.name, seconds(r.world.now()), seconds(g.end), r.before())
	}
	return nil
}

// ended compares the result of a call.
func (r *run) ended(g *running, n int64, err error) error {
	c := g.call
	errno := syscall.Errno(0)
	if e := (*Error)(nil); errors.As(err, &e) {
		return e
	}
	if err != nil && !errors.As(err, &errno) {
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return errorf(c.pos, "%s: %v", c.name, err)
		}
		errno = syscall.EAGAIN
	}
	if err != nil {
		n = -1
	}
	want, any, bad := r.number(&c.result)
	if bad != nil {
		return bad
	}
	got := fmt.Sprint(n)
	if errno != 0 {
		got += " " + errnoName(errno)
	}
	switch {
	case any:
	case want != n, c.errno != "" && c.errno != errnoName(errno):
		expected := c.result.String()
		if c.errno != "" {
			expected += " " + c.errno
		}
		return errorf(c.pos, "%s gave %s, not %s%s", c.name, got, expected, r.before())
	}
	if g.verify != nil && errno == 0 {
		if err := g.verify(); err != nil {
			err.Message += r.before()
			return err
		}
	}
	return nil
}

// number is the value of an expression, or tells that any value will do.
func (r *run) number(e *expr) (n int64, any bool, err *Error) {
	switch e.kind {
	case exprNumber:
		return e.num, false, nil
	case exprAny:
		return 0, true, nil
	case exprWord:
		v, ok := constant(e.text)
		if !ok {
			return 0, false, unsupported(e.pos, "the constant %s", e.text)
		}
		return v, false, nil
	case exprOr:
		for i := range e.list {
			v, _, err := r.number(&e.list[i])
			if err != nil {
				return 0, false, err
			}
			n |= v
		}
		return n, false, nil
	case exprList:
		if len(e.list) == 1 {
			return r.number(&e.list[0])
		}
	case exprApply:
		switch {
		case len(e.list) != 1:
		case e.text == "htons" || e.text == "htonl" || e.text == "ntohs" || e.text == "ntohl":
			return r.number(&e.list[0])
		}
	}
	return 0, false, errorf(e.pos, "a number is expected, not %v", e)
}

// args says how many arguments a call has.
func (c *call) want(n int) *Error {
	if len(c.args) != n {
		return errorf(c.pos, "%s has %d arguments, not %d", c.name, n, len(c.args))
	}
	return nil
}

// int is the value of an argument that must have one.
func (r *run) int(e *expr) (int64, *Error) {
	n, any, err := r.number(e)
	if err == nil && any {
		err = errorf(e.pos, "a number is expected, not ...")
	}
	return n, err
}

// file is the descriptor that an argument names. One that there is not makes the
// call fail with EBADF.
func (r *run) file(e *expr) (*file, *Error) {
	n, err := r.int(e)
	if err != nil {
		return nil, err
	}
	f := r.files[int(n)]
	if f == nil {
		f = &file{}
	}
	return f, nil
}

// made enters a new socket under the number that the script expects.
func (r *run) made(c *call, f *file) (int64, error) {
	n, any, err := r.number(&c.result)
	if err != nil || any || n < 0 {
		for n = 3; r.files[int(n)] != nil; n++ {
		}
	}
	if r.files[int(n)] != nil {
		return -1, errorf(c.pos, "the descriptor %d is in use", n)
	}
	r.files[int(n)] = f
	return n, nil
}

// info is the row of a socket in the host's table, or nil.
func (r *run) info(f *file) *berth.SocketInfo {
	local := f.sock.LocalAddr()
	remote, _ := f.sock.PeerAddr()
	for _, s := range r.world.sockets() {
		if s.Type == f.typ && plain(s.Local) == plain(local) && (!remote.IsValid() || plain(s.Remote) == plain(remote)) {
			return &s
		}
	}
	return nil
}
