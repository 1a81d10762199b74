package gateway

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"example.com/berth/internal/eventloop"
	"example.com/berth/socket"
)

// A gramConn is a flow of datagrams that the program begins, on the loop. All but
// what says otherwise is the loop's goroutine's.
type gramConn struct {
	looped
	canRead  bool
	busy     bool // a Hello thinks, elsewhere
	held     *heldGrams
	answered bool
	whole    bool          // the way outside does not take runs
	last     time.Duration // when a datagram last came, since the flow began
	idling   eventloop.Timer
}

// Run implements eventloop.Runner: it was posted.
func (r *gramConn) Run() {
	r.queued.Store(false)
	switch r.state {
	case loopNew:
		r.judge()
	case loopJudged:
		r.open()
	case loopOpen:
		r.pump()
	}
}

// notice is what the program's socket tells of itself, on any goroutine.
func (r *gramConn) notice(e socket.Events) {
	if e&(socket.POLLIN|socket.POLLNVAL) != 0 {
		r.post()
	}
}

// Ready implements eventloop.Handler.
func (r *gramConn) Ready(eventloop.Events) {
	r.canRead = true
	if r.state == loopOpen {
		r.pumpDown()
	}
}

// open begins the flow, once the Judge has allowed it.
func (r *gramConn) open() {
	switch {
	case !r.may:
		r.bf.Prohibit()
		r.leave()
		return
	case r.c.closed:
		r.bf.Drop()
		r.leave()
		return
	}
	fd, err := openOutside(unix.SOCK_DGRAM, r.g.outside(r.what.Dst))
	if err == nil {
		if r.c.grams == nil {
			r.c.grams, r.c.cuts = new([gramRoom]byte), cutsRuns(fd)
		}
		r.fd, r.whole = fd, !r.c.cuts
		r.id, err = r.c.loop.Add(fd, eventloop.In|eventloop.Edge, r)
	}
	if err != nil {
		err = os.NewSyscallError("connect", err)
		r.tell(Failed, err)
		answer(r.bf, err)
		r.leave()
		return
	}
	if r.in, err = r.bf.Accept(); err != nil {
		r.tell(Failed, err)
		r.leave()
		return
	}
	r.state = loopOpen
	if r.verdict.Inspect && r.g.cfg.Judge != nil {
		r.held = &heldGrams{hello: r.g.cfg.Judge.NewHello(r.what, r.verdict)}
	}
	r.tell(Begun, nil)
	r.idling.Runner = eventloop.Func(r.idle)
	r.touch()
	r.c.loop.At(&r.idling, r.begun.Add(r.lasts()))
	_ = r.g.host.Notify(r.in, r.notice)
	r.pump()
}

func (r *gramConn) touch() { r.last = time.Since(r.begun) }

// lasts is until when the flow lives if no datagram comes, since it began.
func (r *gramConn) lasts() time.Duration {
	if r.answered {
		return r.last + r.g.cfg.UDPIdle
	}
	return r.last + r.g.cfg.UDPIdle/3
}

// idle looks whether the flow is, when it would be if no datagram had come: those
// that do come move no timer.
func (r *gramConn) idle() {
	if ends := r.lasts(); time.Since(r.begun) < ends {
		r.c.loop.At(&r.idling, r.begun.Add(ends))
		return
	}
	var err error
	if r.held != nil && !r.busy {
		err = r.held.end()
	}
	r.end(err)
}

// pump carries what the program has sent.
func (r *gramConn) pump() {
	if r.held != nil {
		r.pumpHeld()
		return
	}
	run, got := r.c.gramRun(), false
	for turn := 0; ; turn++ {
		if turn == maxTurnsGrams {
			r.post()
			break
		}
		n, err := r.in.Recv(run.room(), dontWait)
		if err == syscall.EAGAIN || err == syscall.EBADF { // EBADF: the host is closed, and so is the gateway next
			break
		}
		if err != nil { // nobody reads the answers any more
			continue
		}
		got = true
		if b, size, ok := run.add(n); ok {
			r.sendRun(b, size)
		}
	}
	if b, size, ok := run.take(); ok {
		r.sendRun(b, size)
	}
	if got {
		r.touch()
	}
}

// pumpHeld is pump where a Hello judges: one by one.
func (r *gramConn) pumpHeld() {
	for turn := 0; r.state == loopOpen && !r.busy; turn++ {
		if turn == maxTurnsGrams {
			r.post()
			return
		}
		b := r.c.scratch[:]
		n, err := r.in.Recv(b, dontWait)
		switch {
		case err == syscall.EAGAIN, err == syscall.EBADF: // see pump
			return
		case err != nil:
			continue
		}
		r.touch()
		r.hear(b[:n])
	}
}

// maxTurnsGrams is how many datagrams are carried before others get their turn.
const maxTurnsGrams = 64

// hear sends a datagram on, once the Hello lets it.
func (r *gramConn) hear(b []byte) {
	if r.g.cfg.Prompt {
		if err := r.held.take(&r.flow, b, r.send); err != nil {
			r.end(err)
		}
		return
	}
	r.busy = true
	own := append([]byte(nil), b...)
	if !r.g.run(func() { r.think(own) }) {
		r.busy = false
	}
}

// think asks a Hello that may block, elsewhere.
func (r *gramConn) think(b []byte) {
	var pass [][]byte
	err := r.held.take(&r.flow, b, func(b []byte) { pass = append(pass, b) })
	r.c.loop.Post(eventloop.Func(func() {
		if r.busy = false; r.state != loopOpen {
			return
		}
		if err != nil {
			r.end(err)
			return
		}
		for _, b := range pass {
			r.send(b)
		}
		r.pump()
	}))
}

// sendRun gives datagrams of a size to the world, of which the last may be shorter.
func (r *gramConn) sendRun(b []byte, size int) {
	if len(b) > size && !r.whole {
		err := writeRun(r.fd, b, size)
		if err == nil {
			r.sent.Add(int64(len(b)))
			return
		}
		// It may be about those before, and then was told by this call. It may be that
		// a datagram is longer than the way's MTU, or that the way does not cut, as one
		// with IPsec.
		r.tellError(err)
		r.whole = err == syscall.EINVAL || err == syscall.EIO || err == syscall.EMSGSIZE
	}
	for {
		n := min(size, len(b))
		r.send(b[:n])
		if b = b[n:]; len(b) == 0 {
			return
		}
	}
}

// send gives a datagram to the world. An error is about this one or those before;
// the next may arrive. What the system has no room for is lost, as on any line.
func (r *gramConn) send(b []byte) {
	if _, err := writeOutside(r.fd, b); err != nil {
		r.tellError(err)
		return
	}
	r.sent.Add(int64(len(b)))
}

// tellError brings an ICMP error of the world back to the program.
func (r *gramConn) tellError(err error) {
	switch err {
	case syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EACCES:
		r.bf.Report(err)
	}
}

// pumpDown carries what the world has sent.
func (r *gramConn) pumpDown() {
	run, got := r.c.gramRun(), false
	for turn := 0; r.canRead; turn++ {
		if turn == maxTurnsGrams {
			r.c.loop.Post(eventloop.Func(func() {
				if r.state == loopOpen {
					r.pumpDown()
				}
			}))
			break
		}
		n, err := readOutside(r.fd, run.room())
		if err == syscall.EAGAIN {
			r.canRead = false
			break
		}
		if err != nil {
			r.tellError(err)
			continue
		}
		got = true
		if b, size, ok := run.add(n); ok {
			r.deliver(b, size)
		}
	}
	if b, size, ok := run.take(); ok {
		r.deliver(b, size)
	}
	if got {
		r.touch()
		r.answered = true
	}
}

// deliver gives datagrams of a size to the program, of which the last may be shorter.
func (r *gramConn) deliver(b []byte, size int) {
	var n int
	if len(b) > size {
		n, _ = r.g.host.SendSegments(r.in, b, size)
	} else {
		n, _ = r.in.Send(b, dontWait)
	}
	r.received.Add(int64(n))
}

// abort ends it with the gateway.
func (r *gramConn) abort() {
	if r.state == loopOpen {
		var err error
		if r.held != nil && !r.busy {
			err = r.held.end()
		}
		r.end(err)
		return
	}
	r.bf.Drop()
	r.leave()
}

// end closes both sides, and tells of it.
func (r *gramConn) end(err error) {
	r.state = loopOver
	r.c.loop.Stop(&r.idling)
	_ = r.in.Close()
	if denied, ok := err.(*denial); ok {
		r.bf.Report(syscall.EACCES)
		r.verdict = denied.verdict
		r.tell(Denied, nil)
	}
	r.tell(Ended, err)
	r.leave()
}
