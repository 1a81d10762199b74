package gateway

import (
	"errors"
	"net"
	"os"
	"slices"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"example.com/berth/internal/eventloop"
	"example.com/berth/socket"
)

// A conn is a connection that the program begins, on the loop. All but what says
// otherwise is the loop's goroutine's.
type conn struct {
	looped
	wants atomic.Uint32 // what it is to be posted for (socket.Events)

	// The outside is readable or writable as far as is known; at its end it need not
	// be read until it says EAGAIN.
	canRead, canWrite, ending bool
	chunk                     int // how much of the outside is read at once

	up       half
	upErr    error // why the world takes no more
	down     inbound
	hearing  *hearing // nil: nothing is inspected
	patience *eventloop.Timer
}

// A half is what the program says.
type half struct {
	rest []byte // what was taken, and is not passed on yet
	buf  *[bufferSize]byte
	over bool
}

// keep holds back what could not be passed on.
func (h *half) keep(b []byte) {
	switch {
	case len(b) == 0:
	case len(b) > bufferSize: // a Hello that was held back
		h.rest = slices.Clone(b)
	default:
		h.buf = buffers.Get().(*[bufferSize]byte)
		h.rest = h.buf[:copy(h.buf[:], b)]
	}
}

// passed is what has gone of the rest.
func (h *half) passed(n int) {
	if h.rest = h.rest[n:]; len(h.rest) == 0 {
		h.drop()
	}
}

func (h *half) drop() {
	if h.buf != nil {
		buffers.Put(h.buf)
	}
	h.rest, h.buf = nil, nil
}

// Run implements eventloop.Runner: it was posted.
func (r *conn) Run() {
	r.queued.Store(false)
	switch r.state {
	case loopNew:
		r.judge()
	case loopJudged:
		r.connect()
	case loopOpen:
		r.pump()
	}
}

// notice is what the program's socket tells of itself, on any goroutine.
func (r *conn) notice(e socket.Events) {
	if e&socket.Events(r.wants.Load()) != 0 {
		r.post()
	}
}

// Ready implements eventloop.Handler: the outside has changed.
func (r *conn) Ready(e eventloop.Events) {
	const failed = eventloop.Err | eventloop.Hup
	r.canRead = r.canRead || e&(eventloop.In|eventloop.End|failed) != 0
	r.canWrite = r.canWrite || e&(eventloop.Out|failed) != 0
	r.ending = r.ending || e&(eventloop.End|failed) != 0
	switch {
	case r.state == loopConnecting && r.canWrite:
		r.connected(e&failed != 0)
	case r.state == loopOpen:
		r.pump()
	}
}

// connect asks the world, once the Judge has allowed it.
func (r *conn) connect() {
	switch {
	case !r.may:
		r.bf.Refuse()
		r.leave()
		return
	case r.c.closed:
		r.bf.Drop()
		r.leave()
		return
	}
	fd, err := openOutside(unix.SOCK_STREAM, r.g.outside(r.what.Dst))
	if err == nil {
		r.fd = fd
		const all = eventloop.In | eventloop.Out | eventloop.End | eventloop.Edge
		r.id, err = r.c.loop.Add(fd, all, r)
	}
	if err != nil {
		r.failed(err)
		return
	}
	r.state = loopConnecting
}

// failed is the world's refusal.
func (r *conn) failed(err error) {
	err = os.NewSyscallError("connect", err)
	r.tell(Failed, err)
	answer(r.bf, err)
	r.leave()
}

// connected answers the program as the world has.
func (r *conn) connected(failed bool) {
	var err error
	if failed {
		err = pendingError(r.fd)
	}
	if err != nil {
		r.failed(err)
		return
	}
	if r.in, err = r.bf.Accept(); err != nil { // the program has given up meanwhile
		r.tell(Failed, err)
		resetOutside(r.fd)
		r.fd = -1
		r.leave()
		return
	}
	r.bf, r.state = nil, loopOpen
	_ = socket.Set(r.in, socket.TCP_NODELAY, 1) // the other side has had its Nagle
	mss, _ := socket.Get(r.in, socket.TCP_MAXSEG)
	r.chunk = wholeSegments(mss)
	r.tell(Begun, nil)
	if r.verdict.Inspect && r.g.cfg.Judge != nil {
		r.hearing = &hearing{hello: r.g.cfg.Judge.NewHello(r.what, r.verdict)}
	}
	_ = r.g.host.Notify(r.in, r.notice)
	r.pump()
}

// abort ends it with the gateway.
func (r *conn) abort() {
	if r.state == loopOpen {
		r.end(net.ErrClosed)
		return
	}
	r.state = loopOver
	r.bf.Drop()
	r.leave()
}

// end closes both sides, by force if there is an error, and tells of it.
func (r *conn) end(err error) {
	r.state = loopOver
	r.wants.Store(0)
	if r.patience != nil {
		r.c.loop.Stop(r.patience)
	}
	r.c.loop.Forget(r.id)
	if err != nil {
		resetSocket(r.in)
		resetOutside(r.fd)
	} else {
		_ = r.in.Close()
		unix.Close(r.fd)
	}
	r.fd = -1
	r.up.drop()
	r.dropDown()
	if o, ok := errors.AsType[*outsideError](err); ok {
		err = o.err
	}
	if denied, ok := err.(*denial); ok {
		r.verdict = denied.verdict
		r.tell(Denied, nil)
	}
	r.tell(Ended, err)
	r.leave()
}
