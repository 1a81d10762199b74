package netconn

import (
	"context"
	"net"
	"net/netip"
	"time"

	"example.com/berth/socket"
)

// A Dialer has the options of connecting. All but Provider may be left zero.
// Its methods may be called from several goroutines at once.
type Dialer struct {
	// Provider makes the sockets.
	Provider socket.Provider
	// Timeout is the most that a dial takes, the look-up of names included; 0
	// is no limit but TCP's own.
	Timeout time.Duration
	// Deadline is when a dial ends at the latest; the zero time is never.
	Deadline time.Time
	// LocalAddr is the address to connect from, of the network's type; nil
	// leaves the choice to the provider.
	LocalAddr net.Addr
	// FallbackDelay is how long the addresses of the first family are tried
	// before those of the other join in (RFC 8305): 0 is 300 ms, a negative
	// value tries one after the other.
	FallbackDelay time.Duration
	// KeepAlive is how long the connection is idle before it is probed: 0 is 15
	// seconds, a negative value probes never. It does not count if
	// KeepAliveConfig.Enable is set.
	KeepAlive time.Duration
	// KeepAliveConfig says all about probes.
	KeepAliveConfig net.KeepAliveConfig
	// Resolver looks up names; nil asks the Provider, if that is a Resolver.
	Resolver Resolver
	// Control is called with each socket before it is bound and connected.
	Control ControlFunc
}

// Dial connects to an address, as net.Dial: "tcp", "udp" and "ip:protocol",
// with 4 or 6 appended for one family only. The connection is a *TCPConn,
// *UDPConn or *IPConn.
func Dial(p socket.Provider, network, address string) (net.Conn, error) {
	return (&Dialer{Provider: p}).Dial(network, address)
}

// DialTimeout is Dial with a time-out, names included.
func DialTimeout(p socket.Provider, network, address string, timeout time.Duration) (net.Conn, error) {
	return (&Dialer{Provider: p, Timeout: timeout}).Dial(network, address)
}

// Dial is DialContext without a context.
func (d *Dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialContext connects to an address. When the context ends before there is a
// connection, so does the dial; afterwards it has no meaning.
//
// Where a name has several addresses they are tried one after the other, each
// with its share of the time that is left, and with network "tcp" those of the
// two families side by side.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := d.limit(ctx)
	defer cancel()
	q := query{provider: d.Provider, resolver: d.Resolver, address: address, local: d.LocalAddr, dial: true}
	if to, ok := q.literal(network); ok {
		a := attempt{Dialer: *d, network: q.network}
		return a.serial(ctx, []netip.AddrPort{to})
	}
	list, err := q.resolve(ctx, network)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	a := attempt{Dialer: *d, network: q.network}
	if network != "tcp" || d.FallbackDelay < 0 {
		return a.serial(ctx, list)
	}
	first, second := partition(list)
	return a.race(ctx, first, second)
}

// limit puts the earliest end into the context.
func (d *Dialer) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	end := d.Deadline
	if d.Timeout != 0 {
		if t := time.Now().Add(d.Timeout); end.IsZero() || t.Before(end) {
			end = t
		}
	}
	if end.IsZero() {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, end)
}

// attempt is a dial whose addresses are known.
type attempt struct {
	Dialer
	network network
}

func (a *attempt) opError(to netip.AddrPort, err error) error {
	return &net.OpError{
		Op: "dial", Net: a.network.name, Source: a.LocalAddr, Addr: a.network.kind.netAddr(to), Err: err,
	}
}

// serial tries addresses in turn. If none will do, the first one's error says
// why.
func (a *attempt) serial(ctx context.Context, list []netip.AddrPort) (net.Conn, error) {
	var first error
	for i, to := range list {
		if err := ctx.Err(); err != nil {
			return nil, a.opError(to, cause("", err))
		}
		c, err := a.share(ctx, to, len(list)-i)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// shortest is the least time that is worth giving to an address.
const shortest = 2 * time.Second

// share tries one address with its share of the time left for several.
func (a *attempt) share(ctx context.Context, to netip.AddrPort, of int) (net.Conn, error) {
	if end, ok := ctx.Deadline(); ok {
		left := time.Until(end)
		share := min(left, max(left/time.Duration(of), shortest))
		if share < left {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, share)
			defer cancel()
		}
	}
	c, err := a.one(ctx, to)
	if err != nil {
		return nil, a.opError(to, err)
	}
	return c, nil
}

// one tries one address.
func (a *attempt) one(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	o := opening{provider: a.Provider, network: a.network, remote: to, control: a.Control}
	if !to.Addr().IsValid() { // the local system
		o.remote = netip.AddrPortFrom(loopback(socket.INET), to.Port())
		if a.network.family == '6' {
			o.remote = netip.AddrPortFrom(loopback(socket.INET6), to.Port())
		}
	}
	if a.LocalAddr != nil {
		o.local, _ = a.network.kind.addrPort(a.LocalAddr)
	}
	s, err := o.open(ctx)
	for range 2 {
		if err != nil || !connectedToItself(s, &o) {
			break
		}
		s.Close()
		s, err = o.open(ctx)
	}
	if err != nil {
		return nil, err
	}
	switch a.network.kind {
	case "udp":
		c := new(UDPConn)
		c.of(s, &a.network)
		return c, nil
	case "ip":
		c := new(IPConn)
		c.of(s, &a.network)
		return c, nil
	}
	setStreamDefaults(s, a.KeepAlive, a.KeepAliveConfig)
	c := new(TCPConn)
	c.of(s, &a.network)
	return c, nil
}

// connectedToItself tells whether a connection to an ephemeral port of this
// host that nobody listens on was given that very port, and met itself
// (simultaneous open, RFC 9293 section 3.5).
func connectedToItself(s socket.Socket, o *opening) bool {
	if o.network.kind != "tcp" || o.local.Port() != 0 {
		return false
	}
	peer, err := s.PeerAddr()
	return err == nil && peer == s.LocalAddr()
}
