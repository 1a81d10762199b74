package sockettest

import (
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

var dualStackCases = []rows{
	on46("dual-stack/accept", "an INET6 listener takes IPv4 connections, whose addresses are mapped", dualAccept),
	on46("dual-stack/v6only-refuses", "with IPV6_V6ONLY it does not: ECONNREFUSED", dualV6OnlyRefuses),
	on46("dual-stack/v6only-late", "IPV6_V6ONLY is set before Bind: EINVAL after it", dualV6OnlyLate),
	on46("dual-stack/connect", "an INET6 socket connects to a mapped address over IPv4", dualConnect),
	on46("dual-stack/connect-v6only", "with IPV6_V6ONLY a mapped address is ENETUNREACH", dualConnectV6Only),
	on46("dual-stack/bind-v6only", "with IPV6_V6ONLY a mapped address is not bound: EINVAL", dualBindV6Only),
	on46("dual-stack/bind-mapped", "a socket bound to a mapped address takes IPv4 only", dualBindMapped),
	on46("dual-stack/datagram", "an INET6 datagram socket talks IPv4 with mapped addresses", dualDatagram),
	on46("dual-stack/datagram-both", "one socket takes datagrams of both", dualDatagramBoth),
	on46("dual-stack/datagram-v4-address", "an INET6 datagram socket sends to an IPv4 address not written as mapped", dualDatagramV4Address),
	on46("dual-stack/port-taken", "the INET6 wildcard takes the port of IPv4 too: EADDRINUSE", dualPortTaken),
	on46("dual-stack/port-shared", "with IPV6_V6ONLY both families have the port, each with its own connections", dualPortShared),
	on46("dual-stack/pktinfo", "IPV6_RECVPKTINFO tells the mapped destination of an IPv4 datagram", dualPktInfo),
	on46("dual-stack/refused", "a mapped peer's refusal is ECONNREFUSED", dualRefused),
}

func (t *T) tcp6() socket.Socket { return t.socket(t.B, socket.INET6, socket.STREAM, 0) }

func dualAccept(t *T) {
	f := t.ipv4()
	l := t.tcp6()
	t.ok(l.Listen(1))
	s := t.tcp(t.A, f)
	t.connect(s, at(f.b, l.LocalAddr().Port()))
	c, caller, err := l.Accept(background)
	t.ok(err)
	t.own(t.B, c)
	equal(t, "caller", caller, at(mapped(f.a), s.LocalAddr().Port()))
	equal(t, "local address", c.LocalAddr(), at(mapped(f.b), l.LocalAddr().Port()))
	peer, err := c.PeerAddr()
	t.ok(err)
	equal(t, "peer", peer, caller)
	t.send(s, "x")
	t.receives(c, "x")
}

func dualV6OnlyRefuses(t *T) {
	f := t.ipv4()
	l := t.tcp6()
	set(t, l, socket.IPV6_V6ONLY, 1)
	t.ok(l.Listen(1))
	t.fails("Connect over IPv4", t.tcp(t.A, f).Connect(background, at(f.b, l.LocalAddr().Port())), syscall.ECONNREFUSED)
	t.connect(t.tcp(t.A, t.ipv6()), at(t.AddrB6, l.LocalAddr().Port()))
}

func dualV6OnlyLate(t *T) {
	internet(t, func(typ socket.Type) {
		s := t.bound(t.socket(t.A, socket.INET6, typ, 0), netip.IPv6Unspecified())
		t.fails("IPV6_V6ONLY", socket.Set(s, socket.IPV6_V6ONLY, 1), syscall.EINVAL)
		equal(t, "IPV6_V6ONLY", get(t, s, socket.IPV6_V6ONLY), 0)
	})
}

func dualConnect(t *T) {
	l := t.listener(t.ipv4())
	s := t.tcp(t.A, t.ipv6())
	to := at(mapped(t.AddrB4), l.LocalAddr().Port())
	t.connect(s, to)
	peer, err := s.PeerAddr()
	t.ok(err)
	equal(t, "peer", peer, to)
	equal(t, "local address", s.LocalAddr().Addr(), mapped(t.AddrA4))
	c := t.accept(l)
	peer, err = c.PeerAddr()
	t.ok(err)
	equal(t, "seen by the peer", peer, at(t.AddrA4, s.LocalAddr().Port()))
	t.send(s, "x")
	t.receives(c, "x")
}

func dualConnectV6Only(t *T) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, socket.INET6, typ, 0)
		set(t, s, socket.IPV6_V6ONLY, 1)
		t.fails("Connect", s.Connect(background, at(mapped(t.AddrB4), 9)), syscall.ENETUNREACH)
	})
}

func dualBindV6Only(t *T) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, socket.INET6, typ, 0)
		set(t, s, socket.IPV6_V6ONLY, 1)
		t.fails("Bind", s.Bind(at(mapped(t.AddrA4), 0)), syscall.EINVAL)
	})
}

func dualBindMapped(t *T) {
	l := t.bound(t.tcp6(), mapped(t.AddrB4))
	equal(t, "LocalAddr", l.LocalAddr().Addr(), mapped(t.AddrB4))
	t.ok(l.Listen(1))
	port := l.LocalAddr().Port()
	t.connect(t.tcp(t.A, t.ipv4()), at(t.AddrB4, port))
	t.fails("Connect over IPv6", t.tcp(t.A, t.ipv6()).Connect(background, at(t.AddrB6, port)), syscall.ECONNREFUSED)
}

func dualDatagram(t *T) {
	f4 := t.ipv4()
	b := t.udpAt(t.B, t.ipv6(), netip.IPv6Unspecified())
	a := t.udpAt(t.A, f4, f4.a)
	t.sendTo(a, "hello", at(f4.b, b.LocalAddr().Port()))
	from := at(mapped(f4.a), a.LocalAddr().Port())
	t.receivesFrom(b, "hello", from)
	t.sendTo(b, "good day", from)
	t.receives(a, "good day")
}

func dualDatagramBoth(t *T) {
	f4, f6 := t.ipv4(), t.ipv6()
	b := t.udpAt(t.B, f6, f6.any)
	a4, a6 := t.udpAt(t.A, f4, f4.a), t.udpAt(t.A, f6, f6.a)
	t.sendTo(a4, "four", at(f4.b, b.LocalAddr().Port()))
	t.receivesFrom(b, "four", at(mapped(f4.a), a4.LocalAddr().Port()))
	t.sendTo(a6, "six", at(f6.b, b.LocalAddr().Port()))
	t.receivesFrom(b, "six", a6.LocalAddr())
}

func dualDatagramV4Address(t *T) {
	b := t.udpAt(t.B, t.ipv4(), t.AddrB4)
	a := t.udp(t.A, t.ipv6())
	t.sendTo(a, "x", b.LocalAddr())
	t.receives(b, "x")
}

func dualPortTaken(t *T) {
	internet(t, func(typ socket.Type) {
		six := t.bound(t.socket(t.B, socket.INET6, typ, 0), netip.IPv6Unspecified())
		four := t.socket(t.B, socket.INET, typ, 0)
		port := six.LocalAddr().Port()
		t.fails("Bind to an address", four.Bind(at(t.AddrB4, port)), syscall.EADDRINUSE)
		t.fails("Bind to the wildcard", four.Bind(at(netip.IPv4Unspecified(), port)), syscall.EADDRINUSE)
	})
}

func dualPortShared(t *T) {
	six, four := t.samePort()
	port := portOf(six)
	t.ok(six.Listen(1))
	t.ok(four.Listen(1))
	t.connect(t.tcp(t.A, t.ipv4()), at(t.AddrB4, port))
	t.connect(t.tcp(t.A, t.ipv6()), at(t.AddrB6, port))
	t.accept(four)
	t.accept(six)
}

// samePort is two sockets of B at one port, one for each family. The port that
// IPv6 is given somebody else may have in IPv4: then another is tried.
func (t *T) samePort() (six, four socket.Socket) {
	t.Helper()
	var err error
	for range 100 {
		six, four = t.tcp(t.B, t.ipv6()), t.tcp(t.B, t.ipv4())
		set(t, six, socket.IPV6_V6ONLY, 1)
		t.bound(six, netip.IPv6Unspecified())
		if err = four.Bind(at(netip.IPv4Unspecified(), portOf(six))); err != syscall.EADDRINUSE {
			break
		}
	}
	t.ok(err)
	return six, four
}

func dualPktInfo(t *T) {
	b := t.udpAt(t.B, t.ipv6(), netip.IPv6Unspecified())
	set(t, b, socket.IPV6_RECVPKTINFO, 1)
	t.sendTo(t.udp(t.A, t.ipv4()), "x", at(t.AddrB4, b.LocalAddr().Port()))
	m := t.recvMsg(b)
	if !m.Control.Has(socket.ControlPktInfo) {
		t.Fatal("no PktInfo")
	}
	equal(t, "Dst", m.Control.PktInfo.Dst, mapped(t.AddrB4))
	equal(t, "Interface", m.Control.PktInfo.Interface, t.IndexB)
}

func dualRefused(t *T) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, socket.INET6, typ, 0)
		closed := t.closedPort(t.ipv4(), typ)
		err := s.Connect(background, at(mapped(closed.Addr()), closed.Port()))
		if typ == socket.DGRAM {
			t.ok(err)
			t.send(s, "x")
			_, err = s.Recv(make([]byte, 1), 0)
		}
		t.fails("the answer", err, syscall.ECONNREFUSED)
	})
}
