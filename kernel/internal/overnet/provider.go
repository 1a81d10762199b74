package overnet

import (
	"context"
	"syscall"
	"time"

	"example.com/berth/socket"
)

// Provider makes sockets. The zero value is ready.
type Provider struct{ _ byte } // two Providers are not one

var _ socket.Provider = (*Provider)(nil)

// Socket makes a stream or datagram socket.
func (p *Provider) Socket(domain socket.Domain, typ socket.Type, protocol socket.Protocol) (socket.Socket, error) {
	if domain != socket.INET && domain != socket.INET6 {
		return nil, syscall.EAFNOSUPPORT
	}
	usual := map[socket.Type]socket.Protocol{
		socket.STREAM: socket.IPPROTO_TCP,
		socket.DGRAM:  socket.IPPROTO_UDP,
	}[typ]
	switch {
	case typ == socket.RAW:
		return nil, syscall.ENOTSUP
	case usual == 0:
		return nil, syscall.EINVAL
	case typ == socket.DGRAM && (protocol == socket.IPPROTO_ICMP || protocol == socket.IPPROTO_ICMPV6):
		return nil, syscall.ENOTSUP
	case protocol != 0 && protocol != usual:
		return nil, syscall.EPROTONOSUPPORT
	}
	b := newBase(domain, typ)
	if typ == socket.STREAM {
		return &stream{base: b}, nil
	}
	return &datagram{base: b}, nil
}

// Poll is ENOTSUP: package net does not tell the readiness of a socket.
func (p *Provider) Poll(context.Context, []socket.PollFD, time.Duration) (int, error) {
	return 0, syscall.ENOTSUP
}

// Close does nothing.
func (p *Provider) Close() error { return nil }
