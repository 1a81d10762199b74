package berth

import (
	"net/netip"
	"sync"
	"syscall"

	"example.com/berth/internal/lean"
	"example.com/berth/internal/port"
	"example.com/berth/socket"
)

// sock is what every socket of a host is made of, whatever its type.
//
// Its lock, mu, guards all that follows it and all fields of the type that
// embeds it, the TCP machine included. Nobody who holds it calls into a device,
// into another socket, or waits, except on the condition variables of this
// socket.
type sock struct {
	_ lean.Incomparable

	host     *Host
	domain   socket.Domain
	typ      socket.Type
	protocol socket.Protocol

	mu       sync.Mutex
	readers  waiters
	writers  waiters
	polls    *watch // one for each Poll that waits for this socket
	closed   bool   // by the user: calls give EBADF
	counted  bool   // among Host.open
	nonblock bool
	bound    bool          // has a local port (or, raw, an address)
	posted   bool          // with a Scheduler: a turn to send has been asked for
	woken    socket.Events // with a Scheduler: what callers are to be woken for after this turn
	place    listPlace     // in Host.sockets, whose lock guards it
	actor    *string       // see Host.As

	// local and remote are the ends, IPv4 addresses in their 4-byte form. The
	// remote one is valid on a connected socket.
	local, remote netip.AddrPort

	binding port.Binding
	ip      *ipOptions // shared: see ownIP
}

// endpoint is a socket of a berth host as Poll and the host see it.
type endpoint interface {
	socket.Socket
	base() *sock
	// events is what poll(2) would report now.
	events() socket.Events
	// describe is the socket's row in the table of all sockets.
	describe() SocketInfo
	// abort ends the socket when the host is closed.
	abort(err error)
}

func (s *sock) init(h *Host, domain socket.Domain, typ socket.Type, protocol socket.Protocol) {
	s.host, s.domain, s.typ, s.protocol = h, domain, typ, protocol
	s.ip = &defaultIPOptions
	s.local = netip.AddrPortFrom(s.anyAddr(), 0)
}

func (s *sock) base() *sock { return s }

// anyAddr is the unspecified address of the socket's domain.
func (s *sock) anyAddr() netip.Addr {
	if s.domain == socket.INET {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// LocalAddr is getsockname(2).
func (s *sock) LocalAddr() netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.show(s.local)
}

// PeerAddr is getpeername(2) of a datagram or raw socket.
func (s *sock) PeerAddr() (netip.AddrPort, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return netip.AddrPort{}, syscall.EBADF
	}
	if !s.remote.IsValid() {
		return netip.AddrPort{}, syscall.ENOTCONN
	}
	return s.show(s.remote), nil
}

// show gives an address the form that a socket of this domain shows: IPv4
// appears mapped on an INET6 socket.
func (s *sock) show(a netip.AddrPort) netip.AddrPort { return shown(s.domain, a) }

func shown(domain socket.Domain, a netip.AddrPort) netip.AddrPort {
	if domain == socket.INET6 && a.Addr().Is4() {
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
	}
	return a
}

// take checks an address that a caller gave and gives it the form used inside:
// IPv4 in 4 bytes, a zone that names an interface of this host by its name, and
// for the zero Addr the unspecified address. An IPv4 address on an INET6 socket
// is meant as a mapped one.
func (s *sock) take(a netip.AddrPort) (netip.AddrPort, error) {
	addr := a.Addr()
	if !addr.IsValid() {
		addr = s.anyAddr()
	}
	if s.domain == socket.INET && !addr.Is4() {
		return a, syscall.EAFNOSUPPORT
	}
	addr = addr.Unmap()
	if s.domain == socket.INET6 && s.ip.v6only && addr.Is4() {
		return a, syscall.ENETUNREACH
	}
	if zone := addr.Zone(); zone != "" {
		ifc := s.host.interfaceByZone(zone)
		if ifc == nil {
			return a, syscall.ENODEV
		}
		if !needsZone(addr) {
			addr = addr.WithZone("")
		} else {
			addr = addr.WithZone(ifc.name)
		}
	}
	return netip.AddrPortFrom(addr, a.Port()), nil
}

// needsZone tells whether an address has a meaning on one link only
// (RFC 4007 section 6).
func needsZone(a netip.Addr) bool {
	return a.IsLinkLocalUnicast() && a.Is6() || a.IsLinkLocalMulticast() && a.Is6() || a.IsInterfaceLocalMulticast()
}

// lacksZone tells whether a peer's address has no meaning without a zone, and
// neither it nor the socket names one.
func (s *sock) lacksZone(a netip.Addr) bool {
	return a.IsLinkLocalUnicast() && a.Is6() && a.Zone() == "" && s.ip.device == 0 && s.local.Addr().Zone() == ""
}

// takeBind is take for an address to bind to, which has to be one of this host.
func (s *sock) takeBind(a netip.AddrPort) (netip.AddrPort, error) {
	if s.domain == socket.INET6 && (a.Addr().Is4() || a.Addr().Is4In6() && s.ip.v6only) {
		return a, syscall.EINVAL
	}
	local, err := s.take(a)
	if err != nil {
		return local, err
	}
	if s.typ == socket.STREAM && local.Addr().Is6() && local.Addr().IsMulticast() {
		return local, syscall.EINVAL
	}
	if local.Addr().Is4() && local.Addr().IsUnspecified() && s.domain == socket.INET6 {
		// ::ffff:0.0.0.0: all of IPv4, and nothing of IPv6.
		return local, nil
	}
	return local, s.checkBindAddr(local.Addr())
}

// checkBindAddr tells whether a socket may be bound to an address of this host:
// EADDRNOTAVAIL if it is not one.
func (s *sock) checkBindAddr(a netip.Addr) error {
	switch {
	case a.IsUnspecified(), a.IsMulticast(), s.ip.freebind, s.ip.transparent:
		return nil
	case a.Is6() && a.IsLinkLocalUnicast() && a.Zone() == "":
		if s.ip.device == 0 {
			return syscall.EINVAL
		}
		a = a.WithZone(s.host.interfaceByIndex(s.ip.device).name)
	}
	if !s.host.isBindable(a) {
		return syscall.EADDRNOTAVAIL
	}
	return nil
}
