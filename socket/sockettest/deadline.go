package sockettest

import (
	"context"
	"os"
	"syscall"
	"time"

	"example.com/berth/socket"
)

var deadlineCases = []rows{
	both("deadline/read", "the read deadline ends a Recv that waits, not before its time", deadlineRead),
	both("deadline/past", "with a deadline that has passed nothing waits", deadlinePast),
	both("deadline/cleared", "the zero Time takes the deadline away", deadlineCleared),
	both("deadline/meanwhile", "a deadline set while a call waits ends it", deadlineMeanwhile),
	both("deadline/later", "a deadline put off while a call waits is waited for", deadlineLater),
	both("deadline/write", "the write deadline ends a Send that waits, which tells how many bytes were taken", deadlineWrite),
	both("deadline/halves", "the read deadline is not for sending, nor the write deadline for receiving", deadlineHalves),
	both("deadline/both", "SetDeadline is for both", deadlineBoth),
	both("deadline/accept", "the read deadline ends Accept", deadlineAccept),
	both("deadline/datagram", "the read deadline ends RecvFrom on a datagram socket", deadlineDatagram),
	both("deadline/datagram-write", "with a write deadline that has passed a datagram socket sends nothing", deadlineDatagramWrite),
	both("deadline/usable", "after a deadline the connection goes on", deadlineUsable),
	both("deadline/context", "of a context and a deadline the one that comes first is the error", deadlineContext),
	both("deadline/context-keeps", "a context that ends a call leaves the deadline as it was", deadlineContextKeeps),
	both("deadline/close", "Close before the deadline gives EBADF", deadlineClose),
}

func soon() time.Time { return time.Now().Add(2 * time.Millisecond) }

var longAgo = time.Unix(1, 0)

func deadlineRead(t *T, f family) {
	_, b := t.pair(f)
	end := soon()
	t.ok(b.SetReadDeadline(end))
	t.recvErr(b, 0, os.ErrDeadlineExceeded)
	if early := time.Until(end); early > 0 {
		t.Errorf("%v too early", early)
	}
}

func deadlinePast(t *T, f family) {
	l := t.listener(f)
	_, b := t.pair(f)
	u := t.udpAt(t.A, f, f.a)
	for _, s := range []socket.Socket{l, b, u} {
		t.ok(s.SetDeadline(longAgo))
	}
	t.recvErr(b, 0, os.ErrDeadlineExceeded)
	t.recvErr(u, 0, os.ErrDeadlineExceeded)
	_, _, err := l.Accept(background)
	t.fails("Accept", err, os.ErrDeadlineExceeded)
}

func deadlineCleared(t *T, f family) {
	a, b := t.pair(f)
	t.ok(b.SetReadDeadline(longAgo))
	t.recvErr(b, 0, os.ErrDeadlineExceeded)
	t.ok(b.SetReadDeadline(time.Time{}))
	done := t.beside(func() { t.receives(b, "x") })
	t.send(a, "x")
	<-done
}

func deadlineMeanwhile(t *T, f family) {
	_, b := t.pair(f)
	done := t.beside(func() { t.recvErr(b, 0, os.ErrDeadlineExceeded) })
	t.ok(b.SetReadDeadline(longAgo))
	<-done
}

func deadlineLater(t *T, f family) {
	a, b := t.pair(f)
	t.ok(b.SetReadDeadline(time.Now().Add(time.Hour)))
	done := t.beside(func() { t.receives(b, "x") })
	t.ok(b.SetReadDeadline(time.Now().Add(2 * time.Hour)))
	t.send(a, "x")
	<-done
}

func deadlineWrite(t *T, f family) {
	a, b := t.smallPair(f)
	var n int
	done := t.beside(func() {
		var err error
		n, err = a.Send(make([]byte, 8<<20), 0)
		t.fails("Send", err, os.ErrDeadlineExceeded)
	})
	t.receives(b, "\x00") // it has begun, and has nowhere to go on
	t.ok(a.SetWriteDeadline(soon()))
	<-done
	if n == 0 || n == 8<<20 {
		t.Errorf("Send took %d bytes", n)
	}
	t.ok(a.Close())
	equal(t, "received", 1+len(t.drain(b)), n)
}

func deadlineHalves(t *T, f family) {
	a, b := t.pair(f)
	t.ok(a.SetReadDeadline(longAgo))
	t.ok(b.SetWriteDeadline(longAgo))
	t.send(a, "x")
	t.receives(b, "x")
}

func deadlineBoth(t *T, f family) {
	a, _ := t.smallPair(f)
	t.fill(a)
	t.ok(a.SetDeadline(longAgo))
	t.sendErr(a, os.ErrDeadlineExceeded)
	t.recvErr(a, 0, os.ErrDeadlineExceeded)
}

func deadlineAccept(t *T, f family) {
	l := t.listener(f)
	t.ok(l.SetReadDeadline(soon()))
	_, _, err := l.Accept(background)
	t.fails("Accept", err, os.ErrDeadlineExceeded)
}

func deadlineDatagram(t *T, f family) {
	s := t.udpAt(t.A, f, f.a)
	t.ok(s.SetReadDeadline(soon()))
	_, _, err := s.RecvFrom(make([]byte, 1), 0)
	t.fails("RecvFrom", err, os.ErrDeadlineExceeded)
}

func deadlineDatagramWrite(t *T, f family) {
	a, b := t.udpAt(t.A, f, f.a), t.udpAt(t.B, f, f.b)
	t.ok(a.SetWriteDeadline(longAgo))
	_, err := a.SendTo([]byte("x"), 0, b.LocalAddr())
	t.fails("SendTo", err, os.ErrDeadlineExceeded)
	_, err = a.SendMsg(&socket.Message{Buffers: [][]byte{[]byte("x")}, Addr: b.LocalAddr()}, 0)
	t.fails("SendMsg", err, os.ErrDeadlineExceeded)
	t.ok(a.SetWriteDeadline(time.Time{}))
	_, err = a.SendTo([]byte("y"), 0, b.LocalAddr())
	t.ok(err)
	t.receives(b, "y")
}

func deadlineUsable(t *T, f family) {
	a, b := t.pair(f)
	for range 3 {
		t.ok(b.SetReadDeadline(soon()))
		t.recvErr(b, 0, os.ErrDeadlineExceeded)
		t.ok(b.SetReadDeadline(time.Now().Add(patience)))
		t.send(a, "x")
		t.receives(b, "x")
	}
}

func deadlineContext(t *T, f family) {
	l := t.listener(f)
	ctx, cancel := context.WithDeadline(background, time.Now().Add(time.Hour))
	defer cancel()
	t.ok(l.SetReadDeadline(soon()))
	_, _, err := l.Accept(ctx)
	t.fails("deadline first", err, os.ErrDeadlineExceeded)
	t.ok(l.SetReadDeadline(time.Now().Add(time.Hour)))
	ctx, cancel = context.WithDeadline(background, soon())
	defer cancel()
	_, _, err = l.Accept(ctx)
	t.fails("context first", err, context.DeadlineExceeded)
}

func deadlineContextKeeps(t *T, f family) {
	l := t.listener(f)
	t.ok(l.SetReadDeadline(time.Now().Add(100 * time.Millisecond)))
	ctx, cancel := context.WithDeadline(background, soon())
	defer cancel()
	_, _, err := l.Accept(ctx)
	t.fails("first Accept", err, context.DeadlineExceeded)
	_, _, err = l.Accept(background)
	t.fails("second Accept", err, os.ErrDeadlineExceeded)
}

func deadlineClose(t *T, f family) {
	a, _ := t.pair(f)
	t.ok(a.SetReadDeadline(time.Now().Add(time.Hour)))
	t.wakes(a, func() error { _, err := a.Recv(make([]byte, 1), 0); return err })
	t.fails("Recv after Close", func() error { _, err := a.Recv(make([]byte, 1), 0); return err }(), syscall.EBADF)
}
