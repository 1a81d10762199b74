package berth

import (
	"net/netip"
	"sync"
	"time"

	"example.com/berth/internal/lean"
	"example.com/berth/socket"
)

// A share is what the readers of a socket have taken over of its receive queue: all
// that was there, in one go. They serve themselves from it under a lock of their own,
// in memory that a sender does not touch, so that a processor that receives and one
// that sends seldom meet.
//
// The queue counts the messages of a share as its own until it is told that they are
// read. That is done when the last of them is, or when they were a sixteenth of the
// receive buffer: by that much the buffer may look fuller than it is. (Linux has a
// fourth: udp_rmem_release.)
//
// A socket with a read deadline has no share, as a deadline comes before what there
// is to read, and none has one with a Scheduler, so that a turn is as long as it was.
type share struct {
	_ lean.Incomparable

	_      [64]byte   // what is before it senders write
	mu     sync.Mutex // guards what follows; taken while holding the socket's
	open   bool       // nothing comes before its messages
	domain socket.Domain
	list   messageList
	read   int // what those cost that are read, and the queue still counts
	most   int // how much that may become
	_      [64]byte
}

// shareOf is the part of the receive buffer that the queue may not have been told of.
const shareOf = 16

// recv is RecvFrom without flags that mean something to it, where the share has the
// message and nothing comes before it.
func (s *messageSock) recv(b []byte, flags socket.Flags) (n int, from netip.AddrPort, ok bool) {
	p := &s.share
	p.mu.Lock()
	if !p.open || flags&^socket.MSG_DONTWAIT != 0 {
		p.mu.Unlock()
		return 0, from, false
	}
	m, due := p.list.first(), 0
	n, from = copy(b, m.data), shown(p.domain, m.from)
	p.read += p.list.pop()
	if p.open = p.list.n > 0; !p.open || p.read >= p.most {
		due, p.read = p.read, 0
	}
	p.mu.Unlock()
	if due > 0 {
		s.settle(due)
	}
	return n, from, true
}

// settle tells the queue of messages that are read, and fetches new ones.
func (s *messageSock) settle(due int) {
	s.mu.Lock()
	s.queue.paid(due, s.host.budget)
	if s.closed {
		s.queue.rest(s.host.budget)
	} else {
		s.share.mu.Lock()
		s.fetch()
		s.share.mu.Unlock()
	}
	s.mu.Unlock()
}

// fetch gives the readers what waits, if their share is empty and it is worth it. Both
// locks are held.
func (s *messageSock) fetch() {
	p := &s.share
	plain := s.err == nil && !s.closed && s.readers.deadline == nil && !s.readers.expired.Load() && s.host.turns == nil
	if plain && p.list.n == 0 && s.queue.n > 1 {
		p.list, s.queue.messageList = s.queue.messageList, p.list
		p.most = s.queue.limit / shareOf
	}
	p.open = plain && p.list.n > 0
}

// next gives the first message to the caller of RecvMsg, and drops it unless it is only
// looked at. It is false if there is none. The socket's lock is held.
func (s *messageSock) next(bufs [][]byte, to *socket.Message, flags socket.Flags) (n int, ok bool) {
	p := &s.share
	p.mu.Lock()
	l := &p.list
	if l.n == 0 {
		l = &s.queue.messageList
	}
	m := l.first()
	if m == nil {
		p.list.rest()
		s.queue.rest(s.host.budget)
	} else {
		n = s.tell(bufs, to, m, flags)
	}
	if m != nil && flags&socket.MSG_PEEK == 0 {
		s.queue.paid(l.pop()+p.read, s.host.budget)
		p.read = 0
		s.fetch()
	}
	p.mu.Unlock()
	return n, m != nil
}

// tell gives a message with all that is known about it. Both locks are held.
func (s *messageSock) tell(bufs [][]byte, to *socket.Message, m *message, flags socket.Flags) int {
	n := scatter(bufs, m.data)
	if n < len(m.data) {
		to.Flags |= socket.MSG_TRUNC
		if flags&socket.MSG_TRUNC != 0 {
			n = len(m.data)
		}
	}
	to.Addr = s.show(m.from)
	s.control(&to.Control, m)
	return n
}

// ready tells whether there are messages. The socket's lock is held.
func (s *messageSock) ready() bool {
	s.share.mu.Lock()
	defer s.share.mu.Unlock()
	return s.queue.n+s.share.list.n > 0
}

// bytes is how much data waits. The socket's lock is held.
func (s *messageSock) bytes() int {
	s.share.mu.Lock()
	defer s.share.mu.Unlock()
	return s.queue.bytes() + s.share.list.bytes()
}

// changed has the next read look at the socket before it looks at the share, and the
// next send before it takes the template: something that they do not know of has
// changed. The socket's lock is held.
func (s *messageSock) changed() {
	s.template.Store(nil)
	s.share.mu.Lock()
	s.share.open = false
	s.share.mu.Unlock()
}

// drop drops all messages. The socket's lock is held.
func (s *messageSock) drop() {
	p := &s.share
	p.mu.Lock()
	p.open = false
	s.queue.paid(p.list.clear()+p.read, s.host.budget)
	p.read = 0
	p.list.rest()
	p.mu.Unlock()
	s.queue.clear(s.host.budget)
}

// SetDeadline sets both deadlines.
func (s *messageSock) SetDeadline(t time.Time) error {
	return s.withLock(func() error {
		s.changed()
		s.setDeadline(&s.readers, t)
		s.setDeadline(&s.writers, t)
		return nil
	})
}

// SetReadDeadline sets that of readers.
func (s *messageSock) SetReadDeadline(t time.Time) error {
	return s.withLock(func() error {
		s.changed()
		s.setDeadline(&s.readers, t)
		return nil
	})
}
