package overnet

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

// datagram is a UDP socket.
type datagram struct{ *base }

var _ socket.Socket = (*datagram)(nil)

func (s *datagram) Bind(addr netip.AddrPort) error {
	if err := s.bind(addr); err != nil {
		return err
	}
	if err := s.open(netip.AddrPort{}); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.local, s.bound = netip.AddrPortFrom(s.wildcard(), 0), false
		return err
	}
	return nil
}

// open makes the socket anew at its address, with a peer or without.
func (s *datagram) open(peer netip.AddrPort) error {
	if c := s.current(); c != nil {
		c.Close()
	}
	local := net.UDPAddrFromAddrPort(unmapped(s.LocalAddr()))
	var c *net.UDPConn
	var err error
	if peer.IsValid() {
		if local.AddrPort().Addr().IsUnspecified() {
			local.IP = nil // let the routes choose, in the peer's family
		}
		c, err = net.DialUDP(s.network(), local, net.UDPAddrFromAddrPort(unmapped(peer)))
	} else {
		if s.LocalAddr().Addr().IsUnspecified() {
			local.IP = nil
		}
		c, err = net.ListenUDP(s.network(), local)
	}
	if err != nil {
		return errno(err)
	}
	return s.become(c, c.LocalAddr())
}

// connection is the open socket; one that has no address yet gets one.
func (s *datagram) connection() (*net.UDPConn, error) {
	if s.closed.Load() {
		return nil, syscall.EBADF
	}
	if s.current() == nil {
		if err := s.open(netip.AddrPort{}); err != nil {
			return nil, err
		}
	}
	return s.current().(*net.UDPConn), nil
}

func (s *datagram) Connect(ctx context.Context, addr netip.AddrPort) error {
	if s.closed.Load() {
		return syscall.EBADF
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if addr == (netip.AddrPort{}) {
		return s.open(addr)
	}
	if err := s.suits(addr.Addr()); err != nil {
		return err
	}
	return s.open(addr)
}

func (s *datagram) AtMark() (bool, error) { return false, syscall.ENOTTY }

func (s *datagram) Listen(int) error { return syscall.EOPNOTSUPP }

func (s *datagram) Accept(context.Context) (socket.Socket, netip.AddrPort, error) {
	return nil, netip.AddrPort{}, syscall.EOPNOTSUPP
}

func (s *datagram) Send(b []byte, flags socket.Flags) (int, error) {
	return s.SendTo(b, flags, netip.AddrPort{})
}

func (s *datagram) SendTo(b []byte, flags socket.Flags, to netip.AddrPort) (n int, err error) {
	c, err := s.connection()
	if err != nil {
		return 0, err
	}
	peer := c.RemoteAddr()
	switch {
	case flags&^socket.MSG_NOSIGNAL != 0:
		return 0, syscall.ENOTSUP
	case to == (netip.AddrPort{}) && peer == nil:
		return 0, syscall.EDESTADDRREQ
	case to != (netip.AddrPort{}) && peer != nil && s.asDomain(to) != s.fromNet(peer):
		return 0, syscall.EISCONN
	}
	err = s.writing.Await(context.Background(), &s.closed, func() error {
		if peer != nil {
			n, err = c.Write(b)
		} else {
			n, err = c.WriteToUDPAddrPort(b, s.destination(to))
		}
		return err
	})
	return n, err
}

// destination is to in the form that the open socket takes.
func (s *datagram) destination(to netip.AddrPort) netip.AddrPort {
	if s.network() == "udp" {
		return to
	}
	return unmapped(to)
}

func (s *datagram) SendMsg(m *socket.Message, flags socket.Flags) (int, error) {
	if m.Control.Present != 0 {
		return 0, syscall.ENOTSUP
	}
	var b []byte
	for _, part := range m.Buffers {
		b = append(b, part...)
	}
	return s.SendTo(b, flags, m.Addr)
}

func (s *datagram) Recv(b []byte, flags socket.Flags) (int, error) {
	n, _, err := s.RecvFrom(b, flags)
	return n, err
}

func (s *datagram) RecvFrom(b []byte, flags socket.Flags) (int, netip.AddrPort, error) {
	m := socket.Message{Buffers: [][]byte{b}}
	n, err := s.RecvMsg(&m, flags)
	return n, m.Addr, err
}

// largest is the length of the longest UDP datagram.
const largest = 65535

func (s *datagram) RecvMsg(m *socket.Message, flags socket.Flags) (n int, err error) {
	c, err := s.connection()
	if err != nil {
		return 0, err
	}
	if flags&^(socket.MSG_NOSIGNAL|socket.MSG_WAITALL) != 0 {
		return 0, syscall.ENOTSUP
	}
	// All of the datagram is read: what systems do with a short buffer differs.
	all := make([]byte, largest)
	m.Control, m.Flags = socket.Control{}, 0
	err = s.reading.Await(context.Background(), &s.closed, func() error {
		size, from, err := c.ReadFromUDPAddrPort(all)
		all, m.Addr = all[:size], s.asDomain(from)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, b := range m.Buffers {
		n += copy(b, all[n:])
	}
	if n < len(all) {
		m.Flags = socket.MSG_TRUNC
	}
	return n, nil
}

// Shutdown cannot be made on package net.
func (s *datagram) Shutdown(socket.How) error { return syscall.ENOTSUP }
