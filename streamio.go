package berth

import (
	"net/netip"
	"slices"
	"syscall"
	"time"

	"example.com/berth/socket"
)

// Send puts b into the send buffer.
//
// Where it fits, and nothing is asked for but that, it goes the short way: few calls
// deep, since what is below goes as far as the peer's socket, and a processor can
// foresee only so many returns.
func (s *stream) Send(b []byte, flags socket.Flags) (int, error) {
	deepen()
	s.mu.Lock()
	if flags&^socket.MSG_NOSIGNAL != 0 || len(b) == 0 || s.ended(&s.writers) != nil || s.lis != nil || !s.conn.HasRoom(len(b)) {
		s.mu.Unlock()
		return s.send([][]byte{b}, flags, netip.AddrPort{})
	}
	now := s.host.now()
	n, err := s.conn.Write(now, b, false)
	s.pumpAt(now)
	if n < len(b) { // the host is short of memory
		n, err = s.sendFrom([][]byte{b}, n, flags)
	}
	s.mu.Unlock()
	return n, err
}

// SendTo is Send: a stream has one peer. With MSG_FASTOPEN it connects to addr.
func (s *stream) SendTo(b []byte, flags socket.Flags, addr netip.AddrPort) (int, error) {
	return s.send([][]byte{b}, flags, addr)
}

// SendMsg is Send of several pieces, with MSG_FASTOPEN to m.Addr.
func (s *stream) SendMsg(m *socket.Message, flags socket.Flags) (int, error) {
	return s.send(m.Buffers, flags, m.Addr)
}

func (s *stream) send(bufs [][]byte, flags socket.Flags, addr netip.AddrPort) (int, error) {
	deepen()
	s.mu.Lock()
	defer s.mu.Unlock()
	var n int
	var err error
	if flags&socket.MSG_FASTOPEN != 0 || s.fasts().held && !s.closed {
		n, err = s.sendFast(slices.Clone(bufs), flags, addr) // a copy, so that others need none
	} else {
		n, err = s.sendFrom(bufs, 0, flags)
	}
	s.copied(n, flags)
	return n, err
}

// sendFrom sends all but the first bytes, which are sent already. The lock is held.
func (s *stream) sendFrom(bufs [][]byte, sent int, flags socket.Flags) (int, error) {
	at := cursor{off: sent}
	for at.piece < len(bufs) && at.off > len(bufs[at.piece]) {
		at.off -= len(bufs[at.piece])
		at.piece++
	}
	err := s.ended(&s.writers)
	for err == nil {
		var n int
		n, err = s.sendNext(bufs, &at, sent, flags)
		if sent += n; err != syscall.EAGAIN {
			break
		}
		err = s.await(&s.writers, flags)
	}
	if sent > 0 {
		return sent, s.partial(err)
	}
	return 0, err
}

// A cursor is where a call stands in the pieces of memory that it was given.
type cursor struct{ piece, off int }

// pass moves to the next piece, and on, where nothing is left of the present one.
func (at *cursor) pass(bufs [][]byte) {
	for at.piece < len(bufs) && at.off == len(bufs[at.piece]) {
		at.piece, at.off = at.piece+1, 0
	}
}

// sendNext sends what is left, and returns how much went; EAGAIN, if there is no
// room for all. The lock is held.
func (s *stream) sendNext(bufs [][]byte, at *cursor, sent int, flags socket.Flags) (done int, err error) {
	for {
		if at.pass(bufs); at.piece == len(bufs) {
			return done, s.sendNothing(sent + done)
		}
		last := at.piece == len(bufs)-1
		b, now := bufs[at.piece][at.off:], s.host.now()
		var n int
		if last && flags&socket.MSG_OOB != 0 {
			n, err = s.writeUrgent(now, b)
		} else {
			n, err = s.write(now, b, !last || flags&socket.MSG_MORE != 0)
		}
		if err != nil {
			return done, err
		}
		done, at.off = done+n, at.off+n
		s.pumpAt(now)
	}
}

// write gives bytes to the machine, if there is one to take them.
func (s *stream) write(now time.Duration, b []byte, more bool) (int, error) {
	if err := s.cannotWrite(); err != nil {
		return 0, err
	}
	return s.conn.Write(now, b, more)
}

// writeUrgent is write of bytes of which the last is urgent.
func (s *stream) writeUrgent(now time.Duration, b []byte) (int, error) {
	if err := s.cannotWrite(); err != nil {
		return 0, err
	}
	return s.conn.WriteUrgent(now, b)
}

func (s *stream) cannotWrite() error {
	if s.closed { // while this call let go of the lock, to send
		return syscall.EBADF
	}
	if s.lis != nil || !s.opened && s.conn.State() == socket.TCP_CLOSE && !s.reported {
		return syscall.EPIPE
	}
	return nil
}

// sendNothing is the answer to a Send of no bytes: what a Send of some would
// fail with, for the states that cannot send.
func (s *stream) sendNothing(sent int) error {
	if sent > 0 {
		return nil
	}
	_, err := s.write(s.host.now(), nil, false)
	if err == syscall.EAGAIN {
		return nil
	}
	return err
}

// partial is the error of a call that has done a part of its work: none, as in
// C, if the caller did not want to wait; the reason, if it did.
func (s *stream) partial(err error) error {
	if err == syscall.EAGAIN {
		return nil
	}
	return err
}

// Recv takes bytes out of the receive buffer. A call that waits first, and wants
// nothing but the next bytes, goes a short way, as Send does.
func (s *stream) Recv(b []byte, flags socket.Flags) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn.Awaits() && !s.nonblock && s.ended(&s.readers) == nil && s.lends(flags) {
		s.conn.Taken(true)
		given := s.waitWith(&s.readers, b)
		s.conn.Taken(false)
		if given > 0 {
			s.sendLeft()
			deepen() // for an answer
			return given, nil
		}
	}
	return s.recv([][]byte{b}, flags)
}

// RecvFrom is Recv: a stream has one peer.
func (s *stream) RecvFrom(b []byte, flags socket.Flags) (int, netip.AddrPort, error) {
	n, err := s.Recv(b, flags)
	return n, netip.AddrPort{}, err
}

// RecvMsg is Recv into several pieces.
func (s *stream) RecvMsg(m *socket.Message, flags socket.Flags) (int, error) {
	m.Addr, m.Control, m.Flags = netip.AddrPort{}, socket.Control{}, 0
	if flags&socket.MSG_ERRQUEUE != 0 {
		return 0, s.withLock(func() error { return s.reports.take(m) })
	}
	if flags&socket.MSG_OOB != 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		n, took, err := s.recvUrgent(m.Buffers, flags)
		m.Flags = took
		return n, err
	}
	s.mu.Lock()
	n, err := s.recv(m.Buffers, flags)
	s.mu.Unlock()
	if err == nil {
		s.tellQueue(m)
	}
	return n, err
}

// recv is a call that receives. The lock is held.
func (s *stream) recv(bufs [][]byte, flags socket.Flags) (int, error) {
	if s.conn.Readable() > 0 {
		deepen() // else not yet: who waits for a first byte needs little
	}
	if flags&socket.MSG_OOB != 0 {
		n, _, err := s.recvUrgent(bufs, flags)
		return n, err
	}
	if len(bufs) == 0 {
		bufs = [][]byte{nil}
	}
	var at cursor
	got := 0
	err := s.ended(&s.readers)
	for err == nil {
		if got > 0 || s.enough(bufs, flags) {
			var n int
			n, err = s.recvNext(bufs, &at, got, flags)
			if got += n; err != syscall.EAGAIN {
				break
			}
		}
		s.sendLeft()
		s.conn.Taken(flags&socket.MSG_PEEK == 0)
		err = s.await(&s.readers, flags)
		s.conn.Taken(false)
	}
	s.sendLeft()
	if got > 0 {
		return got, s.partial(err)
	}
	return 0, err
}

// lends tells whether a segment may put its data where a call wants them while it
// waits, so that they need not go through the queue: a call that wants nothing but to
// take the next bytes, where no turn decides when it sees them.
func (s *stream) lends(flags socket.Flags) bool {
	return flags&^socket.MSG_NOSIGNAL == 0 && s.conn.Options().RcvLowat <= 1 &&
		s.host.turns == nil && s.host.config.Probe == nil
}

// recvNext takes, or looks at, what there is behind the first got bytes, and
// returns how much it gave; EAGAIN, if the call wants more. The lock is held.
func (s *stream) recvNext(bufs [][]byte, at *cursor, got int, flags socket.Flags) (done int, err error) {
	deepen()
	for {
		for at.off == len(bufs[at.piece]) && at.piece < len(bufs)-1 {
			at.piece, at.off = at.piece+1, 0
		}
		if got+done > 0 && (s.failed() || flags&socket.MSG_PEEK == 0 && s.conn.AtMark()) {
			return done, nil // the error, or what is behind the mark, is for the next call
		}
		n, err := s.read(bufs[at.piece][at.off:], got+done, flags)
		if err != nil {
			return done, err
		}
		done, at.off = done+n, at.off+n
		full := at.off == len(bufs[at.piece])
		if full && at.piece < len(bufs)-1 && n > 0 {
			continue
		}
		if s.conn.AckDue() || s.host.config.Probe != nil { // the window may have opened
			s.pump()
		}
		if full || n == 0 || flags&(socket.MSG_WAITALL|socket.MSG_PEEK) != socket.MSG_WAITALL {
			return done, nil
		}
	}
}

// enough tells whether there is so much to read that a call which may wait
// begins: what SO_RCVLOWAT says, or all to fill the buffers for one that does not
// take what it reads. At the end of the stream there will not be more.
func (s *stream) enough(bufs [][]byte, flags socket.Flags) bool {
	if s.nonblock || flags&socket.MSG_DONTWAIT != 0 {
		return true
	}
	here, lowat := s.conn.Readable(), max(s.conn.Options().RcvLowat, 1)
	whole := flags&socket.MSG_PEEK != 0 && flags&socket.MSG_WAITALL != 0
	if here >= lowat && !whole {
		return true
	}
	room := 0
	for _, b := range bufs {
		room += len(b)
	}
	want := min(room, lowat)
	if whole {
		want = room
	}
	if here > 0 && here == s.conn.Urgent()-1 { // nothing from behind the mark
		return true
	}
	return here >= want || s.conn.Events()&(socket.POLLRDHUP|socket.POLLHUP|socket.POLLERR) != 0
}

// failed tells whether nothing is left to read but an error.
func (s *stream) failed() bool {
	return s.conn.Readable() == 0 && s.conn.Events()&socket.POLLERR != 0
}

// read takes bytes from the machine, if this is a connection, or looks at those
// behind the first got.
func (s *stream) read(b []byte, got int, flags socket.Flags) (int, error) {
	if s.closed { // as in write
		return 0, syscall.EBADF
	}
	if s.lis != nil {
		return 0, syscall.ENOTCONN
	}
	switch flags & (socket.MSG_TRUNC | socket.MSG_PEEK) {
	case socket.MSG_TRUNC | socket.MSG_PEEK:
		_, err := s.conn.Peek(nil, 0)
		return max(0, min(len(b), s.conn.Readable()-got)), err
	case socket.MSG_TRUNC:
		return s.discard(len(b))
	case socket.MSG_PEEK:
		return s.conn.Peek(b, got)
	}
	return s.conn.Read(s.readTime(), b)
}

// readTime is the time of a Read, for a machine that measures how fast they are. To
// look at the clock costs as much as to read a few bytes.
func (s *stream) readTime() time.Duration {
	if s.conn.TimesReads() {
		return s.host.now()
	}
	return 0
}

// recvUrgent takes the last urgent byte, out of the stream, and tells what is to
// be said of it. It never waits.
func (s *stream) recvUrgent(bufs [][]byte, flags socket.Flags) (n int, took socket.Flags, err error) {
	switch {
	case s.closed:
		return 0, 0, syscall.EBADF
	case s.lis != nil:
		return 0, 0, syscall.ENOTCONN
	}
	octet, ok, err := s.conn.ReadUrgent(flags&socket.MSG_PEEK != 0)
	if !ok {
		return 0, 0, err
	}
	for _, b := range bufs {
		if len(b) == 0 {
			continue
		}
		if flags&socket.MSG_TRUNC == 0 {
			b[0] = octet
		}
		return 1, socket.MSG_OOB, nil
	}
	return 0, socket.MSG_OOB | socket.MSG_TRUNC, nil
}

// AtMark is SIOCATMARK.
func (s *stream) AtMark() (at bool, err error) {
	err = s.withLock(func() error {
		at = s.conn.AtMark()
		return nil
	})
	return at, err
}

// discard takes up to n bytes and drops them: MSG_TRUNC on a stream (tcp(7)).
func (s *stream) discard(n int) (int, error) {
	var scratch [4096]byte
	done, now := 0, s.readTime()
	for done < n {
		k, err := s.conn.Read(now, scratch[:min(len(scratch), n-done)])
		done += k
		if k == 0 || err != nil || s.conn.AtMark() {
			if done > 0 {
				err = nil
			}
			return done, err
		}
	}
	return done, nil
}

// shutConnecting is what shutdown does to a connect whose result nobody has
// asked for, as Linux's inet_shutdown.
func (s *stream) shutConnecting() {
	switch s.conn.State() {
	case socket.TCP_SYN_SENT:
		s.dropped = true
	case socket.TCP_SYN_RECV, socket.TCP_CLOSE:
		s.shut = !s.dropped
	default:
		s.reported = true
	}
}

// Shutdown ends one half or both.
func (s *stream) Shutdown(how socket.How) error {
	if how < socket.SHUT_RD || how > socket.SHUT_RDWR {
		return syscall.EINVAL
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return syscall.EBADF
	case s.lis != nil:
		if how != socket.SHUT_WR {
			s.stopListening()
		}
		return nil
	}
	if s.opened && !s.reported {
		s.shutConnecting()
	}
	if how == socket.SHUT_RDWR && s.conn.State() == socket.TCP_SYN_SENT {
		how = socket.SHUT_WR // either half drops the whole
	}
	err := error(nil)
	if how != socket.SHUT_WR {
		err = s.conn.CloseRead()
	}
	if how != socket.SHUT_RD {
		err = s.conn.CloseWrite(s.host.now())
	}
	s.pump()
	return err
}
