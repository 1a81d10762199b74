package sockettest

import (
	"context"
	"net/netip"
	"syscall"
	"time"

	"example.com/berth/socket"
)

var closeCases = []rows{
	both("close/twice", "a second Close is EBADF", closeTwice),
	// MAY-1.
	both("close/every-call", "every call on a closed socket is EBADF", closeEveryCall),
	both("close/local-addr", "LocalAddr after Close is what it was", closeLocalAddr),
	both("close/wakes-recv", "Close ends a Recv that waits with EBADF", closeWakesRecv),
	both("close/wakes-recv-datagram", "Close ends a RecvFrom that waits with EBADF", closeWakesRecvDatagram),
	both("close/wakes-send", "Close ends a Send that waits with EBADF", closeWakesSend),
	both("close/wakes-accept", "Close ends an Accept that waits with EBADF", closeWakesAccept),
	both("close/wakes-connect", "Close ends a Connect that waits with EBADF", closeWakesConnect),
	both("close/delivers", "what was sent before Close arrives, then the end", closeDelivers),
	// SHLD-3.
	both("close/unread", "Close with bytes unread resets the peer", closeUnread),
	both("close/then-data", "data for a closed socket is answered by a reset: after the end, EPIPE", closeThenData),
	// MUST-12.
	both("close/reset-recv-first", "after a reset Recv gives ECONNRESET once, then the end; Send EPIPE", closeResetRecvFirst),
	both("close/reset-send-first", "after a reset the first Send gives ECONNRESET, the next EPIPE", closeResetSendFirst),
	both("close/reset-so-error", "SO_ERROR gives the reset once, and then no call gives it again", closeResetSoError),
	both("close/reset-buffered", "bytes that came before a reset are received before its error", closeResetBuffered),
	both("close/reset-wakes", "a reset ends a Recv that waits with ECONNRESET", closeResetWakes),
	both("close/reset-state", "a connection that was reset is closed and has no peer", closeResetState),
}

func closeTwice(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, f.domain, typ, 0)
		t.ok(s.Close())
		t.fails("Close", s.Close(), syscall.EBADF)
	})
}

func closeEveryCall(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.bound(t.socket(t.A, f.domain, typ, 0), f.a)
		t.ok(s.Close())
		addr := at(f.b, 9)
		b := []byte("x")
		second := func(_ any, err error) error { return err }
		m := socket.Message{Buffers: [][]byte{b}, Addr: addr}
		now := time.Now().Add(patience)
		for what, err := range map[string]error{
			"Bind":             s.Bind(addr),
			"Listen":           s.Listen(1),
			"Accept":           func() error { _, _, err := s.Accept(background); return err }(),
			"Connect":          s.Connect(background, addr),
			"Connect to none":  s.Connect(background, netip.AddrPort{}),
			"Send":             second(s.Send(b, 0)),
			"Send at once":     second(s.Send(b, socket.MSG_DONTWAIT)),
			"SendTo":           second(s.SendTo(b, 0, addr)),
			"SendMsg":          second(s.SendMsg(&m, 0)),
			"Recv":             second(s.Recv(b, 0)),
			"Recv at once":     second(s.Recv(b, socket.MSG_DONTWAIT)),
			"RecvFrom":         func() error { _, _, err := s.RecvFrom(b, 0); return err }(),
			"RecvMsg":          second(s.RecvMsg(&m, 0)),
			"error queue":      second(s.RecvMsg(&m, socket.MSG_ERRQUEUE)),
			"Shutdown":         s.Shutdown(socket.SHUT_RDWR),
			"PeerAddr":         func() error { _, err := s.PeerAddr(); return err }(),
			"SetOption":        socket.Set(s, socket.SO_REUSEADDR, 1),
			"Option":           func() error { _, err := socket.Get(s, socket.SO_ERROR); return err }(),
			"SetNonblock":      s.SetNonblock(true),
			"SetDeadline":      s.SetDeadline(now),
			"SetReadDeadline":  s.SetReadDeadline(now),
			"SetWriteDeadline": s.SetWriteDeadline(now),
			"Close":            s.Close(),
		} {
			t.fails(what, err, syscall.EBADF)
		}
	})
}

func closeLocalAddr(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.bound(t.socket(t.A, f.domain, typ, 0), f.a)
		before := s.LocalAddr()
		t.ok(s.Close())
		equal(t, "LocalAddr", s.LocalAddr(), before)
	})
}

// wakes runs a call beside the case, closes s, and fails unless the call ends
// with EBADF.
func (t *T) wakes(s socket.Socket, call func() error) {
	t.Helper()
	done := t.beside(func() { t.fails("the call that waits", call(), syscall.EBADF) })
	t.ok(s.Close())
	<-done
}

func closeWakesRecv(t *T, f family) {
	a, _ := t.pair(f)
	t.wakes(a, func() error { _, err := a.Recv(make([]byte, 1), 0); return err })
}

func closeWakesRecvDatagram(t *T, f family) {
	s := t.udpAt(t.A, f, f.a)
	t.wakes(s, func() error { _, _, err := s.RecvFrom(make([]byte, 1), 0); return err })
}

func closeWakesSend(t *T, f family) {
	a, _ := t.smallPair(f)
	t.fill(a)
	t.wakes(a, func() error {
		n, err := a.Send(make([]byte, 1<<20), 0)
		equal(t, "sent", n, 0)
		return err
	})
}

func closeWakesAccept(t *T, f family) {
	l := t.listener(f)
	t.wakes(l, func() error { _, _, err := l.Accept(context.Background()); return err })
}

func closeWakesConnect(t *T, f family) {
	s, l := t.connecting(f)
	t.wakes(s, func() error { return s.Connect(background, l.LocalAddr()) })
}

func closeDelivers(t *T, f family) {
	a, b := t.smallPair(f)
	n := t.fill(a)
	t.ok(a.Close())
	equal(t, "received", len(t.drain(b)), n)
}

func closeUnread(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "unread")
	t.await(b, socket.POLLIN)
	t.ok(b.Close())
	t.recvErr(a, 0, syscall.ECONNRESET)
}

func closeThenData(t *T, f family) {
	a, b := t.pair(f)
	t.ok(b.Close())
	t.receivesEnd(a)
	t.send(a, "into the void")
	t.await(a, socket.POLLERR)
	t.sendErr(a, syscall.EPIPE)
	t.receivesEnd(a)
}

// resetPair is a connection whose other end has reset it.
func (t *T) resetPair(f family) socket.Socket {
	t.Helper()
	a, b := t.pair(f)
	t.reset(b)
	t.await(a, socket.POLLHUP)
	return a
}

func closeResetRecvFirst(t *T, f family) {
	s := t.resetPair(f)
	t.recvErr(s, 0, syscall.ECONNRESET)
	t.receivesEnd(s)
	t.sendErr(s, syscall.EPIPE)
}

func closeResetSendFirst(t *T, f family) {
	s := t.resetPair(f)
	t.sendErr(s, syscall.ECONNRESET)
	t.sendErr(s, syscall.EPIPE)
	t.receivesEnd(s)
}

func closeResetSoError(t *T, f family) {
	s := t.resetPair(f)
	t.fails("SO_ERROR", t.pending(s), syscall.ECONNRESET)
	t.fails("SO_ERROR again", t.pending(s), nil)
	t.receivesEnd(s)
	t.sendErr(s, syscall.EPIPE)
}

func closeResetBuffered(t *T, f family) {
	a, b := t.pair(f)
	t.send(b, "abc")
	t.await(a, socket.POLLIN)
	t.reset(b)
	t.await(a, socket.POLLHUP)
	t.receives(a, "abc")
	t.recvErr(a, 0, syscall.ECONNRESET)
}

func closeResetWakes(t *T, f family) {
	a, b := t.pair(f)
	done := t.beside(func() { t.recvErr(a, 0, syscall.ECONNRESET) })
	t.reset(b)
	<-done
}

func closeResetState(t *T, f family) {
	s := t.resetPair(f)
	equal(t, "state", t.state(s), socket.TCP_CLOSE)
	_, err := s.PeerAddr()
	t.fails("PeerAddr", err, syscall.ENOTCONN)
	t.fails("Shutdown", s.Shutdown(socket.SHUT_WR), syscall.ENOTCONN)
}
