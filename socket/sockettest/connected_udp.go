package sockettest

import (
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

var connectedUDPCases = []rows{
	// UDP-14.
	both("connected-udp/addresses", "Connect fixes the peer, and the local address toward it", connectedAddresses),
	both("connected-udp/filter", "only the peer's datagrams are received", connectedFilter),
	both("connected-udp/queued-before", "what was queued before Connect stays", connectedQueuedBefore),
	both("connected-udp/again", "Connect again changes the peer", connectedAgain),
	both("connected-udp/dissolve", "the zero AddrPort dissolves the connection; a port that Bind named stays", connectedDissolve),
	both("connected-udp/dissolve-autobound", "the zero AddrPort gives up a port that Connect chose", connectedDissolveAutobound),
	both("connected-udp/sendto", "SendTo another address goes there", connectedSendTo),
	both("connected-udp/refused-recv", "a port where nobody is makes Recv ECONNREFUSED, once", connectedRefusedRecv),
	both("connected-udp/refused-send", "a port where nobody is makes the next Send ECONNREFUSED, once", connectedRefusedSend),
	both("connected-udp/refused-so-error", "a port where nobody is leaves ECONNREFUSED in SO_ERROR, once", connectedRefusedSoError),
	both("connected-udp/refused-wakes", "the refusal ends a Recv that waits", connectedRefusedWakes),
	both("connected-udp/unspecified", "the unspecified address is the host's own loopback", connectedUnspecified),
	both("connected-udp/too-long-for-path", "with PMTUDISC_DO a datagram longer than the MTU is EMSGSIZE", connectedTooLongForPath),
	// HOST-118.
	both("connected-udp/mtu", "a connected socket knows the path's MTU; an unconnected one does not: ENOTCONN", connectedMTU),
	both("connected-udp/self", "a socket connected to itself hears itself", connectedSelf),
}

func connectedAddresses(t *T, f family) {
	a, b := t.udp(t.A, f), t.udpAt(t.B, f, f.b)
	t.connect(a, b.LocalAddr())
	equal(t, "local address", a.LocalAddr().Addr(), f.a)
	if a.LocalAddr().Port() == 0 {
		t.Error("no local port")
	}
	peer, err := a.PeerAddr()
	t.ok(err)
	equal(t, "peer", peer, b.LocalAddr())
}

func connectedFilter(t *T, f family) {
	a, b := t.udpPair(f)
	stranger := t.udpAt(t.A, f, f.a)
	t.sendTo(stranger, "from another", b.LocalAddr())
	t.send(a, "from the peer")
	t.receivesFrom(b, "from the peer", a.LocalAddr())
	t.nothing(b)
}

func connectedQueuedBefore(t *T, f family) {
	a, b, stranger := t.udpAt(t.A, f, f.a), t.udpAt(t.B, f, f.b), t.udpAt(t.A, f, f.a)
	t.sendTo(stranger, "before", b.LocalAddr())
	t.await(b, in)
	t.connect(b, a.LocalAddr())
	t.receivesFrom(b, "before", stranger.LocalAddr())
}

func connectedAgain(t *T, f family) {
	a, b1, b2 := t.udpAt(t.A, f, f.a), t.udpAt(t.B, f, f.b), t.udpAt(t.B, f, f.b)
	for _, b := range []socket.Socket{b1, b2, b1} {
		t.connect(a, b.LocalAddr())
		t.send(a, "x")
		t.receives(b, "x")
	}
}

func connectedDissolve(t *T, f family) {
	b := t.udpAt(t.B, f, f.b)
	// Bind to a port by its number: one that the host chose is given up.
	chosen := t.udpAt(t.A, f, f.any)
	port := chosen.LocalAddr().Port()
	t.ok(chosen.Close())
	a := t.udp(t.A, f)
	t.ok(a.Bind(at(f.any, port)))
	t.connect(a, b.LocalAddr())
	t.connect(a, netip.AddrPort{})
	_, err := a.PeerAddr()
	t.fails("PeerAddr", err, syscall.ENOTCONN)
	equal(t, "LocalAddr", a.LocalAddr(), at(f.any, port))
	t.sendErr(a, syscall.EDESTADDRREQ)
	t.sendTo(t.udpAt(t.B, f, f.b), "from anybody", at(f.a, port))
	t.receives(a, "from anybody")
}

func connectedDissolveAutobound(t *T, f family) {
	a := t.udp(t.A, f)
	t.connect(a, at(f.b, 9))
	t.connect(a, netip.AddrPort{})
	equal(t, "LocalAddr", a.LocalAddr(), at(f.any, 0))
}

func connectedSendTo(t *T, f family) {
	a, b := t.udpPair(f)
	other := t.udpAt(t.B, f, f.b)
	t.sendTo(a, "elsewhere", other.LocalAddr())
	t.receivesFrom(other, "elsewhere", a.LocalAddr())
	t.send(a, "to the peer")
	t.receives(b, "to the peer")
}

// refused is a UDP socket connected to a port where nobody is, which has been
// told so.
func (t *T) refused(f family) socket.Socket {
	t.Helper()
	s := t.udp(t.A, f)
	t.connect(s, t.closedPort(f, socket.DGRAM))
	t.send(s, "x")
	t.await(s, perr)
	return s
}

func connectedRefusedRecv(t *T, f family) {
	s := t.refused(f)
	t.recvErr(s, 0, syscall.ECONNREFUSED)
	t.nothing(s)
}

func connectedRefusedSend(t *T, f family) {
	s := t.refused(f)
	t.sendErr(s, syscall.ECONNREFUSED)
	t.send(s, "x")
}

func connectedRefusedSoError(t *T, f family) {
	s := t.refused(f)
	t.fails("SO_ERROR", t.pending(s), syscall.ECONNREFUSED)
	t.fails("SO_ERROR again", t.pending(s), nil)
	t.nothing(s)
}

func connectedRefusedWakes(t *T, f family) {
	s := t.udp(t.A, f)
	t.connect(s, t.closedPort(f, socket.DGRAM))
	done := t.beside(func() { t.recvErr(s, 0, syscall.ECONNREFUSED) })
	t.send(s, "x")
	<-done
}

func connectedUnspecified(t *T, f family) {
	b, a := t.udpAt(t.A, f, f.loopback), t.udp(t.A, f)
	t.connect(a, at(f.any, b.LocalAddr().Port()))
	peer, err := a.PeerAddr()
	t.ok(err)
	equal(t, "peer", peer, b.LocalAddr())
	t.send(a, "x")
	t.receives(b, "x")
}

// discover is the option of path MTU discovery of a family.
func (f *family) discover() socket.Option[int] {
	if f.domain == socket.INET {
		return socket.IP_MTU_DISCOVER
	}
	return socket.IPV6_MTU_DISCOVER
}

func (f *family) mtu() socket.Option[int] {
	if f.domain == socket.INET {
		return socket.IP_MTU
	}
	return socket.IPV6_MTU
}

func connectedTooLongForPath(t *T, f family) {
	a, b := t.udpPair(f)
	set(t, a, f.discover(), socket.IP_PMTUDISC_DO)
	fits := min(t.MTU-f.overhead-8, f.largest())
	t.carries(a, b, pattern(fits))
	_, err := a.Send(make([]byte, fits+1), 0)
	t.fails("Send", err, syscall.EMSGSIZE)
	t.send(a, "x")
	t.receives(b, "x")
}

func connectedMTU(t *T, f family) {
	s := t.udp(t.A, f)
	_, err := socket.Get(s, f.mtu())
	t.fails("unconnected", err, syscall.ENOTCONN)
	t.connect(s, at(f.b, 9))
	want := t.MTU
	if f.domain == socket.INET {
		want = min(want, 65535) // what an IPv4 packet can be at all
	}
	equal(t, "MTU", get(t, s, f.mtu()), want)
}

func connectedSelf(t *T, f family) {
	s := t.udpAt(t.A, f, f.a)
	t.connect(s, s.LocalAddr())
	t.send(s, "to myself")
	t.receives(s, "to myself")
}
