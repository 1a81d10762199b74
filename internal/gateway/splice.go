package gateway

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"

	"example.com/berth/socket"
)

// bufferSize is what one copy moves at most: a large frame.
const bufferSize = 64 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// wholeSegments is how much is read outside at once for a connection inside whose
// segments have mss bytes: as many as fit into a buffer, since the rest would go as a
// small one behind them.
func wholeSegments(mss int) int {
	if 0 < mss && mss < bufferSize {
		return bufferSize - bufferSize%mss
	}
	return bufferSize
}

// A splice carries bytes between a socket of the program's network and a
// connection of the world, both ways, until both have ended, or one fails.
//
// Each direction has a goroutine, and a buffer only while there is something in
// it: who waits, waits without one.
type splice struct {
	f     *flow
	in    socket.Socket
	out   net.Conn
	from  lazyReader // of out
	hello Hello      // nil: nothing is inspected
}

func newSplice(f *flow, in socket.Socket, out net.Conn) *splice {
	s := &splice{f: f, in: in, out: out}
	mss, _ := socket.Get(in, socket.TCP_MAXSEG)
	s.from.init(out, wholeSegments(mss))
	return s
}

// run returns when both directions are over, with the error that ended one of them
// by force; both ends are closed then.
func (s *splice) run() error {
	down := make(chan error, 1)
	go func() { down <- s.down() }()
	up := s.up()
	if up != nil && !isOutside(up) {
		// The program has reset it, or must not go on. (Where it is the world that
		// takes no more, what it has said before may still be read.)
		s.reset()
	}
	err := <-down
	if up != nil && (err == nil || up != syscall.EBADF) { // EBADF: down has closed it
		err = up
	}
	if err != nil {
		s.reset()
	} else {
		_, _ = s.in.Close(), s.out.Close()
	}
	if o, ok := errors.AsType[*outsideError](err); ok {
		return o.err
	}
	return err
}

func (s *splice) reset() {
	resetSocket(s.in)
	resetConn(s.out)
}

// An outsideError is one of the world's end.
type outsideError struct{ err error }

func (e *outsideError) Error() string { return e.err.Error() }
func (e *outsideError) Unwrap() error { return e.err }

func isOutside(err error) bool {
	_, ok := err.(*outsideError)
	return ok
}

// up carries what the program says.
func (s *splice) up() error {
	if s.hello != nil {
		if err := s.inspect(); err != nil {
			return err
		}
	}
	for {
		b, n, err := receive(s.in)
		if err == nil && n > 0 {
			_, err = s.write(b[:n])
			buffers.Put(b)
			if err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		return s.endUp()
	}
}

// write gives bytes to the world.
func (s *splice) write(b []byte) (int, error) {
	n, err := s.out.Write(b)
	s.f.sent.Add(int64(n))
	if err != nil {
		return n, &outsideError{err}
	}
	return n, nil
}

// endUp tells the world that the program has said all.
func (s *splice) endUp() error {
	if c, ok := s.out.(interface{ CloseWrite() error }); ok {
		if err := c.CloseWrite(); err != nil && !errors.Is(err, syscall.ENOTCONN) {
			return &outsideError{err}
		}
	}
	return nil
}

// receive takes what there is to read into a buffer, waiting for it without one. At
// the end it gives none; the caller puts back the buffer that it is given.
func receive(in socket.Socket) (*[bufferSize]byte, int, error) {
	var peek [1]byte
	for {
		b := buffers.Get().(*[bufferSize]byte)
		n, err := in.Recv(b[:], socket.MSG_DONTWAIT)
		if n > 0 {
			return b, n, nil
		}
		buffers.Put(b)
		if err != syscall.EAGAIN {
			return nil, 0, err
		}
		if _, err := in.Recv(peek[:], socket.MSG_PEEK); err != nil {
			return nil, 0, err
		}
	}
}

// down carries what the world says.
func (s *splice) down() error {
	for {
		b, n, err := s.from.read()
		if n > 0 {
			_, serr := s.in.Send(b[:n], 0)
			buffers.Put(b)
			if serr != nil {
				resetConn(s.out) // nobody listens any more
				return serr
			}
			s.f.received.Add(int64(n))
			continue
		}
		if err == io.EOF {
			if err := s.in.Shutdown(socket.SHUT_WR); err != nil && err != syscall.ENOTCONN {
				return err
			}
			return nil
		}
		resetSocket(s.in)
		return &outsideError{err}
	}
}
