package kernel

import (
	"net/netip"
	"syscall"

	"example.com/berth/socket"
	"golang.org/x/sys/unix"
)

func (s *sock) RecvFrom(b []byte, flags socket.Flags) (int, netip.AddrPort, error) {
	one := [1][]byte{b}
	t := newTransfer(s, one[:], flags)
	defer t.free()
	t.hdr.Name = t.name.bytes()
	err := s.recv(t, flags)
	return t.total, t.name.get(s), err
}

func (s *sock) RecvMsg(m *socket.Message, flags socket.Flags) (int, error) {
	t := newTransfer(s, m.Buffers, flags)
	defer t.free()
	t.hdr.Name = t.name.bytes()
	if s.typ != socket.STREAM || flags&socket.MSG_ERRQUEUE != 0 || s.inq.Load() {
		t.hdr.Control = &t.oob[0]
	}
	err := s.recv(t, flags)
	m.Addr, m.Control, m.Flags = t.name.get(s), socket.Control{}, 0
	if err != nil {
		return t.total, err
	}
	s.parseControl(&m.Control, t.oob[:t.hdr.Controllen])
	m.Flags = socket.Flags(t.hdr.Flags) & (socket.MSG_TRUNC | socket.MSG_CTRUNC | socket.MSG_ERRQUEUE | socket.MSG_OOB)
	return t.total, nil
}

func (s *sock) recv(t *transfer, flags socket.Flags) error {
	// Neither urgent data nor the error queue is ever waited for.
	blocks := s.waits(flags) && flags&(socket.MSG_OOB|socket.MSG_ERRQUEUE) == 0
	if flags&socket.MSG_WAITALL == 0 {
		t.target = min(t.target, max(1, int(s.lowat.Load())))
	}
	return t.run(&s.reading, blocks, t.recvWaiting, t.recvOnce)
}

func (t *transfer) recvmsg(fd uintptr) (int, syscall.Errno) {
	t.setBuffers()
	t.name.len = sockaddrSize
	t.hdr.Namelen = sockaddrSize
	room := 0
	if t.hdr.Control != nil {
		room = len(t.oob)
	}
	t.hdr.SetControllen(room)
	n, e := sysRecvmsg(fd, &t.hdr, t.flags)
	t.name.len = t.hdr.Namelen
	if e != 0 {
		t.name.len = 0
	}
	return n, e
}

// recvBlocking is a step of a call that blocks.
func (t *transfer) recvBlocking(fd uintptr) (done bool) {
	if t.s.typ == socket.STREAM {
		return t.recvStream(fd)
	}
	n, e := t.recvmsg(fd)
	if e == syscall.EAGAIN {
		// A datagram socket that was shut down says EAGAIN for ever to a call
		// that does not block, and 0 to one that does.
		return sysReadable(fd)&unix.POLLRDHUP != 0
	}
	t.total, t.errno = n, e
	return true
}

// streamEnd is the events after which a stream brings no more, or not without
// an error.
const streamEnd = unix.POLLRDHUP | unix.POLLHUP | unix.POLLERR

// recvStream takes bytes until there are enough, or no more are to come.
func (t *transfer) recvStream(fd uintptr) (done bool) {
	if t.flags&unix.MSG_WAITALL == 0 && t.target > 1 && queued(fd) < t.target &&
		sysReadable(fd)&(unix.POLLIN|streamEnd) == 0 {
		return false // SO_RCVLOWAT
	}
	for {
		if t.total > 0 && atMark(fd) {
			return true
		}
		if t.total > 0 && queued(fd) == 0 {
			// An error is for the next call to take: do not touch it. What came
			// in before the end, and after the first look, is still taken.
			if sysReadable(fd)&streamEnd == 0 {
				return false
			}
			if queued(fd) == 0 {
				return true
			}
		}
		n, e := t.recvmsg(fd)
		if e == syscall.EAGAIN {
			return false
		}
		if t.flags&unix.MSG_PEEK != 0 {
			t.total, t.errno = n, e
			return e != 0 || n >= t.target || sysReadable(fd)&(streamEnd|unix.POLLPRI) != 0
		}
		t.total, t.errno = t.total+n, e
		if e != 0 || n == 0 || t.total >= t.target {
			return true
		}
		t.advance(n)
	}
}

// queued is how many bytes wait in the receive queue, up to the urgent mark.
func queued(fd uintptr) int {
	n, err := unix.IoctlGetInt(int(fd), unix.SIOCINQ)
	if err != nil {
		return 0
	}
	return n
}

// atMark tells whether the next byte is the urgent one, before which a Recv
// that has taken anything stops.
func atMark(fd uintptr) bool {
	n, err := unix.IoctlGetInt(int(fd), unix.SIOCATMARK)
	return err == nil && n != 0
}
