package fdlink

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls, in a form that allocates nothing. Descriptors do not block, so that
// Go's scheduler need not know of the calls.

// vector refers to some bytes.
func vector(b []byte) (v unix.Iovec) {
	v.Base = unsafe.SliceData(b)
	v.SetLen(len(b))
	return v
}

// mmsghdr is struct mmsghdr.
type mmsghdr struct {
	h unix.Msghdr
	n uint32 // bytes received or sent
}

// message scatters to, or gathers from, a vector.
func message(iov []unix.Iovec) (m mmsghdr) {
	m.h.Iov = &iov[0]
	m.h.SetIovlen(len(iov))
	return m
}

func readv(fd uintptr, iov []unix.Iovec) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_READV, fd, uintptr(unsafe.Pointer(&iov[0])), uintptr(len(iov)))
	return int(n), errno
}

func writev(fd int, iov []unix.Iovec) unix.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&iov[0])), uintptr(len(iov)))
	return errno
}

func recvmmsg(fd uintptr, msgs []mmsghdr) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&msgs[0])), uintptr(len(msgs)), 0, 0, 0)
	return int(n), errno
}

// sendmmsg returns how many messages were sent. The error is that of the first;
// what stopped one behind it, the next call tells.
func sendmmsg(fd int, msgs []mmsghdr) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&msgs[0])), uintptr(len(msgs)), 0, 0, 0)
	return int(n), errno
}
