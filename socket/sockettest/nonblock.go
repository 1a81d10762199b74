package sockettest

import (
	"syscall"
	"time"

	"example.com/berth/socket"
)

var nonblockCases = []rows{
	both("nonblock/recv", "Recv with nothing to receive is EAGAIN", nonblockRecv),
	both("nonblock/recv-datagram", "RecvFrom with nothing to receive is EAGAIN", nonblockRecvDatagram),
	both("nonblock/dontwait", "MSG_DONTWAIT is for one call", nonblockDontwait),
	both("nonblock/send", "Send takes what there is room for, and is EAGAIN when there is none", nonblockSend),
	both("nonblock/send-again", "POLLOUT tells when there is room again", nonblockSendAgain),
	both("nonblock/off", "switched off again, calls wait", nonblockOff),
	both("nonblock/deadline", "deadlines have no meaning", nonblockDeadline),
	both("nonblock/waitall", "MSG_WAITALL does not wait", nonblockWaitall),
	both("nonblock/end", "the end of a stream is 0, not EAGAIN", nonblockEnd),
}

func nonblockRecv(t *T, f family) {
	a, b := t.pair(f)
	nonblocking(t, b)
	t.recvErr(b, 0, syscall.EAGAIN)
	t.send(a, "x")
	t.await(b, socket.POLLIN)
	t.receives(b, "x")
	t.recvErr(b, 0, syscall.EAGAIN)
}

func nonblockRecvDatagram(t *T, f family) {
	s := nonblocking(t, t.udpAt(t.A, f, f.a))
	_, _, err := s.RecvFrom(make([]byte, 1), 0)
	t.fails("RecvFrom", err, syscall.EAGAIN)
}

func nonblockDontwait(t *T, f family) {
	a, b := t.pair(f)
	t.recvErr(b, socket.MSG_DONTWAIT, syscall.EAGAIN)
	done := t.beside(func() { t.receives(b, "x") })
	t.send(a, "x")
	<-done
}

func nonblockSend(t *T, f family) {
	a, _ := t.smallPair(f)
	nonblocking(t, a)
	n, err := a.Send(make([]byte, 8<<20), 0)
	t.ok(err)
	if n == 0 || n == 8<<20 {
		t.Errorf("Send took %d bytes", n)
	}
	t.fill(a)
	t.sendErr(a, syscall.EAGAIN)
	equal(t, "Poll", t.events(a), 0)
}

func nonblockSendAgain(t *T, f family) {
	a, b := t.smallPair(f)
	nonblocking(t, a)
	n := t.fill(a)
	done := t.beside(func() {
		if got, err := b.Recv(make([]byte, n), socket.MSG_WAITALL); got != n || err != nil {
			t.Errorf("received %d of %d, %v", got, n, err)
		}
	})
	t.await(a, socket.POLLOUT)
	t.send(a, "x")
	<-done
	t.receives(b, "x")
}

func nonblockOff(t *T, f family) {
	a, b := t.pair(f)
	nonblocking(t, b)
	t.ok(b.SetNonblock(false))
	done := t.beside(func() { t.receives(b, "x") })
	t.send(a, "x")
	<-done
}

func nonblockDeadline(t *T, f family) {
	a, b := t.pair(f)
	nonblocking(t, b)
	t.ok(b.SetDeadline(time.Unix(1, 0)))
	t.recvErr(b, 0, syscall.EAGAIN)
	t.send(b, "x")
	t.receives(a, "x")
}

func nonblockWaitall(t *T, f family) {
	a, b := t.pair(f)
	nonblocking(t, b)
	t.send(a, "x")
	t.await(b, socket.POLLIN)
	n, err := b.Recv(make([]byte, 9), socket.MSG_WAITALL)
	t.ok(err)
	equal(t, "received", n, 1)
}

func nonblockEnd(t *T, f family) {
	a, b := t.pair(f)
	nonblocking(t, b)
	t.ok(a.Close())
	t.await(b, socket.POLLRDHUP)
	t.receivesEnd(b)
}
