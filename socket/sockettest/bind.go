package sockettest

import (
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

var bindCases = []rows{
	both("bind/twice", "a socket is bound once: a second Bind is EINVAL", bindTwice),
	both("bind/ephemeral", "port 0 chooses an unprivileged port, which LocalAddr tells", bindEphemeral),
	both("bind/ephemeral-differ", "two sockets at once get two ephemeral ports", bindEphemeralDiffer),
	both("bind/wildcard", "the unspecified address and the zero Addr are the wildcard", bindWildcard),
	both("bind/not-local", "an address of another host is EADDRNOTAVAIL", bindNotLocal),
	on4("bind/freebind", "IP_FREEBIND allows an address that is not local", bindFreebind),
	both("bind/wrong-family", "the other family's address is EAFNOSUPPORT on INET and EINVAL on INET6", bindWrongFamily),
	both("bind/in-use", "an address and port that are taken are EADDRINUSE", bindInUse),
	both("bind/port-of-other-protocol", "TCP and UDP have ports of their own", bindOtherProtocol),
	both("bind/port-at-other-address", "one port may be bound at two addresses", bindOtherAddress),
	both("bind/failed-is-unbound", "a Bind that failed leaves the socket unbound", bindFailedIsUnbound),
	both("bind/after-connect", "a socket that Connect has bound is not bound again: EINVAL", bindAfterConnect),
	both("bind/after-listen", "a socket that Listen has bound is not bound again: EINVAL", bindAfterListen),
	both("bind/released", "Close of a socket that was only bound frees the port at once", bindReleased),
	both("bind/no-port", "IP_BIND_ADDRESS_NO_PORT puts off the choice of the port until Connect", bindNoPort),
	on4("bind/loopback-source", "what goes to any address of 127.0.0.0/8 comes from 127.0.0.1", bindLoopbackSource),
	on4("bind/loopback-network", "all of 127.0.0.0/8 is local", bindLoopbackNetwork),
	on4("bind/multicast", "a datagram socket is bound to a multicast group", bindMulticast4),
	on6("bind/multicast-stream", "a stream socket is not bound to an IPv6 multicast group: EINVAL", bindMulticastStream6),
	on4("bind/broadcast", "a datagram socket is bound to the broadcast address", bindBroadcast),
	on6("bind/link-local-zone", "a link-local address is bound with its zone, which LocalAddr tells", bindLinkLocal).needing(linkLocal),
	on6("bind/link-local-no-zone", "a link-local address without a zone is EINVAL", bindLinkLocalNoZone).needing(linkLocal),
	on6("bind/link-local-wrong-zone", "a link-local address of another interface is EADDRNOTAVAIL", bindLinkLocalWrongZone).needing(linkLocal),
	on6("bind/unknown-zone", "a zone that names no interface is ENODEV", bindUnknownZone),
}

// internet runs a test on a stream and on a datagram socket.
func internet(t *T, test func(typ socket.Type)) {
	for _, typ := range []socket.Type{socket.STREAM, socket.DGRAM} {
		test(typ)
	}
}

func bindTwice(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.bound(t.socket(t.A, f.domain, typ, 0), f.a)
		before := s.LocalAddr()
		t.fails("Bind", s.Bind(at(f.a, 0)), syscall.EINVAL)
		equal(t, "LocalAddr", s.LocalAddr(), before)
	})
}

func bindEphemeral(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.bound(t.socket(t.A, f.domain, typ, 0), f.a)
		equal(t, "address", s.LocalAddr().Addr(), f.a)
		if s.LocalAddr().Port() < 1024 {
			t.Errorf("port %d", s.LocalAddr().Port())
		}
	})
}

func bindEphemeralDiffer(t *T, f family) {
	internet(t, func(typ socket.Type) {
		seen := make(map[uint16]bool)
		for range 100 {
			port := t.bound(t.socket(t.A, f.domain, typ, 0), f.any).LocalAddr().Port()
			if seen[port] {
				t.Fatalf("port %d twice", port)
			}
			seen[port] = true
		}
	})
}

func bindWildcard(t *T, f family) {
	internet(t, func(typ socket.Type) {
		for _, a := range []netip.Addr{f.any, {}} {
			s := t.bound(t.socket(t.A, f.domain, typ, 0), a)
			equal(t, "address", s.LocalAddr().Addr(), f.any)
		}
	})
}

func bindNotLocal(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, f.domain, typ, 0)
		t.fails("Bind", s.Bind(at(f.foreign, 0)), syscall.EADDRNOTAVAIL)
	})
}

func bindFreebind(t *T, f family) {
	s := t.udp(t.A, f)
	set(t, s, socket.IP_FREEBIND, 1)
	t.bound(s, f.foreign)
	equal(t, "address", s.LocalAddr().Addr(), f.foreign)
}

func bindWrongFamily(t *T, f family) {
	wrong, want := netip.IPv6Loopback(), error(syscall.EAFNOSUPPORT)
	if f.domain == socket.INET6 {
		wrong, want = netip.MustParseAddr("127.0.0.1"), syscall.EINVAL
	}
	internet(t, func(typ socket.Type) {
		t.fails("Bind", t.socket(t.A, f.domain, typ, 0).Bind(at(wrong, 0)), want)
	})
}

func bindInUse(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.bound(t.socket(t.A, f.domain, typ, 0), f.a)
		t.fails("Bind", t.socket(t.A, f.domain, typ, 0).Bind(s.LocalAddr()), syscall.EADDRINUSE)
	})
}

func bindOtherProtocol(t *T, f family) {
	s := t.bound(t.tcp(t.A, f), f.loopback)
	// Another socket may happen to have the port: the rule holds if any is free.
	for range 20 {
		if t.udp(t.A, f).Bind(s.LocalAddr()) == nil {
			return
		}
		s = t.bound(t.tcp(t.A, f), f.loopback)
	}
	t.Error("no port could be bound for both")
}

func bindOtherAddress(t *T, f family) {
	if f.a == f.loopback {
		t.Skip("needs two addresses")
	}
	internet(t, func(typ socket.Type) {
		s := t.bound(t.socket(t.A, f.domain, typ, 0), f.a)
		t.ok(t.socket(t.A, f.domain, typ, 0).Bind(at(f.loopback, s.LocalAddr().Port())))
	})
}

func bindFailedIsUnbound(t *T, f family) {
	internet(t, func(typ socket.Type) {
		taken := t.bound(t.socket(t.A, f.domain, typ, 0), f.a)
		s := t.socket(t.A, f.domain, typ, 0)
		t.fails("Bind", s.Bind(taken.LocalAddr()), syscall.EADDRINUSE)
		equal(t, "LocalAddr", s.LocalAddr(), at(f.any, 0))
		t.bound(s, f.a)
	})
}

func bindAfterConnect(t *T, f family) {
	a, _ := t.pair(f)
	t.fails("Bind of a stream", a.Bind(at(f.a, 0)), syscall.EINVAL)
	u := t.udp(t.A, f)
	t.connect(u, at(f.b, 9))
	t.fails("Bind of a datagram socket", u.Bind(at(f.a, 0)), syscall.EINVAL)
}

func bindAfterListen(t *T, f family) {
	s := t.tcp(t.A, f)
	t.ok(s.Listen(1))
	t.fails("Bind", s.Bind(at(f.a, 0)), syscall.EINVAL)
}

func bindReleased(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.bound(t.socket(t.A, f.domain, typ, 0), f.a)
		t.ok(s.Close())
		t.ok(t.socket(t.A, f.domain, typ, 0).Bind(s.LocalAddr()))
	})
}

func bindNoPort(t *T, f family) {
	l := t.listener(f)
	s := t.tcp(t.A, f)
	set(t, s, socket.IP_BIND_ADDRESS_NO_PORT, 1)
	t.ok(s.Bind(at(f.a, 0)))
	equal(t, "LocalAddr", s.LocalAddr(), at(f.a, 0))
	t.connect(s, l.LocalAddr())
	if s.LocalAddr().Port() == 0 {
		t.Error("no port after Connect")
	}
}

func bindLoopbackSource(t *T, f family) {
	for _, a := range []string{"127.0.0.1", "127.0.0.2", "127.255.255.254"} {
		s := t.udp(t.A, f)
		t.connect(s, netip.AddrPortFrom(netip.MustParseAddr(a), 9))
		equal(t, "source to "+a, s.LocalAddr().Addr(), f.loopback)
	}
}

func bindLoopbackNetwork(t *T, f family) {
	for _, a := range []string{"127.0.0.1", "127.0.0.2", "127.1.2.3", "127.255.255.254"} {
		t.bound(t.udp(t.A, f), netip.MustParseAddr(a))
	}
}

func bindMulticast4(t *T, f family) {
	group := netip.MustParseAddr("239.1.2.3")
	equal(t, "address", t.bound(t.udp(t.A, f), group).LocalAddr().Addr(), group)
}

func bindMulticastStream6(t *T, f family) {
	t.fails("Bind", t.tcp(t.A, f).Bind(netip.MustParseAddrPort("[ff05::1:3]:0")), syscall.EINVAL)
}

func bindBroadcast(t *T, f family) {
	t.bound(t.udp(t.A, f), netip.MustParseAddr("255.255.255.255"))
}

func bindLinkLocal(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.bound(t.socket(t.A, f.domain, typ, 0), t.LinkLocalA)
		equal(t, "address", s.LocalAddr().Addr(), t.LinkLocalA)
	})
}

func bindLinkLocalNoZone(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, f.domain, typ, 0)
		t.fails("Bind", s.Bind(at(t.LinkLocalA.WithZone(""), 0)), syscall.EINVAL)
	})
}

func bindLinkLocalWrongZone(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, f.domain, typ, 0)
		t.fails("Bind", s.Bind(at(t.LinkLocalA.WithZone("lo"), 0)), syscall.EADDRNOTAVAIL)
	})
}

func bindUnknownZone(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, f.domain, typ, 0)
		t.fails("Bind", s.Bind(netip.MustParseAddrPort("[fe80::1%nosuch0]:0")), syscall.ENODEV)
	})
}
