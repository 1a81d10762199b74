package sockettest

import (
	"bytes"
	"syscall"

	"example.com/berth/socket"
)

var shutdownCases = []rows{
	both("shutdown/how", "a number that is no half is EINVAL", shutdownHow),
	both("shutdown/unconnected", "without a connection it is ENOTCONN", shutdownUnconnected),
	both("shutdown/unconnected-read", "Recv finds the end of a stream that was never there, once it is shut down", shutdownUnconnectedRead),
	both("shutdown/write", "SHUT_WR ends one's own half: the peer gets what was sent, then the end, and still sends", shutdownWrite),
	both("shutdown/write-then-send", "Send after SHUT_WR is EPIPE, and the peer notices nothing", shutdownWriteThenSend),
	both("shutdown/write-twice", "SHUT_WR a second time is no error", shutdownWriteTwice),
	both("shutdown/write-queued", "SHUT_WR sends all that is queued before the end", shutdownWriteQueued),
	both("shutdown/read", "after SHUT_RD what had come is received, then the end", shutdownRead),
	both("shutdown/read-empty", "after SHUT_RD Recv ends at once, and the other half still sends", shutdownReadEmpty),
	both("shutdown/read-late", "what comes after SHUT_RD is still received", shutdownReadLate),
	both("shutdown/read-wakes", "SHUT_RD ends a Recv that waits with 0", shutdownReadWakes),
	both("shutdown/both", "SHUT_RDWR ends both halves", shutdownBoth),
	both("shutdown/states", "half-closed ends are in FIN-WAIT-2 and CLOSE-WAIT", shutdownStates),
	both("shutdown/ended", "a connection that both have ended has no peer any more", shutdownEnded),
	both("shutdown/reply", "a peer that has received the end replies at length", shutdownReply),
}

func shutdownHow(t *T, f family) {
	a, _ := t.pair(f)
	for _, how := range []socket.How{-1, 3, 100} {
		t.fails("Shutdown", a.Shutdown(how), syscall.EINVAL)
	}
}

func shutdownUnconnectedRead(t *T, f family) {
	s := t.tcp(t.A, f)
	_, err := s.Recv(make([]byte, 1), 0)
	t.fails("Recv", err, syscall.ENOTCONN)
	t.fails("Shutdown", s.Shutdown(socket.SHUT_RD), syscall.ENOTCONN)
	n, err := s.Recv(make([]byte, 1), 0)
	t.ok(err)
	equal(t, "Recv", n, 0)
}

func shutdownUnconnected(t *T, f family) {
	for _, how := range []socket.How{socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_RDWR} {
		internet(t, func(typ socket.Type) {
			t.fails("Shutdown", t.socket(t.A, f.domain, typ, 0).Shutdown(how), syscall.ENOTCONN)
		})
	}
}

func shutdownWrite(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "last words")
	t.ok(a.Shutdown(socket.SHUT_WR))
	t.receives(b, "last words")
	t.receivesEnd(b)
	t.send(b, "reply")
	t.receives(a, "reply")
}

func shutdownWriteThenSend(t *T, f family) {
	a, b := t.pair(f)
	t.ok(a.Shutdown(socket.SHUT_WR))
	t.sendErr(a, syscall.EPIPE)
	t.sendErr(a, syscall.EPIPE)
	t.receivesEnd(b)
	t.send(b, "x")
	t.receives(a, "x")
}

func shutdownWriteTwice(t *T, f family) {
	a, _ := t.pair(f)
	t.ok(a.Shutdown(socket.SHUT_WR))
	t.ok(a.Shutdown(socket.SHUT_WR))
}

func shutdownWriteQueued(t *T, f family) {
	a, b := t.smallPair(f)
	n := t.fill(a)
	t.ok(a.Shutdown(socket.SHUT_WR))
	equal(t, "received", len(t.drain(b)), n)
}

func shutdownRead(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "abc")
	t.await(b, socket.POLLIN)
	t.ok(b.Shutdown(socket.SHUT_RD))
	t.receives(b, "abc")
	t.receivesEnd(b)
}

func shutdownReadEmpty(t *T, f family) {
	a, b := t.pair(f)
	t.ok(b.Shutdown(socket.SHUT_RD))
	t.receivesEnd(b)
	t.send(b, "x")
	t.receives(a, "x")
}

func shutdownReadLate(t *T, f family) {
	a, b := t.pair(f)
	t.ok(b.Shutdown(socket.SHUT_RD))
	t.send(a, "late")
	// POLLIN stands already: the acknowledgement tells that it has come.
	t.acknowledged(a)
	t.receives(b, "late")
	t.receivesEnd(b)
}

func shutdownReadWakes(t *T, f family) {
	_, b := t.pair(f)
	done := t.beside(func() { t.receivesEnd(b) })
	t.ok(b.Shutdown(socket.SHUT_RD))
	<-done
}

func shutdownBoth(t *T, f family) {
	a, b := t.pair(f)
	t.ok(a.Shutdown(socket.SHUT_RDWR))
	t.receivesEnd(a)
	t.sendErr(a, syscall.EPIPE)
	t.receivesEnd(b)
}

func shutdownStates(t *T, f family) {
	a, b := t.pair(f)
	equal(t, "before", t.state(a), socket.TCP_ESTABLISHED)
	t.ok(a.Shutdown(socket.SHUT_WR))
	t.receivesEnd(b)
	equal(t, "peer", t.state(b), socket.TCP_CLOSE_WAIT)
	t.until(a, "FIN-WAIT-2", func() bool { return t.state(a) == socket.TCP_FIN_WAIT2 })
}

func shutdownEnded(t *T, f family) {
	a, b := t.pair(f)
	t.ok(a.Shutdown(socket.SHUT_WR))
	t.receivesEnd(b)
	t.ok(b.Shutdown(socket.SHUT_WR))
	t.receivesEnd(a)
	t.await(a, socket.POLLHUP)
	t.await(b, socket.POLLHUP)
	for _, s := range []socket.Socket{a, b} {
		equal(t, "state", t.state(s), socket.TCP_CLOSE)
		_, err := s.PeerAddr()
		t.fails("PeerAddr", err, syscall.ENOTCONN)
		t.fails("Shutdown", s.Shutdown(socket.SHUT_WR), syscall.ENOTCONN)
		t.receivesEnd(s)
		t.sendErr(s, syscall.EPIPE)
	}
}

func shutdownReply(t *T, f family) {
	a, b := t.pair(f)
	question, answer := pattern(100<<10), pattern(1<<20)
	t.beside(func() {
		if !bytes.Equal(t.drain(b), question) {
			t.Error("other bytes were received")
		}
		if _, err := b.Send(answer, 0); err != nil {
			t.Error(err)
		}
		b.Close()
	})
	_, err := a.Send(question, 0)
	t.ok(err)
	t.ok(a.Shutdown(socket.SHUT_WR))
	if !bytes.Equal(t.drain(a), answer) {
		t.Error("other bytes came back")
	}
}
