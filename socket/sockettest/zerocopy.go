package sockettest

import (
	"example.com/berth/socket"
)

var zeroCopyCases = []rows{
	both("zerocopy/complete", "sends with MSG_ZEROCOPY are numbered from 0, and the error queue says which are complete", zeroCopyComplete),
	both("zerocopy/off", "without SO_ZEROCOPY the flag changes nothing", zeroCopyOff),
	both("zerocopy/nothing", "a send that takes nothing has no number", zeroCopyNothing),
	both("zerocopy/listener", "a listener hands SO_ZEROCOPY and TCP_INQ on", zeroCopyListener),
	both("tcp-inq/left", "TCP_INQ has RecvMsg tell how much is left, for which the end of the stream counts one", inqLeft),
	both("tcp-inq/off", "without TCP_INQ there is no such control message", inqOff),
}

// sendZeroCopy sends without a copy, if the socket can.
func (t *T) sendZeroCopy(s socket.Socket, b []byte) {
	t.Helper()
	n, err := s.Send(b, socket.MSG_ZEROCOPY)
	t.ok(err)
	equal(t, "sent", n, len(b))
}

// completed takes completions until all sends before the one with the number end
// are complete.
func (t *T) completed(s socket.Socket, end uint32) {
	t.Helper()
	for next := uint32(0); next < end; {
		t.await(s, perr)
		m := t.queued(s)
		e := m.Control.Err
		code := e.Code
		e.Code = 0
		last := e.Data
		equal(t, "completion", e, socket.ExtendedError{Origin: socket.SO_EE_ORIGIN_ZEROCOPY, Info: next, Data: max(last, next)})
		equal(t, "Flags", m.Flags, socket.MSG_ERRQUEUE)
		equal(t, "Code", code, socket.SO_EE_CODE_ZEROCOPY_COPIED) // as over every loopback
		next = last + 1
		if next > end {
			t.Errorf("%d is complete, and was not sent", last)
		}
	}
	t.queueEmpty(s)
	equal(t, "Poll", t.events(s), out)
}

func zeroCopyComplete(t *T, f family) {
	a, b := t.pair(f)
	set(t, a, socket.SO_ZEROCOPY, 1)
	data := []byte("without a copy")
	for range 3 {
		t.sendZeroCopy(a, data)
		t.receives(b, string(data))
	}
	t.send(a, "a usual one")
	t.receives(b, "a usual one")
	t.completed(a, 3)
}

func zeroCopyOff(t *T, f family) {
	a, b := t.pair(f)
	t.sendZeroCopy(a, []byte("x"))
	t.receives(b, "x")
	t.queueEmpty(a)
	equal(t, "Poll", t.events(a), out)
}

func zeroCopyNothing(t *T, f family) {
	a, b := t.pair(f)
	set(t, a, socket.SO_ZEROCOPY, 1)
	t.sendZeroCopy(a, nil)
	t.sendZeroCopy(a, []byte("x"))
	t.receives(b, "x")
	t.completed(a, 1)
}

func zeroCopyListener(t *T, f family) {
	l := t.listener(f)
	set(t, l, socket.SO_ZEROCOPY, 1)
	set(t, l, socket.TCP_INQ, 1)
	t.connect(t.tcp(t.A, f), l.LocalAddr())
	c := t.accept(l)
	equal(t, "SO_ZEROCOPY", get(t, c, socket.SO_ZEROCOPY), 1)
	equal(t, "TCP_INQ", get(t, c, socket.TCP_INQ), 1)
}

// left receives n bytes, and fails unless so many are left then.
func (t *T) left(s socket.Socket, n, want int) {
	t.Helper()
	m := socket.Message{Buffers: [][]byte{make([]byte, n)}}
	got, err := s.RecvMsg(&m, 0)
	t.ok(err)
	equal(t, "received", got, n)
	equal(t, "Present", m.Control.Present, socket.ControlInq)
	equal(t, "Inq", m.Control.Inq, want)
}

func inqLeft(t *T, f family) {
	a, b := t.pair(f)
	set(t, b, socket.TCP_INQ, 1)
	t.send(a, "0123456789")
	t.until(b, "all of it here", func() bool {
		n, err := b.Recv(make([]byte, 11), socket.MSG_PEEK)
		return n == 10 && err == nil
	})
	t.left(b, 4, 6)
	t.ok(a.Shutdown(socket.SHUT_WR))
	t.await(b, rdhup)
	t.left(b, 1, 6)
	t.left(b, 5, 1)
	t.left(b, 0, 1)
}

func inqOff(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "x")
	var m socket.Message
	m.Buffers = [][]byte{make([]byte, 1)}
	_, err := b.RecvMsg(&m, 0)
	t.ok(err)
	equal(t, "Present", m.Control.Present, 0)
}
