package berth

import (
	"syscall"

	"example.com/berth/socket"
)

// copies are the completions of a stream's sends with MSG_ZEROCOPY that nobody has
// taken yet: a range of numbers that grows until it is taken, as on Linux. A host
// copies what it is given, so a send is complete when it returns.
type copies struct {
	next, first uint32 // the number of the next send, and of the first that waits
	waiting     bool
}

// copied enters a send of n bytes. The lock is held.
func (s *stream) copied(n int, flags socket.Flags) {
	if n == 0 || flags&socket.MSG_ZEROCOPY == 0 || !s.ip.zeroCopy {
		return
	}
	if s.reports == nil {
		s.reports = new(reports)
	}
	c := &s.reports.copies
	if !c.waiting {
		c.first, c.waiting = c.next, true
	}
	c.next++
	s.wake(s.pollEvents())
}

// take gives the range to a receiver, and reports false if there is none.
func (c *copies) take(m *socket.Message) bool {
	if !c.waiting {
		return false
	}
	c.waiting = false
	m.Control.Err = socket.ExtendedError{
		Origin: socket.SO_EE_ORIGIN_ZEROCOPY, Code: socket.SO_EE_CODE_ZEROCOPY_COPIED, Info: c.first, Data: c.next - 1,
	}
	return true
}

// setZeroCopy is SO_ZEROCOPY, which a listener hands on.
func (s *stream) setZeroCopy(v int) error {
	if v < 0 || v > 1 {
		return syscall.EINVAL
	}
	s.ownIP().zeroCopy = v == 1
	return nil
}

// setInq is TCP_INQ, which a listener hands on.
func (s *stream) setInq(v int) error {
	if v < 0 || v > 1 {
		return syscall.EINVAL
	}
	s.ownIP().inq = v == 1
	return nil
}

// tellQueue adds to what RecvMsg returns how much is left to read, if TCP_INQ asks
// for it.
func (s *stream) tellQueue(m *socket.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ip.inq || s.closed || s.lis != nil {
		return
	}
	m.Control.Present |= socket.ControlInq
	m.Control.Inq = s.conn.Readable()
	switch s.conn.State() {
	case socket.TCP_CLOSE_WAIT, socket.TCP_CLOSING, socket.TCP_LAST_ACK, socket.TCP_TIME_WAIT:
		m.Control.Inq++ // the end of the stream
	}
}
