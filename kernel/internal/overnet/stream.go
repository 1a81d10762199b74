package overnet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"

	"example.com/berth/socket"
)

// stream is a TCP socket.
type stream struct{ *base }

var _ socket.Socket = (*stream)(nil)

func (s *stream) Bind(addr netip.AddrPort) error { return s.bind(addr) }

// Listen listens with the backlog that package net chooses.
func (s *stream) Listen(int) error {
	if s.closed.Load() {
		return syscall.EBADF
	}
	switch s.current().(type) {
	case *net.TCPListener:
		return nil
	case *net.TCPConn:
		return syscall.EINVAL
	}
	ln, err := net.ListenTCP(s.network(), net.TCPAddrFromAddrPort(s.LocalAddr()))
	if err != nil {
		return errno(err)
	}
	return s.become(ln, ln.Addr())
}

func (s *stream) Accept(ctx context.Context) (socket.Socket, netip.AddrPort, error) {
	if s.closed.Load() {
		return nil, netip.AddrPort{}, syscall.EBADF
	}
	ln, ok := s.current().(*net.TCPListener)
	if !ok {
		return nil, netip.AddrPort{}, syscall.EINVAL
	}
	var c *net.TCPConn
	err := s.reading.Await(ctx, &s.closed, func() (err error) {
		c, err = ln.AcceptTCP()
		return err
	})
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	a := &stream{newBase(s.domain, socket.STREAM)}
	if err := a.become(c, c.LocalAddr()); err != nil {
		return nil, netip.AddrPort{}, err
	}
	return a, s.fromNet(c.RemoteAddr()), nil
}

// Connect differs from the contract in that an attempt that is given up does
// not go on by itself.
func (s *stream) Connect(ctx context.Context, addr netip.AddrPort) error {
	if s.closed.Load() {
		return syscall.EBADF
	}
	if s.current() != nil {
		return syscall.EISCONN
	}
	if err := s.suits(addr.Addr()); err != nil {
		return err
	}
	d := net.Dialer{Deadline: s.writing.Deadline(), FallbackDelay: -1, KeepAlive: -1}
	s.mu.Lock()
	if s.bound {
		d.LocalAddr = net.TCPAddrFromAddrPort(unmapped(s.local))
	}
	s.mu.Unlock()
	c, err := d.DialContext(ctx, s.network(), unmapped(addr).String())
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return os.ErrDeadlineExceeded
	default:
		return errno(err)
	}
	return s.become(c.(*net.TCPConn), c.LocalAddr())
}

func unmapped(ap netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// connection is the connection that the socket has become.
func (s *stream) connection(otherwise error) (*net.TCPConn, error) {
	if s.closed.Load() {
		return nil, syscall.EBADF
	}
	if c, ok := s.current().(*net.TCPConn); ok {
		return c, nil
	}
	return nil, otherwise
}

func (s *stream) Send(b []byte, flags socket.Flags) (n int, err error) {
	c, err := s.connection(syscall.EPIPE)
	if err != nil {
		return 0, err
	}
	if flags&^socket.MSG_NOSIGNAL != 0 {
		return 0, syscall.ENOTSUP
	}
	err = s.writing.Await(context.Background(), &s.closed, func() error {
		m, err := c.Write(b[n:])
		n += m
		return err
	})
	return n, err
}

func (s *stream) SendTo(b []byte, flags socket.Flags, _ netip.AddrPort) (int, error) {
	return s.Send(b, flags)
}

func (s *stream) SendMsg(m *socket.Message, flags socket.Flags) (n int, err error) {
	if m.Control.Present != 0 {
		return 0, syscall.ENOTSUP
	}
	for _, b := range m.Buffers {
		k, err := s.Send(b, flags)
		if n += k; err != nil {
			return n, err
		}
	}
	return n, nil
}

func (s *stream) Recv(b []byte, flags socket.Flags) (n int, err error) {
	c, err := s.connection(syscall.ENOTCONN)
	if err != nil {
		return 0, err
	}
	if flags&^(socket.MSG_NOSIGNAL|socket.MSG_WAITALL) != 0 {
		return 0, syscall.ENOTSUP
	}
	enough := min(1, len(b))
	if flags&socket.MSG_WAITALL != 0 {
		enough = len(b)
	}
	err = s.reading.Await(context.Background(), &s.closed, func() error {
		m, err := io.ReadAtLeast(c, b[n:], enough-n)
		n += m
		return endOfStream(err)
	})
	return n, err
}

func (s *stream) RecvFrom(b []byte, flags socket.Flags) (int, netip.AddrPort, error) {
	n, err := s.Recv(b, flags)
	return n, netip.AddrPort{}, err
}

func (s *stream) RecvMsg(m *socket.Message, flags socket.Flags) (int, error) {
	var first []byte
	for _, b := range m.Buffers {
		if len(b) > 0 {
			first = b
			break
		}
	}
	m.Addr, m.Control, m.Flags = netip.AddrPort{}, socket.Control{}, 0
	return s.Recv(first, flags)
}

// AtMark is ENOTSUP: package net knows nothing of urgent data.
func (s *stream) AtMark() (bool, error) { return false, syscall.ENOTSUP }

func (s *stream) Shutdown(how socket.How) error {
	if how < socket.SHUT_RD || how > socket.SHUT_RDWR {
		return syscall.EINVAL
	}
	c, err := s.connection(syscall.ENOTCONN)
	if err != nil {
		return err
	}
	if how != socket.SHUT_WR {
		err = c.CloseRead()
	}
	if how != socket.SHUT_RD {
		err = c.CloseWrite()
	}
	return errno(err)
}
