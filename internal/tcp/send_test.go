package tcp

import (
	"bytes"
	"fmt"
	"syscall"
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// RFC 9293 3.7.4 (SHLD-7) as Minshall amended it: one small segment at a time.
func TestNagle_SHLD7(t *testing.T) {
	tc := established(t, noOptions)
	tc.write(100)
	tc.want("P. 1:101(100) ack 1")
	tc.write(100)
	tc.write(100)
	tc.wantNothing()
	tc.write(800)
	tc.want("P. 101:1101(1000) ack 1") // a full one goes
	tc.write(50)
	tc.wantNothing()
	tc.input(". 1:1(0) ack 101 win 50000")
	tc.want("P. 1101:1151(50) ack 1") // only full ones are in flight
	tc.write(1)
	tc.wantNothing()
	tc.input(". 1:1(0) ack 1151 win 50000")
	tc.want("P. 1151:1152(1) ack 1")
}

// The end of a small segment that was long ago does not hold anything back.
func TestNagleAfterTwoGigabytes(t *testing.T) {
	tc := established(t, noOptions)
	tc.write(100)
	tc.want("P. 1:101(100) ack 1")
	tc.input(". 1:1(0) ack 101 win 50000")
	tc.iss += 1<<31 + 1000
	for _, v := range []*seqnum.Value{&tc.c.iss, &tc.c.snd.una, &tc.c.snd.nxt, &tc.c.sendQ.end} {
		*v += 1<<31 + 1000
	}
	tc.write(10)
	tc.want("P. 101:111(10) ack 1")
}

// MUST-17.
func TestNoDelay_MUST17(t *testing.T) {
	tc := established(t, noOptions)
	tc.write(10)
	tc.want("P. 1:11(10) ack 1")
	tc.write(10)
	tc.wantNothing()
	tc.c.SetNoDelay(true)
	tc.pull()
	tc.want("P. 11:21(10) ack 1")
	tc.write(10)
	tc.want("P. 21:31(10) ack 1")
}

func TestFinDoesNotWaitForNagle(t *testing.T) {
	tc := established(t, noOptions)
	tc.write(10)
	tc.want("P. 1:11(10) ack 1")
	tc.write(10)
	tc.closeWrite()
	tc.want("FP. 11:21(10) ack 1")
}

func TestCork(t *testing.T) {
	tc := established(t, noOptions)
	tc.c.SetCork(true)
	tc.write(100)
	tc.wantNothing()
	tc.write(1000)
	tc.want(". 1:1001(1000) ack 1")
	tc.wantNothing()
	tc.c.SetCork(false)
	tc.pull()
	tc.want("P. 1001:1101(100) ack 1")

	t.Run("for 200 ms (MUST-60)", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.c.SetCork(true)
		tc.write(100)
		tc.advance(100 * time.Millisecond)
		tc.write(100)
		tc.wantDeadline(100 * time.Millisecond)
		tc.fire()
		tc.want("P. 1:201(200) ack 1")
		tc.write(100) // and again
		tc.wantNothing()
		tc.advance(200 * time.Millisecond)
		tc.want("P. 201:301(100) ack 1")
	})
	t.Run("TCP_NODELAY pushes once (tcp(7))", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.c.SetCork(true)
		tc.write(100)
		tc.wantNothing()
		tc.c.SetNoDelay(true)
		tc.pull()
		tc.want("P. 1:101(100) ack 1")
		tc.write(100)
		tc.wantNothing()
	})
	t.Run("MSG_MORE (MAY-16)", func(t *testing.T) {
		tc := established(t, noOptions)
		if n, err := tc.c.Write(tc.now, make([]byte, 10), true); n != 10 || err != nil {
			t.Fatal(n, err)
		}
		tc.pull()
		tc.wantNothing()
		tc.write(10)
		tc.want("P. 1:21(20) ack 1")
	})
	t.Run("MSG_MORE until something is acknowledged (as Linux)", func(t *testing.T) {
		tc := established(t, noOptions)
		_, _ = tc.c.Write(tc.now, make([]byte, 1010), true)
		tc.pull()
		tc.want(". 1:1001(1000) ack 1")
		tc.input("P. 1:11(10) ack 1 win 50000")
		tc.want(". 1001:1001(0) ack 11")
		tc.input(". 11:11(0) ack 1001 win 50000")
		tc.want("P. 1001:1011(10) ack 11")
	})
	t.Run("MSG_MORE for 200 ms (MUST-60)", func(t *testing.T) {
		tc := established(t, noOptions)
		_, _ = tc.c.Write(tc.now, make([]byte, 10), true)
		tc.pull()
		tc.fire()
		tc.want("P. 1:11(10) ack 1")
	})
	t.Run("FIN", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.c.SetCork(true)
		tc.write(100)
		tc.closeWrite()
		tc.want("FP. 1:101(100) ack 1")
	})
}

// MUST-61, SHLD-28: PSH is where the data ends, and all else is full.
func TestPush_MUST61(t *testing.T) {
	tc := established(t, noOptions)
	tc.write(2500)
	for _, s := range []struct {
		want string
		push bool
	}{{". 1:1001(1000) ack 1", false}, {". 1001:2001(1000) ack 1", false}, {". 2001:2501(500) ack 1", true}} {
		if got := tc.want(s.want); got.has(header.PSH) != s.push {
			t.Errorf("%s: PSH %v", s.want, got.has(header.PSH))
		}
	}
}

// MUST-38, RFC 9293 3.8.6.2.1: small windows are not filled with small segments.
//
// DEF-28.
func TestSillyWindow_MUST38(t *testing.T) {
	tc := established(t, noOptions)
	tc.input("P. 1:2(1) ack 1 win 50000")
	tc.input(". 2:2(0) ack 1 win 300")
	tc.skip()
	tc.write(5000)
	tc.wantNothing()
	tc.c.SetNoDelay(true) // is about Nagle
	tc.pull()
	tc.wantNothing()
	t.Run("half of the largest window is worth it", func(t *testing.T) {
		tc := talk(t)
		tc.accept("S 0:0(0) win 600 " + noOptions)
		tc.want("S. 0:0(0) ack 1")
		tc.input(". 1:1(0) ack 1 win 600")
		tc.write(5000)
		tc.want(". 1:601(600) ack 1")
		tc.input(". 1:1(0) ack 601 win 299")
		tc.wantNothing()
		tc.input(". 1:1(0) ack 601 win 300")
		tc.want(". 601:901(300) ack 1")
	})
	t.Run("the timer overrides", func(t *testing.T) {
		tc.wantDeadline(testRTO)
		tc.fire()
		tc.want(". 1:301(300) ack 2")
		tc.wantNothing()
		tc.input(". 2:2(0) ack 301 win 300")
		tc.wantNothing() // once only
	})
	t.Run("bytes in a packet of a peer with tiny windows", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.write(10000)
		tc.skip()
		packets, una := 0, 10001
		tc.write(10000)
		for una < 12001 {
			tc.input(fmt.Sprintf(". 1:1(0) ack %d win 1", una))
			for _, s := range tc.skip() {
				packets++
				una = s.Seq.Sub(tc.iss) + len(s.Payload)
			}
			tc.fire()
			if packets > 2001 || tc.now > time.Hour+2000*time.Hour {
				break
			}
		}
		// One byte a time-out is all that such a window gets.
		if tc.now-time.Hour < time.Minute {
			t.Errorf("%d packets in %v", packets, tc.now-time.Hour)
		}
	})
}

// MUST-35, MUST-36, MUST-37, SHLD-29, SHLD-30.
func TestZeroWindow_MUST36(t *testing.T) {
	tc := established(t, noOptions)
	tc.input(". 1:1(0) ack 1 win 0")
	tc.write(5000)
	tc.wantNothing()
	wait := testRTO
	for range 10 {
		tc.wantDeadline(min(wait, 2*time.Minute)) // SHLD-29, SHLD-30
		tc.fire()
		tc.want(". 0:0(0) ack 1")
		tc.wantNothing()
		tc.input(". 1:1(0) ack 1 win 0")
		wait *= 2
	}
	start := tc.now
	for tc.now-start < 24*time.Hour { // MUST-37
		tc.fire()
		tc.want(". 0:0(0) ack 1")
		tc.input(". 1:1(0) ack 1 win 0")
	}
	tc.wantState(socket.TCP_ESTABLISHED)
	tc.input(". 1:1(0) ack 1 win 2000")
	tc.want(". 1:1001(1000) ack 1")
	tc.want(". 1001:2001(1000) ack 1")
	tc.wantNothing()
	tc.wantDeadline(testRTO) // no backoff is left

	t.Run("FIN alone", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.input(". 1:1(0) ack 1 win 0")
		tc.closeWrite()
		tc.wantNothing()
		tc.fire()
		tc.want(". 0:0(0) ack 1")
		tc.input(". 1:1(0) ack 1 win 1")
		tc.want("F. 1:1(0) ack 1")
	})
	t.Run("a silent peer", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.input(". 1:1(0) ack 1 win 0")
		tc.write(10)
		n := 0
		for tc.c.State() != socket.TCP_CLOSE {
			tc.fire()
			n += len(tc.skip())
		}
		if n != 15 {
			t.Errorf("given up after %d probes", n)
		}
		tc.wantReadError(syscall.ETIMEDOUT)
	})
	t.Run("the user timeout, though the peer answers", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.c.SetUserTimeout(tc.now, 10*time.Second)
		tc.input(". 1:1(0) ack 1 win 0")
		tc.write(10)
		start := tc.now
		for tc.c.State() != socket.TCP_CLOSE {
			tc.fire()
			tc.input(". 1:1(0) ack 1 win 0")
			tc.skip()
		}
		if d := tc.now - start; d != 10*time.Second {
			t.Errorf("given up after %v", d)
		}
	})
	t.Run("the user timeout does not count from an earlier zero window", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.c.SetUserTimeout(tc.now, 10*time.Second)
		for i := range 5 {
			una := 1 + i*1000
			tc.input(fmt.Sprintf(". 1:1(0) ack %d win 0", una))
			tc.write(1000)
			tc.advance(6 * time.Second)
			tc.wantState(socket.TCP_ESTABLISHED)
			tc.input(fmt.Sprintf(". 1:1(0) ack %d win 1000", una))
			tc.skip()
			tc.input(fmt.Sprintf(". 1:1(0) ack %d win 0", una+1000))
		}
	})
}

// RFC 9293 3.8.4: there are keep-alives (MAY-5), without data (SHLD-12), when the
// connection is idle (MUST-26).
func TestKeepalive_MUST26(t *testing.T) {
	tc := established(t, noOptions)
	tc.advance(10 * time.Hour)
	tc.wantNothing() // MUST-25: off
	tc.c.SetKeepAlive(tc.now, true)
	tc.fire() // silent for longer than that
	tc.want(". 0:0(0) ack 1")
	tc.input(". 1:1(0) ack 1 win 50000")
	tc.advance(2*time.Hour - 1)
	tc.wantNothing() // MUST-28
	tc.advance(1)
	tc.want(". 0:0(0) ack 1")
	tc.advance(75 * time.Second)
	tc.want(". 0:0(0) ack 1") // MUST-29
	tc.input(". 1:1(0) ack 1 win 50000")

	t.Run("a dead peer", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.c.SetKeepAlive(tc.now, true)
		tc.c.SetKeepTimings(tc.now, 10*time.Second, 2*time.Second, 3) // MUST-27
		start := tc.now
		for tc.c.State() != socket.TCP_CLOSE {
			tc.fire()
		}
		if d := tc.now - start; d != 16*time.Second {
			t.Errorf("it took %v", d)
		}
		for range 3 {
			tc.want(". 0:0(0) ack 1")
		}
		tc.want("R. 1:1(0) ack 1")
		tc.wantReadError(syscall.ETIMEDOUT)
	})
	t.Run("the user timeout takes the place of the count", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.c.SetKeepAlive(tc.now, true)
		tc.c.SetKeepTimings(tc.now, 10*time.Second, 2*time.Second, 100)
		tc.c.SetUserTimeout(tc.now, 13*time.Second)
		start := tc.now
		for tc.c.State() != socket.TCP_CLOSE {
			tc.fire()
		}
		if d := tc.now - start; d != 14*time.Second {
			t.Errorf("it took %v", d)
		}
	})
	t.Run("not while something is in flight (MUST-26)", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.c.SetKeepAlive(tc.now, true)
		tc.c.SetKeepTimings(tc.now, time.Second, time.Second, 1)
		tc.write(10)
		tc.advance(20 * time.Second)
		for _, s := range tc.skip() {
			if len(s.Payload) == 0 {
				t.Errorf("sent %s", tc.format(&s))
			}
		}
		tc.wantState(socket.TCP_ESTABLISHED)
	})
	t.Run("switched off (MUST-24)", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.c.SetKeepAlive(tc.now, true)
		tc.c.SetKeepAlive(tc.now, false)
		tc.wantDeadline(0)
	})
}

// The probes of a peer are answered; with garbage, too.
func TestPeersKeepalive(t *testing.T) {
	tc := established(t, noOptions)
	tc.input("P. 1:11(10) ack 1 win 50000")
	tc.skip()
	tc.input(". 10:10(0) ack 1 win 50000")
	tc.want(". 1:1(0) ack 11")
	tc.now += time.Second
	tc.input(". 10:11(1) ack 1 win 50000")
	tc.want(". 1:1(0) ack 11")
}

func TestWriteFillsTheBuffer(t *testing.T) {
	tc := established(t, noOptions)
	tc.c.SetSndBuf(10000)
	b := make([]byte, 25000)
	n, err := tc.c.Write(tc.now, b, false)
	if n != 10000 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := tc.c.Write(tc.now, b, false); err != syscall.EAGAIN {
		t.Errorf("a full buffer: %v", err)
	}
	if n, err := tc.c.Write(tc.now, nil, false); n != 0 || err != nil {
		t.Errorf("nothing into a full buffer: %d, %v", n, err)
	}
	if e := tc.c.Events(); e != 0 {
		t.Errorf("events %v", e)
	}
	tc.pull()
	tc.skip()
	tc.input(". 1:1(0) ack 3001 win 50000")
	if e := tc.c.Events(); e != 0 {
		t.Errorf("events %v with less than a third free", e)
	}
	tc.input(". 1:1(0) ack 4001 win 50000")
	if e := tc.c.Events(); e != socket.POLLOUT {
		t.Errorf("events %v", e)
	}
}

func TestNotSentLowat(t *testing.T) {
	tc := established(t, noOptions)
	tc.set(func(o *Options) { o.NotSentLowat = 3000 })
	n, err := tc.c.Write(tc.now, make([]byte, 20000), false)
	if n != 3000 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	tc.pull() // all of it is sent
	if tc.c.Events() != socket.POLLOUT {
		t.Errorf("events %v", tc.c.Events())
	}
}

// What a user wrote is what is sent, wherever blocks and segments end.
func TestStreamIsSentAsWritten(t *testing.T) {
	tc := established(t, noOptions, func(p *Params) { p.InitialWindow = 100 })
	tc.c.SetNoDelay(true)
	var got []byte
	for n := range 60 {
		tc.write(n * 17)
		for _, s := range tc.skip() {
			if s.Seq != tc.iss.Add(1+len(got)) {
				t.Fatalf("a hole at %d", len(got))
			}
			got = append(got, s.Payload...)
		}
		tc.input(fmt.Sprintf(". 1:1(0) ack %d win 50000", 1+len(got)))
	}
	want := make([]byte, len(got))
	for i := range want {
		want[i] = byte(i)
	}
	if !bytes.Equal(got, want) {
		t.Error("other bytes")
	}
}
