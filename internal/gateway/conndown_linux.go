package gateway

import (
	"os"
	"syscall"

	"example.com/berth/link"
	"example.com/berth/socket"
)

// A read of much takes that many buffers at once: who writes outside is told of room,
// and woken, once for all of them, and the program's side has frames that follow each
// other. All of them are in the second-level cache still when they are sent.
const manyBuffers = 8

// maxLate is how many buffers all flows together hold that could not be sent: if there
// are more, each flow reads one at a time, and holds one at most.
const maxLate = 128

// An inbound is what was read outside, and could not be sent yet.
type inbound struct {
	late []piece
	much bool // the last read has filled all that it had
	over bool
}

// A piece is a part of a buffer, which it refers to.
type piece struct {
	buf      *link.Buffer
	from, to int
}

// dropDown gives up what is late.
func (r *conn) dropDown() {
	for range r.down.late {
		r.passedDown()
	}
}

// passedDown is the end of the first piece that is late.
func (r *conn) passedDown() {
	d := &r.down
	d.late[0].buf.Release()
	d.late[0] = piece{}
	if d.late = d.late[1:]; len(d.late) == 0 {
		d.late = nil
	}
	r.c.late--
}

// pumpDown carries what the world says.
func (r *conn) pumpDown() error {
	for turn := 0; !r.down.over; {
		if done, err := r.flushDown(); !done || err != nil {
			return err
		}
		if !r.canRead {
			return nil
		}
		if turn >= maxTurns {
			r.post()
			return nil
		}
		boxes := r.c.inboxes(r.down.much)
		turn += len(boxes)
		n, err := readBoxes(r.fd, boxes, r.chunk)
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
		r.down.much = n == len(boxes)*r.chunk
		r.canRead = r.down.much || r.ending
		if err := r.sendDown(boxes, n); err != nil {
			return err
		}
	}
	return nil
}

// sendDown sends n bytes, of which each box has a chunk but the last, and keeps what
// there is no room for.
func (r *conn) sendDown(boxes []*link.Buffer, n int) error {
	for i := 0; n > 0; i++ {
		p := piece{boxes[i], 0, min(n, r.chunk)}
		n -= p.to
		if len(r.down.late) == 0 {
			if done, err := r.send(&p); err != nil {
				return err
			} else if done {
				continue
			}
		}
		r.down.late = append(r.down.late, p)
		r.c.late++
		r.down.much = false // it is slow
		boxes[i] = nil      // the piece has it
	}
	return nil
}

// send sends of a piece what there is room for, and tells whether that was all.
func (r *conn) send(p *piece) (done bool, err error) {
	n := 0
	if p.from == 0 {
		n, err = r.g.host.SendBuffer(r.in, p.buf, p.to)
	} else {
		n, err = r.in.Send(p.buf.Bytes()[p.from:p.to], dontWait)
	}
	if err != nil && err != syscall.EAGAIN {
		return false, err
	}
	r.received.Add(int64(n))
	p.from += n
	return p.from == p.to, nil
}

// flushDown sends what is left of earlier sends, and tells whether all is gone.
func (r *conn) flushDown() (done bool, err error) {
	for tries := 0; len(r.down.late) > 0; {
		p := &r.down.late[0]
		from := p.from
		done, err := r.send(p)
		switch {
		case err != nil:
			return false, err
		case done:
			r.passedDown()
		case p.from == from && tries > 0:
			return false, nil
		case p.from == from:
			// There may be room since, and nobody was told: look again once somebody
			// will be.
			r.wants.Or(uint32(socket.POLLOUT))
			tries++
		}
	}
	return true, nil
}
