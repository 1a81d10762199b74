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

// pumpDown carries what the world says.
func (r *conn) pumpDown() error {
	for turn := 0; !r.down.over; turn++ {
		if done, err := r.flushDown(); !done || err != nil {
			return err
		}
		if !r.canRead {
			return nil
		}
		if turn == maxTurns {
			r.post()
			return nil
		}
		box := r.c.inbox()
		n, err := readOutside(r.fd, box.Bytes()[:r.chunk])
		switch {
		case err == syscall.EAGAIN:
			r.canRead = false
			return nil
		case err != nil:
			return &outsideError{os.NewSyscallError("read", err)}
		case n == 0:
			r.down.over = true
			if err := r.in.Shutdown(socket.SHUT_WR); err != nil && err != syscall.ENOTCONN {
				return err
			}
			return nil
		}
		// What is less than there is room for is all there is, unless the end is
		// behind it, too.
		r.canRead = n == r.chunk || r.ending
		k, err := r.g.host.SendBuffer(r.in, box, n)
		if err != nil && err != syscall.EAGAIN {
			return err
		}
		r.received.Add(int64(k))
		r.down.keep(box.Bytes()[k:n])
	}
	return nil
}

// flushDown sends what is left of earlier sends, and tells whether all is gone.
func (r *conn) flushDown() (done bool, err error) {
	for tries := 0; len(r.down.rest) > 0; {
		n, err := r.in.Send(r.down.rest, dontWait)
		switch {
		case err == syscall.EAGAIN && tries == 0:
			// There may be room since, and nobody was told: look again once somebody
			// will be.
			r.wants.Or(uint32(socket.POLLOUT))
			tries++
			continue
		case err == syscall.EAGAIN:
			return false, nil
		case err != nil:
			return false, err
		}
		r.received.Add(int64(n))
		r.down.passed(n)
	}
	return true, nil
}
