package kernel

import (
	"context"
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

func (s *sock) Connect(ctx context.Context, addr netip.AddrPort) error {
	var sa sockaddr
	if addr == (netip.AddrPort{}) {
		sa.setUnspec()
	} else if err := sa.set(s, addr); err != nil {
		return err
	}
	if s.typ == socket.RAW {
		// getpeername(2) takes a peer with port 0 for none. Nothing else looks
		// at the port of a raw socket's peer.
		sa.setPort(1)
	}
	if !s.waits(0) || s.typ != socket.STREAM {
		return s.control(func(fd uintptr) error { return result(sysConnect(fd, &sa)) })
	}
	// A call of connect(2) while the attempt is under way gives EALREADY, and
	// once it has ended its result, as the call that blocks would have.
	var e syscall.Errno
	ended := func(fd uintptr) bool {
		e = sysConnect(fd, &sa)
		return e != syscall.EINPROGRESS && e != syscall.EALREADY && e != syscall.EINTR
	}
	err := s.writing.Await(ctx, &s.life.closed, func() error { return s.raw.Write(ended) })
	if err != nil {
		return err
	}
	return result(e)
}
