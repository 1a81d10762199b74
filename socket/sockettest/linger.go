package sockettest

import (
	"syscall"
	"time"

	"example.com/berth/socket"
)

var lingerCases = []rows{
	both("linger/default", "SO_LINGER is off, and reads as it was set", lingerDefault),
	both("linger/reset", "with 0 seconds Close resets the connection", lingerReset),
	both("linger/reset-discards", "with 0 seconds what was not yet sent is lost", lingerResetDiscards),
	both("linger/delivered", "with seconds Close returns when the peer has acknowledged all", lingerDelivered),
	on4("linger/expires", "with seconds Close waits no longer than that", lingerExpires),
	on6("linger/nonblocking", "SO_LINGER makes Close of a non-blocking socket wait too", lingerExpiresNonblocking),
	both("linger/off-again", "switched off again, Close ends the connection in good order", lingerOffAgain),
	both("linger/listener", "a listener with 0 seconds is closed as any", lingerListener),
}

func lingerDefault(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, f.domain, typ, 0)
		equal(t, "SO_LINGER", get(t, s, socket.SO_LINGER), socket.Linger{})
		for _, l := range []socket.Linger{{On: true, Seconds: 5}, {On: true}, {}} {
			set(t, s, socket.SO_LINGER, l)
			equal(t, "SO_LINGER", get(t, s, socket.SO_LINGER), l)
		}
		set(t, s, socket.SO_LINGER, socket.Linger{})
	})
}

func lingerReset(t *T, f family) {
	a, b := t.pair(f)
	t.reset(a)
	t.recvErr(b, 0, syscall.ECONNRESET)
}

func lingerResetDiscards(t *T, f family) {
	a, b := t.smallPair(f)
	n := t.fill(a)
	t.reset(a)
	t.await(b, socket.POLLHUP)
	got := 0
	for buf := make([]byte, 64<<10); ; {
		k, err := b.Recv(buf, 0)
		if got += k; err != nil {
			t.fails("Recv", err, syscall.ECONNRESET)
			break
		}
	}
	if got >= n {
		t.Errorf("all of %d bytes were received", n)
	}
}

func lingerDelivered(t *T, f family) {
	a, b := t.smallPair(f)
	set(t, a, socket.SO_LINGER, socket.Linger{On: true, Seconds: 9})
	n := t.fill(a)
	received := make(chan int, 1)
	t.beside(func() { received <- len(t.drain(b)) })
	begin := time.Now()
	t.ok(a.Close())
	if waited := time.Since(begin); waited > 8*time.Second {
		t.Errorf("Close waited %v", waited)
	}
	equal(t, "received", <-received, n)
}

// expires closes a socket whose peer does not take what was sent.
func (t *T) expires(a socket.Socket) {
	t.Helper()
	set(t, a, socket.SO_LINGER, socket.Linger{On: true, Seconds: 1})
	t.fill(a)
	begin := time.Now()
	t.ok(a.Close())
	// The kernel counts in ticks, of which the first may be short.
	if waited := time.Since(begin); waited < 900*time.Millisecond {
		t.Errorf("Close waited only %v", waited)
	}
}

func lingerExpires(t *T, f family) {
	a, _ := t.smallPair(f)
	t.expires(a)
}

func lingerExpiresNonblocking(t *T, f family) {
	a, _ := t.smallPair(f)
	t.expires(nonblocking(t, a))
}

func lingerOffAgain(t *T, f family) {
	a, b := t.pair(f)
	set(t, a, socket.SO_LINGER, socket.Linger{On: true})
	set(t, a, socket.SO_LINGER, socket.Linger{})
	t.send(a, "x")
	t.ok(a.Close())
	t.receives(b, "x")
	t.receivesEnd(b)
}

func lingerListener(t *T, f family) {
	l := t.listener(f)
	t.reset(l)
	t.fails("Connect", t.tcp(t.A, f).Connect(background, l.LocalAddr()), syscall.ECONNREFUSED)
}
