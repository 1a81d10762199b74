package sockettest

import (
	"context"
	"net/netip"
	"os"
	"syscall"
	"time"

	"example.com/berth/socket"
)

var listenCases = []rows{
	both("listen/datagram", "a datagram socket does not listen: EOPNOTSUPP", listenDatagram),
	both("listen/raw", "a raw socket does not listen: EOPNOTSUPP", listenRaw).needing(raw),
	both("listen/unbound", "Listen binds an unbound socket to an ephemeral port of the wildcard address", listenUnbound),
	both("listen/twice", "a second Listen changes the backlog", listenTwice),
	both("listen/connected", "a connected socket does not listen: EINVAL", listenConnected),
	both("listen/connecting", "a connecting socket does not listen: EINVAL", listenConnecting),
	// MUST-41.
	both("listen/in-use", "of two sockets bound to one port by SO_REUSEADDR the second to listen gets EADDRINUSE", listenInUse),
	both("listen/acceptconn", "SO_ACCEPTCONN tells who listens", listenAcceptConn),
	both("listen/no-peer", "a listener has no peer, receives with ENOTCONN and sends with EPIPE", listenNoPeer),
	both("listen/connect", "a listener does not connect: EISCONN", listenConnect),
	both("listen/info", "TCP_INFO of a listener tells its state, queue and backlog", listenInfo),
	both("listen/backlog", "backlog n lets n+1 connections wait; a further SYN is not answered", listenBacklog),
	on4("listen/backlog-retry", "a SYN that found no place is sent again, and gets in when there is one", listenBacklogRetry),
	both("listen/shutdown", "SHUT_RD ends listening: Accept gives EINVAL, connections are refused, Listen begins anew", listenShutdown),
	both("listen/shutdown-write", "SHUT_WR does nothing to a listener", listenShutdownWrite),
	both("listen/shutdown-wakes", "SHUT_RD ends an Accept that waits with EINVAL", listenShutdownWakes),
	both("listen/close-resets", "Close of a listener resets the connections that wait", listenCloseResets),
	both("listen/close-keeps-accepted", "Close of a listener leaves accepted connections alone", listenCloseKeepsAccepted),

	both("accept/not-listening", "Accept on a socket that does not listen is EINVAL", acceptNotListening),
	both("accept/datagram", "Accept on a datagram socket is EOPNOTSUPP", acceptDatagram),
	both("accept/order", "connections are accepted in the order in which they came", acceptOrder),
	both("accept/addresses", "Accept tells the caller's address, which is the new socket's peer; its local address is the one called", acceptAddresses),
	both("accept/wildcard", "a connection to a wildcard listener has the address that was called", acceptWildcard),
	both("accept/blocking", "a socket accepted from a non-blocking listener blocks", acceptBlocking),
	both("accept/empty", "a non-blocking Accept without a connection is EAGAIN", acceptEmpty),
	both("accept/context", "a context ends an Accept that waits with its own error", acceptContext),
	both("accept/context-other", "a context that ends one Accept leaves another that waits alone", acceptContextOther),
	both("accept/inherits", "an accepted socket has the listener's options", acceptInherits),
	both("accept/early-data", "what was sent before Accept is there after it", acceptEarlyData),
	both("accept/early-end", "a connection that ended before Accept is accepted with its data and its end", acceptEarlyEnd),
	both("accept/early-reset", "a connection that was reset before Accept is accepted, and gives ECONNRESET", acceptEarlyReset),
}

func listenDatagram(t *T, f family) {
	t.fails("Listen", t.udpAt(t.A, f, f.a).Listen(1), syscall.EOPNOTSUPP)
}

func listenRaw(t *T, f family) {
	t.fails("Listen", t.socket(t.A, f.domain, socket.RAW, 253).Listen(1), syscall.EOPNOTSUPP)
}

func listenUnbound(t *T, f family) {
	l := t.tcp(t.B, f)
	t.ok(l.Listen(1))
	local := l.LocalAddr()
	if local.Addr() != f.any || local.Port() < 1024 {
		t.Errorf("LocalAddr: %v", local)
	}
	t.connect(t.tcp(t.A, f), at(f.b, local.Port()))
	t.accept(l)
}

func listenTwice(t *T, f family) {
	l := t.listener(f)
	t.ok(l.Listen(3))
	equal(t, "backlog", get(t, l, socket.TCP_INFO).Sacked, 3)
}

func listenConnected(t *T, f family) {
	a, _ := t.pair(f)
	t.fails("Listen", a.Listen(1), syscall.EINVAL)
}

func listenConnecting(t *T, f family) {
	s, _ := t.connecting(f)
	t.fails("Listen", s.Listen(1), syscall.EINVAL)
}

func listenInUse(t *T, f family) {
	first, second := t.tcp(t.A, f), t.tcp(t.A, f)
	set(t, first, socket.SO_REUSEADDR, 1)
	set(t, second, socket.SO_REUSEADDR, 1)
	t.bound(first, f.a)
	t.ok(second.Bind(first.LocalAddr()))
	t.ok(first.Listen(1))
	t.fails("second Listen", second.Listen(1), syscall.EADDRINUSE)
}

func listenAcceptConn(t *T, f family) {
	s := t.bound(t.tcp(t.A, f), f.a)
	equal(t, "before Listen", get(t, s, socket.SO_ACCEPTCONN), 0)
	t.ok(s.Listen(1))
	equal(t, "after Listen", get(t, s, socket.SO_ACCEPTCONN), 1)
}

func listenNoPeer(t *T, f family) {
	l := t.listener(f)
	_, err := l.PeerAddr()
	t.fails("PeerAddr", err, syscall.ENOTCONN)
	t.recvErr(l, 0, syscall.ENOTCONN)
	t.sendErr(l, syscall.EPIPE)
}

func listenConnect(t *T, f family) {
	l := t.listener(f)
	t.fails("Connect", l.Connect(background, at(f.b, 9)), syscall.EISCONN)
}

func listenInfo(t *T, f family) {
	l := t.bound(t.tcp(t.B, f), f.b)
	t.ok(l.Listen(7))
	t.connect(t.tcp(t.A, f), l.LocalAddr())
	t.await(l, socket.POLLIN)
	info := get(t, l, socket.TCP_INFO)
	equal(t, "state", info.State, socket.TCP_LISTEN)
	equal(t, "waiting", info.Unacked, 1)
	equal(t, "backlog", info.Sacked, 7)
}

func listenBacklog(t *T, f family) {
	const backlog = 2
	l := t.bound(t.tcp(t.B, f), f.b)
	t.ok(l.Listen(backlog))
	for range backlog + 1 {
		t.connect(t.tcp(t.A, f), l.LocalAddr())
	}
	// The last handshake ends on B only when its ACK has come.
	t.until(l, "full", func() bool { return get(t, l, socket.TCP_INFO).Unacked == backlog+1 })
	ctx, cancel := context.WithTimeout(background, 50*time.Millisecond)
	defer cancel()
	t.fails("Connect", t.tcp(t.A, f).Connect(ctx, l.LocalAddr()), context.DeadlineExceeded)
}

func listenBacklogRetry(t *T, f family) {
	s, l := t.connecting(f)
	t.fails("Connect while it goes on", func() error {
		ctx, cancel := context.WithCancel(background)
		cancel()
		return s.Connect(ctx, l.LocalAddr())
	}(), context.Canceled)
	t.accept(l)
	t.connect(s, l.LocalAddr()) // waits for the attempt that goes on
	t.accept(l)
}

func listenShutdown(t *T, f family) {
	l := t.listener(f)
	addr := l.LocalAddr()
	t.ok(l.Shutdown(socket.SHUT_RD))
	_, _, err := l.Accept(background)
	t.fails("Accept", err, syscall.EINVAL)
	t.fails("Connect", t.tcp(t.A, f).Connect(background, addr), syscall.ECONNREFUSED)
	t.ok(l.Listen(1)) // at a new port: the old one was not asked for by number
	t.connect(t.tcp(t.A, f), l.LocalAddr())
	t.accept(l)
}

func listenShutdownWrite(t *T, f family) {
	l := t.listener(f)
	t.ok(l.Shutdown(socket.SHUT_WR))
	t.connect(t.tcp(t.A, f), l.LocalAddr())
	t.accept(l)
}

func listenShutdownWakes(t *T, f family) {
	l := t.listener(f)
	done := t.beside(func() {
		_, _, err := l.Accept(background)
		t.fails("Accept", err, syscall.EINVAL)
	})
	t.ok(l.Shutdown(socket.SHUT_RD))
	<-done
}

func listenCloseResets(t *T, f family) {
	l := t.listener(f)
	s := t.tcp(t.A, f)
	t.connect(s, l.LocalAddr())
	t.await(l, socket.POLLIN)
	t.ok(l.Close())
	t.recvErr(s, 0, syscall.ECONNRESET)
}

func listenCloseKeepsAccepted(t *T, f family) {
	l := t.listener(f)
	s := t.tcp(t.A, f)
	t.connect(s, l.LocalAddr())
	c := t.accept(l)
	t.ok(l.Close())
	t.send(s, "hello")
	t.receives(c, "hello")
}

func acceptNotListening(t *T, f family) {
	_, _, err := t.bound(t.tcp(t.A, f), f.a).Accept(background)
	t.fails("Accept on a bound socket", err, syscall.EINVAL)
	a, _ := t.pair(f)
	_, _, err = a.Accept(background)
	t.fails("Accept on a connected socket", err, syscall.EINVAL)
}

func acceptDatagram(t *T, f family) {
	_, _, err := t.udpAt(t.A, f, f.a).Accept(background)
	t.fails("Accept", err, syscall.EOPNOTSUPP)
}

func acceptOrder(t *T, f family) {
	l := t.listener(f)
	var want []netip.AddrPort
	for i := range 5 {
		s := t.tcp(t.A, f)
		t.connect(s, l.LocalAddr())
		want = append(want, s.LocalAddr())
		t.until(l, "waiting", func() bool { return get(t, l, socket.TCP_INFO).Unacked == uint32(i+1) })
	}
	for _, w := range want {
		_, peer, err := l.Accept(background)
		t.ok(err)
		equal(t, "caller", peer, w)
	}
}

func acceptAddresses(t *T, f family) {
	l := t.listener(f)
	s := t.tcp(t.A, f)
	t.connect(s, l.LocalAddr())
	c, caller, err := l.Accept(background)
	t.ok(err)
	t.own(t.B, c)
	equal(t, "caller", caller, s.LocalAddr())
	equal(t, "local address", c.LocalAddr(), l.LocalAddr())
	for _, x := range []struct {
		s    socket.Socket
		want netip.AddrPort
	}{{c, s.LocalAddr()}, {s, l.LocalAddr()}} {
		peer, err := x.s.PeerAddr()
		t.ok(err)
		equal(t, "peer", peer, x.want)
	}
}

func acceptWildcard(t *T, f family) {
	l := t.tcp(t.B, f)
	t.ok(l.Listen(1))
	t.connect(t.tcp(t.A, f), at(f.b, l.LocalAddr().Port()))
	equal(t, "local address", t.accept(l).LocalAddr(), at(f.b, l.LocalAddr().Port()))
}

func acceptBlocking(t *T, f family) {
	l := t.listener(f)
	t.ok(l.SetNonblock(true))
	s := t.tcp(t.A, f)
	t.connect(s, l.LocalAddr())
	t.await(l, socket.POLLIN)
	c := t.accept(l)
	t.ok(c.SetReadDeadline(time.Now().Add(time.Millisecond)))
	t.recvErr(c, 0, os.ErrDeadlineExceeded)
}

func acceptEmpty(t *T, f family) {
	l := t.listener(f)
	t.ok(l.SetNonblock(true))
	_, _, err := l.Accept(background)
	t.fails("Accept", err, syscall.EAGAIN)
}

func acceptContext(t *T, f family) {
	l := t.listener(f)
	ctx, cancel := context.WithCancel(background)
	done := t.beside(func() {
		_, _, err := l.Accept(ctx)
		t.fails("Accept", err, context.Canceled)
	})
	cancel()
	<-done
	ctx, cancel = context.WithTimeout(background, time.Millisecond)
	defer cancel()
	_, _, err := l.Accept(ctx)
	t.fails("Accept", err, context.DeadlineExceeded)
	t.connect(t.tcp(t.A, f), l.LocalAddr())
	t.accept(l)
}

func acceptContextOther(t *T, f family) {
	l := t.listener(f)
	ctx, cancel := context.WithCancel(background)
	first := t.beside(func() {
		_, _, err := l.Accept(ctx)
		t.fails("first Accept", err, context.Canceled)
	})
	second := t.beside(func() {
		c, _, err := l.Accept(background)
		t.fails("second Accept", err, nil)
		if err == nil {
			c.Close()
		}
	})
	cancel()
	<-first
	t.connect(t.tcp(t.A, f), l.LocalAddr())
	<-second
}

func acceptInherits(t *T, f family) {
	l := t.tcp(t.B, f)
	options := []struct {
		o socket.Option[int]
		v int
	}{
		{socket.TCP_NODELAY, 1},
		{socket.SO_KEEPALIVE, 1},
		{socket.TCP_KEEPIDLE, 77},
		{socket.TCP_KEEPINTVL, 7},
		{socket.TCP_KEEPCNT, 3},
		{socket.TCP_USER_TIMEOUT, 4321},
		{socket.SO_OOBINLINE, 1},
		{socket.SO_RCVLOWAT, 5},
		{socket.SO_REUSEADDR, 1},
	}
	for _, o := range options {
		set(t, l, o.o, o.v)
	}
	linger := socket.Linger{On: true, Seconds: 1}
	set(t, l, socket.SO_LINGER, linger)
	t.bound(l, f.b)
	t.ok(l.Listen(1))
	s := t.tcp(t.A, f)
	t.connect(s, l.LocalAddr())
	c := t.accept(l)
	for _, o := range options {
		equal(t, "option "+o.o.ID.String(), get(t, c, o.o), o.v)
	}
	equal(t, "SO_LINGER", get(t, c, socket.SO_LINGER), linger)
	equal(t, "SO_ACCEPTCONN", get(t, c, socket.SO_ACCEPTCONN), 0)
}

func acceptEarlyData(t *T, f family) {
	l := t.listener(f)
	s := t.tcp(t.A, f)
	t.connect(s, l.LocalAddr())
	t.send(s, "early")
	t.receives(t.accept(l), "early")
}

func acceptEarlyEnd(t *T, f family) {
	l := t.listener(f)
	s := t.tcp(t.A, f)
	t.connect(s, l.LocalAddr())
	t.send(s, "early")
	t.ok(s.Close())
	t.await(l, socket.POLLIN)
	c := t.accept(l)
	t.receives(c, "early")
	t.receivesEnd(c)
}

func acceptEarlyReset(t *T, f family) {
	l := t.listener(f)
	s := t.tcp(t.A, f)
	t.connect(s, l.LocalAddr())
	t.await(l, socket.POLLIN)
	addr := s.LocalAddr()
	t.reset(s)
	c, caller, err := l.Accept(background)
	t.ok(err)
	equal(t, "caller", caller, addr)
	t.recvErr(t.own(t.B, c), 0, syscall.ECONNRESET)
}
