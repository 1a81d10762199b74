package kernel

import (
	"context"
	"net/netip"
	"syscall"

	"example.com/berth/socket"
	mdsocket "github.com/mdlayher/socket"
)

func (s *sock) Accept(ctx context.Context) (socket.Socket, netip.AddrPort, error) {
	var (
		sa sockaddr
		fd int
		e  syscall.Errno
	)
	accept := func(lfd uintptr) bool {
		fd, e = sysAccept(lfd, &sa)
		return e != syscall.EAGAIN
	}
	var err error
	if s.waits(0) {
		err = s.reading.Await(ctx, &s.life.closed, func() error { return s.raw.Read(accept) })
	} else {
		err = s.control(func(fd uintptr) error { accept(fd); return nil })
	}
	if err == nil {
		err = result(e)
	}
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	c, err := mdsocket.New(fd, "socket")
	if err != nil {
		_ = syscall.Close(fd)
		return nil, netip.AddrPort{}, errno(err)
	}
	accepted, err := newSock(s.provider, c, s.domain, s.typ)
	if err != nil {
		c.Close()
		return nil, netip.AddrPort{}, err
	}
	accepted.lowat.Store(s.lowat.Load())
	accepted.inq.Store(s.inq.Load())
	return accepted, sa.get(accepted), nil
}
