package port

import (
	"math/rand/v2"
	"net/netip"
	"syscall"
	"testing"
)

// A world makes sockets: those of the table, or those of the kernel that
// judges it. The tests that both must pass know no more of them.
type world interface {
	// socket makes a socket.
	socket(k kind) sock
	// server is the address of somebody who accepts every connection: 127.0.0.1
	// or ::1.
	server(v6 bool) netip.AddrPort
}

// kind is how a socket is made.
type kind struct {
	protocol             Protocol
	v6, v6Only           bool
	reuseAddr, reusePort bool
	noPort               bool
	uid                  int32 // 0 or 1
	device               int32 // 0 none, 1 the loopback, 2 another
}

type sock interface {
	bind(netip.AddrPort) error
	listen() error
	connect(netip.AddrPort) error
	disconnect()
	// accepted is a connection that somebody made to this listener, whose
	// address is any, or to.
	accepted(to netip.Addr) sock
	// wait closes the connection, before the peer does: TIME-WAIT.
	wait()
	local() netip.AddrPort
	close()
}

// tableWorld is the table under test.
type tableWorld struct {
	*Table
	clients uint16
}

func newTableWorld() *tableWorld {
	return &tableWorld{Table: New(rand.New(rand.NewPCG(1, 2)).Uint32)}
}

func (w *tableWorld) server(v6 bool) netip.AddrPort {
	if v6 {
		return netip.MustParseAddrPort("[::1]:9")
	}
	return netip.MustParseAddrPort("127.0.0.1:9")
}

func (w *tableWorld) socket(k kind) sock {
	b := &Binding{
		Protocol: k.protocol, V6Only: k.v6Only, Device: k.device, ReuseAddr: k.reuseAddr, ReusePort: k.reusePort,
		NoPort: k.noPort, UID: k.uid, Addr: netip.IPv4Unspecified(),
	}
	if k.v6 {
		b.Addr = netip.IPv6Unspecified()
	}
	return &tableSock{w, b, b.Addr}
}

type tableSock struct {
	w *tableWorld
	b *Binding
	// unbound is the address that the socket was made with.
	unbound netip.Addr
}

func (s *tableSock) bind(a netip.AddrPort) error {
	s.b.Addr, s.b.Port = a.Addr(), a.Port()
	err := s.w.Bind(s.b)
	if err != nil {
		s.b.Addr, s.b.Port = s.unbound, 0
	}
	return err
}

func (s *tableSock) listen() error { return s.w.Listen(s.b) }

func (s *tableSock) connect(to netip.AddrPort) error {
	local := s.b.Addr
	if local.Unmap().IsUnspecified() {
		local = to.Addr() // all peers are on the loopback
	}
	return s.w.Connect(s.b, local, to, nil)
}

func (s *tableSock) disconnect() { s.w.Disconnect(s.b) }

func (s *tableSock) accepted(to netip.Addr) sock {
	s.w.clients++
	c := &Binding{
		V6Only: s.b.V6Only, Device: s.b.Device, ReuseAddr: s.b.ReuseAddr, ReusePort: s.b.ReusePort, UID: s.b.UID,
		Addr: to, Remote: netip.AddrPortFrom(to, s.w.clients),
	}
	if err := s.w.Inherit(c, s.b); err != nil {
		panic(err)
	}
	return &tableSock{s.w, c, s.unbound}
}

func (s *tableSock) wait()                 { s.w.Wait(s.b) }
func (s *tableSock) local() netip.AddrPort { return s.b.Local() }
func (s *tableSock) close()                { s.w.Release(s.b) }

// scenarios are short stories with their ends; TestScenarios tells them to the
// table, TestLinuxScenarios to the kernel.
var scenarios = []struct {
	name string
	play func(t *testing.T, w world)
}{
	{"an ephemeral port may not be bound by others", func(t *testing.T, w world) {
		a := must(t, w, kind{protocol: TCP, reuseAddr: true}, "127.0.0.1:0")
		if a.local().Port() < 32768 || a.local().Port() > 60999 {
			t.Errorf("port %d", a.local().Port())
		}
		want(t, "bind", w.socket(kind{protocol: TCP}).bind(a.local()), syscall.EADDRINUSE)
	}},
	{"a second bind", func(t *testing.T, w world) {
		a := must(t, w, kind{protocol: TCP}, "127.0.0.1:7000")
		want(t, "bind", a.bind(netip.MustParseAddrPort("127.0.0.1:7001")), syscall.EINVAL)
	}},
	{"a bind that failed may be tried again", func(t *testing.T, w world) {
		must(t, w, kind{protocol: UDP}, "127.0.0.1:7000")
		b := w.socket(kind{protocol: UDP})
		want(t, "bind", b.bind(netip.MustParseAddrPort("127.0.0.1:7000")), syscall.EADDRINUSE)
		want(t, "bind", b.bind(netip.MustParseAddrPort("127.0.0.1:7001")), nil)
	}},
	{"listening without a port chooses one", func(t *testing.T, w world) {
		a := w.socket(kind{protocol: TCP})
		want(t, "listen", a.listen(), nil)
		want(t, "listen again", a.listen(), nil)
		if a.local().Port() < 32768 {
			t.Errorf("port %d", a.local().Port())
		}
	}},
	{"two connections never have the same ends", func(t *testing.T, w world) {
		a := must(t, w, kind{protocol: TCP, reuseAddr: true}, "127.0.0.1:7000")
		b := must(t, w, kind{protocol: TCP, reuseAddr: true}, "127.0.0.1:7000")
		want(t, "connect", a.connect(w.server(false)), nil)
		want(t, "connect", b.connect(w.server(false)), syscall.EADDRNOTAVAIL)
	}},
	{"nor where one of them is an IPv6 socket", func(t *testing.T, w world) {
		a := must(t, w, kind{protocol: TCP, reuseAddr: true, v6: true}, "[::ffff:127.0.0.1]:7000")
		b := must(t, w, kind{protocol: TCP, reuseAddr: true}, "127.0.0.1:7000")
		server := w.server(false)
		mapped := netip.AddrPortFrom(netip.AddrFrom16(server.Addr().As16()), server.Port())
		want(t, "connect", a.connect(mapped), nil)
		want(t, "connect", b.connect(server), syscall.EADDRNOTAVAIL)
	}},
	{"a device is an end too", func(t *testing.T, w world) {
		a := must(t, w, kind{protocol: TCP, reuseAddr: true, device: 1}, "127.0.0.1:7000")
		b := must(t, w, kind{protocol: TCP, reuseAddr: true, device: 1}, "127.0.0.1:7000")
		want(t, "connect", a.connect(w.server(false)), nil)
		want(t, "connect", b.connect(w.server(false)), syscall.EADDRNOTAVAIL)
	}},
	{"a port with connections to elsewhere listens", func(t *testing.T, w world) {
		a := must(t, w, kind{protocol: TCP, reuseAddr: true}, "127.0.0.1:7000")
		b := must(t, w, kind{protocol: TCP, reuseAddr: true}, "127.0.0.1:7000")
		want(t, "connect", a.connect(w.server(false)), nil)
		want(t, "listen", b.listen(), nil)
	}},
	{"one of two bound sockets listens, the other does not", func(t *testing.T, w world) {
		a := must(t, w, kind{protocol: TCP, reuseAddr: true}, "127.0.0.1:7000")
		b := must(t, w, kind{protocol: TCP, reuseAddr: true}, "0.0.0.0:7000")
		want(t, "listen", a.listen(), nil)
		want(t, "listen", b.listen(), syscall.EADDRINUSE)
		a.close()
		want(t, "listen", b.listen(), nil)
	}},
	{"closing frees the port", func(t *testing.T, w world) {
		a := must(t, w, kind{protocol: TCP}, "127.0.0.1:7000")
		a.close()
		must(t, w, kind{protocol: TCP}, "0.0.0.0:7000")
	}},
	{"TIME-WAIT keeps a port from who does not say SO_REUSEADDR", func(t *testing.T, w world) {
		a := must(t, w, kind{protocol: TCP, reuseAddr: true}, "127.0.0.1:7000")
		want(t, "connect", a.connect(w.server(false)), nil)
		a.wait()
		want(t, "bind", w.socket(kind{protocol: TCP}).bind(netip.MustParseAddrPort("127.0.0.1:7000")), syscall.EADDRINUSE)
		b := must(t, w, kind{protocol: TCP, reuseAddr: true}, "0.0.0.0:7000")
		want(t, "listen", b.listen(), nil)
	}},
	{"connecting a datagram socket narrows its address", func(t *testing.T, w world) {
		a := must(t, w, kind{protocol: UDP}, "0.0.0.0:7000")
		want(t, "bind", w.socket(kind{protocol: UDP}).bind(netip.MustParseAddrPort("127.0.0.2:7000")), syscall.EADDRINUSE)
		want(t, "connect", a.connect(w.server(false)), nil)
		if got := a.local().String(); got != "127.0.0.1:7000" {
			t.Errorf("local %s", got)
		}
		must(t, w, kind{protocol: UDP}, "127.0.0.2:7000")
		a.disconnect()
		if got := a.local().String(); got != "0.0.0.0:7000" {
			t.Errorf("local %s after disconnect", got)
		}
	}},
	{"datagram sockets may have the same ends", func(t *testing.T, w world) {
		a := must(t, w, kind{protocol: UDP, reuseAddr: true}, "127.0.0.1:7000")
		b := must(t, w, kind{protocol: UDP, reuseAddr: true}, "127.0.0.1:7000")
		want(t, "connect", a.connect(w.server(false)), nil)
		want(t, "connect", b.connect(w.server(false)), nil)
	}},
	{"disconnecting gives up a port that was chosen", func(t *testing.T, w world) {
		a := w.socket(kind{protocol: UDP})
		want(t, "connect", a.connect(w.server(false)), nil)
		port := a.local().Port()
		if port == 0 {
			t.Error("no port")
		}
		a.disconnect()
		must(t, w, kind{protocol: UDP}, netip.AddrPortFrom(netip.IPv4Unspecified(), port).String())
	}},
	{"disconnecting gives up a port that bind chose, and keeps the address", func(t *testing.T, w world) {
		a := must(t, w, kind{protocol: UDP}, "127.0.0.1:0")
		port := a.local().Port()
		want(t, "connect", a.connect(w.server(false)), nil)
		if a.local().Port() != port {
			t.Errorf("port %d became %d", port, a.local().Port())
		}
		a.disconnect()
		if got := a.local().Addr().String(); got != "127.0.0.1" {
			t.Errorf("local %s", got)
		}
		must(t, w, kind{protocol: UDP}, netip.AddrPortFrom(netip.IPv4Unspecified(), port).String())
	}},
	{"an address without a port", func(t *testing.T, w world) {
		a := must(t, w, kind{protocol: TCP, noPort: true}, "127.0.0.2:0")
		if a.local().Port() != 0 {
			t.Errorf("port %d", a.local().Port())
		}
		want(t, "connect", a.connect(w.server(false)), nil)
		if a.local().Port() == 0 || a.local().Addr().String() != "127.0.0.2" {
			t.Errorf("local %v", a.local())
		}
	}},
	{"SO_REUSEPORT among three, where one did not agree", func(t *testing.T, w world) {
		must(t, w, kind{protocol: TCP, reusePort: true}, "127.0.0.1:7000")
		must(t, w, kind{protocol: TCP}, "127.0.0.2:7000")
		want(t, "bind", w.socket(kind{protocol: TCP, reusePort: true}).bind(netip.MustParseAddrPort("0.0.0.0:7000")), syscall.EADDRINUSE)
	}},
	{"SO_REUSEPORT among three datagram sockets, the last of whom did not agree", func(t *testing.T, w world) {
		must(t, w, kind{protocol: UDP, reusePort: true}, "127.0.0.1:7000")
		must(t, w, kind{protocol: UDP}, "127.0.0.2:7000")
		want(t, "bind", w.socket(kind{protocol: UDP, reusePort: true}).bind(netip.MustParseAddrPort("0.0.0.0:7000")), syscall.EADDRINUSE)
	}},
	{"SO_REUSEPORT among three datagram sockets, the last of whom agreed", func(t *testing.T, w world) {
		must(t, w, kind{protocol: UDP}, "127.0.0.2:7000")
		must(t, w, kind{protocol: UDP, reusePort: true}, "127.0.0.1:7000")
		want(t, "bind", w.socket(kind{protocol: UDP, reusePort: true}).bind(netip.MustParseAddrPort("0.0.0.0:7000")), nil)
	}},
	{"identifiers of echo requests", func(t *testing.T, w world) {
		must(t, w, kind{protocol: ICMP}, "127.0.0.1:7000")
		want(t, "bind", w.socket(kind{protocol: ICMP}).bind(netip.MustParseAddrPort("127.0.0.2:7000")), syscall.EADDRINUSE)
		must(t, w, kind{protocol: ICMP}, "127.0.0.1:0")
		must(t, w, kind{protocol: ICMP, reuseAddr: true}, "127.0.0.1:7001")
		must(t, w, kind{protocol: ICMP, reuseAddr: true}, "127.0.0.1:7001")
	}},
}

// must makes a socket and binds it.
func must(t *testing.T, w world, k kind, addr string) sock {
	t.Helper()
	s := w.socket(k)
	want(t, "bind "+addr, s.bind(netip.MustParseAddrPort(addr)), nil)
	return s
}

func want(t *testing.T, what string, err, want error) {
	t.Helper()
	if err != want {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestScenarios(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) { s.play(t, newTableWorld()) })
	}
}
