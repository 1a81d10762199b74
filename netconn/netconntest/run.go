package netconntest

import (
	"net"
	"net/netip"
	"testing"

	"example.com/berth/netconn"
	"example.com/berth/socket"
)

// A Network is two hosts that reach each other. They may be one and the same.
type Network struct {
	Client, Server socket.Provider
	// Addr4 and Addr6 are addresses of the Server. An invalid one leaves its
	// family out.
	Addr4, Addr6 netip.Addr
}

// Run runs all tests over n.
func Run(t *testing.T, n Network) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *host)
	}{
		{"Stream", testStream},
		{"Nettest", testNettest},
		{"Datagram", testDatagram},
		{"TLS", testTLS},
		{"HTTP", testHTTP},
		{"Dialer", testDialer},
		{"DNS", testDNS},
		{"IP", testIP},
		{"Allocations", testAllocations},
	} {
		t.Run(test.name, func(t *testing.T) { n.each(t, test.run) })
	}
	t.Run("Errors", func(t *testing.T) { n.each(t, testErrors) })
	if n.Addr4.IsValid() && n.Addr6.IsValid() {
		t.Run("BothFamilies", func(t *testing.T) { testBothFamilies(t, n) })
	}
}

// host is the server seen in one family.
type host struct {
	Network
	addr   netip.Addr
	suffix string // "4" or "6", for networks
}

func (n Network) each(t *testing.T, run func(*testing.T, *host)) {
	if n.Addr4.IsValid() {
		t.Run("IPv4", func(t *testing.T) { run(t, &host{n, n.Addr4, "4"}) })
	}
	if n.Addr6.IsValid() {
		t.Run("IPv6", func(t *testing.T) { run(t, &host{n, n.Addr6, "6"}) })
	}
}

// any is the server's address with port 0.
func (h *host) any() string { return net.JoinHostPort(h.addr.String(), "0") }

func (h *host) listen(t testing.TB) *netconn.TCPListener {
	t.Helper()
	l, err := netconn.Listen(h.Server, "tcp", h.any())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.(*netconn.TCPListener)
}

// pair is a connection: the client's end and the server's.
func (h *host) pair(t testing.TB) (client, server *netconn.TCPConn) {
	t.Helper()
	l := h.listen(t)
	defer l.Close()
	c, err := netconn.Dial(h.Client, "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	server, err = l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return c.(*netconn.TCPConn), server
}

// datagrams is a client connected to a server that is not.
func (h *host) datagrams(t testing.TB) (client, server *netconn.UDPConn) {
	t.Helper()
	s, err := netconn.ListenPacket(h.Server, "udp", h.any())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	c, err := netconn.Dial(h.Client, "udp", s.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*netconn.UDPConn), s.(*netconn.UDPConn)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
