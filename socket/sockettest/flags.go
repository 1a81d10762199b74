package sockettest

import (
	"syscall"

	"example.com/berth/socket"
)

var flagsCases = []rows{
	both("flags/nosignal", "MSG_NOSIGNAL is accepted, and changes no error", flagsNosignal),
	both("flags/harmless", "MSG_EOR, MSG_CONFIRM and MSG_DONTROUTE send as usual to a host on the link", flagsHarmless),
	both("flags/unknown", "flags that mean nothing to a call are ignored", flagsUnknown),
	both("flags/peek-trunc", "MSG_PEEK with MSG_TRUNC tells a datagram's length and leaves it", flagsPeekTrunc),
	both("flags/returned", "RecvMsg returns no flags that were only given", flagsReturned),
	both("flags/fastopen", "SendTo with MSG_FASTOPEN connects and sends; EOPNOTSUPP where that is switched off", flagsFastopen),
	both("flags/errqueue-stream", "MSG_ERRQUEUE on a stream finds nothing: EAGAIN", flagsErrqueueStream),
}

func flagsNosignal(t *T, f family) {
	a, b := t.pair(f)
	n, err := a.Send([]byte("x"), socket.MSG_NOSIGNAL)
	t.ok(err)
	equal(t, "sent", n, 1)
	t.receives(b, "x")
	_, err = t.tcp(t.A, f).Send([]byte("x"), socket.MSG_NOSIGNAL)
	t.fails("Send", err, syscall.EPIPE)
}

func flagsHarmless(t *T, f family) {
	a, b := t.pair(f)
	u, v := t.udpPair(f)
	for _, flags := range []socket.Flags{socket.MSG_EOR, socket.MSG_CONFIRM, socket.MSG_DONTROUTE} {
		for _, s := range []socket.Socket{a, u} {
			_, err := s.Send([]byte("x"), flags)
			t.ok(err)
		}
		t.receives(b, "x")
		t.receives(v, "x")
	}
}

func flagsUnknown(t *T, f family) {
	a, b := t.pair(f)
	const unknown = 0x100000
	_, err := a.Send([]byte("xy"), unknown|socket.MSG_WAITALL|socket.MSG_PEEK)
	t.ok(err)
	n, err := b.Recv(make([]byte, 2), unknown|socket.MSG_WAITALL|socket.MSG_MORE|socket.MSG_NOSIGNAL)
	t.ok(err)
	equal(t, "received", n, 2)
}

func flagsPeekTrunc(t *T, f family) {
	a, b := t.udpPair(f)
	t.send(a, "abcdef")
	n, err := b.Recv(make([]byte, 1), socket.MSG_PEEK|socket.MSG_TRUNC)
	t.ok(err)
	equal(t, "length", n, 6)
	t.receives(b, "abcdef")
}

func flagsReturned(t *T, f family) {
	a, b := t.udpPair(f)
	t.send(a, "x")
	for _, flags := range []socket.Flags{socket.MSG_PEEK, socket.MSG_DONTWAIT | socket.MSG_TRUNC} {
		m := socket.Message{Buffers: [][]byte{make([]byte, 9)}, Flags: socket.MSG_OOB}
		_, err := b.RecvMsg(&m, flags)
		t.ok(err)
		equal(t, "flags", m.Flags, 0)
	}
}

func flagsFastopen(t *T, f family) {
	l, s := t.listener(f), t.tcp(t.A, f)
	n, err := s.SendTo([]byte("hello"), socket.MSG_FASTOPEN, l.LocalAddr())
	if err == syscall.EOPNOTSUPP {
		t.sendErr(s, syscall.EPIPE) // and nothing was begun
		return
	}
	t.ok(err)
	equal(t, "sent", n, 5)
	t.receives(t.accept(l), "hello")
}

func flagsErrqueueStream(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "x")
	t.await(b, in)
	t.queueEmpty(b)
	t.receives(b, "x")
}
