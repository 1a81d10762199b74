package kernel

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls in this file work on raw socket addresses and message
// headers: package unix would allocate for each address, and reads a byte that
// nobody asked for where a message's buffers are empty.

func sysBind(fd uintptr, sa *sockaddr) syscall.Errno {
	return retry(unix.SYS_BIND, fd, uintptr(unsafe.Pointer(&sa.raw)), uintptr(sa.len))
}

func sysConnect(fd uintptr, sa *sockaddr) syscall.Errno {
	// Not repeated after EINTR: the attempt goes on, and the next call tells.
	_, _, e := unix.Syscall(unix.SYS_CONNECT, fd, uintptr(unsafe.Pointer(&sa.raw)), uintptr(sa.len))
	return e
}

func sysAccept(fd uintptr, sa *sockaddr) (int, syscall.Errno) {
	for {
		sa.len = sockaddrSize
		n, _, e := unix.Syscall6(unix.SYS_ACCEPT4, fd, uintptr(unsafe.Pointer(&sa.raw)),
			uintptr(unsafe.Pointer(&sa.len)), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		if e != unix.EINTR {
			return int(n), e
		}
	}
}

func sysGetsockname(fd uintptr, sa *sockaddr) syscall.Errno {
	sa.len = sockaddrSize
	return retry(unix.SYS_GETSOCKNAME, fd, uintptr(unsafe.Pointer(&sa.raw)), uintptr(unsafe.Pointer(&sa.len)))
}

func sysGetpeername(fd uintptr, sa *sockaddr) syscall.Errno {
	sa.len = sockaddrSize
	return retry(unix.SYS_GETPEERNAME, fd, uintptr(unsafe.Pointer(&sa.raw)), uintptr(unsafe.Pointer(&sa.len)))
}

func sysRecvmsg(fd uintptr, m *unix.Msghdr, flags int) (int, syscall.Errno) {
	for {
		n, _, e := unix.Syscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(m)), uintptr(flags|unix.MSG_DONTWAIT))
		if e != unix.EINTR {
			return count(n, e), e
		}
	}
}

func sysSendmsg(fd uintptr, m *unix.Msghdr, flags int) (int, syscall.Errno) {
	for {
		n, _, e := unix.Syscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(m)),
			uintptr(flags|unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL))
		if e != unix.EINTR {
			return count(n, e), e
		}
	}
}

// sysReadable gives the events of fd that concern receiving, as they are now.
func sysReadable(fd uintptr) int16 {
	fds := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLPRI | unix.POLLRDHUP}}
	for {
		if _, err := unix.Poll(fds[:], 0); err != unix.EINTR {
			return fds[0].Revents
		}
	}
}

func count(n uintptr, e syscall.Errno) int {
	if e != 0 {
		return 0
	}
	return int(n)
}

//go:uintptrescapes
func retry(trap, a1, a2, a3 uintptr) syscall.Errno {
	for {
		if _, _, e := unix.Syscall(trap, a1, a2, a3); e != unix.EINTR {
			return e
		}
	}
}
