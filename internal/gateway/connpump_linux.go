package gateway

import (
	"os"
	"syscall"

	"example.com/berth/socket"
)

// maxTurns is how many buffers a direction carries before others get their turn.
const maxTurns = 8

// pump carries what can be carried now, both ways, and ends the connection when both
// are over, or one fails.
func (r *conn) pump() {
	const always = socket.POLLIN | socket.POLLERR | socket.POLLHUP | socket.POLLNVAL
	r.wants.Store(uint32(always))
	err := r.pumpUp()
	switch {
	case r.state != loopOpen: // a judge has ended it
		return
	case isOutside(err):
		// The world takes no more. What it has said before may still be read.
		r.up.over, r.upErr = true, err
	case err != nil: // the program has reset it, or must not go on
		r.end(err)
		return
	}
	if err := r.pumpDown(); err != nil {
		if r.upErr != nil {
			err = r.upErr
		}
		r.end(err)
		return
	}
	if r.up.over && r.down.over {
		r.end(r.upErr)
	}
}

// pumpUp carries what the program says. An outsideError is one of the world's end.
func (r *conn) pumpUp() error {
	for turn := 0; !r.up.over; turn++ {
		if len(r.up.rest) > 0 {
			if done, err := r.flushUp(); !done || err != nil {
				return err
			}
		}
		if turn == maxTurns {
			r.post()
			return nil
		}
		if !r.canWrite || r.hearing != nil && r.hearing.busy {
			return nil
		}
		carry := r.passUp
		if r.hearing != nil {
			carry = r.hearMore
		}
		if err := carry(); err == syscall.EAGAIN {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// passUp gives the world what the program has said, from where it came in. What the
// world does not take stays there, and the program's window closes.
func (r *conn) passUp() error {
	l := &r.c.loan
	if err := r.g.host.Borrow(r.in, l); err != nil {
		return err
	}
	if len(l.Pieces) == 0 {
		return r.endUp()
	}
	n, err := writePieces(r.fd, l.Pieces)
	l.Return(n)
	r.sent.Add(int64(n))
	if err == syscall.EAGAIN {
		r.canWrite = false
	} else if err != nil {
		return &outsideError{os.NewSyscallError("write", err)}
	}
	return nil
}

// hearMore is passUp as long as a Hello judges.
func (r *conn) hearMore() error {
	b := r.c.scratch[:]
	n, err := r.in.Recv(b, dontWait)
	if err != nil {
		return err
	}
	return r.hear(b[:n])
}

// writeUp gives bytes to the world, and keeps what it does not take.
func (r *conn) writeUp(b []byte) error {
	for len(b) > 0 {
		n, err := writeOutside(r.fd, b)
		if err == syscall.EAGAIN {
			r.canWrite = false
			r.up.keep(b)
			return nil
		}
		if err != nil {
			return &outsideError{os.NewSyscallError("write", err)}
		}
		r.sent.Add(int64(n))
		b = b[n:]
	}
	return nil
}

// flushUp writes what is left of earlier writes, and tells whether all is gone.
func (r *conn) flushUp() (done bool, err error) {
	for r.canWrite && len(r.up.rest) > 0 {
		n, err := writeOutside(r.fd, r.up.rest)
		if err == syscall.EAGAIN {
			r.canWrite = false
			break
		}
		if err != nil {
			return false, &outsideError{os.NewSyscallError("write", err)}
		}
		r.sent.Add(int64(n))
		r.up.passed(n)
	}
	return len(r.up.rest) == 0, nil
}

// endUp tells the world that the program has said all.
func (r *conn) endUp() error {
	r.up.over = true
	if err := syscall.Shutdown(r.fd, syscall.SHUT_WR); err != nil && err != syscall.ENOTCONN {
		return &outsideError{os.NewSyscallError("shutdown", err)}
	}
	return nil
}
