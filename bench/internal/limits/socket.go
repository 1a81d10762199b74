package limits

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// burst is how many datagrams are on the way at once.
const burst = 64

type mmsghdr struct {
	hdr unix.Msghdr
	_   uint32 // the length that was sent or received
	_   [4]byte
}

// batch is a burst of messages for sendmmsg(2) and recvmmsg(2).
type batch struct {
	messages [burst]mmsghdr
	pieces   [burst]unix.Iovec
}

func newBatch(size int) *batch {
	b := new(batch)
	memory := make([]byte, burst*size)
	for i := range b.messages {
		b.pieces[i].Base = &memory[i*size]
		b.pieces[i].SetLen(size)
		b.messages[i].hdr.Iov, b.messages[i].hdr.Iovlen = &b.pieces[i], 1
	}
	return b
}

func (b *batch) call(trap uintptr, fd, flags int) {
	_, _, _ = unix.Syscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(&b.messages[0])), burst, uintptr(flags), 0, 0)
}

// sockets are costs of a datagram on the kernel's loopback.
func sockets() (rows []Row) {
	for _, size := range []int{64, 1400} {
		from, to, err := datagramSockets()
		if err != nil {
			return nil
		}
		buf, in, out := make([]byte, size), newBatch(2048), newBatch(size)
		each := func(once func()) func() float64 {
			return func() float64 {
				return perOp(func(n int) {
					for i := 0; i < n; i += burst {
						once()
					}
				})
			}
		}
		rows = append(
			rows,
			ns(fmt.Sprintf("UDP on loopback, %d B: one by one", size), each(func() {
				for range burst {
					_, _ = unix.Write(from, buf)
				}
				for range burst {
					_, _ = unix.Read(to, buf)
				}
			})),
			ns(fmt.Sprintf("UDP on loopback, %d B: sendmmsg and recvmmsg of 64", size), each(func() {
				out.call(unix.SYS_SENDMMSG, from, 0)
				in.call(unix.SYS_RECVMMSG, to, unix.MSG_DONTWAIT)
			})),
		)
	}
	return rows
}

// datagramSockets returns a sender that is connected to a receiver.
func datagramSockets() (from, to int, err error) {
	if to, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return 0, 0, err
	}
	if err = unix.Bind(to, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, 0, err
	}
	if err = unix.SetsockoptInt(to, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20); err != nil {
		return 0, 0, err
	}
	addr, err := unix.Getsockname(to)
	if err != nil {
		return 0, 0, err
	}
	if from, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return 0, 0, err
	}
	return from, to, unix.Connect(from, addr)
}
