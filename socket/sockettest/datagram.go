package sockettest

import (
	"bytes"
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

var datagramCases = []rows{
	both("datagram/echo", "a datagram arrives with its sender's address, and is answered", datagramEcho),
	both("datagram/boundaries", "a call receives one datagram", datagramBoundaries),
	both("datagram/empty", "a datagram may be empty", datagramEmpty),
	both("datagram/largest", "the longest datagram is sent in fragments and arrives whole", datagramLargest),
	both("datagram/too-long", "a longer one is EMSGSIZE", datagramTooLong),
	both("datagram/fragments", "a datagram longer than the MTU arrives whole", datagramFragments),
	both("datagram/cut", "what does not fit the buffer is lost; RecvMsg tells with MSG_TRUNC", datagramCut),
	both("datagram/trunc", "MSG_TRUNC gives the full length of a datagram that was cut", datagramTrunc),
	both("datagram/peek", "MSG_PEEK leaves the datagram in the queue", datagramPeek),
	both("datagram/gather-scatter", "SendMsg sends its buffers as one datagram, RecvMsg fills its own in turn", datagramGatherScatter),
	both("datagram/no-buffers", "SendMsg without buffers sends an empty datagram", datagramNoBuffers),
	both("datagram/waitall", "MSG_WAITALL means nothing to datagrams", datagramWaitall),
	both("datagram/more", "MSG_MORE gathers several calls into one datagram", datagramMore),
	both("datagram/no-destination", "without destination or peer it is EDESTADDRREQ", datagramNoDestination),
	both("datagram/port-zero", "port 0 as the destination is EINVAL", datagramPortZero),
	both("datagram/autobind", "the first datagram binds the socket to an ephemeral port of the wildcard address", datagramAutobind),
	both("datagram/unbound-recv", "an unbound socket receives nothing", datagramUnboundRecv),
	both("datagram/self", "a socket sends to itself", datagramSelf),
	both("datagram/wildcard", "a socket at the wildcard address takes what is sent to any", datagramWildcard),
	both("datagram/specific", "a socket at an address does not take what is sent to another", datagramSpecific),
	// UDP-13.
	both("datagram/source", "a socket at the wildcard address sends from the address toward the destination", datagramSource),
	both("datagram/best-bound", "of two sockets the one bound to the address takes the datagram", datagramBestBound),
	both("datagram/best-connected", "of two sockets the one connected to the sender takes the datagram", datagramBestConnected),
	both("datagram/refused-unconnected", "an unconnected socket is told nothing of a port where nobody is", datagramRefusedUnconnected),
	both("datagram/overflow", "a full receive buffer drops what comes, and the sender is told nothing", datagramOverflow),
	both("datagram/no-route", "without a route it is ENETUNREACH", datagramNoRoute).needing(link),
	on4("datagram/wrong-family", "an IPv6 destination on INET is EAFNOSUPPORT", datagramWrongFamily),
	on4("datagram/broadcast-denied", "broadcast without SO_BROADCAST is EACCES", datagramBroadcastDenied).needing(broadcast),
	on4("datagram/broadcast", "broadcast reaches sockets at the wildcard address", datagramBroadcast).needing(broadcast | link),
	on4("datagram/broadcast-bound", "broadcast does not reach a socket at a unicast address", datagramBroadcastBound).needing(broadcast | link),
	on6("datagram/link-local", "link-local datagrams carry the zone in their addresses", datagramLinkLocal).needing(linkLocal),
	on6("datagram/link-local-no-zone", "SendTo a link-local destination without a zone goes where the routes say", datagramLinkLocalNoZone).needing(linkLocal),
	on4("datagram/urgent", "a datagram is not urgent: EOPNOTSUPP", datagramUrgent4),
	on6("datagram/urgent-v6", "over IPv6 MSG_OOB means nothing", datagramUrgent6),
	both("datagram/shutdown-recv", "SHUT_RD on a connected socket ends a Recv that waits with 0", datagramShutdownRecv),
	both("datagram/shutdown-send", "SHUT_WR on a connected socket makes Send EPIPE", datagramShutdownSend),
}

func datagramEcho(t *T, f family) {
	a, b := t.udpAt(t.A, f, f.a), t.udpAt(t.B, f, f.b)
	t.sendTo(a, "hello", b.LocalAddr())
	t.receivesFrom(b, "hello", a.LocalAddr())
	t.sendTo(b, "good day", a.LocalAddr())
	t.receivesFrom(a, "good day", b.LocalAddr())
}

func datagramBoundaries(t *T, f family) {
	a, b := t.udpPair(f)
	for _, s := range []string{"one", "two", "three"} {
		t.send(a, s)
	}
	for _, s := range []string{"one", "two", "three"} {
		t.receives(b, s)
	}
}

func datagramEmpty(t *T, f family) {
	a, b := t.udpAt(t.A, f, f.a), t.udpAt(t.B, f, f.b)
	t.sendTo(a, "", b.LocalAddr())
	t.receivesFrom(b, "", a.LocalAddr())
	t.nothing(b)
}

// largest is the most that a datagram carries: the length is 16 bits, of UDP
// and of an IPv4 packet with its header.
func (f *family) largest() int {
	if f.domain == socket.INET {
		return 65535 - 20 - 8
	}
	return 65535 - 8
}

// carries sends data and fails unless it arrives whole.
func (t *T) carries(a, b socket.Socket, data []byte) {
	t.Helper()
	n, err := a.Send(data, 0)
	t.ok(err)
	equal(t, "sent", n, len(data))
	got := make([]byte, len(data)+1)
	n, err = b.Recv(got, 0)
	t.ok(err)
	if !bytes.Equal(got[:n], data) {
		t.Errorf("received %d other bytes than the %d sent", n, len(data))
	}
}

func datagramLargest(t *T, f family) {
	a, b := t.udpPair(f)
	set(t, a, socket.SO_SNDBUF, 200_000)
	set(t, b, socket.SO_RCVBUF, 200_000)
	t.carries(a, b, pattern(f.largest()))
}

func datagramTooLong(t *T, f family) {
	a, b := t.udpPair(f)
	for _, n := range []int{f.largest() + 1, 65536, 100_000} {
		_, err := a.Send(make([]byte, n), 0)
		t.fails("Send", err, syscall.EMSGSIZE)
	}
	t.send(a, "x")
	t.receives(b, "x")
}

func datagramFragments(t *T, f family) {
	a, b := t.udpPair(f)
	for _, n := range []int{1400, 1473, 1500, 3000, 9001} {
		t.carries(a, b, pattern(n))
	}
}

func datagramCut(t *T, f family) {
	a, b := t.udpPair(f)
	for range 2 {
		t.send(a, "abcdef")
	}
	t.send(a, "x")
	buf := make([]byte, 4)
	n, err := b.Recv(buf, 0)
	t.ok(err)
	equal(t, "Recv", string(buf[:n]), "abcd")
	m := socket.Message{Buffers: [][]byte{buf[:1], buf[1:2]}}
	n, err = b.RecvMsg(&m, 0)
	t.ok(err)
	equal(t, "RecvMsg", string(buf[:n]), "ab")
	equal(t, "flags", m.Flags, socket.MSG_TRUNC)
	n, err = b.RecvMsg(&m, 0)
	t.ok(err)
	equal(t, "RecvMsg", string(buf[:n]), "x")
	equal(t, "flags", m.Flags, 0)
}

func datagramTrunc(t *T, f family) {
	a, b := t.udpPair(f)
	for range 3 {
		t.send(a, "abcdef")
	}
	buf := make([]byte, 4)
	n, err := b.Recv(buf, socket.MSG_TRUNC)
	t.ok(err)
	equal(t, "length", n, 6)
	n, err = b.Recv(nil, socket.MSG_TRUNC|socket.MSG_PEEK)
	t.ok(err)
	equal(t, "length of the next", n, 6)
	m := socket.Message{Buffers: [][]byte{buf}}
	n, err = b.RecvMsg(&m, socket.MSG_TRUNC)
	t.ok(err)
	equal(t, "length by RecvMsg", n, 6)
	equal(t, "flags", m.Flags, socket.MSG_TRUNC)
}

func datagramPeek(t *T, f family) {
	a, b := t.udpPair(f)
	t.send(a, "one")
	t.send(a, "two")
	buf := make([]byte, 9)
	for range 2 {
		n, from, err := b.RecvFrom(buf, socket.MSG_PEEK)
		t.ok(err)
		equal(t, "peeked", string(buf[:n]), "one")
		equal(t, "sender", from, a.LocalAddr())
	}
	t.receives(b, "one")
	t.receives(b, "two")
}

func datagramGatherScatter(t *T, f family) {
	a, b := t.udpAt(t.A, f, f.a), t.udpAt(t.B, f, f.b)
	n, err := a.SendMsg(&socket.Message{
		Buffers: [][]byte{[]byte("ab"), {}, []byte("cdef")},
		Addr:    b.LocalAddr(),
	}, 0)
	t.ok(err)
	equal(t, "sent", n, 6)
	m := socket.Message{Buffers: [][]byte{make([]byte, 1), nil, make([]byte, 4), make([]byte, 4)}}
	n, err = b.RecvMsg(&m, 0)
	t.ok(err)
	equal(t, "received", n, 6)
	equal(t, "bytes", string(m.Buffers[0])+string(m.Buffers[2])+string(m.Buffers[3][:1]), "abcdef")
	equal(t, "sender", m.Addr, a.LocalAddr())
	equal(t, "flags", m.Flags, 0)
}

func datagramNoBuffers(t *T, f family) {
	a, b := t.udpPair(f)
	_, err := a.SendMsg(&socket.Message{}, 0)
	t.ok(err)
	t.receives(b, "")
}

func datagramWaitall(t *T, f family) {
	a, b := t.udpPair(f)
	t.send(a, "ab")
	n, err := b.Recv(make([]byte, 9), socket.MSG_WAITALL)
	t.ok(err)
	equal(t, "received", n, 2)
}

func datagramMore(t *T, f family) {
	a, b := t.udpPair(f)
	for _, s := range []string{"one", "two"} {
		n, err := a.Send([]byte(s), socket.MSG_MORE)
		t.ok(err)
		equal(t, "sent", n, 3)
	}
	t.send(a, "three")
	t.receives(b, "onetwothree")
}

func datagramNoDestination(t *T, f family) {
	t.sendErr(t.udp(t.A, f), syscall.EDESTADDRREQ)
}

func datagramPortZero(t *T, f family) {
	_, err := t.udp(t.A, f).SendTo([]byte("x"), 0, at(f.b, 0))
	t.fails("SendTo", err, syscall.EINVAL)
}

func datagramAutobind(t *T, f family) {
	a, b := t.udp(t.A, f), t.udpAt(t.B, f, f.b)
	t.sendTo(a, "x", b.LocalAddr())
	local := a.LocalAddr()
	if local.Addr() != f.any || local.Port() < 1024 {
		t.Errorf("LocalAddr: %v", local)
	}
	t.receivesFrom(b, "x", at(f.a, local.Port()))
}

func datagramUnboundRecv(t *T, f family) {
	s := t.udp(t.A, f)
	t.nothing(s)
	equal(t, "LocalAddr", s.LocalAddr(), at(f.any, 0))
}

func datagramSelf(t *T, f family) {
	s := t.udpAt(t.A, f, f.a)
	t.sendTo(s, "to myself", s.LocalAddr())
	t.receivesFrom(s, "to myself", s.LocalAddr())
}

func datagramWildcard(t *T, f family) {
	s := t.udpAt(t.B, f, f.any)
	port := s.LocalAddr().Port()
	a, b := t.udpAt(t.A, f, f.a), t.udpAt(t.B, f, f.loopback)
	t.sendTo(a, "from the link", at(f.b, port))
	t.receivesFrom(s, "from the link", a.LocalAddr())
	t.sendTo(b, "from itself", at(f.loopback, port))
	t.receivesFrom(s, "from itself", b.LocalAddr())
}

func datagramSpecific(t *T, f family) {
	if f.b == f.loopback {
		t.Skip("needs two addresses")
	}
	s := t.udpAt(t.B, f, f.b)
	from := t.udp(t.B, f)
	t.sendTo(from, "elsewhere", at(f.loopback, s.LocalAddr().Port()))
	t.sendTo(from, "here", s.LocalAddr())
	t.receives(s, "here")
}

func datagramSource(t *T, f family) {
	a, b := t.udpAt(t.A, f, f.any), t.udpAt(t.B, f, f.b)
	t.sendTo(a, "x", b.LocalAddr())
	t.receivesFrom(b, "x", at(f.a, a.LocalAddr().Port()))
}

// reusing is a UDP socket that shares its address.
func (t *T) reusing(p socket.Provider, f family, addr netip.AddrPort) socket.Socket {
	t.Helper()
	s := t.udp(p, f)
	set(t, s, socket.SO_REUSEADDR, 1)
	t.ok(s.Bind(addr))
	return s
}

func datagramBestBound(t *T, f family) {
	any := t.reusing(t.B, f, at(f.any, 0))
	port := any.LocalAddr().Port()
	specific := t.reusing(t.B, f, at(f.b, port))
	last := t.reusing(t.B, f, at(f.any, port))
	t.sendTo(t.udp(t.A, f), "x", at(f.b, port))
	t.receives(specific, "x")
	t.nothing(any)
	t.nothing(last)
}

func datagramBestConnected(t *T, f family) {
	a, other := t.udpAt(t.A, f, f.a), t.udpAt(t.A, f, f.a)
	connected := t.reusing(t.B, f, at(f.b, 0))
	t.connect(connected, a.LocalAddr())
	bound := t.reusing(t.B, f, connected.LocalAddr())
	t.sendTo(a, "from the peer", bound.LocalAddr())
	t.sendTo(other, "from another", bound.LocalAddr())
	t.receives(connected, "from the peer")
	t.receives(bound, "from another")
	t.nothing(connected)
	t.nothing(bound)
}

func datagramRefusedUnconnected(t *T, f family) {
	to := t.closedPort(f, socket.DGRAM)
	s, told := t.udpAt(t.A, f, f.a), t.udp(t.A, f)
	t.connect(told, to)
	t.sendTo(s, "x", to)
	t.send(told, "x")
	t.recvErr(told, 0, syscall.ECONNREFUSED)
	t.fails("SO_ERROR", t.pending(s), nil)
	t.sendTo(s, "x", to)
	t.nothing(s)
}

func datagramOverflow(t *T, f family) {
	a, b := t.udpPair(f)
	set(t, b, socket.SO_RCVBUF, 4096)
	const sent = 200
	for range sent {
		t.send(a, string(make([]byte, 1000)))
	}
	received := 0
	for {
		_, err := b.Recv(make([]byte, 1000), socket.MSG_DONTWAIT)
		if err != nil {
			t.fails("Recv", err, syscall.EAGAIN)
			break
		}
		received++
	}
	if received == 0 || received == sent {
		t.Errorf("%d of %d received", received, sent)
	}
	t.fails("SO_ERROR of the sender", t.pending(a), nil)
	t.send(a, "x")
	t.receives(b, "x")
}

func datagramNoRoute(t *T, f family) {
	_, err := t.udp(t.A, f).SendTo([]byte("x"), 0, at(f.foreign, 9))
	t.fails("SendTo", err, syscall.ENETUNREACH)
}

func datagramWrongFamily(t *T, f family) {
	_, err := t.udp(t.A, f).SendTo([]byte("x"), 0, at(netip.IPv6Loopback(), 9))
	t.fails("SendTo", err, syscall.EAFNOSUPPORT)
}

func datagramBroadcastDenied(t *T, f family) {
	s := t.udp(t.A, f)
	to := at(t.Broadcast4, 9)
	_, err := s.SendTo([]byte("x"), 0, to)
	t.fails("SendTo", err, syscall.EACCES)
	t.fails("Connect", s.Connect(background, to), syscall.EACCES)
	set(t, s, socket.SO_BROADCAST, 1)
	t.sendTo(s, "x", to)
}

func datagramBroadcast(t *T, f family) {
	b := t.udpAt(t.B, f, f.any)
	a := t.udp(t.A, f)
	set(t, a, socket.SO_BROADCAST, 1)
	t.sendTo(a, "to all", at(t.Broadcast4, b.LocalAddr().Port()))
	t.receivesFrom(b, "to all", at(f.a, a.LocalAddr().Port()))
}

func datagramBroadcastBound(t *T, f family) {
	b := t.udpAt(t.B, f, f.b)
	a := t.udp(t.A, f)
	set(t, a, socket.SO_BROADCAST, 1)
	t.sendTo(a, "to all", at(t.Broadcast4, b.LocalAddr().Port()))
	t.sendTo(a, "to one", b.LocalAddr())
	t.receives(b, "to one")
}

func datagramLinkLocal(t *T, f family) {
	a, b := t.udpAt(t.A, f, t.LinkLocalA), t.udpAt(t.B, f, t.LinkLocalB)
	asSeenByA := at(t.LinkLocalB.WithZone(t.InterfaceA), b.LocalAddr().Port())
	asSeenByB := at(t.LinkLocalA.WithZone(t.InterfaceB), a.LocalAddr().Port())
	t.sendTo(a, "hello", asSeenByA)
	t.receivesFrom(b, "hello", asSeenByB)
	t.sendTo(b, "good day", asSeenByB)
	t.receivesFrom(a, "good day", asSeenByA)
}

func datagramLinkLocalNoZone(t *T, f family) {
	b := t.udpAt(t.B, f, t.LinkLocalB)
	t.sendTo(t.udp(t.A, f), "x", at(t.LinkLocalB.WithZone(""), b.LocalAddr().Port()))
	t.receives(b, "x")
}

func datagramUrgent4(t *T, f family) {
	a, _ := t.udpPair(f)
	_, err := a.Send([]byte("x"), socket.MSG_OOB)
	t.fails("Send", err, syscall.EOPNOTSUPP)
}

func datagramUrgent6(t *T, f family) {
	a, b := t.udpPair(f)
	t.sendUrgent(a, "x")
	t.receives(b, "x")
}

func datagramShutdownRecv(t *T, f family) {
	a, _ := t.udpPair(f)
	done := t.beside(func() { t.receivesEnd(a) })
	t.ok(a.Shutdown(socket.SHUT_RD))
	<-done
}

func datagramShutdownSend(t *T, f family) {
	a, b := t.udpPair(f)
	t.ok(a.Shutdown(socket.SHUT_WR))
	t.sendErr(a, syscall.EPIPE)
	t.send(b, "x")
	t.receives(a, "x")
}
