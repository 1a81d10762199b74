package netconn

import (
	"context"
	"net/netip"
	"os"
	"syscall"

	"example.com/berth/socket"
)

// ControlFunc is called with a new socket before it is bound or connected, to
// set options that have no method here. Network and address are as in
// net.Dialer.Control: "tcp4" or "tcp6" where "tcp" was asked for. An error ends
// the Dial or Listen.
type ControlFunc func(ctx context.Context, network, address string, s socket.Socket) error

// opening is a socket to be made.
type opening struct {
	provider socket.Provider
	network  network
	local    netip.AddrPort
	remote   netip.AddrPort // with a valid address: connect there
	control  ControlFunc
	backlog  int // of a stream listener
}

// open makes the socket, sets what package net sets by default, binds it, and
// connects it or makes it listen. Errors are ready for a net.OpError.
func (o *opening) open(ctx context.Context) (socket.Socket, error) {
	s, domain, err := o.socket()
	if err != nil {
		return nil, cause("socket", err)
	}
	if err := o.prepare(ctx, s, domain); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// socket makes the socket. Where both families will do and the provider has
// only IPv4, it makes one for that.
func (o *opening) socket() (socket.Socket, socket.Domain, error) {
	domain, orIPv4 := o.domain()
	s, err := o.provider.Socket(domain, o.network.typ, o.network.protocol)
	if err == syscall.EAFNOSUPPORT && orIPv4 {
		domain = socket.INET
		s, err = o.provider.Socket(domain, o.network.typ, o.network.protocol)
	}
	if err != nil {
		return nil, 0, err
	}
	if domain == socket.INET6 && o.network.typ != socket.RAW {
		only6 := 0
		if o.network.family == '6' {
			only6 = 1
		}
		if err := byDefault(s, socket.IPV6_V6ONLY, only6); err != nil {
			s.Close()
			return nil, 0, os.NewSyscallError("setsockopt", err)
		}
	}
	return s, domain, nil
}

// domain is the family to open: that of the addresses, or both where a listener
// takes any address.
func (o *opening) domain() (d socket.Domain, orIPv4 bool) {
	local, remote := o.local.Addr(), o.remote.Addr()
	switch {
	case o.network.family == '4':
		return socket.INET, false
	case o.network.family == '6':
		return socket.INET6, false
	case !remote.IsValid() && isWildcard(local) && o.network.kind != "ip":
		return socket.INET6, true
	case is4orNone(local) && is4orNone(remote):
		return socket.INET, false
	}
	return socket.INET6, false
}

func is4orNone(a netip.Addr) bool { return !a.IsValid() || a.Unmap().Is4() }

func (o *opening) prepare(ctx context.Context, s socket.Socket, domain socket.Domain) error {
	listens := !o.remote.Addr().IsValid()
	if o.network.kind != "tcp" {
		if err := byDefault(s, socket.SO_BROADCAST, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	} else if listens {
		if err := byDefault(s, socket.SO_REUSEADDR, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	local, err := fit(domain, o.local)
	if err != nil {
		return err
	}
	if err := o.callControl(ctx, s, domain); err != nil {
		return err
	}
	if listens || o.local.IsValid() || o.local.Port() != 0 {
		if err := s.Bind(local); err != nil {
			return cause("bind", err)
		}
	}
	switch {
	case !listens:
		return o.connect(ctx, s, domain)
	case o.network.kind == "tcp":
		return listenErr(s.Listen(o.backlog))
	}
	return nil
}

func (o *opening) callControl(ctx context.Context, s socket.Socket, domain socket.Domain) error {
	if o.control == nil {
		return nil
	}
	at := o.local
	if o.remote.Addr().IsValid() {
		at = o.remote
	}
	return o.control(ctx, o.network.control(domain), o.network.kind.netAddr(at).String(), s)
}

func (o *opening) connect(ctx context.Context, s socket.Socket, domain socket.Domain) error {
	remote, err := fit(domain, o.remote)
	if err != nil {
		return err
	}
	if remote.Addr().IsUnspecified() {
		remote = netip.AddrPortFrom(loopback(domain), remote.Port())
	}
	if err := s.Connect(ctx, remote); err != nil {
		return cause("connect", err)
	}
	return nil
}

// loopback is where a connection to no address in particular goes.
func loopback(d socket.Domain) netip.Addr {
	if d == socket.INET6 {
		return netip.IPv6Loopback()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

func listenErr(err error) error {
	if err != nil {
		return cause("listen", err)
	}
	return nil
}

// byDefault sets an option that a provider may do without.
func byDefault[T any](s socket.Socket, o socket.Option[T], value T) error {
	err := socket.Set(s, o, value)
	if err == syscall.ENOTSUP || err == syscall.EOPNOTSUPP || err == syscall.ENOPROTOOPT {
		return nil
	}
	return err
}
