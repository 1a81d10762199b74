package kernel

import (
	"net/netip"
	"syscall"

	"example.com/berth/socket"
	"golang.org/x/sys/unix"
)

func (s *sock) sendMsg(buffers [][]byte, to netip.AddrPort, c *socket.Control, flags socket.Flags) (int, error) {
	t := newTransfer(s, buffers, flags)
	defer t.free()
	if to != (netip.AddrPort{}) {
		if err := t.name.set(s, to); err != nil {
			return 0, err
		}
		t.hdr.Name = t.name.bytes()
		t.hdr.Namelen = t.name.len
	}
	if c != nil && c.Present != 0 {
		oob, err := s.appendControl(t.oob[:0], c, s.sendsIPv4(to))
		if err != nil {
			return 0, err
		}
		if len(oob) > 0 {
			t.hdr.Control = &oob[0]
			t.hdr.SetControllen(len(oob))
		}
	}
	err := t.run(&s.writing, s.waits(flags), t.sendWaiting, t.sendOnce)
	return t.total, err
}

func (t *transfer) sendmsg(fd uintptr) (int, syscall.Errno) {
	t.setBuffers()
	return sysSendmsg(fd, &t.hdr, t.flags)
}

// sendBlocking is a step of a call that blocks: on a stream it ends when all is
// in the send buffer.
func (t *transfer) sendBlocking(fd uintptr) (done bool) {
	for {
		n, e := t.sendmsg(fd)
		switch e {
		case 0:
		case syscall.EAGAIN:
			return false
		case syscall.EINPROGRESS:
			// MSG_FASTOPEN has begun to connect: what follows is a usual Send.
			t.connected()
			return false
		default:
			t.errno = e
			return true
		}
		t.total += n
		if t.s.typ != socket.STREAM || t.total >= t.target {
			return true
		}
		t.connected() // with MSG_FASTOPEN, what went with the SYN is sent
		t.advance(n)
		t.hdr.Control = nil // it went with the first bytes
		t.hdr.SetControllen(0)
	}
}

// connected makes what follows of a Send with MSG_FASTOPEN a usual one.
func (t *transfer) connected() {
	if t.flags&unix.MSG_FASTOPEN != 0 {
		t.flags &^= unix.MSG_FASTOPEN
		t.hdr.Name, t.hdr.Namelen = nil, 0
	}
}
