package sockettest

import (
	"bytes"
	"net/netip"
	"os"
	"syscall"
	"time"

	"example.com/berth/socket"
)

var streamCases = []rows{
	both("stream/echo", "bytes go both ways in order", streamEcho),
	both("stream/bulk", "megabytes both ways at once arrive whole", streamBulk),
	both("stream/send-unconnected", "Send without a connection is EPIPE", streamSendUnconnected),
	both("stream/recv-unconnected", "Recv without a connection is ENOTCONN", streamRecvUnconnected),
	both("stream/no-boundaries", "what several calls sent one call receives", streamNoBoundaries),
	both("stream/short-recv", "Recv takes what fits, and the rest stays", streamShortRecv),
	both("stream/peek", "MSG_PEEK leaves the bytes in the queue", streamPeek),
	both("stream/waitall", "MSG_WAITALL waits until the buffer is full", streamWaitall),
	both("stream/waitall-end", "MSG_WAITALL gives what there was when the stream ended", streamWaitallEnd),
	both("stream/waitall-reset", "MSG_WAITALL gives what there was before a reset, and the next call the error", streamWaitallReset),
	both("stream/waitall-dontwait", "MSG_WAITALL with MSG_DONTWAIT takes what there is", streamWaitallDontwait),
	both("stream/waitall-peek", "MSG_WAITALL with MSG_PEEK waits for all and leaves it", streamWaitallPeek),
	both("stream/waitall-deadline", "a deadline ends MSG_WAITALL, and what was received is told", streamWaitallDeadline),
	both("stream/trunc", "MSG_TRUNC throws bytes away and tells how many", streamTrunc),
	both("stream/send-empty", "Send of no bytes does nothing", streamSendEmpty),
	both("stream/recv-empty", "Recv into no buffer takes nothing", streamRecvEmpty),
	both("stream/gather-scatter", "SendMsg sends its buffers as one, RecvMsg fills its own in turn", streamGatherScatter),
	both("stream/no-sender", "RecvFrom and RecvMsg on a stream tell no address", streamNoSender),
	both("stream/sendto", "the address of SendTo is ignored on a connected stream", streamSendTo),
	both("stream/send-waits", "a blocking Send waits until all of its bytes have a place", streamSendWaits),
	both("stream/end-stays", "the end of a stream is received again and again", streamEndStays),
	both("stream/cork", "TCP_CORK holds a partial segment back, and what is sent goes out as one", streamCork),
	both("stream/more", "MSG_MORE holds a partial segment back until a Send without it", streamMore),
	both("stream/peek-scatter", "MSG_PEEK fills the buffers one after the other", streamPeekScatter),
	both("stream/lowat", "SO_RCVLOWAT makes Recv and POLLIN wait for so many bytes", streamLowat),
}

func streamEcho(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "hello")
	t.receives(b, "hello")
	t.send(b, "good day")
	t.receives(a, "good day")
}

func streamBulk(t *T, f family) {
	a, b := t.pair(f)
	up, down := pattern(3<<20), pattern(2<<20+12345)
	send := func(s socket.Socket, data []byte) {
		n, err := s.Send(data, 0)
		if n != len(data) || err != nil {
			t.Errorf("Send: %d of %d, %v", n, len(data), err)
		}
		if err := s.Shutdown(socket.SHUT_WR); err != nil {
			t.Error(err)
		}
	}
	receive := func(s socket.Socket, want []byte) {
		got := make([]byte, len(want)+1)
		n, err := s.Recv(got, socket.MSG_WAITALL)
		if err != nil || !bytes.Equal(got[:n], want) {
			t.Errorf("received %d of %d bytes, %v", n, len(want), err)
		}
	}
	t.beside(func() { send(a, up) })
	t.beside(func() { send(b, down) })
	done := t.beside(func() { receive(a, down) })
	receive(b, up)
	<-done
}

func streamSendUnconnected(t *T, f family) {
	t.sendErr(t.tcp(t.A, f), syscall.EPIPE)
	t.sendErr(t.bound(t.tcp(t.A, f), f.a), syscall.EPIPE)
}

func streamRecvUnconnected(t *T, f family) {
	t.recvErr(t.tcp(t.A, f), 0, syscall.ENOTCONN)
	t.recvErr(t.bound(t.tcp(t.A, f), f.a), 0, syscall.ENOTCONN)
}

func streamNoBoundaries(t *T, f family) {
	a, b := t.pair(f)
	for _, s := range []string{"one", "two", "three"} {
		t.send(a, s)
	}
	t.receives(b, "onetwothree")
}

func streamShortRecv(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "abcdef")
	t.receives(b, "ab")
	t.receives(b, "cd")
	t.receives(b, "ef")
}

func streamPeek(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "abc")
	t.await(b, socket.POLLIN)
	buf := make([]byte, 2)
	for range 2 {
		n, err := b.Recv(buf, socket.MSG_PEEK)
		t.ok(err)
		equal(t, "peeked", string(buf[:n]), "ab")
	}
	t.receives(b, "abc")
	_, err := b.Recv(buf, socket.MSG_PEEK|socket.MSG_DONTWAIT)
	t.fails("Recv", err, syscall.EAGAIN)
}

func streamWaitall(t *T, f family) {
	a, b := t.pair(f)
	t.beside(func() {
		for _, s := range []string{"ab", "c", "def", "g"} {
			if _, err := a.Send([]byte(s), 0); err != nil {
				t.Error(err)
			}
		}
	})
	buf := make([]byte, 6)
	n, err := b.Recv(buf, socket.MSG_WAITALL)
	t.ok(err)
	equal(t, "received", string(buf[:n]), "abcdef")
	t.receives(b, "g")
}

func streamWaitallEnd(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "abc")
	t.ok(a.Shutdown(socket.SHUT_WR))
	buf := make([]byte, 6)
	n, err := b.Recv(buf, socket.MSG_WAITALL)
	t.ok(err)
	equal(t, "received", string(buf[:n]), "abc")
	t.receivesEnd(b)
}

func streamWaitallReset(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "abc")
	t.await(b, socket.POLLIN)
	done := t.beside(func() {
		buf := make([]byte, 6)
		n, err := b.Recv(buf, socket.MSG_WAITALL)
		t.fails("Recv", err, nil)
		equal(t, "received", string(buf[:n]), "abc")
	})
	t.reset(a)
	<-done
	t.recvErr(b, 0, syscall.ECONNRESET)
}

func streamWaitallDontwait(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "abc")
	t.await(b, socket.POLLIN)
	buf := make([]byte, 6)
	n, err := b.Recv(buf, socket.MSG_WAITALL|socket.MSG_DONTWAIT)
	t.ok(err)
	equal(t, "received", string(buf[:n]), "abc")
}

func streamWaitallPeek(t *T, f family) {
	a, b := t.pair(f)
	t.beside(func() {
		for _, s := range []string{"ab", "c", "def"} {
			if _, err := a.Send([]byte(s), 0); err != nil {
				t.Error(err)
			}
		}
	})
	buf := make([]byte, 6)
	n, err := b.Recv(buf, socket.MSG_WAITALL|socket.MSG_PEEK)
	t.ok(err)
	equal(t, "peeked", string(buf[:n]), "abcdef")
	t.receives(b, "abcdef")
}

func streamWaitallDeadline(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "abc")
	t.await(b, socket.POLLIN)
	t.ok(b.SetReadDeadline(time.Now().Add(50 * time.Millisecond)))
	buf := make([]byte, 6)
	n, err := b.Recv(buf, socket.MSG_WAITALL)
	t.fails("Recv", err, os.ErrDeadlineExceeded)
	equal(t, "received", string(buf[:n]), "abc")
}

func streamTrunc(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "abcdef")
	t.await(b, socket.POLLIN)
	n, err := b.Recv(make([]byte, 4), socket.MSG_TRUNC)
	t.ok(err)
	equal(t, "thrown away", n, 4)
	t.receives(b, "ef")
}

func streamSendEmpty(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "")
	t.send(a, "x")
	t.receives(b, "x")
}

func streamRecvEmpty(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "x")
	t.await(b, socket.POLLIN)
	n, err := b.Recv(nil, 0)
	t.ok(err)
	equal(t, "received", n, 0)
	t.receives(b, "x")
}

func streamGatherScatter(t *T, f family) {
	a, b := t.pair(f)
	n, err := a.SendMsg(&socket.Message{Buffers: [][]byte{[]byte("ab"), nil, []byte("cde"), []byte("f")}}, 0)
	t.ok(err)
	equal(t, "sent", n, 6)
	t.await(b, socket.POLLIN)
	m := socket.Message{Buffers: [][]byte{make([]byte, 1), {}, make([]byte, 4), make([]byte, 9)}}
	n, err = b.RecvMsg(&m, 0)
	t.ok(err)
	equal(t, "received", n, 6)
	equal(t, "first", string(m.Buffers[0]), "a")
	equal(t, "third", string(m.Buffers[2]), "bcde")
	equal(t, "fourth", string(m.Buffers[3][:1]), "f")
	equal(t, "flags", m.Flags, 0)
}

func streamNoSender(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "xy")
	_, from, err := b.RecvFrom(make([]byte, 1), 0)
	t.ok(err)
	equal(t, "RecvFrom", from, netip.AddrPort{})
	m := socket.Message{Buffers: [][]byte{make([]byte, 1)}, Addr: a.LocalAddr()}
	_, err = b.RecvMsg(&m, 0)
	t.ok(err)
	equal(t, "RecvMsg", m.Addr, netip.AddrPort{})
}

func streamSendTo(t *T, f family) {
	a, b := t.pair(f)
	t.sendTo(a, "x", at(f.foreign, 9))
	t.receives(b, "x")
}

func streamSendWaits(t *T, f family) {
	a, b := t.smallPair(f)
	data := pattern(1 << 20)
	done := t.beside(func() {
		n, err := a.Send(data, 0)
		if n != len(data) || err != nil {
			t.Errorf("Send: %d of %d, %v", n, len(data), err)
		}
		a.Close()
	})
	if !bytes.Equal(t.drain(b), data) {
		t.Error("other bytes were received")
	}
	<-done
}

func streamEndStays(t *T, f family) {
	a, b := t.pair(f)
	t.ok(a.Shutdown(socket.SHUT_WR))
	for range 3 {
		t.receivesEnd(b)
	}
}

func streamCork(t *T, f family) {
	a, b := t.pair(f)
	before := get(t, a, socket.TCP_INFO).DataSegsOut
	set(t, a, socket.TCP_CORK, 1)
	for _, s := range []string{"one", "two", "three"} {
		t.send(a, s)
	}
	set(t, a, socket.TCP_CORK, 0)
	t.receives(b, "onetwothree")
	equal(t, "segments", get(t, a, socket.TCP_INFO).DataSegsOut-before, 1)
}

func streamMore(t *T, f family) {
	a, b := t.pair(f)
	set(t, a, socket.TCP_NODELAY, 1)
	before := get(t, a, socket.TCP_INFO).DataSegsOut
	for _, s := range []string{"one", "two"} {
		if _, err := a.Send([]byte(s), socket.MSG_MORE); err != nil {
			t.Fatal(err)
		}
	}
	t.send(a, "three")
	t.receives(b, "onetwothree")
	equal(t, "segments", get(t, a, socket.TCP_INFO).DataSegsOut-before, 1)
}

func streamLowat(t *T, f family) {
	a, b := t.pair(f)
	set(t, b, socket.SO_RCVLOWAT, 4)
	set(t, a, socket.TCP_NODELAY, 1)
	// A peek that does not wait sees the bytes that POLLIN does not yet show.
	t.send(a, "ab")
	buf := make([]byte, 8)
	set(t, b, socket.SO_RCVLOWAT, 1)
	t.await(b, socket.POLLIN)
	set(t, b, socket.SO_RCVLOWAT, 4)
	equal(t, "Poll with two bytes of four", t.events(b)&socket.POLLIN, 0)
	done := t.beside(func() {
		n, err := b.Recv(buf, 0)
		t.fails("Recv", err, nil)
		equal(t, "received", string(buf[:n]), "abcd")
	})
	t.send(a, "cd")
	<-done
}

func streamPeekScatter(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "abcdef")
	t.await(b, in)
	m := socket.Message{Buffers: [][]byte{make([]byte, 2), make([]byte, 3), make([]byte, 4)}}
	n, err := b.RecvMsg(&m, socket.MSG_PEEK)
	t.ok(err)
	equal(t, "count", n, 6)
	equal(t, "peeked", string(bytes.Join(m.Buffers, nil)), "abcdef\x00\x00\x00")
	t.receives(b, "abcdef")
}
