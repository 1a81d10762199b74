package sockettest

import (
	"context"
	"net/netip"
	"os"
	"syscall"
	"time"

	"example.com/berth/socket"
)

var connectCases = []rows{
	both("connect/refused", "a port where nobody listens is ECONNREFUSED, and the socket has no peer", connectRefused),
	both("connect/after-refusal", "a socket whose connection was refused connects anew", connectAfterRefusal),
	both("connect/port-zero", "port 0 is refused", connectPortZero),
	// MUST-44.
	both("connect/binds", "Connect binds an unbound socket to the address toward the peer and an ephemeral port", connectBinds),
	// MUST-43.
	both("connect/bound", "a bound socket connects from its address and port", connectBound),
	both("connect/twice", "a connected socket does not connect: EISCONN", connectTwice),
	both("connect/nonblocking", "a non-blocking Connect is EINPROGRESS; POLLOUT tells that it has ended, SO_ERROR how", connectNonblocking),
	both("connect/nonblocking-again", "after a non-blocking Connect the next one tells the success once, then EISCONN", connectNonblockingAgain),
	both("connect/nonblocking-refused", "a non-blocking Connect that fails shows POLLERR and POLLHUP, and SO_ERROR gives ECONNREFUSED once", connectNonblockingRefused),
	both("connect/nonblocking-refused-again", "the next Connect tells why a non-blocking one failed", connectNonblockingRefusedAgain),
	both("connect/aborted", "when SO_ERROR has told the failure, the next Connect is ECONNABORTED and the one after begins anew", connectAborted),
	both("connect/keeps-port", "the port that Bind asked for stays with a socket whose connection was refused", connectKeepsPort),
	both("connect/after-shutdown", "a socket that was shut down while it was connecting connects anew", connectAfterShutdown),
	both("connect/shut", "a socket that was shut down when it was connected is connected: EISCONN, whoever asked first", connectShut),
	both("connect/already", "a non-blocking Connect while another goes on is EALREADY", connectAlready),
	both("connect/sending", "a connecting socket sends and receives with EAGAIN", connectSending),
	both("connect/state", "a connecting socket is in SYN-SENT, has a local address and no peer", connectState),
	both("connect/context", "a context ends the wait with its own error", connectContext),
	both("connect/context-ended", "a context that has ended is the error at once, and nothing is begun", connectContextEnded),
	both("connect/deadline", "the write deadline ends the wait", connectDeadline),
	both("connect/self", "a socket that connects to its own address is connected to itself", connectSelf),
	both("connect/unspecified", "the unspecified address is the host's own loopback", connectUnspecified),
	both("connect/wrong-family", "the other family's address is EAFNOSUPPORT on INET and EINVAL on INET6", connectWrongFamily),
	// MUST-46.
	on4("connect/broadcast", "a stream does not connect to a broadcast address: ENETUNREACH", connectBroadcast),
	// MUST-46.
	both("connect/multicast", "a stream does not connect to a multicast group: ENETUNREACH", connectMulticast),
	both("connect/no-route", "without a route it is ENETUNREACH", connectNoRoute).needing(link),
	on6("connect/link-local", "a link-local address with its zone is reached, and the peer sees one", connectLinkLocal).needing(linkLocal),
	on6("connect/link-local-no-zone", "a link-local address without a zone is EINVAL", connectLinkLocalNoZone).needing(linkLocal),
	both("connect/same-five-tuple", "a five-tuple exists once: EADDRNOTAVAIL", connectSameFiveTuple),
	both("connect/one-port-two-peers", "one local address and port take part in several connections", connectTwoPeers),
	both("connect/disconnect", "the zero AddrPort disconnects a stream: the peer is reset, the socket connects anew", connectDisconnect),
	both("connect/ephemeral-differ", "ephemeral ports of connections to one peer all differ", connectManyPorts),
}

func connectRefused(t *T, f family) {
	s := t.tcp(t.A, f)
	t.fails("Connect", s.Connect(background, t.closedPort(f, socket.STREAM)), syscall.ECONNREFUSED)
	_, err := s.PeerAddr()
	t.fails("PeerAddr", err, syscall.ENOTCONN)
	t.fails("SO_ERROR", t.pending(s), nil)
	equal(t, "state", t.state(s), socket.TCP_CLOSE)
}

func connectAfterRefusal(t *T, f family) {
	s, l := t.tcp(t.A, f), t.listener(f)
	t.fails("Connect", s.Connect(background, t.closedPort(f, socket.STREAM)), syscall.ECONNREFUSED)
	t.connect(s, l.LocalAddr())
	t.send(s, "x")
	t.receives(t.accept(l), "x")
}

func connectPortZero(t *T, f family) {
	t.fails("Connect", t.tcp(t.A, f).Connect(background, at(f.b, 0)), syscall.ECONNREFUSED)
}

func connectBinds(t *T, f family) {
	a, _ := t.pair(f)
	equal(t, "address", a.LocalAddr().Addr(), f.a)
	if p := a.LocalAddr().Port(); p < 1024 {
		t.Errorf("port %d", p)
	}
}

func connectBound(t *T, f family) {
	l, s := t.listener(f), t.bound(t.tcp(t.A, f), f.a)
	local := s.LocalAddr()
	t.connect(s, l.LocalAddr())
	equal(t, "LocalAddr", s.LocalAddr(), local)
	peer, err := t.accept(l).PeerAddr()
	t.ok(err)
	equal(t, "seen by the peer", peer, local)
}

func connectTwice(t *T, f family) {
	a, b := t.pair(f)
	t.fails("Connect", a.Connect(background, b.LocalAddr()), syscall.EISCONN)
	t.fails("Connect of the accepted socket", b.Connect(background, a.LocalAddr()), syscall.EISCONN)
}

func nonblocking(t *T, s socket.Socket) socket.Socket {
	t.ok(s.SetNonblock(true))
	return s
}

func connectNonblocking(t *T, f family) {
	l, s := t.listener(f), nonblocking(t, t.tcp(t.A, f))
	t.fails("Connect", s.Connect(background, l.LocalAddr()), syscall.EINPROGRESS)
	equal(t, "Poll", t.await(s, socket.POLLOUT), socket.POLLOUT)
	t.fails("SO_ERROR", t.pending(s), nil)
	peer, err := s.PeerAddr()
	t.ok(err)
	equal(t, "peer", peer, l.LocalAddr())
}

func connectNonblockingAgain(t *T, f family) {
	l, s := t.listener(f), nonblocking(t, t.tcp(t.A, f))
	t.fails("first Connect", s.Connect(background, l.LocalAddr()), syscall.EINPROGRESS)
	t.await(s, socket.POLLOUT)
	t.fails("second Connect", s.Connect(background, l.LocalAddr()), nil)
	t.fails("third Connect", s.Connect(background, l.LocalAddr()), syscall.EISCONN)
}

// refusedNonblocking is a socket whose non-blocking Connect has failed.
func (t *T) refusedNonblocking(f family) (s socket.Socket, to netip.AddrPort) {
	t.Helper()
	to = t.closedPort(f, socket.STREAM)
	s = nonblocking(t, t.tcp(t.A, f))
	t.fails("Connect", s.Connect(background, to), syscall.EINPROGRESS)
	t.await(s, socket.POLLOUT)
	return s, to
}

func connectNonblockingRefused(t *T, f family) {
	s, _ := t.refusedNonblocking(f)
	e := t.events(s)
	equal(t, "Poll", e&(socket.POLLOUT|socket.POLLERR|socket.POLLHUP), socket.POLLOUT|socket.POLLERR|socket.POLLHUP)
	t.fails("SO_ERROR", t.pending(s), syscall.ECONNREFUSED)
	t.fails("SO_ERROR again", t.pending(s), nil)
}

func connectNonblockingRefusedAgain(t *T, f family) {
	s, to := t.refusedNonblocking(f)
	t.fails("second Connect", s.Connect(background, to), syscall.ECONNREFUSED)
	t.fails("third Connect", s.Connect(background, to), syscall.EINPROGRESS)
}

func connectAborted(t *T, f family) {
	s, to := t.refusedNonblocking(f)
	t.fails("SO_ERROR", t.pending(s), syscall.ECONNREFUSED)
	t.fails("second Connect", s.Connect(background, to), syscall.ECONNABORTED)
	t.fails("third Connect", s.Connect(background, to), syscall.EINPROGRESS)
}

func connectKeepsPort(t *T, f family) {
	s := t.bound(t.tcp(t.A, f), f.a)
	port := s.LocalAddr().Port()
	t.ok(s.Close())
	s = t.tcp(t.A, f)
	t.ok(s.Bind(netip.AddrPortFrom(f.a, port)))
	l := t.listener(f)
	t.fails("Connect", s.Connect(background, t.closedPort(f, socket.STREAM)), syscall.ECONNREFUSED)
	equal(t, "port", s.LocalAddr().Port(), port)
	t.connect(s, l.LocalAddr())
	peer, err := t.accept(l).PeerAddr()
	t.ok(err)
	equal(t, "seen by the peer", peer.Port(), port)
}

func connectAfterShutdown(t *T, f family) {
	s, l := t.connecting(f)
	t.ok(s.SetNonblock(true))
	t.ok(s.Shutdown(socket.SHUT_WR))
	t.fails("Connect", s.Connect(background, l.LocalAddr()), syscall.EINPROGRESS)
	equal(t, "state", t.state(s), socket.TCP_SYN_SENT)
}

func connectShut(t *T, f family) {
	l, s := t.listener(f), nonblocking(t, t.tcp(t.A, f))
	t.fails("Connect", s.Connect(background, l.LocalAddr()), syscall.EINPROGRESS)
	t.await(s, socket.POLLOUT)
	t.ok(s.Shutdown(socket.SHUT_WR))
	t.fails("Connect again", s.Connect(background, l.LocalAddr()), syscall.EISCONN)
}

func connectAlready(t *T, f family) {
	s, l := t.connecting(f)
	t.ok(s.SetNonblock(true))
	t.fails("Connect", s.Connect(background, l.LocalAddr()), syscall.EALREADY)
}

func connectSending(t *T, f family) {
	s, _ := t.connecting(f)
	t.ok(s.SetNonblock(true))
	t.sendErr(s, syscall.EAGAIN)
	t.recvErr(s, 0, syscall.EAGAIN)
	equal(t, "Poll", t.events(s), 0)
}

func connectState(t *T, f family) {
	s, _ := t.connecting(f)
	equal(t, "state", t.state(s), socket.TCP_SYN_SENT)
	equal(t, "local address", s.LocalAddr().Addr(), f.a)
	_, err := s.PeerAddr()
	t.fails("PeerAddr", err, syscall.ENOTCONN)
}

func connectContext(t *T, f family) {
	l, s := t.fullListener(f), t.tcp(t.A, f)
	ctx, cancel := context.WithTimeout(background, 50*time.Millisecond)
	defer cancel()
	t.fails("Connect", s.Connect(ctx, l.LocalAddr()), context.DeadlineExceeded)
	equal(t, "state", t.state(s), socket.TCP_SYN_SENT)
	ctx, cancel = context.WithCancel(background)
	done := t.beside(func() { t.fails("Connect", s.Connect(ctx, l.LocalAddr()), context.Canceled) })
	cancel()
	<-done
}

func connectContextEnded(t *T, f family) {
	l, s := t.listener(f), t.tcp(t.A, f)
	ctx, cancel := context.WithCancel(background)
	cancel()
	t.fails("Connect", s.Connect(ctx, l.LocalAddr()), context.Canceled)
	equal(t, "state", t.state(s), socket.TCP_CLOSE)
	t.connect(s, l.LocalAddr())
}

func connectDeadline(t *T, f family) {
	l, s := t.fullListener(f), t.tcp(t.A, f)
	t.ok(s.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)))
	t.fails("Connect", s.Connect(background, l.LocalAddr()), os.ErrDeadlineExceeded)
	equal(t, "state", t.state(s), socket.TCP_SYN_SENT)
}

func connectSelf(t *T, f family) {
	s := t.bound(t.tcp(t.A, f), f.loopback)
	t.connect(s, s.LocalAddr())
	peer, err := s.PeerAddr()
	t.ok(err)
	equal(t, "peer", peer, s.LocalAddr())
	t.send(s, "to myself")
	t.receives(s, "to myself")
}

func connectUnspecified(t *T, f family) {
	l := t.bound(t.tcp(t.A, f), f.loopback)
	t.ok(l.Listen(1))
	s := t.tcp(t.A, f)
	t.connect(s, at(f.any, l.LocalAddr().Port()))
	equal(t, "address", s.LocalAddr().Addr(), f.loopback)
	peer, err := s.PeerAddr()
	t.ok(err)
	equal(t, "peer", peer, l.LocalAddr())
}

func connectWrongFamily(t *T, f family) {
	wrong, want := netip.IPv6Loopback(), error(syscall.EAFNOSUPPORT)
	if f.domain == socket.INET6 {
		wrong, want = netip.MustParseAddr("127.0.0.1"), syscall.EINVAL
	}
	t.fails("Connect", t.tcp(t.A, f).Connect(background, at(wrong, 9)), want)
}

func connectBroadcast(t *T, f family) {
	to := netip.MustParseAddr("255.255.255.255")
	t.fails("Connect", t.tcp(t.A, f).Connect(background, at(to, 9)), syscall.ENETUNREACH)
}

func connectMulticast(t *T, f family) {
	to := netip.MustParseAddr("239.1.2.3")
	if f.domain == socket.INET6 {
		to = netip.MustParseAddr("ff05::1:3")
	}
	t.fails("Connect", t.tcp(t.A, f).Connect(background, at(to, 9)), syscall.ENETUNREACH)
}

func connectNoRoute(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, f.domain, typ, 0)
		t.fails("Connect", s.Connect(background, at(f.foreign, 9)), syscall.ENETUNREACH)
	})
}

func connectLinkLocal(t *T, f family) {
	l := t.bound(t.tcp(t.B, f), t.LinkLocalB)
	t.ok(l.Listen(1))
	s := t.tcp(t.A, f)
	to := at(t.LinkLocalB.WithZone(t.InterfaceA), l.LocalAddr().Port())
	t.connect(s, to)
	equal(t, "local address", s.LocalAddr().Addr(), t.LinkLocalA)
	peer, err := s.PeerAddr()
	t.ok(err)
	equal(t, "peer", peer, to)
	_, caller, err := l.Accept(background)
	t.ok(err)
	equal(t, "caller", caller, at(t.LinkLocalA.WithZone(t.InterfaceB), s.LocalAddr().Port()))
}

func connectLinkLocalNoZone(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, f.domain, typ, 0)
		t.fails("Connect", s.Connect(background, at(t.LinkLocalB.WithZone(""), 9)), syscall.EINVAL)
	})
}

func connectSameFiveTuple(t *T, f family) {
	l := t.listener(f)
	first, second := t.tcp(t.A, f), t.tcp(t.A, f)
	set(t, first, socket.SO_REUSEADDR, 1)
	set(t, second, socket.SO_REUSEADDR, 1)
	t.bound(first, f.a)
	t.ok(second.Bind(first.LocalAddr()))
	t.connect(first, l.LocalAddr())
	t.fails("second Connect", second.Connect(background, l.LocalAddr()), syscall.EADDRNOTAVAIL)
}

func connectTwoPeers(t *T, f family) {
	l1, l2 := t.listener(f), t.listener(f)
	first, second := t.tcp(t.A, f), t.tcp(t.A, f)
	set(t, first, socket.SO_REUSEADDR, 1)
	set(t, second, socket.SO_REUSEADDR, 1)
	t.bound(first, f.a)
	t.ok(second.Bind(first.LocalAddr()))
	t.connect(first, l1.LocalAddr())
	t.connect(second, l2.LocalAddr())
	t.send(first, "one")
	t.send(second, "two")
	t.receives(t.accept(l1), "one")
	t.receives(t.accept(l2), "two")
}

func connectDisconnect(t *T, f family) {
	l := t.listener(f)
	s := t.tcp(t.A, f)
	t.connect(s, l.LocalAddr())
	c := t.accept(l)
	t.connect(s, netip.AddrPort{})
	_, err := s.PeerAddr()
	t.fails("PeerAddr", err, syscall.ENOTCONN)
	t.recvErr(c, 0, syscall.ECONNRESET)
	t.connect(s, l.LocalAddr())
	t.send(s, "again")
	t.receives(t.accept(l), "again")
}

func connectManyPorts(t *T, f family) {
	l := t.listener(f)
	seen := make(map[uint16]bool)
	for range 100 {
		s := t.tcp(t.A, f)
		t.connect(s, l.LocalAddr())
		t.accept(l)
		if p := s.LocalAddr().Port(); seen[p] {
			t.Fatalf("port %d twice", p)
		} else {
			seen[p] = true
		}
	}
}
