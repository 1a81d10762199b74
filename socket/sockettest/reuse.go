package sockettest

import (
	"fmt"
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

var reuseCases = []rows{
	on46("reuse/udp", "EADDRINUSE of a UDP socket over addresses, families and SO_REUSE options", reuseUDP),
	on46("reuse/tcp-bound", "EADDRINUSE beside a bound TCP socket", reuseTCPBound),
	on46("reuse/tcp-listening", "EADDRINUSE beside a listener, whose port SO_REUSEADDR does not share", reuseTCPListening),
	on46("reuse/tcp-connected", "EADDRINUSE beside a connection, at its own address only", reuseTCPConnected),
	on46("reuse/tcp-time-wait", "EADDRINUSE beside a connection in TIME-WAIT", reuseTCPTimeWait),
	both("reuse/server-restart", "a server that restarts gets its port back with SO_REUSEADDR, not without", reuseServerRestart),
	both("reuse/device", "two interfaces have a port each", reuseDevice).needing(link),
	both("reuse/udp-last", "of equal sockets that share a port by SO_REUSEADDR the last one bound receives", reuseUDPLast),
	both("reuse/reuseport-tcp", "SO_REUSEPORT spreads connections over listeners", reuseportTCP),
	both("reuse/reuseport-udp", "SO_REUSEPORT spreads flows over sockets, each flow to one", reuseportUDP),
	both("reuse/reuseport-closed", "a listener that is closed leaves the port to the others", reuseportClosed),
}

// binding is where a socket is bound, and with which options.
type binding struct {
	name   string
	domain socket.Domain
	addr   netip.Addr
	v6only bool
	reuse
	// wasDual marks a connection whose socket was bound to :: for both
	// families before.
	wasDual bool
}

type reuse struct{ addr, port bool }

// bindings are the addresses of the table, with none of the options.
func bindings() []binding {
	return []binding{
		{name: "0.0.0.0", domain: socket.INET, addr: netip.IPv4Unspecified()},
		{name: "127.0.0.1", domain: socket.INET, addr: netip.MustParseAddr("127.0.0.1")},
		{name: "127.0.0.2", domain: socket.INET, addr: netip.MustParseAddr("127.0.0.2")},
		{name: "::", domain: socket.INET6, addr: netip.IPv6Unspecified()},
		{name: ":: v6only", domain: socket.INET6, addr: netip.IPv6Unspecified(), v6only: true},
		{name: "::1", domain: socket.INET6, addr: netip.IPv6Loopback()},
		{name: "::1 v6only", domain: socket.INET6, addr: netip.IPv6Loopback(), v6only: true},
		{name: "::ffff:0.0.0.0", domain: socket.INET6, addr: mapped(netip.IPv4Unspecified())},
		{name: "::ffff:127.0.0.1", domain: socket.INET6, addr: mapped(netip.MustParseAddr("127.0.0.1"))},
	}
}

var reuses = []reuse{{}, {addr: true}, {port: true}, {addr: true, port: true}}

func (r reuse) String() string {
	return map[reuse]string{
		{}: "", {addr: true}: "+addr", {port: true}: "+port", {addr: true, port: true}: "+addr+port",
	}[r]
}

func (b binding) String() string { return b.name + b.reuse.String() }

// covers is what a binding takes for itself: of each family all addresses, one,
// or none.
func (b binding) covers() (v4, v6 netip.Addr) {
	a := b.addr
	switch {
	case a.Unmap().Is4():
		return a.Unmap(), netip.Addr{}
	case a.IsUnspecified() && !b.v6only:
		return netip.IPv4Unspecified(), a
	}
	return netip.Addr{}, a
}

func (b binding) overlaps(c binding) bool {
	meet := func(x, y netip.Addr) bool {
		return x.IsValid() && y.IsValid() && (x == y || x.IsUnspecified() || y.IsUnspecified())
	}
	if b.wasDual && c.domain == socket.INET && c.addr.IsUnspecified() {
		// Linux gives the one IPv6 address, but keeps 0.0.0.0 with it.
		return true
	}
	b4, b6 := b.covers()
	c4, c6 := c.covers()
	return meet(b4, c4) || meet(b6, c6)
}

// conflict is the rule of EADDRINUSE, for two sockets of one user, neither bound
// to an interface: their addresses overlap, and they have not agreed to share
// them. By SO_REUSEADDR the first one shares unless it listens; by SO_REUSEPORT
// it always does.
func conflict(first, second binding, listening bool) bool {
	switch {
	case !first.overlaps(second):
		return false
	case first.reuse.port && second.reuse.port:
		return false
	case first.reuse.addr && second.reuse.addr:
		return listening
	}
	return true
}

// makeBound makes and binds a socket, and returns what Bind said.
func (t *T) makeBound(b binding, typ socket.Type, port uint16) (socket.Socket, error) {
	t.Helper()
	s, err := t.A.Socket(b.domain, typ, 0)
	t.ok(err)
	for _, o := range []struct {
		on     bool
		option socket.Option[int]
	}{{b.v6only, socket.IPV6_V6ONLY}, {b.reuse.addr, socket.SO_REUSEADDR}, {b.reuse.port, socket.SO_REUSEPORT}} {
		if o.on {
			t.ok(socket.Set(s, o.option, 1))
		}
	}
	return s, s.Bind(at(b.addr, port))
}

// freePort is a port that nobody has at any address, not even in TIME-WAIT: port
// 0 gives a socket with SO_REUSEADDR one that others share.
func (t *T) freePort(typ socket.Type) uint16 {
	t.Helper()
	s, err := t.makeBound(binding{domain: socket.INET6, addr: netip.IPv6Unspecified()}, typ, 0)
	t.ok(err)
	t.ok(s.Close())
	return portOf(s)
}

// tryAll binds a second socket in every way to the port of a first one, which
// has been brought into a state, and holds the outcome to the rule.
func (t *T) tryAll(first binding, port uint16, typ socket.Type, listening bool) {
	t.Helper()
	for _, second := range bindings() {
		for _, second.reuse = range reuses {
			s, err := t.makeBound(second, typ, port)
			s.Close()
			want := error(nil)
			if conflict(first, second, listening) {
				want = syscall.EADDRINUSE
			}
			if err != want {
				t.Errorf("%v beside %v: %s, want %s", second, first, errName(err), errName(want))
			}
		}
	}
}

// firsts calls f with each binding that a first socket can have.
func firsts(f func(first binding)) {
	for _, first := range bindings() {
		for _, first.reuse = range reuses {
			f(first)
		}
	}
}

func reuseUDP(t *T) {
	firsts(func(first binding) {
		s, err := t.makeBound(first, socket.DGRAM, t.freePort(socket.DGRAM))
		t.ok(err)
		t.tryAll(first, portOf(s), socket.DGRAM, false)
		s.Close()
	})
}

func reuseTCPBound(t *T) {
	firsts(func(first binding) {
		s, err := t.makeBound(first, socket.STREAM, t.freePort(socket.STREAM))
		t.ok(err)
		t.tryAll(first, portOf(s), socket.STREAM, false)
		s.Close()
	})
}

func reuseTCPListening(t *T) {
	firsts(func(first binding) {
		s, err := t.makeBound(first, socket.STREAM, t.freePort(socket.STREAM))
		t.ok(err)
		t.ok(s.Listen(1))
		t.tryAll(first, portOf(s), socket.STREAM, true)
		s.Close()
	})
}

// connections calls f with a connection from each binding, and with the binding
// that it then is: a connection covers the one address that it has.
func (t *T) connections(f func(first binding, a, b socket.Socket)) {
	t.Helper()
	listeners := make(map[netip.Addr]socket.Socket)
	for _, f := range []family{t.ipv4(), t.ipv6()} {
		l := t.bound(t.tcp(t.A, f), f.loopback)
		t.ok(l.Listen(16))
		listeners[f.loopback] = l
	}
	firsts(func(first binding) {
		to := netip.IPv6Loopback()
		v4, _ := first.covers()
		if v4.IsValid() && first.name != "::" {
			to = netip.MustParseAddr("127.0.0.1")
		}
		l := listeners[to]
		dst := l.LocalAddr()
		if first.domain == socket.INET6 && to.Is4() {
			dst = at(mapped(to), dst.Port())
		}
		a, err := t.makeBound(first, socket.STREAM, t.freePort(socket.STREAM))
		t.ok(err)
		t.own(t.A, a)
		t.connect(a, dst)
		first.wasDual = first.name == "::"
		first.addr = a.LocalAddr().Addr()
		f(first, a, t.accept(l))
	})
}

func reuseTCPConnected(t *T) {
	t.connections(func(first binding, a, _ socket.Socket) {
		t.tryAll(first, portOf(a), socket.STREAM, false)
	})
}

func reuseTCPTimeWait(t *T) {
	t.connections(func(first binding, a, b socket.Socket) {
		port := portOf(a)
		t.timeWait(a, b)
		t.tryAll(first, port, socket.STREAM, false)
	})
}

// timeWait ends a connection so that a's side of it is in TIME-WAIT.
func (t *T) timeWait(a, b socket.Socket) {
	t.Helper()
	t.ok(a.Shutdown(socket.SHUT_WR))
	t.receivesEnd(b)
	t.ok(b.Shutdown(socket.SHUT_WR))
	t.await(a, hup)
	t.ok(a.Close())
	t.ok(b.Close())
}

func reuseServerRestart(t *T, f family) {
	for _, on := range []int{0, 1} {
		server := func() socket.Socket {
			s := t.tcp(t.B, f)
			set(t, s, socket.SO_REUSEADDR, on)
			return s
		}
		l := t.bound(server(), f.any)
		t.ok(l.Listen(1))
		port := portOf(l)
		a := t.tcp(t.A, f)
		t.connect(a, at(f.b, port))
		b := t.accept(l)
		t.ok(l.Close())
		want := []error{syscall.EADDRINUSE, nil}[on]
		for _, when := range []string{"connection", "TIME-WAIT"} {
			s := server()
			err := s.Bind(at(f.any, port))
			t.fails(fmt.Sprintf("Bind beside a %s with SO_REUSEADDR %d", when, on), err, want)
			if err == nil {
				t.ok(s.Listen(1))
			}
			t.ok(s.Close())
			if when == "connection" {
				t.timeWait(b, a)
			}
		}
	}
}

func reuseDevice(t *T, f family) {
	internet(t, func(typ socket.Type) {
		first := t.socket(t.A, f.domain, typ, 0)
		set(t, first, socket.SO_BINDTODEVICE, "lo")
		t.bound(first, f.any)
		for name, want := range map[string]error{t.InterfaceA: nil, "lo": syscall.EADDRINUSE, "": syscall.EADDRINUSE} {
			s := t.socket(t.A, f.domain, typ, 0)
			if name != "" {
				set(t, s, socket.SO_BINDTODEVICE, name)
			}
			t.fails("Bind on interface “"+name+"”", s.Bind(at(f.any, portOf(first))), want)
			t.ok(s.Close())
		}
	})
}

func reuseUDPLast(t *T, f family) {
	first := t.reusing(t.B, f, at(f.b, 0))
	last := t.reusing(t.B, f, first.LocalAddr())
	for range 5 {
		t.sendTo(t.udp(t.A, f), "x", first.LocalAddr())
		t.receives(last, "x")
	}
	t.nothing(first)
	t.ok(last.Close())
	t.sendTo(t.udp(t.A, f), "x", first.LocalAddr())
	t.receives(first, "x")
}

// sharing makes n sockets on B that share a port by SO_REUSEPORT.
func (t *T) sharing(f family, typ socket.Type, n int) []socket.Socket {
	t.Helper()
	var all []socket.Socket
	to := at(f.b, 0)
	for range n {
		s := t.socket(t.B, f.domain, typ, 0)
		set(t, s, socket.SO_REUSEPORT, 1)
		t.ok(s.Bind(to))
		to = s.LocalAddr()
		if typ == socket.STREAM {
			t.ok(s.Listen(64))
		}
		all = append(all, s)
	}
	return all
}

// firstReady waits for any of the sockets to have something to receive.
func (t *T) firstReady(all []socket.Socket) socket.Socket {
	t.Helper()
	fds := make([]socket.PollFD, len(all))
	for i, s := range all {
		fds[i] = socket.PollFD{Socket: s, Events: in}
	}
	n, err := t.B.Poll(background, fds, patience)
	t.ok(err)
	if n == 0 {
		t.Fatal("none of the sockets received anything")
	}
	for i := range fds {
		if fds[i].Revents != 0 {
			return all[i]
		}
	}
	return nil
}

func reuseportTCP(t *T, f family) {
	all := t.sharing(f, socket.STREAM, 4)
	count := make(map[socket.Socket]int)
	for range 64 {
		a := t.tcp(t.A, f)
		t.connect(a, all[0].LocalAddr())
		l := t.firstReady(all)
		count[l]++
		t.accept(l).Close()
		a.Close()
	}
	if len(count) < 2 {
		t.Errorf("all connections went to one of %d listeners", len(all))
	}
}

func reuseportUDP(t *T, f family) {
	all := t.sharing(f, socket.DGRAM, 4)
	count := make(map[socket.Socket]int)
	for range 64 {
		a := t.udp(t.A, f)
		var first socket.Socket
		for range 3 {
			t.sendTo(a, "x", all[0].LocalAddr())
			s := t.firstReady(all)
			t.receives(s, "x")
			if first == nil {
				first = s
				count[s]++
			} else if s != first {
				t.Fatal("one flow went to two sockets")
			}
		}
	}
	if len(count) < 2 {
		t.Errorf("all flows went to one of %d sockets", len(all))
	}
}

func reuseportClosed(t *T, f family) {
	all := t.sharing(f, socket.STREAM, 3)
	t.ok(all[0].Close())
	t.ok(all[2].Close())
	for range 8 {
		t.connect(t.tcp(t.A, f), all[1].LocalAddr())
		t.accept(all[1])
	}
}
