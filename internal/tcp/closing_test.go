package tcp

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// reach brings a connection to a state, with our FIN at 1 where it was sent, and
// the peer's FIN at 1 where it came.
func reach(t testing.TB, s socket.TCPState) *conversation {
	t.Helper()
	tc := established(t, sackOnly)
	switch s {
	case socket.TCP_FIN_WAIT1, socket.TCP_FIN_WAIT2, socket.TCP_CLOSING, socket.TCP_TIME_WAIT:
		tc.closeWrite()
		tc.want("F. 1:1(0) ack 1")
	}
	switch s {
	case socket.TCP_FIN_WAIT2, socket.TCP_TIME_WAIT:
		tc.input(". 1:1(0) ack 2 win 50000")
	}
	switch s {
	case socket.TCP_CLOSING, socket.TCP_TIME_WAIT, socket.TCP_CLOSE_WAIT, socket.TCP_LAST_ACK:
		ack := ". 1:1(0) ack 1"
		if s == socket.TCP_TIME_WAIT {
			ack = ". 1:1(0) ack 2"
		}
		tc.input("F" + ack + " win 50000")
		tc.skip()
	}
	if s == socket.TCP_LAST_ACK {
		tc.closeWrite()
		tc.want("F. 1:1(0) ack 2")
	}
	tc.wantState(s)
	tc.wantNothing()
	tc.now += time.Second // past the limit of challenge ACKs
	return tc
}

// RFC 9293 3.10.7.4 in the states of closing.
//
// DEF-47.
func TestSegmentArrivesWhenClosing(t *testing.T) {
	const (
		finWait1  = socket.TCP_FIN_WAIT1
		finWait2  = socket.TCP_FIN_WAIT2
		closing   = socket.TCP_CLOSING
		timeWait  = socket.TCP_TIME_WAIT
		closeWait = socket.TCP_CLOSE_WAIT
		lastAck   = socket.TCP_LAST_ACK
		closed    = socket.TCP_CLOSE
	)
	for _, tt := range []struct {
		from     socket.TCPState
		in, out  string
		to       socket.TCPState
		deadline time.Duration
	}{
		{finWait1, ". 1:1(0) ack 2 win 9", "", finWait2, 0},
		{finWait1, "F. 1:1(0) ack 2 win 9", ". 2:2(0) ack 2", timeWait, time.Minute},
		{finWait1, "F. 1:1(0) ack 1 win 9", ". 2:2(0) ack 2", closing, -1}, // simultaneous close
		{finWait1, "P. 1:11(10) ack 2 win 9", ". 2:2(0) ack 11", finWait2, 0},
		{finWait1, "FP. 1:11(10) ack 2 win 9", ". 2:2(0) ack 12", timeWait, time.Minute},
		{finWait1, "F. 11:11(0) ack 2 win 9", ". 2:2(0) ack 1", finWait2, 0},
		{finWait1, ". 1:1(0) ack 3", ". 2:2(0) ack 1", finWait1, -1},
		{finWait1, "R 1:1(0)", "", closed, 0},
		{finWait1, "R 2:2(0)", ". 2:2(0) ack 1", finWait1, -1},
		{finWait1, "S 1:1(0)", ". 2:2(0) ack 1", finWait1, -1},

		{finWait2, "F. 1:1(0) ack 2 win 9", ". 2:2(0) ack 2", timeWait, time.Minute},
		{finWait2, "P. 1:11(10) ack 2 win 9", ". 2:2(0) ack 11", finWait2, 0},
		{finWait2, "FP. 1:11(10) ack 2 win 9", ". 2:2(0) ack 12", timeWait, time.Minute},
		{finWait2, ". 1:1(0) ack 2 win 9", "", finWait2, 0},
		{finWait2, "R 1:1(0)", "", closed, 0},
		{finWait2, "S 9:9(0)", ". 2:2(0) ack 1", finWait2, 0},

		{closing, ". 2:2(0) ack 2 win 9", "", timeWait, time.Minute},
		{closing, ". 2:2(0) ack 1 win 9", "", closing, -1},
		{closing, "F. 1:1(0) ack 1 win 9", ". 2:2(0) ack 2", closing, -1},
		{closing, "F. 1:1(0) ack 2 win 9", ". 2:2(0) ack 2", timeWait, time.Minute}, // it is old, and its acknowledgment new
		{closing, "P. 2:12(10) ack 2 win 9", ". 2:2(0) ack 2", timeWait, time.Minute},
		{closing, "R 2:2(0)", "", closed, 0},
		{closing, "S 2:2(0)", ". 2:2(0) ack 2", closing, -1},

		{timeWait, "F. 1:1(0) ack 2 win 9", ". 2:2(0) ack 2", timeWait, time.Minute},
		{timeWait, ". 2:2(0) ack 2 win 9", "", timeWait, 59 * time.Second},
		{timeWait, "P. 2:12(10) ack 2 win 9", ". 2:2(0) ack 2", timeWait, 59 * time.Second},
		{timeWait, "F. 2:2(0) ack 2 win 9", ". 2:2(0) ack 2", timeWait, 59 * time.Second},
		{timeWait, "R 2:2(0)", "", timeWait, 59 * time.Second}, // RFC 1337
		{timeWait, "R. 2:2(0) ack 2", "", timeWait, 59 * time.Second},
		{timeWait, "R 3:3(0)", "", timeWait, 59 * time.Second},
		{timeWait, "S. 2:2(0) ack 2", ". 2:2(0) ack 2", timeWait, 59 * time.Second},

		{closeWait, ". 2:2(0) ack 1 win 9", "", closeWait, 0},
		{closeWait, "F. 1:1(0) ack 1 win 9", ". 1:1(0) ack 2", closeWait, 0},
		{closeWait, "P. 2:12(10) ack 1 win 9", "", closeWait, 0},
		{closeWait, "R 2:2(0)", "", closed, 0},
		{closeWait, "R 3:3(0)", ". 1:1(0) ack 2", closeWait, 0},
		{closeWait, "S 2:2(0)", ". 1:1(0) ack 2", closeWait, 0},

		{lastAck, ". 2:2(0) ack 2 win 9", "", closed, 0},
		{lastAck, ". 2:2(0) ack 1 win 9", "", lastAck, -1},
		{lastAck, "F. 1:1(0) ack 1 win 9", ". 2:2(0) ack 2", lastAck, -1},
		{lastAck, "P. 2:12(10) ack 2 win 9", "", closed, 0},
		{lastAck, "R 2:2(0)", "", closed, 0},
		{lastAck, "S 2:2(0)", ". 2:2(0) ack 2", lastAck, -1},
	} {
		t.Run(tt.from.String()+" "+tt.in, func(t *testing.T) {
			tc := reach(t, tt.from)
			tc.input(tt.in)
			if tt.out != "" {
				tc.want(tt.out)
			}
			tc.wantNothing()
			tc.wantState(tt.to)
			if tt.deadline >= 0 {
				tc.wantDeadline(tt.deadline)
			}
		})
	}
}

// MUST-13, and 2 MSL are counted from the last FIN.
func TestTimeWaitLastsTwoMSL_MUST13(t *testing.T) {
	tc := reach(t, socket.TCP_TIME_WAIT)
	tc.advance(58 * time.Second)
	tc.wantState(socket.TCP_TIME_WAIT)
	tc.input("F. 1:1(0) ack 2 win 9")
	tc.advance(time.Minute - 1)
	tc.wantState(socket.TCP_TIME_WAIT)
	tc.advance(1)
	tc.wantState(socket.TCP_CLOSE)
}

// RFC 6191 and RFC 9293 3.6.1 (MAY-2, SHLD-4): when a SYN ends TIME-WAIT. The
// last sequence number of the peer was 2, its last timestamp 500.
//
// DEF-47.
func TestSynInTimeWait(t *testing.T) {
	for _, tt := range []struct {
		options string
		in      string
		reopen  bool
	}{
		{allOptions, "S 1:1(0) <TS val 501 ecr 0>", true},
		{allOptions, "S 2:2(0) <TS val 500 ecr 0>", true},
		{allOptions, "S 1:1(0) <TS val 500 ecr 0>", false},
		{allOptions, "S 9:9(0) <TS val 499 ecr 0>", false},
		{allOptions, "S 2:2(0)", true},
		{allOptions, "S 1:1(0)", false},
		{noOptions, "S 1:1(0) <TS val 1 ecr 0>", true},
		{noOptions, "S 2:2(0)", true},
		{noOptions, "S 1:1(0)", false},
		{noOptions, "S. 2:2(0) ack 2", false},
		{noOptions, "SF 2:2(0)", false},
		{noOptions, "SR 2:2(0)", false},
	} {
		tc := established(t, tt.options)
		ts := ""
		if tt.options == allOptions {
			ts = " <TS val 500 ecr 3601000>"
		}
		tc.closeWrite()
		tc.input("F. 1:1(0) ack 2 win 9" + ts)
		tc.skip()
		tc.wantState(socket.TCP_TIME_WAIT)
		tc.input(tt.in)
		if tc.result.Reopen != tt.reopen {
			t.Errorf("%s after %s: reopen %v", tt.in, tt.options, tc.result.Reopen)
		}
		if tt.reopen {
			tc.wantNothing()
			if tc.result.MinISS != tc.iss.Add(2+65537) {
				t.Errorf("MinISS is %d beyond SND.NXT", tc.result.MinISS.Sub(tc.iss.Add(2)))
			}
			tc.c.KeepTimeWait(tc.now)
			tc.pull()
			tc.want(". 2:2(0) ack 2")
		}
	}
}

func TestHalfClose(t *testing.T) {
	tc := established(t, noOptions)
	tc.closeWrite()
	tc.want("F. 1:1(0) ack 1")
	tc.input(". 1:1(0) ack 2 win 50000")
	if _, err := tc.c.Write(tc.now, []byte("x"), false); err != syscall.EPIPE {
		t.Errorf("Write: %v", err)
	}
	tc.advance(time.Hour) // a user reads: it may take as long as it likes
	tc.wantState(socket.TCP_FIN_WAIT2)
	tc.input("P. 1:11(10) ack 2 win 50000")
	tc.read(10)
	tc.skip()
	tc.input("F. 11:11(0) ack 2 win 50000")
	tc.want(". 2:2(0) ack 12")
	tc.wantEOF()

	tc = reach(t, socket.TCP_CLOSE_WAIT)
	tc.wantEOF()
	tc.write(10)
	tc.want("P. 1:11(10) ack 2")
	tc.input(". 2:2(0) ack 11 win 50000")
	tc.closeWrite()
	tc.want("F. 11:11(0) ack 2")
	tc.wantState(socket.TCP_LAST_ACK)
}

func TestFinGoesBehindTheData(t *testing.T) {
	tc := established(t, noOptions)
	tc.write(12000)
	tc.closeWrite()
	for range 10 {
		if s := tc.sent[0]; len(s.Payload) != 1000 || s.has(header.FIN) {
			t.Fatal(tc.format(&s))
		}
		tc.sent = tc.sent[1:]
	}
	tc.wantNothing() // the congestion window is full
	tc.input(". 1:1(0) ack 10001 win 50000")
	tc.want(". 10001:11001(1000) ack 1")
	tc.want("FP. 11001:12001(1000) ack 1") // with the last data
	tc.wantNothing()
	tc.input(". 1:1(0) ack 12002 win 50000")
	tc.wantState(socket.TCP_FIN_WAIT2)
}

func TestFinIsResent(t *testing.T) {
	tc := reach(t, socket.TCP_LAST_ACK)
	tc.fire()
	tc.want("F. 1:1(0) ack 2")
	tc.fire()
	tc.want("F. 1:1(0) ack 2")
	tc.input(". 2:2(0) ack 2 win 9")
	tc.wantState(socket.TCP_CLOSE)
}

// RFC 9293 3.6.1 (SHLD-3), RFC 1122 4.2.2.13: whoever loses data is told.
func TestCloseWithUnreadDataResets_SHLD3(t *testing.T) {
	for _, s := range []socket.TCPState{socket.TCP_ESTABLISHED, socket.TCP_FIN_WAIT1, socket.TCP_FIN_WAIT2} {
		tc := reach(t, s)
		tc.input("P. 1:11(10) ack 1 win 50000")
		tc.skip()
		nxt := tc.c.snd.nxt.Sub(tc.iss)
		tc.close()
		tc.want(fmt.Sprintf("R. %d:%d(0) ack 11", nxt, nxt))
		tc.wantNothing()
		if !tc.c.Done() {
			t.Errorf("%v: not done", s)
		}
	}
}

func TestDataAfterCloseIsReset_SHLD3(t *testing.T) {
	for _, s := range []socket.TCPState{socket.TCP_ESTABLISHED, socket.TCP_FIN_WAIT1, socket.TCP_FIN_WAIT2} {
		tc := reach(t, s)
		tc.close()
		tc.skip()
		tc.input("P. 1:11(10) ack 1 win 50000")
		tc.want("R 1:1(0)") // as from CLOSED
		tc.wantState(socket.TCP_CLOSE)
		if n := tc.count().AfterClose.Load(); n != 1 {
			t.Errorf("%v: counted %d", s, n)
		}
	}
	t.Run("beyond the window, too", func(t *testing.T) {
		tc := reach(t, socket.TCP_FIN_WAIT2)
		tc.close()
		tc.input("P. 65536:65546(10) ack 2 win 50000")
		tc.want("R 2:2(0)")
		tc.wantState(socket.TCP_CLOSE)
	})
	t.Run("but old data is not", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.input("P. 1:11(10) ack 1 win 50000")
		tc.read(10)
		tc.close()
		tc.skip()
		tc.input("P. 1:11(10) ack 1 win 50000")
		tc.want(". 2:2(0) ack 11")
		tc.wantState(socket.TCP_FIN_WAIT1)
	})
	t.Run("shutdown of reading alone loses nothing until FIN was sent", func(t *testing.T) {
		tc := established(t, noOptions)
		if err := tc.c.CloseRead(); err != nil {
			t.Fatal(err)
		}
		tc.wantEOF()
		tc.input("P. 1:11(10) ack 1 win 50000")
		tc.want(". 1:1(0) ack 11")
		tc.read(10) // as on Linux
		tc.wantEOF()
		tc.closeWrite()
		tc.want("F. 1:1(0) ack 11")
		tc.input("P. 11:21(10) ack 2 win 50000")
		tc.want("R 2:2(0)")
		tc.wantReadError(syscall.ECONNRESET)
	})
}

// An orphan ends in bounded time, whatever the peer does (CVE-2015-5358,
// CVE-2008-4609).
func TestOrphansEnd(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before func(*conversation)
		peer   func(*conversation) // answers what was sent
		within time.Duration
		reset  bool
	}{
		{"the peer vanishes", func(tc *conversation) { tc.write(100) }, func(*conversation) {}, 3 * time.Minute, true},
		{"the peer acknowledges and stays", nil, func(tc *conversation) {
			if tc.c.State() == socket.TCP_FIN_WAIT1 {
				tc.input(". 1:1(0) ack 2 win 50000")
			}
		}, time.Minute, false},
		{"the window stays closed", func(tc *conversation) {
			tc.input(". 1:1(0) ack 1 win 0")
			tc.write(100)
		}, func(tc *conversation) {
			tc.input(". 1:1(0) ack 1 win 0")
		}, 3 * time.Minute, true},
		{"the window stays closed, and the user was patient", func(tc *conversation) {
			tc.c.SetUserTimeout(tc.now, 24*time.Hour)
			tc.input(". 1:1(0) ack 1 win 0")
		}, func(tc *conversation) {
			tc.input(". 1:1(0) ack 1 win 0")
		}, 3 * time.Minute, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tc := established(t, noOptions)
			if tt.before != nil {
				tt.before(tc)
			}
			tc.close()
			start := tc.now
			for tc.c.State() != socket.TCP_CLOSE {
				if len(tc.skip()) > 0 {
					tt.peer(tc)
					tc.skip()
				}
				tc.fire()
			}
			if d := tc.now - start; d > tt.within {
				t.Errorf("it took %v", d)
			}
			if tt.reset {
				s := tc.sent[len(tc.sent)-1]
				if !s.has(header.RST) {
					t.Errorf("the last word is %s", tc.format(&s))
				}
			}
			if !tc.c.Done() || tc.c.Deadline() != 0 {
				t.Error("something is left")
			}
		})
	}
}

func TestLinger2(t *testing.T) {
	tc := reach(t, socket.TCP_FIN_WAIT2)
	tc.set(func(o *Options) { o.Linger2 = 7 * time.Second })
	tc.close()
	tc.wantDeadline(7 * time.Second)

	tc = reach(t, socket.TCP_FIN_WAIT2)
	tc.set(func(o *Options) { o.Linger2 = -1 })
	tc.close()
	tc.want("R. 2:2(0) ack 1")
	tc.wantState(socket.TCP_CLOSE)
}

func TestAbort(t *testing.T) {
	for _, tt := range []struct {
		state socket.TCPState
		want  string
	}{
		{socket.TCP_ESTABLISHED, "R. 1:1(0) ack 1"},
		{socket.TCP_FIN_WAIT1, "R. 2:2(0) ack 1"},
		{socket.TCP_FIN_WAIT2, "R. 2:2(0) ack 1"},
		{socket.TCP_CLOSE_WAIT, "R. 1:1(0) ack 2"},
		{socket.TCP_CLOSING, ""},
		{socket.TCP_LAST_ACK, ""},
		{socket.TCP_TIME_WAIT, ""},
	} {
		tc := reach(t, tt.state)
		tc.c.Abort(tc.now)
		if tc.c.Done() && tt.want != "" {
			t.Errorf("%v: done before the reset is sent", tt.state)
		}
		tc.pull()
		if tt.want != "" {
			tc.want(tt.want)
		}
		tc.wantNothing()
		if !tc.c.Done() {
			t.Errorf("%v: not done", tt.state)
		}
	}
	t.Run("with something that nobody has read", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.input("FP. 1:11(10) ack 1 win 1000")
		tc.closeWrite()
		tc.skip()
		tc.wantState(socket.TCP_LAST_ACK)
		tc.c.Abort(tc.now)
		tc.pull()
		tc.want("R. 2:2(0) ack 12")
	})
	t.Run("within the peer's window", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.write(5000)
		tc.skip()
		tc.input("P. 1:2(1) ack 1 win 50000")
		tc.want(". 5001:5001(0) ack 2")
		tc.input("P. 2:3(1) ack 1 win 2000") // it shrank
		tc.want(". 2001:2001(0) ack 3")      // nor is this beyond it
		tc.c.Abort(tc.now)
		tc.pull()
		tc.want("R. 2001:2001(0) ack 3")
	})
	t.Run("but rounded windows do not shrink", func(t *testing.T) {
		tc := established(t, "<wscale 7>")
		tc.write(1000)
		tc.skip()
		tc.input("P. 1:2(1) ack 1 win 7")
		tc.want(". 1001:1001(0) ack 2")
	})
}

func TestCallsWithoutConnection(t *testing.T) {
	tc := talk(t)
	tc.wantReadError(syscall.ENOTCONN)
	if _, err := tc.c.Write(tc.now, []byte("x"), false); err != syscall.EPIPE {
		t.Errorf("Write: %v", err) // as Linux; POSIX would have ENOTCONN
	}
	if e := tc.c.Events(); e != socket.POLLOUT|socket.POLLHUP {
		t.Errorf("events %v", e)
	}
	if err := tc.c.CloseWrite(tc.now); err != syscall.ENOTCONN {
		t.Errorf("CloseWrite: %v", err)
	}
	if err := tc.c.CloseRead(); err != syscall.ENOTCONN {
		t.Errorf("CloseRead: %v", err)
	}
	// They say so, and yet there is no more to read and to write, as on Linux.
	if e := tc.c.Events(); e != socket.POLLIN|socket.POLLOUT|socket.POLLHUP|socket.POLLRDHUP {
		t.Errorf("events %v", e)
	}
	if n, err := tc.c.Read(tc.now, make([]byte, 1)); n != 0 || err != nil {
		t.Errorf("Read: %d, %v", n, err)
	}
	seg := tc.parse("P. 1:2(1) ack 1", true)
	if r := tc.c.Input(tc.now, &seg); !r.Closed {
		t.Error("a segment was taken")
	}
	tc.c.SetMTU(tc.now, 1000, 0, false)
	tc.c.Error(tc.now, syscall.EHOSTUNREACH, true, 0)
	tc.c.Timer(tc.now)
	tc.close()
	tc.close()
	tc.wantNothing()
}
