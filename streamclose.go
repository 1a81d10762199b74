package berth

import (
	"runtime"
	"syscall"
	"time"

	"example.com/berth/socket"
)

// Close closes the socket: what is buffered is sent in the background, unless
// SO_LINGER says otherwise, and the connection lives on without a user until
// TCP has ended it.
func (s *stream) Close() error {
	deepen()
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return syscall.EBADF
	}
	yields := s.conn.State() == socket.TCP_ESTABLISHED && s.host.turns == nil && !s.path.woken()
	s.close()
	s.mu.Unlock()
	if yields {
		yield()
	}
	return nil
}

// yield lets those run who have learnt from a Close that their connection has ended,
// at its peer in the same process. The runtime runs who was woken last, and lets two
// that wake each other go on for 10 ms: clients that go from one connection to the
// next, and the goroutines that serve them, would leave hundreds of others behind with
// an end to close, which are in no cache any more when their turn comes. That is a
// third of a connection's time.
func yield() { runtime.Gosched() }

// close is Close of an open socket. The lock is held.
func (s *stream) close() {
	linger := s.ip.linger
	s.closed = true
	s.host.forget(&s.sock)
	now := s.host.now()
	if s.lis != nil {
		s.stopListening()
	}
	switch {
	case !s.opened:
		if s.bound {
			s.host.ports.release(&s.sock)
			s.bound = false
		}
		s.conn.Abort(now)
	case linger.On && linger.Seconds == 0 && s.conn.State() != socket.TCP_TIME_WAIT: // which goes on, as on Linux
		s.orphan = true
		s.conn.Abort(now)
	default:
		s.orphan = true
		s.conn.Close(now)
	}
	s.pumpAt(now)
	s.wake(socket.POLLNVAL)
	if s.opened && linger.On && linger.Seconds > 0 { // a non-blocking one waits too
		s.lingerFor(time.Duration(linger.Seconds) * time.Second)
	}
	s.setDeadline(&s.readers, time.Time{})
	s.setDeadline(&s.writers, time.Time{})
}

// lingerFor waits until the peer has acknowledged all, FIN included, or the
// time is over.
func (s *stream) lingerFor(d time.Duration) {
	s.setDeadline(&s.writers, s.host.clock().Add(d))
	for !s.writers.expired.Load() && !s.acknowledged() {
		s.wait(&s.writers)
	}
}

// acknowledged tells whether the peer has all that was sent.
func (s *stream) acknowledged() bool {
	switch s.conn.State() {
	case socket.TCP_CLOSE, socket.TCP_FIN_WAIT2, socket.TCP_TIME_WAIT:
		return true
	}
	return false
}

// abort ends the connection with a reset, whoever uses it.
func (s *stream) abort(error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lis != nil {
		s.stopListening()
	}
	if s.opened {
		s.orphan = true
		s.conn.Abort(s.host.now())
		s.pump()
	}
	s.closed = true
	s.setDeadline(&s.readers, time.Time{})
	s.setDeadline(&s.writers, time.Time{})
	s.wake(socket.POLLNVAL)
}
