package kernel

import (
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/berth/kernel/internal/half"
	"example.com/berth/socket"
	mdsocket "github.com/mdlayher/socket"
	"golang.org/x/sys/unix"
)

// sock is a socket of the kernel.
type sock struct {
	provider *Provider
	conn     *mdsocket.Conn
	raw      syscall.RawConn
	fd       int32 // for Poll, which keeps Close away while it uses it
	domain   socket.Domain
	typ      socket.Type

	reading, writing half.Half
	nonblock         atomic.Bool
	lowat            atomic.Int32 // SO_RCVLOWAT; 0 is 1
	inq              atomic.Bool  // TCP_INQ
	life             life
}

var _ socket.Socket = (*sock)(nil)

func newSock(p *Provider, c *mdsocket.Conn, domain socket.Domain, typ socket.Type) (*sock, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, errno(err)
	}
	s := &sock{provider: p, conn: c, raw: raw, domain: domain, typ: typ}
	s.reading = half.Half{Set: c.SetReadDeadline, Errno: errno}
	s.writing = half.Half{Set: c.SetWriteDeadline, Errno: errno}
	if err := raw.Control(func(fd uintptr) { s.fd = int32(fd) }); err != nil {
		return nil, errno(err)
	}
	return s, nil
}

// control calls f with the descriptor, which stays open meanwhile.
func (s *sock) control(f func(fd uintptr) error) error {
	var err error
	if cerr := s.raw.Control(func(fd uintptr) { err = f(fd) }); cerr != nil {
		return syscall.EBADF // the one reason for which Control fails
	}
	return errno(err)
}

func (s *sock) isClosed() bool { return s.life.closed.Load() }

// waits tells whether a call with flags is one that blocks.
func (s *sock) waits(flags socket.Flags) bool {
	return flags&socket.MSG_DONTWAIT == 0 && !s.nonblock.Load()
}

func (s *sock) Bind(addr netip.AddrPort) error {
	var sa sockaddr
	if err := sa.set(s, addr); err != nil {
		return err
	}
	return s.control(func(fd uintptr) error { return result(sysBind(fd, &sa)) })
}

func (s *sock) Listen(backlog int) error { return s.wrap(s.conn.Listen(backlog)) }

func (s *sock) Shutdown(how socket.How) error { return s.wrap(s.conn.Shutdown(int(how))) }

func (s *sock) AtMark() (at bool, err error) {
	err = s.control(func(fd uintptr) error {
		n, err := unix.IoctlGetInt(int(fd), unix.SIOCATMARK)
		at = n != 0
		return err
	})
	return at && err == nil, err
}

// wrap gives the contract's error for one of a call on s.conn.
func (s *sock) wrap(err error) error {
	if err != nil && s.isClosed() {
		return syscall.EBADF
	}
	return errno(err)
}

func (s *sock) LocalAddr() netip.AddrPort {
	var sa sockaddr
	if err := s.control(func(fd uintptr) error { return result(sysGetsockname(fd, &sa)) }); err != nil {
		return s.life.lastAddr()
	}
	return sa.get(s)
}

func (s *sock) PeerAddr() (netip.AddrPort, error) {
	var sa sockaddr
	if err := s.control(func(fd uintptr) error { return result(sysGetpeername(fd, &sa)) }); err != nil {
		return netip.AddrPort{}, err
	}
	return sa.get(s), nil
}

func (s *sock) SetNonblock(on bool) error {
	if s.isClosed() {
		return syscall.EBADF
	}
	s.nonblock.Store(on)
	return nil
}

func (s *sock) SetDeadline(t time.Time) error {
	if err := s.SetReadDeadline(t); err != nil {
		return err
	}
	return s.SetWriteDeadline(t)
}

func (s *sock) SetReadDeadline(t time.Time) error { return s.wrap(s.reading.SetDeadline(t)) }

func (s *sock) SetWriteDeadline(t time.Time) error { return s.wrap(s.writing.SetDeadline(t)) }
