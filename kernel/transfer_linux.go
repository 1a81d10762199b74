package kernel

import (
	"context"
	"net/netip"
	"sync"
	"syscall"
	"unsafe"

	"example.com/berth/kernel/internal/half"
	"example.com/berth/socket"
	"golang.org/x/sys/unix"
)

// transfer is one call of Send or Recv in the kernel's form: a message header
// with what it refers to. They are pooled, and what they hand to the runtime's
// poller is made once, so that a call allocates nothing.
type transfer struct {
	s     *sock
	hdr   unix.Msghdr
	iov   []unix.Iovec
	rest  []unix.Iovec // the part of iov not yet filled or sent
	name  sockaddr
	oob   []byte
	flags int

	total  int // bytes transferred
	target int // enough of them to end a call on a stream
	errno  syscall.Errno

	recvWaiting, sendWaiting func() error
	recvOnce, sendOnce       func(fd uintptr)
}

// maxControl is room for all the control messages of one packet: three of at
// most 40 bytes and an error with its offender's address, for both families, and
// two of IPv4's options.
const maxControl = 512

var transfers = sync.Pool{New: func() any {
	t := &transfer{oob: make([]byte, maxControl)}
	receive, send := t.recvBlocking, t.sendBlocking
	t.recvWaiting = func() error { return t.s.raw.Read(receive) }
	t.sendWaiting = func() error { return t.s.raw.Write(send) }
	t.recvOnce = func(fd uintptr) { t.total, t.errno = t.recvmsg(fd) }
	t.sendOnce = func(fd uintptr) { t.total, t.errno = t.sendmsg(fd) }
	return t
}}

func newTransfer(s *sock, buffers [][]byte, flags socket.Flags) *transfer {
	t := transfers.Get().(*transfer)
	t.s, t.flags = s, int(flags&^socket.MSG_DONTWAIT)
	t.total, t.target, t.errno = 0, 0, 0
	t.iov = t.iov[:0]
	for _, b := range buffers {
		t.target += len(b)
		v := unix.Iovec{}
		if len(b) > 0 {
			v.Base = &b[0]
			v.SetLen(len(b))
		}
		t.iov = append(t.iov, v)
	}
	t.rest = t.iov
	return t
}

func (t *transfer) free() {
	clear(t.iov)
	t.s, t.hdr, t.rest, t.name = nil, unix.Msghdr{}, nil, sockaddr{}
	transfers.Put(t)
}

// advance leaves the first n bytes of the buffers behind.
func (t *transfer) advance(n int) {
	for n > 0 {
		v := &t.rest[0]
		if uint64(n) < uint64(v.Len) {
			b := unsafe.Slice(v.Base, v.Len)
			v.Base = &b[n]
			v.SetLen(len(b) - n)
			return
		}
		n -= int(v.Len)
		t.rest = t.rest[1:]
	}
}

// setBuffers points the message header at what is left of the buffers.
func (t *transfer) setBuffers() {
	t.hdr.Iov = nil
	if len(t.rest) > 0 {
		t.hdr.Iov = &t.rest[0]
	}
	t.hdr.SetIovlen(len(t.rest))
}

// run does the transfer: waiting on h if the call blocks, else once.
func (t *transfer) run(h *half.Half, blocks bool, waiting func() error, once func(uintptr)) error {
	if blocks {
		if err := h.Await(context.Background(), &t.s.life.closed, waiting); err != nil {
			return err
		}
	} else if err := t.s.raw.Control(once); err != nil {
		return syscall.EBADF
	}
	return result(t.errno)
}

func (s *sock) Send(b []byte, flags socket.Flags) (int, error) {
	return s.SendTo(b, flags, netip.AddrPort{})
}

func (s *sock) SendTo(b []byte, flags socket.Flags, to netip.AddrPort) (int, error) {
	one := [1][]byte{b}
	return s.sendMsg(one[:], to, nil, flags)
}

func (s *sock) SendMsg(m *socket.Message, flags socket.Flags) (int, error) {
	return s.sendMsg(m.Buffers, m.Addr, &m.Control, flags)
}

func (s *sock) Recv(b []byte, flags socket.Flags) (int, error) {
	n, _, err := s.RecvFrom(b, flags)
	return n, err
}
