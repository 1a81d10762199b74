package netconn

import (
	"context"
	"net"
	"net/netip"
	"time"

	"example.com/berth/socket"
)

// ListenConfig has the options of listening. All but Provider may be left
// zero.
type ListenConfig struct {
	// Provider makes the sockets.
	Provider socket.Provider
	// Control is called with the socket before it is bound.
	Control ControlFunc
	// Backlog is the most connections that wait to be accepted; 0 is
	// socket.SOMAXCONN.
	Backlog int
	// KeepAlive is how long accepted connections are idle before they are
	// probed: 0 is 15 seconds, a negative value probes never. It does not count
	// if KeepAliveConfig.Enable is set.
	KeepAlive time.Duration
	// KeepAliveConfig says all about probes of accepted connections.
	KeepAliveConfig net.KeepAliveConfig
	// Resolver looks up names; nil asks the Provider, if that is a Resolver.
	Resolver Resolver
}

// Listen listens on a TCP address ("tcp", "tcp4", "tcp6"), as net.Listen. The
// listener is a *TCPListener.
func Listen(p socket.Provider, network, address string) (net.Listener, error) {
	return (&ListenConfig{Provider: p}).Listen(context.Background(), network, address)
}

// ListenPacket opens an address for packets ("udp", "udp4", "udp6",
// "ip:protocol" and its like), as net.ListenPacket. It gives a *UDPConn or an
// *IPConn.
func ListenPacket(p socket.Provider, network, address string) (net.PacketConn, error) {
	return (&ListenConfig{Provider: p}).ListenPacket(context.Background(), network, address)
}

// ListenTCP is Listen with types; a nil laddr is any address and port.
func ListenTCP(p socket.Provider, network string, laddr *net.TCPAddr) (*TCPListener, error) {
	lc := ListenConfig{Provider: p}
	if laddr == nil {
		laddr = new(net.TCPAddr)
	}
	n, err := parseNetwork(network)
	if err == nil && n.kind != "tcp" {
		err = net.UnknownNetworkError(network)
	}
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: laddr, Err: err}
	}
	at, _ := n.kind.addrPort(laddr)
	return lc.listenStream(context.Background(), n, at)
}

// ListenUDP is ListenPacket with types; a nil laddr is any address and port.
func ListenUDP(p socket.Provider, network string, laddr *net.UDPAddr) (*UDPConn, error) {
	lc := ListenConfig{Provider: p}
	if laddr == nil {
		laddr = new(net.UDPAddr)
	}
	n, err := parseNetwork(network)
	if err == nil && n.kind != "udp" {
		err = net.UnknownNetworkError(network)
	}
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: laddr, Err: err}
	}
	at, _ := n.kind.addrPort(laddr)
	s, err := lc.open(context.Background(), n, at)
	if err != nil {
		return nil, err
	}
	c := new(UDPConn)
	c.of(s, &n)
	return c, nil
}

// Listen listens on a TCP address. A name is looked up, and its first address
// taken, IPv4 rather than IPv6. The context ends the look-up.
func (lc *ListenConfig) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	n, at, err := lc.resolve(ctx, network, address)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	if n.kind != "tcp" {
		return nil, &net.OpError{
			Op: "listen", Net: network, Addr: n.kind.netAddr(at),
			Err: &net.AddrError{Err: "unexpected address type", Addr: address},
		}
	}
	l, err := lc.listenStream(ctx, n, at)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// ListenPacket opens an address for packets.
func (lc *ListenConfig) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	n, at, err := lc.resolve(ctx, network, address)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	if n.kind == "tcp" {
		return nil, &net.OpError{
			Op: "listen", Net: network, Addr: n.kind.netAddr(at),
			Err: &net.AddrError{Err: "unexpected address type", Addr: address},
		}
	}
	s, err := lc.open(ctx, n, at)
	if err != nil {
		return nil, err
	}
	if n.kind == "udp" {
		c := new(UDPConn)
		c.of(s, &n)
		return c, nil
	}
	c := new(IPConn)
	c.of(s, &n)
	return c, nil
}

func (lc *ListenConfig) listenStream(ctx context.Context, n network, at netip.AddrPort) (*TCPListener, error) {
	s, err := lc.open(ctx, n, at)
	if err != nil {
		return nil, err
	}
	setStreamDefaults(s, lc.KeepAlive, lc.KeepAliveConfig)
	return &TCPListener{s: s, network: n.name, addr: n.kind.netAddr(s.LocalAddr())}, nil
}

func (lc *ListenConfig) open(ctx context.Context, n network, at netip.AddrPort) (socket.Socket, error) {
	o := opening{provider: lc.Provider, network: n, local: at, control: lc.Control, backlog: lc.Backlog}
	if o.backlog == 0 {
		o.backlog = socket.SOMAXCONN
	}
	s, err := o.open(ctx)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: n.name, Addr: n.kind.netAddr(at), Err: err}
	}
	return s, nil
}

func (lc *ListenConfig) resolve(ctx context.Context, network, address string) (network, netip.AddrPort, error) {
	q := query{provider: lc.Provider, resolver: lc.Resolver, address: address}
	list, err := q.resolve(ctx, network)
	if err != nil {
		return q.network, netip.AddrPort{}, err
	}
	for _, a := range list {
		if a.Addr().Is4() {
			return q.network, a, nil
		}
	}
	return q.network, list[0], nil
}
