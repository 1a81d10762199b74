package netconn

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/berth/socket"
)

// bare is a provider that has no sockets, or those of one family only.
type bare struct {
	has   socket.Domain
	asked []socket.Domain
}

var errGranted = errors.New("granted")

func (p *bare) Socket(d socket.Domain, _ socket.Type, _ socket.Protocol) (socket.Socket, error) {
	p.asked = append(p.asked, d)
	if d == p.has {
		return nil, errGranted
	}
	return nil, syscall.EAFNOSUPPORT
}

func (*bare) Poll(context.Context, []socket.PollFD, time.Duration) (int, error) { return 0, nil }

func TestDomain(t *testing.T) {
	for _, tt := range []struct {
		network, local, remote string // "" is none
		want                   []socket.Domain
	}{
		{"tcp", "", "", []socket.Domain{socket.INET6, socket.INET}},
		{"tcp", "0.0.0.0", "", []socket.Domain{socket.INET6, socket.INET}},
		{"udp", "::", "", []socket.Domain{socket.INET6, socket.INET}},
		{"tcp4", "", "", []socket.Domain{socket.INET}},
		{"tcp6", "", "", []socket.Domain{socket.INET6}},
		{"tcp", "10.0.0.1", "", []socket.Domain{socket.INET}},
		{"tcp", "2001:db8::1", "", []socket.Domain{socket.INET6}},
		{"udp", "", "10.0.0.1", []socket.Domain{socket.INET}},
		{"udp", "", "2001:db8::1", []socket.Domain{socket.INET6}},
		{"udp", "::", "10.0.0.1", []socket.Domain{socket.INET6}},
		{"ip:1", "", "", []socket.Domain{socket.INET}},
		{"ip6:58", "", "", []socket.Domain{socket.INET6}},
	} {
		p := &bare{}
		o := opening{provider: p}
		var err error
		if o.network, err = parseNetwork(tt.network); err != nil {
			t.Fatal(err)
		}
		if tt.local != "" {
			o.local = netip.AddrPortFrom(netip.MustParseAddr(tt.local), 1)
		}
		if tt.remote != "" {
			o.remote = netip.AddrPortFrom(netip.MustParseAddr(tt.remote), 1)
		}
		if _, err := o.open(t.Context()); !errors.Is(err, syscall.EAFNOSUPPORT) || !slices.Equal(p.asked, tt.want) {
			t.Errorf("%s from %q to %q: asked for %v, %v; want %v", tt.network, tt.local, tt.remote, p.asked, err, tt.want)
		}
	}
}

func TestListenWithoutIPv6(t *testing.T) {
	if _, err := Listen(&bare{has: socket.INET}, "tcp", ":80"); !errors.Is(err, errGranted) {
		t.Errorf("%v", err)
	}
}

func TestFit(t *testing.T) {
	for _, tt := range []struct {
		domain socket.Domain
		addr   string // "" is none
		want   string // "" is an error
	}{
		{socket.INET, "", "0.0.0.0"},
		{socket.INET, "10.0.0.1", "10.0.0.1"},
		{socket.INET, "::ffff:10.0.0.1", "10.0.0.1"},
		{socket.INET, "::", ""},
		{socket.INET, "2001:db8::1", ""},
		{socket.INET6, "", "::"},
		{socket.INET6, "0.0.0.0", "::"},
		{socket.INET6, "10.0.0.1", "::ffff:10.0.0.1"},
		{socket.INET6, "fe80::1%eth0", "fe80::1%eth0"},
	} {
		var a netip.Addr
		if tt.addr != "" {
			a = netip.MustParseAddr(tt.addr)
		}
		got, err := fit(tt.domain, netip.AddrPortFrom(a, 7))
		if (err == nil) != (tt.want != "") || err == nil && (got.Addr().String() != tt.want || got.Port() != 7) {
			t.Errorf("%v, %q: %v, %v; want %q", tt.domain, tt.addr, got, err, tt.want)
		}
	}
}

func TestZonesSurvive(t *testing.T) {
	a := netip.MustParseAddrPort("[fe80::1%eth0]:7")
	for _, k := range []kind{"tcp", "udp", "ip"} {
		want := a
		if k == "ip" {
			want = netip.AddrPortFrom(a.Addr(), 0)
		}
		if got, ok := k.addrPort(k.netAddr(a)); !ok || got != want {
			t.Errorf("%s: %v, want %v", k, got, want)
		}
		if _, ok := k.addrPort(&net.UnixAddr{}); ok {
			t.Errorf("%s: took a Unix address", k)
		}
	}
	if got, ok := kind("ip").addrPort((*net.IPAddr)(nil)); !ok || got.IsValid() {
		t.Errorf("a nil address: %v, %v", got, ok)
	}
}

func TestNoResolver(t *testing.T) {
	_, err := Dial(&bare{}, "tcp", "example.com:80")
	if d, ok := errors.AsType[*net.DNSError](err); !ok || !d.IsNotFound {
		t.Errorf("%v", err)
	}
}

// resolving is a provider that knows names itself.
type resolving struct {
	bare
	addrs []netip.Addr
	err   error
}

func (p *resolving) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	if network != "ip4" || host != "name" {
		return nil, errors.New("asked for " + host)
	}
	return p.addrs, p.err
}

func TestTheProviderMayBeTheResolver(t *testing.T) {
	p := &resolving{addrs: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}
	p.has = socket.INET
	if _, err := Dial(p, "tcp4", "name:80"); !errors.Is(err, errGranted) {
		t.Errorf("%v", err)
	}
	p.err = errors.New("broken")
	_, err := Dial(p, "tcp4", "name:80")
	if d, ok := errors.AsType[*net.DNSError](err); !ok || d.Err != "broken" || d.Name != "name" {
		t.Errorf("%v", err)
	}
	p.addrs, p.err = []netip.Addr{netip.IPv6Loopback()}, nil
	if _, err := Dial(p, "tcp4", "name:80"); err == nil || !strings.Contains(err.Error(), noSuitableAddress) {
		t.Errorf("%v", err)
	}
}

func TestListenConfigTakesIPv4OfSeveral(t *testing.T) {
	p := &resolving{addrs: []netip.Addr{netip.IPv6Loopback(), netip.MustParseAddr("10.0.0.1")}}
	lc := ListenConfig{Provider: p, Resolver: resolverFunc(func() []netip.Addr { return p.addrs })}
	p.has = socket.INET
	if _, err := lc.Listen(t.Context(), "tcp", "name:80"); !errors.Is(err, errGranted) {
		t.Errorf("%v", err)
	}
}

type resolverFunc func() []netip.Addr

func (f resolverFunc) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return f(), nil
}

func TestZeroConnections(t *testing.T) {
	for _, c := range []net.Conn{&TCPConn{}, &UDPConn{}, &IPConn{}} {
		for _, err := range []error{
			second(c.Read(nil)), second(c.Write(nil)), c.Close(),
			c.SetDeadline(time.Time{}), c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{}),
		} {
			if err != syscall.EINVAL {
				t.Errorf("%T: %v", c, err)
			}
		}
		if c.LocalAddr() != nil || c.RemoteAddr() != nil {
			t.Errorf("%T has addresses", c)
		}
	}
	tcp, udp, ip := &TCPConn{}, &UDPConn{}, &IPConn{}
	for i, err := range []error{
		tcp.CloseRead(), tcp.CloseWrite(), tcp.SetLinger(0), tcp.SetNoDelay(true), tcp.SetReadBuffer(1),
		second(tcp.ReadFrom(nil)), second(tcp.WriteTo(nil)),
		second(udp.WriteTo(nil, nil)), second(udp.WriteToUDP(nil, nil)), second(udp.WriteToUDPAddrPort(nil, netip.AddrPort{})),
		second(udp.ReadMsg(nil, 0)), second(udp.WriteMsg(nil, 0)), second(ip.WriteTo(nil, nil)),
		new(TCPListener).Close(), new(TCPListener).SetDeadline(time.Time{}), second(new(TCPListener).Accept()),
	} {
		if err != syscall.EINVAL {
			t.Errorf("%d: %v", i, err)
		}
	}
	if _, _, err := udp.ReadFrom(nil); err != syscall.EINVAL {
		t.Errorf("UDP ReadFrom: %v", err)
	}
	if _, _, err := ip.ReadFrom(nil); err != syscall.EINVAL {
		t.Errorf("IP ReadFrom: %v", err)
	}
	if (*conn)(nil).Socket() != nil {
		t.Error("a nil connection has a socket")
	}
}

func second(_ any, err error) error { return err }

func TestTypedFunctionsRefuseOtherNetworks(t *testing.T) {
	for _, network := range []string{"udp", "nonsense"} {
		if _, err := ListenTCP(&bare{}, network, nil); !errors.Is(err, net.UnknownNetworkError(network)) {
			t.Errorf("ListenTCP %s: %v", network, err)
		}
	}
	for _, network := range []string{"tcp", "nonsense"} {
		if _, err := ListenUDP(&bare{}, network, nil); !errors.Is(err, net.UnknownNetworkError(network)) {
			t.Errorf("ListenUDP %s: %v", network, err)
		}
	}
}

func TestParseProtocol(t *testing.T) {
	for s, want := range map[string]socket.Protocol{"1": 1, "255": 255, "icmp": 1, "IPv6-ICMP": 58, "sctp": 132} {
		if got, err := parseProtocol(s); err != nil || got != want {
			t.Errorf("%s: %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "256", "-1", "nonsense"} {
		if _, err := parseProtocol(s); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}

func TestStripIPv4(t *testing.T) {
	packet := func(ihl byte, n int) []byte {
		b := make([]byte, n)
		b[0] = 4<<4 | ihl
		b[n-1] = 'x'
		return b
	}
	for _, tt := range []struct {
		b    []byte
		n    int
		want int
	}{
		{packet(5, 21), 21, 1},
		{packet(6, 30), 30, 6},
		{packet(5, 20), 20, 0},
		{packet(4, 30), 30, 30}, // no such header
		{packet(15, 30), 30, 30},
		{packet(5, 10), 10, 10},
		{packet(5, 21), 40, 40}, // cut
	} {
		if got := stripIPv4(tt.b, tt.n); got != tt.want {
			t.Errorf("%x: %d, want %d", tt.b, got, tt.want)
		}
	}
}
