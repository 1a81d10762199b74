package tcp

import (
	"bytes"
	"fmt"
	"syscall"
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// RFC 9293 3.8.5: urgent data is sent, MUST-30, of any length, MUST-31.
func TestUrgentData_MUST31(t *testing.T) {
	tc := established(t, noOptions)
	tc.writeUrgent(3)
	tc.want("PU. 1:4(3) ack 1 urg 3") // MUST-62: the octet after
	tc.input(". 1:1(0) ack 4 win 50000")
	tc.write(5)
	tc.want("P. 4:9(5) ack 1")

	t.Run("Nagle does not hold it back", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.write(1)
		tc.want("P. 1:2(1) ack 1")
		tc.write(1)
		tc.wantNothing()
		tc.writeUrgent(1)
		tc.want("PU. 2:4(2) ack 1 urg 2")
		tc.write(1)
		tc.want("P. 4:5(1) ack 1")
	})
	t.Run("further than the pointer reaches (MUST-31)", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.c.SetSndBuf(200000)
		tc.writeUrgent(100000)
		for seq := 1; ; seq += 1000 {
			if len(tc.sent) == 0 {
				tc.input(fmt.Sprintf(". 1:1(0) ack %d win 65000", seq))
			}
			end, flag := seq+999, ""
			if seq+999 == 100000 {
				flag = "P"
			}
			tc.want(fmt.Sprintf("%sU. %d:%d(1000) ack 1 urg %d", flag, seq, end+1, min(100001-seq, 0xffff)))
			if flag != "" {
				break
			}
		}
	})
	t.Run("never at what was not urgent", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.c.SetSndBuf(400000)
		tc.input(". 1:1(0) ack 1 win 60000")
		tc.write(100000)
		tc.skip()
		first := tc.c.snd.nxt
		tc.writeUrgent(1)
		tc.advance(time.Second) // resends the first segment
		s := tc.skip()[0]
		if s.has(header.URG) && s.Seq.Add(int(s.Urgent)).LessEq(first) {
			t.Errorf("sent %s after %d", tc.format(&s), first.Sub(tc.c.iss))
		}
	})
	t.Run("no room for all of it", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.c.SetSndBuf(4608)
		n, err := tc.c.WriteUrgent(tc.now, make([]byte, 10000))
		if n == 0 || n == 10000 || err != nil {
			t.Fatal(n, err)
		}
		tc.pull()
		for _, s := range tc.skip() {
			if s.has(header.URG) {
				t.Errorf("sent %s", tc.format(&s))
			}
		}
	})
	t.Run("a segment resent has the pointer", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.writeUrgent(10)
		tc.want("PU. 1:11(10) ack 1 urg 10")
		tc.write(5)
		tc.want("P. 11:16(5) ack 1")
		tc.advance(time.Second)
		if s := tc.skip()[0]; !s.has(header.URG) || s.Seq.Add(int(s.Urgent)) != tc.iss.Add(11) {
			t.Errorf("sent %s", tc.format(&s))
		}
	})
	t.Run("a closed window does not keep it from being announced (MUST-30)", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.input(". 1:1(0) ack 1 win 0")
		tc.writeUrgent(10)
		tc.wantNothing()
		tc.fire()
		tc.want("U. 1:1(0) ack 1 urg 10")
		tc.want("U. 0:0(0) ack 1 urg 11") // the probe
		tc.wantNothing()
	})
}

// What is received of it (MUST-30): out of the stream but for SO_OOBINLINE.
func TestUrgentDataIsReceived(t *testing.T) {
	t.Run("the last octet by itself", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.wantUrgent(syscall.EINVAL)
		tc.input("PU. 1:11(10) ack 1 win 50000 urg 5")
		tc.wantPRI(true)
		want := pattern(1, 10)
		if octet, ok, err := tc.c.ReadUrgent(true); octet != want[4] || !ok || err != nil {
			t.Errorf("peeked at %d, %v, %v", octet, ok, err)
		}
		tc.wantPRI(true)
		if octet, ok, err := tc.c.ReadUrgent(false); octet != want[4] || !ok || err != nil {
			t.Errorf("read %d, %v, %v", octet, ok, err)
		}
		tc.wantPRI(false)
		tc.wantUrgent(syscall.EINVAL) // it was read
		tc.wantRead(want[:4])         // up to the mark
		if !tc.c.AtMark() || tc.c.Readable() != 5 {
			t.Errorf("at the mark: %v, readable %d", tc.c.AtMark(), tc.c.Readable())
		}
		tc.wantRead(want[5:])
		if tc.c.AtMark() || tc.c.Urgent() != 0 {
			t.Error("still at the mark")
		}
	})
	t.Run("in line", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.c.SetOOBInline(true)
		tc.input("PU. 1:11(10) ack 1 win 50000 urg 5")
		tc.wantPRI(true)
		tc.wantUrgent(syscall.EINVAL)
		want := pattern(1, 10)
		tc.wantRead(want[:4])
		tc.wantPRI(true)
		tc.wantRead(want[4:])
		tc.wantPRI(false)
	})
	t.Run("peeking", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.input("PU. 1:11(10) ack 1 win 50000 urg 5")
		want := pattern(1, 10)
		b := make([]byte, 20)
		for from, size := range []int{4, 3, 2, 1, 0} {
			if n, err := tc.c.Peek(b, from); n != size || err != nil || !bytes.Equal(b[:n], want[from:4]) {
				t.Errorf("behind %d: %d, %v", from, n, err)
			}
		}
		if n, err := tc.c.Read(tc.now, b); n != 4 || err != nil {
			t.Errorf("read %d, %v", n, err)
		}
		if n, err := tc.c.Peek(b, 0); n != 5 || err != nil || !bytes.Equal(b[:n], want[5:]) {
			t.Errorf("at the mark: %d, %v", n, err)
		}
		if n, err := tc.c.Peek(b, 2); n != 3 || err != nil || !bytes.Equal(b[:n], want[7:]) {
			t.Errorf("behind the mark: %d, %v", n, err)
		}
	})
	t.Run("announced, and not here", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.input("PU. 1:11(10) ack 1 win 50000 urg 15")
		tc.wantPRI(false)
		tc.wantUrgent(syscall.EAGAIN)
		if tc.c.Urgent() != 15 { // MUST-33
			t.Errorf("%d octets", tc.c.Urgent())
		}
		tc.input("P. 11:31(20) ack 1 win 50000")
		tc.wantPRI(true)
		tc.wantRead(pattern(1, 14))
		tc.wantRead(pattern(1, 30)[15:])
	})
	t.Run("ahead of what is missing", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.input("PU. 11:21(10) ack 1 win 50000 urg 10")
		if octet, ok, err := tc.c.ReadUrgent(false); octet != pattern(1, 20)[19] || !ok || err != nil {
			t.Errorf("read %d, %v, %v", octet, ok, err)
		}
		tc.input("P. 1:11(10) ack 1 win 50000")
		tc.wantRead(pattern(1, 19))
		tc.wantAgain() // the octet was all there is
		if tc.c.Urgent() != 0 {
			t.Error("still urgent")
		}
	})
	t.Run("it will not come", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.input("FPU. 1:11(10) ack 1 win 50000 urg 15")
		if _, ok, err := tc.c.ReadUrgent(false); ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
	})
	t.Run("alone", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.input("PU. 1:2(1) ack 1 win 50000 urg 1")
		if e := tc.c.Events(); e&(socket.POLLIN|socket.POLLPRI) != socket.POLLPRI {
			t.Errorf("events %v", e)
		}
		tc.wantAgain()
		tc.wantUrgent(syscall.EINVAL) // it has been read past
	})
}

// MUST-32: whenever the pointer moves on it is told; what it pointed at before
// stays in the stream, if the reader has not come there.
func TestUrgentPointerMoves(t *testing.T) {
	tc := established(t, noOptions)
	moves := func(want uint32) {
		t.Helper()
		if got := tc.c.UrgentMoves(); got != want {
			t.Errorf("%d moves, want %d", got, want)
		}
	}
	moves(0)
	tc.input("PU. 1:11(10) ack 1 win 50000 urg 5")
	moves(1)
	tc.input("PU. 11:21(10) ack 1 win 50000 urg 5")
	moves(2)
	tc.wantPRI(true)
	tc.wantRead(pattern(1, 14))
	tc.input("PU. 21:31(10) ack 1 win 50000 urg 5") // the reader is at the mark
	moves(3)
	tc.wantRead(pattern(1, 24)[15:])
	tc.wantRead(pattern(1, 30)[25:])
}

// What has no business to be a pointer moves nothing (RFC 6093; CVE-2019-12255,
// 12260, 12261, 12263).
//
// DEF-22.
func TestHostileUrgentPointers(t *testing.T) {
	for _, tt := range []struct{ name, in string }{
		{"at what was received", "PU. 1:11(10) ack 1 win 50000 urg 5"},
		{"at what was received, with more", "PU. 1:21(20) ack 1 win 50000 urg 10"},
		{"below the segment after it was cut", "PU. 6:21(15) ack 1 win 50000 urg 3"},
		{"outside the window", "PU. 90001:90011(10) ack 1 win 50000 urg 3"},
		{"without an ACK", "PU 11:21(10) win 50000 urg 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tc := established(t, noOptions)
			tc.input("P. 1:11(10) ack 1 win 50000")
			tc.input(tt.in)
			if tc.c.Urgent() != 0 || tc.c.UrgentMoves() != 0 {
				t.Errorf("urgent: %d octets", tc.c.Urgent())
			}
			b := make([]byte, 10)
			if n, err := tc.c.Read(tc.now, b); n != 10 || err != nil || !bytes.Equal(b, pattern(1, 10)) {
				t.Errorf("read %d, %v: %x", n, err, b)
			}
			tc.wantUrgent(syscall.EINVAL)
		})
	}
	t.Run("0 is the first octet", func(t *testing.T) { // as on Linux, and never what was read before
		tc := established(t, noOptions)
		tc.input("P. 1:11(10) ack 1 win 50000")
		tc.input("PU. 11:21(10) ack 1 win 50000 urg 0")
		tc.wantRead(pattern(1, 10))
		tc.wantRead(pattern(1, 20)[11:])
		tc.input("PU. 21:21(0) ack 1 win 50000 urg 0") // and of none is one that comes
		if n := tc.c.Urgent(); n != 1 {
			t.Errorf("urgent: %d octets", n)
		}
	})
	t.Run("far ahead", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.input("PU. 1:11(10) ack 1 win 50000 urg 65535")
		tc.wantRead(pattern(1, 10))
		tc.wantUrgent(syscall.EAGAIN)
		tc.input("P. 11:21(10) ack 1 win 50000")
		tc.wantRead(pattern(1, 20)[10:]) // the stream goes on
	})
	t.Run("back", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.input("PU. 1:11(10) ack 1 win 50000 urg 30")
		tc.input("PU. 11:21(10) ack 1 win 50000 urg 1")
		if tc.c.Urgent() != 30 || tc.c.UrgentMoves() != 1 {
			t.Errorf("%d octets", tc.c.Urgent())
		}
	})
}

func (tc *conversation) writeUrgent(n int) {
	tc.t.Helper()
	if got, err := tc.c.WriteUrgent(tc.now, make([]byte, n)); got != n || err != nil {
		tc.t.Fatal(got, err)
	}
	tc.pull()
}

func (tc *conversation) wantUrgent(want error) {
	tc.t.Helper()
	if _, ok, err := tc.c.ReadUrgent(false); ok || err != want {
		tc.t.Errorf("ReadUrgent: %v, %v, want %v", ok, err, want)
	}
}

func (tc *conversation) wantPRI(want bool) {
	tc.t.Helper()
	if e := tc.c.Events(); e&socket.POLLPRI != 0 != want {
		tc.t.Errorf("events %v, want POLLPRI: %v", e, want)
	}
}

// wantRead reads once, into a buffer that is large enough.
func (tc *conversation) wantRead(want []byte) {
	tc.t.Helper()
	b := make([]byte, 100)
	n, err := tc.c.Read(tc.now, b)
	if err != nil || !bytes.Equal(b[:n], want) {
		tc.t.Errorf("read %x, %v, want %x", b[:n], err, want)
	}
}
