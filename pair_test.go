package berth_test

import (
	"net/netip"
	"testing"

	"example.com/berth"
	"example.com/berth/link"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// Addresses of the two hosts that most tests have.
var (
	alice4 = netip.MustParseAddr("10.0.0.1")
	bob4   = netip.MustParseAddr("10.0.0.2")
	alice6 = netip.MustParseAddr("fd00::1")
	bob6   = netip.MustParseAddr("fd00::2")
)

// pair returns two hosts joined by a wire, alice and bob.
func pair(t testing.TB, opts ...wire.Option) (alice, bob *berth.Host) {
	t.Helper()
	return pairWith(t, berth.Config{}, nil, opts...)
}

// pairWith is pair with a configuration for both hosts, and with wrap, if not
// nil, around alice's device.
func pairWith(t testing.TB, cfg berth.Config, wrap func(link.Device) link.Device, opts ...wire.Option) (alice, bob *berth.Host) {
	t.Helper()
	a, b := wire.Pair(opts...)
	var dev link.Device = a
	if wrap != nil {
		dev = wrap(a)
	}
	cfg.Name = "alice"
	alice = hostOn(t, cfg, dev, "10.0.0.1/24", "fd00::1/64")
	cfg.Name = "bob"
	bob = hostOn(t, cfg, b, "10.0.0.2/24", "fd00::2/64")
	return alice, bob
}

// hostOn returns a host attached to a device. It is closed when the test ends.
func hostOn(t testing.TB, cfg berth.Config, dev link.Device, prefixes ...string) *berth.Host {
	t.Helper()
	h := berth.NewHost(cfg)
	if _, err := h.Attach(dev, prefixes...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// newSocket makes a socket that is closed when the test ends.
func newSocket(t testing.TB, p socket.Provider, d socket.Domain, typ socket.Type, proto socket.Protocol) socket.Socket {
	t.Helper()
	s, err := p.Socket(d, typ, proto)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func domainOf(a netip.Addr) socket.Domain {
	if a.Is4() {
		return socket.INET
	}
	return socket.INET6
}

// connected returns the two ends of a connection from one host to another's
// address: the one that connected and the one that was accepted.
func connected(t testing.TB, from, to *berth.Host, addr netip.Addr) (client, server socket.Socket) {
	t.Helper()
	l := newSocket(t, to, domainOf(addr), socket.STREAM, 0)
	if err := l.Bind(netip.AddrPortFrom(addr, 0)); err != nil {
		t.Fatal(err)
	}
	if err := l.Listen(8); err != nil {
		t.Fatal(err)
	}
	client = newSocket(t, from, domainOf(addr), socket.STREAM, 0)
	if err := client.Connect(t.Context(), l.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	server, _, err := l.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	l.Close()
	return client, server
}
