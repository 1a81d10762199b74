package tcp

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"example.com/berth/socket"
)

// RFC 9293 3.10.7.4 in ESTABLISHED, with RCV.NXT 1001 after 1000 bytes that
// were read, a window of 65535 bytes, and 100 bytes of ours in flight.
//
// DEF-1, DEF-2, DEF-3.
func TestSegmentArrivesWhenEstablished(t *testing.T) {
	const (
		estab     = socket.TCP_ESTABLISHED
		closed    = socket.TCP_CLOSE
		closeWait = socket.TCP_CLOSE_WAIT
	)
	ack := ". 101:101(0) ack 1001"
	for _, tt := range []struct {
		name, in, out string
		state         socket.TCPState
		err           error
		una           int // SND.UNA afterwards, relative
	}{
		// First, the sequence number.
		{"ACK", ". 1001:1001(0) ack 101 win 100", "", estab, nil, 101},
		{"data", "P. 1001:1011(10) ack 1 win 100", ". 101:101(0) ack 1011", estab, nil, 1},
		{"data half old", "P. 991:1011(20) ack 1 win 100", ". 101:101(0) ack 1011 <sack 991:1001>", estab, nil, 1},
		{"old data", "P. 901:1001(100) ack 101 win 100", ack + " <sack 901:1001>", estab, nil, 101}, // its acknowledgment is new
		{"older data", "P. 801:900(99) ack 101 win 100", ack + " <sack 801:900>", estab, nil, 1},
		{"old FIN", "F. 1000:1000(0) ack 101 win 100", ack + " <sack 1000:1001>", estab, nil, 101},
		{"old data with a bad ACK", "P. 901:1001(100) ack 102 win 100", ack, estab, nil, 1}, // the bytes are not reported: who says they are its?
		{"old data with RST", "R. 901:1001(100) ack 101 win 100", ack, estab, nil, 1},
		{"older data with RST", "R. 801:900(99) ack 101 win 100", "", estab, nil, 1},
		{"a probe of ours by the peer (keepalive)", ". 1000:1000(0) ack 101", ack, estab, nil, 1},
		{"data at the right edge", "P. 66536:66546(10) ack 101", ack, estab, nil, 101},
		{"data across the right edge", "P. 66500:66600(100) ack 1 win 100", ack + " <sack 66500:66600>", estab, nil, 1},
		{"ACK at the right edge", ". 66536:66536(0) ack 101 win 100", "", estab, nil, 101}, // of a peer that has lost something
		{"ACK beyond it", ". 66537:66537(0) ack 101", ack, estab, nil, 1},
		{"ACK inside the window", ". 2000:2000(0) ack 101 win 100", "", estab, nil, 101},
		{"data out of order (SHLD-31, MAY-13)", "P. 1011:1021(10) ack 1 win 100", ack + " <sack 1011:1021>", estab, nil, 1},

		// Second, RST (RFC 5961 3).
		{"RST", "R 1001:1001(0)", "", closed, syscall.ECONNRESET, 1},
		{"RST with ACK", "R. 1001:1001(0) ack 101", "", closed, syscall.ECONNRESET, 1},
		{"RST with data (SHLD-2)", "R 1001:1011(10)", "", closed, syscall.ECONNRESET, 1},
		{"RST one off", "R 1002:1002(0)", ack, estab, nil, 1},
		{"RST at the last octet", "R 66535:66535(0)", ack, estab, nil, 1},
		{"RST at the right edge", "R 66536:66536(0)", ack, estab, nil, 1},
		{"RST beyond it", "R 66537:66537(0)", "", estab, nil, 1},
		{"RST one before", "R 1000:1000(0)", "", estab, nil, 1},

		// Fourth, SYN (RFC 5961 4).
		{"SYN", "S 1001:1001(0)", ack, estab, nil, 1},
		{"SYN inside the window", "S 2000:2000(0)", ack, estab, nil, 1},
		{"SYN outside the window", "S 900000:900000(0)", ack, estab, nil, 1},
		{"SYN,ACK", "S. 0:0(0) ack 1", ack, estab, nil, 1},
		{"SYN,FIN", "SF 1001:1001(0)", ack, estab, nil, 1},

		// Fifth, ACK (RFC 5961 5).
		{"no ACK", "P 1001:1011(10)", "", estab, nil, 1},
		{"nothing", "- 1001:1001(0)", "", estab, nil, 1},
		{"FIN without ACK", "F 1001:1001(0)", "", estab, nil, 1},
		{"ACK of what was not sent", ". 1001:1001(0) ack 102", ack, estab, nil, 1},
		{"data with ACK of what was not sent (MAY-12)", "P. 1001:1011(10) ack 102", ack, estab, nil, 1},
		{"ACK of what was never sent (MAY-12)", ". 1001:1001(0) ack 0 win 9", ack, estab, nil, 1},

		// Eighth, FIN.
		{"FIN", "F. 1001:1001(0) ack 1 win 100", ". 101:101(0) ack 1002", closeWait, nil, 1},
		{"data with FIN", "FP. 1001:1011(10) ack 1 win 100", ". 101:101(0) ack 1012", closeWait, nil, 1},
		{"FIN out of order", "F. 1011:1011(0) ack 1 win 100", ack, estab, nil, 1},
		{"FIN at the right edge", "F. 66536:66536(0) ack 101", ack, estab, nil, 101}, // which needs no room
		{"FIN beyond the window", "F. 66537:66537(0) ack 101", ack, estab, nil, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tc := established(t, sackOnly)
			tc.input("P. 1:1001(1000) ack 1 win 50000")
			tc.read(1000)
			tc.write(100)
			tc.skip()
			tc.c.SetQuickAck(true)
			tc.input(tt.in)
			if tt.out != "" {
				tc.want(tt.out)
			}
			tc.wantNothing()
			tc.wantState(tt.state)
			if err := tc.c.TakeError(); err != tt.err {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if tt.state != closed && tc.c.snd.una.Sub(tc.iss) != tt.una {
				t.Errorf("SND.UNA is %d, want %d", tc.c.snd.una.Sub(tc.iss), tt.una)
			}
		})
	}
}

// RFC 5961 5.2: an acknowledgment is taken for an old one within the largest
// window of the peer, and if what it acknowledges was ever sent.
func TestOldAcknowledgments(t *testing.T) {
	for _, tt := range []struct {
		written, ack int
		answered     bool
	}{
		{0, 1, false},
		{0, 0, true},
		{1000, 1, false},
		{1000, 0, true},
		{60000, 60001 - 50000, false},
		{60000, 60000 - 50000, true},
	} {
		tc := established(t, sackOnly)
		for tt.written > 0 && int(tc.c.snd.una-tc.iss) <= tt.written {
			tc.write(min(1000, tt.written))
			tc.skip()
			tc.input(fmt.Sprintf(". 1:1(0) ack %d win 50000", tc.c.snd.nxt-tc.iss))
		}
		tc.input(fmt.Sprintf(". 1:1(0) ack %d win 50000", tt.ack))
		if answered := len(tc.skip()) > 0; answered != tt.answered {
			t.Errorf("after %d bytes, ack %d: answered %v, want %v", tt.written, tt.ack, answered, tt.answered)
		}
	}
}

// What comes with an unacceptable acknowledgment is nobody's to believe: neither
// are its timestamps.
func TestTimestampsOfUnacceptableSegmentsAreNotEchoed(t *testing.T) {
	tc := established(t, allOptions)
	tc.input(". 1:1(0) ack 2000 win 500 <TS val 500 ecr 3601000>")
	tc.want(". 1:1(0) ack 1 <TS val 3601000 ecr 100>")
	tc.input("P. 1:11(10) ack 1 win 500 <TS val 101 ecr 3601000>")
	tc.want(". 1:1(0) ack 11 <TS val 3601000 ecr 101>")
}

// Of a segment that is dropped nothing is reported, neither at once nor later.
func TestDroppedSegmentsAreNotReportedAsDuplicates(t *testing.T) {
	for _, in := range []string{"F 501:1001(500)", "P. 501:1011(510) ack 5000"} {
		tc := established(t, sackOnly)
		tc.input("P. 1:1001(1000) ack 1 win 50000")
		tc.skip()
		tc.input(in)
		tc.skip()
		tc.input("P. 1101:1111(10) ack 1 win 50000")
		tc.want(". 1:1(0) ack 1001 <sack 1101:1111>")
	}
}

// MUST-66: ACK, RST and URG are processed though the window is closed.
func TestSegmentArrivesAtAClosedWindow(t *testing.T) {
	fill := func(t *testing.T) *conversation {
		tc := established(t, noOptions)
		tc.c.SetRcvBuf(4000)
		tc.c.rcv.edge = tc.c.rcv.nxt.Add(2000)
		tc.input("P. 1:1001(1000) ack 1 win 50000")
		tc.input("P. 1001:2001(1000) ack 1 win 50000")
		tc.skip()
		tc.write(100)
		tc.want("P. 1:101(100) ack 2001 win 0")
		return tc
	}
	t.Run("ACK", func(t *testing.T) {
		tc := fill(t)
		tc.input(". 2001:2001(0) ack 101 win 50000")
		tc.wantNothing()
		if tc.c.snd.una != tc.iss.Add(101) {
			t.Error("the ACK was not taken")
		}
	})
	t.Run("a probe with data", func(t *testing.T) {
		tc := fill(t)
		tc.input("P. 2001:2002(1) ack 101 win 50000")
		tc.want(". 101:101(0) ack 2001 win 0")
		if tc.c.snd.una != tc.iss.Add(101) {
			t.Error("its ACK was not taken")
		}
		if n, _ := tc.c.Queues(); n != 2000 {
			t.Errorf("%d bytes in the queue", n)
		}
	})
	t.Run("RST", func(t *testing.T) {
		tc := fill(t)
		tc.input("R 2001:2001(0)")
		tc.wantState(socket.TCP_CLOSE)
	})
	t.Run("RST one off", func(t *testing.T) {
		tc := fill(t)
		tc.input("R 2002:2002(0)")
		tc.wantState(socket.TCP_ESTABLISHED)
	})
	t.Run("URG", func(t *testing.T) {
		tc := fill(t)
		tc.input("U. 2001:2001(0) ack 101 win 50000 urg 10")
		if got := tc.c.Urgent(); got != 2010 {
			t.Errorf("%d octets to the end of urgent data", got)
		}
	})
	t.Run("FIN", func(t *testing.T) { // not by the RFC, but by Linux
		tc := fill(t)
		tc.input("F. 2001:2001(0) ack 101 win 50000")
		tc.want(". 101:101(0) ack 2002 win 0")
		tc.wantState(socket.TCP_CLOSE_WAIT)
	})
	t.Run("data with FIN", func(t *testing.T) {
		tc := fill(t)
		tc.input("F. 2001:2002(1) ack 101 win 50000")
		tc.want(". 101:101(0) ack 2001 win 0")
		tc.wantState(socket.TCP_ESTABLISHED)
	})
}

// RFC 5961 7 and defence against ACK loops: what carries no data is answered
// twice a second.
//
// DEF-3, DEF-5.
func TestChallengeAcksAreLimited(t *testing.T) {
	for name, in := range map[string]string{
		"ACK outside the window":   ". 900000:900000(0) ack 1",
		"SYN":                      "S 1:1(0)",
		"RST inside the window":    "R 2:2(0)",
		"ACK of what was not sent": ". 1:1(0) ack 5",
	} {
		tc := established(t, noOptions)
		seg := tc.parse(in, true)
		for range 100_000 {
			again := seg
			tc.c.Input(tc.now, &again)
			tc.pull()
			tc.now += 10 * time.Microsecond
		}
		if n := len(tc.skip()); n > 3 {
			t.Errorf("%s: %d answers in a second", name, n)
		}
	}
}

// Two connections that believe different things of each other fall silent.
//
// DEF-5.
func TestNoLoopOfAcks(t *testing.T) {
	pr := newPair(t, 1500, 0)
	pr.a.snd.nxt = pr.a.snd.nxt.Add(100000)
	pr.a.snd.una = pr.a.snd.nxt
	pr.a.ackNow = true
	n := 0
	for range 10_000 {
		moved := pr.pass(pr.a, pr.b)
		if moved = pr.pass(pr.b, pr.a) || moved; moved {
			n++
		}
		pr.now += time.Millisecond
	}
	if n > 40 {
		t.Errorf("%d rounds of ACKs in ten seconds", n)
	}
}

func TestFinOutOfOrder(t *testing.T) {
	tc := established(t, sackOnly)
	tc.input("F. 11:21(10) ack 1 win 50000")
	tc.want(". 1:1(0) ack 1 <sack 11:22>")
	tc.wantState(socket.TCP_ESTABLISHED)
	tc.input("P. 1:11(10) ack 1 win 50000")
	tc.want(". 1:1(0) ack 22 <nosack>")
	tc.wantState(socket.TCP_CLOSE_WAIT)
	tc.read(20)
	tc.wantEOF()
}

func TestFinThatLiesInsideTheStreamIsNone(t *testing.T) {
	tc := established(t, noOptions)
	tc.input("F. 11:11(0) ack 1 win 50000")
	tc.input("P. 1:31(30) ack 1 win 50000")
	tc.skip()
	tc.wantState(socket.TCP_ESTABLISHED)
	tc.read(30)
	tc.input("F. 31:31(0) ack 1 win 50000")
	tc.want(". 1:1(0) ack 32")
	tc.wantState(socket.TCP_CLOSE_WAIT)
}

func TestNothingComesAfterFin(t *testing.T) {
	tc := established(t, noOptions)
	tc.input("F. 1:1(0) ack 1 win 50000")
	tc.want(". 1:1(0) ack 2")
	for _, in := range []string{"P. 2:12(10) ack 1 win 50000", "F. 2:2(0) ack 1 win 50000", "PU. 12:22(10) ack 1 win 50000 urg 3"} {
		tc.input(in)
		tc.skip()
		tc.wantState(socket.TCP_CLOSE_WAIT)
		if n, _ := tc.c.Queues(); n != 0 || tc.c.rcv.nxt != tc.irs.Add(2) || tc.c.Urgent() != 0 {
			t.Errorf("%s was taken", in)
		}
	}
}

// MUST-12: the user learns how the connection ended.
func TestUserIsToldOfReset_MUST12(t *testing.T) {
	tc := established(t, noOptions)
	tc.input("P. 1:11(10) ack 1 win 50000")
	tc.input("R 11:11(0)")
	if e := tc.c.Events(); e != socket.POLLIN|socket.POLLOUT|socket.POLLERR|socket.POLLHUP|socket.POLLRDHUP {
		t.Errorf("events %v", e)
	}
	tc.read(10) // what came before can still be read, as on Linux
	tc.wantReadError(syscall.ECONNRESET)
	tc.wantEOF()
	if _, err := tc.c.Write(tc.now, []byte("x"), false); err != syscall.EPIPE {
		t.Errorf("Write: %v", err)
	}

	tc = established(t, noOptions)
	tc.input("F. 1:1(0) ack 1 win 50000")
	tc.input("R 2:2(0)")
	tc.wantEOF()
	if _, err := tc.c.Write(tc.now, []byte("x"), false); err != syscall.EPIPE {
		t.Errorf("Write after FIN and RST: %v", err)
	}
}
