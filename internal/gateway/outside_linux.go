package gateway

import (
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"example.com/berth/link"
)

// openOutside opens a socket of the operating system's to an address. That of a
// stream may still be connecting: it is writable when that is over.
func openOutside(typ int, to netip.AddrPort) (fd int, err error) {
	sa, domain := sockaddr(to)
	fd, err = unix.Socket(domain, typ|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	if typ == unix.SOCK_STREAM {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // the program has had its Nagle
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1) // see keepAlive
	}
	for {
		if err = unix.Connect(fd, sa); err != unix.EINTR {
			break
		}
	}
	if err != nil && err != unix.EINPROGRESS {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func sockaddr(to netip.AddrPort) (unix.Sockaddr, int) {
	if a := to.Addr(); a.Is4() {
		return &unix.SockaddrInet4{Port: int(to.Port()), Addr: a.As4()}, unix.AF_INET
	}
	sa := &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}
	if zone := to.Addr().Zone(); zone != "" {
		if ifc, err := net.InterfaceByName(zone); err == nil {
			sa.ZoneId = uint32(ifc.Index)
		}
	}
	return sa, unix.AF_INET6
}

// pendingError is why a descriptor is in error, and takes that away.
func pendingError(fd int) error {
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return err
	}
	if n != 0 {
		return unix.Errno(n)
	}
	return nil
}

// resetOutside closes a stream by force: the peer gets a reset.
func resetOutside(fd int) {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.Close(fd)
}

// readOutside and writeOutside do not wait, so that Go's scheduler need not know of
// them. A write to a stream whose peer is gone raises no signal (MSG_NOSIGNAL).
func readOutside(fd int, b []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		if errno == 0 {
			return int(n), nil
		}
		if errno != unix.EINTR {
			return 0, errno
		}
	}
}

// readBoxes reads a chunk into each box, at most manyBuffers.
func readBoxes(fd int, boxes []*link.Buffer, chunk int) (int, error) {
	if len(boxes) == 1 {
		return readOutside(fd, boxes[0].Bytes()[:chunk])
	}
	var iov [manyBuffers]unix.Iovec
	for i, b := range boxes {
		iov[i].Base = unsafe.SliceData(b.Bytes())
		iov[i].SetLen(chunk)
	}
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_READV, uintptr(fd), uintptr(unsafe.Pointer(&iov[0])), uintptr(len(boxes)))
		if errno == 0 {
			return int(n), nil
		}
		if errno != unix.EINTR {
			return 0, errno
		}
	}
}

func writeOutside(fd int, b []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
			unix.MSG_NOSIGNAL, 0, 0)
		if errno == 0 {
			return int(n), nil
		}
		if errno != unix.EINTR {
			return 0, errno
		}
	}
}

// writePieces writes several pieces as one.
func writePieces(fd int, pieces [][]byte) (int, error) {
	if len(pieces) == 1 {
		return writeOutside(fd, pieces[0])
	}
	var iov [16]unix.Iovec
	pieces = pieces[:min(len(pieces), len(iov))]
	for i, p := range pieces {
		iov[i].Base = unsafe.SliceData(p)
		iov[i].SetLen(len(p))
	}
	m := unix.Msghdr{Iov: &iov[0]}
	m.SetIovlen(len(pieces))
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&m)), unix.MSG_NOSIGNAL)
		if errno == 0 {
			return int(n), nil
		}
		if errno != unix.EINTR {
			return 0, errno
		}
	}
}

// cutsRuns tells whether the system cuts what is written to a socket of UDP into
// datagrams (since Linux 4.18). One that does not know how would send it as one.
func cutsRuns(fd int) bool {
	_, err := unix.GetsockoptInt(fd, unix.SOL_UDP, unix.UDP_SEGMENT)
	return err == nil
}

// writeRun writes datagrams of a size, the last of which may be shorter.
func writeRun(fd int, b []byte, size int) error {
	var control struct {
		unix.Cmsghdr
		size uint16
		_    [6]byte // CMSG_SPACE
	}
	control.Level, control.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	control.SetLen(unix.CmsgLen(2))
	control.size = uint16(size)
	iov := unix.Iovec{Base: unsafe.SliceData(b)}
	iov.SetLen(len(b))
	m := unix.Msghdr{Iov: &iov, Control: (*byte)(unsafe.Pointer(&control))}
	m.SetIovlen(1)
	m.SetControllen(unix.CmsgSpace(2))
	for {
		_, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&m)), unix.MSG_NOSIGNAL)
		if errno == 0 {
			return nil
		}
		if errno != unix.EINTR {
			return errno
		}
	}
}
