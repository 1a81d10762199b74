package tcp

import (
	"strconv"
	"syscall"
	"testing"
	"time"

	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

func itoa(v seqnum.Value) string { return strconv.FormatUint(uint64(v), 10) }

// RFC 9293 3.10.7.3.
//
// DEF-25.
func TestSegmentArrivesWhenSynSent(t *testing.T) {
	for _, tt := range []struct {
		name, in, out string
		state         socket.TCPState
		err           error
	}{
		{"SYN,ACK", "S. 0:0(0) ack 1 win 100", ". 1:1(0) ack 1", socket.TCP_ESTABLISHED, nil},
		{"SYN,ACK with data", "SP. 0:5(5) ack 1 win 100", ". 1:1(0) ack 6", socket.TCP_ESTABLISHED, nil},
		{"SYN,ACK with data and FIN", "SF. 0:5(5) ack 1 win 100", ". 1:1(0) ack 7", socket.TCP_CLOSE_WAIT, nil},
		{"SYN (MUST-10)", "S 0:0(0) win 100", "S. 0:0(0) ack 1", socket.TCP_SYN_RECV, nil},
		{"SYN,FIN", "SF 0:0(0) win 100", "S. 0:0(0) ack 1", socket.TCP_SYN_RECV, nil},
		{"ACK of nothing", ". 0:0(0) ack 0", "R 0:0(0)", socket.TCP_SYN_SENT, nil},
		{"ACK of what was not sent", ". 0:0(0) ack 2", "R 2:2(0)", socket.TCP_SYN_SENT, nil},
		{"SYN,ACK of what was not sent", "S. 0:0(0) ack 2", "R 2:2(0)", socket.TCP_SYN_SENT, nil},
		{"ACK without SYN", ". 0:0(0) ack 1", "", socket.TCP_SYN_SENT, nil},
		{"RST with ACK", "R. 0:0(0) ack 1", "", socket.TCP_CLOSE, syscall.ECONNREFUSED},
		{"RST without ACK", "R 0:0(0)", "", socket.TCP_SYN_SENT, nil},
		{"RST with bad ACK", "R. 0:0(0) ack 2", "", socket.TCP_SYN_SENT, nil},
		{"SYN,RST without ACK", "SR 0:0(0)", "", socket.TCP_SYN_SENT, nil},
		{"FIN", "F 0:0(0)", "", socket.TCP_SYN_SENT, nil},
		{"FIN with ACK", "F. 0:0(0) ack 1", "", socket.TCP_SYN_SENT, nil},
		{"data", "P 0:10(10)", "", socket.TCP_SYN_SENT, nil},
		{"nothing", "- 0:0(0)", "", socket.TCP_SYN_SENT, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tc := talk(t).connect()
			tc.input(tt.in)
			if tt.out != "" {
				tc.want(tt.out)
			}
			tc.wantNothing()
			tc.wantState(tt.state)
			if err := tc.c.TakeError(); err != tt.err {
				t.Errorf("error %v, want %v", err, tt.err)
			}
		})
	}
}

// RFC 9293 figure 8, with every way in which the four segments may cross.
func TestSimultaneousOpen_MUST10(t *testing.T) {
	tc := talk(t).connect()
	tc.input("S 0:0(0) win 1000 " + allOptions)
	tc.want("S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 3601000 ecr 100,wscale 7>")
	tc.wantState(socket.TCP_SYN_RECV)
	tc.input("S. 0:0(0) ack 1 win 1000 " + allOptions)
	tc.wantState(socket.TCP_ESTABLISHED)

	t.Run("the ACK comes instead of SYN,ACK", func(t *testing.T) {
		tc := talk(t).connect()
		tc.input("S 0:0(0) win 1000 " + noOptions)
		tc.want("S. 0:0(0) ack 1 <mss 1460>")
		tc.input(". 1:1(0) ack 1 win 1000")
		tc.wantState(socket.TCP_ESTABLISHED)
		tc.wantNothing()
	})
	t.Run("the SYN,ACK comes again", func(t *testing.T) {
		tc := talk(t).connect()
		tc.input("S 0:0(0) win 1000 " + noOptions)
		tc.want("S. 0:0(0) ack 1")
		tc.input("S. 0:0(0) ack 1 win 1000 " + noOptions)
		tc.wantState(socket.TCP_ESTABLISHED)
		tc.input("S. 0:0(0) ack 1 win 1000 " + noOptions)
		tc.want(". 1:1(0) ack 1") // it missed ours
		tc.wantState(socket.TCP_ESTABLISHED)
	})
	t.Run("a reset", func(t *testing.T) { // MUST-11: it was an active open
		tc := talk(t).connect()
		tc.input("S 0:0(0) win 1000")
		tc.want("S. 0:0(0) ack 1")
		tc.input("R 1:1(0)")
		tc.wantState(socket.TCP_CLOSE)
		if err := tc.c.TakeError(); err != syscall.ECONNREFUSED {
			t.Errorf("error %v", err)
		}
	})
}

func TestSynOptions(t *testing.T) {
	t.Run("as Linux", func(t *testing.T) {
		tc := talk(t)
		_ = tc.c.Connect(tc.now, tc.opening())
		tc.pull()
		tc.want("S 0:0(0) win 64240 <mss 1460,sackOK,TS val 3601000 ecr 0,wscale 7>")
	})
	t.Run("the answer has what the SYN had", func(t *testing.T) {
		for options, want := range map[string]string{
			"":                      "<mss 1460>",
			"<mss 1000,sackOK>":     "<mss 1460,sackOK>",
			"<TS val 9 ecr 0>":      "<mss 1460,TS val 3601000 ecr 9>",
			"<wscale 0>":            "<mss 1460,wscale 7>",
			"<sackOK,wscale 3>":     "<mss 1460,sackOK,wscale 7>",
			"<mss 1000,wscale 255>": "<mss 1460,wscale 7>",
		} {
			tc := talk(t)
			tc.accept("S 0:0(0) win 1000 " + options)
			got := tc.want("S. 0:0(0) ack 1 win 64240 " + want)
			if w := tc.parse("S 0:0(0) "+want, false); got.Options != w.Options {
				t.Errorf("SYN %s: %s, want %s", options, tc.format(&got), want)
			}
		}
	})
	t.Run("a window in SYN is not scaled (RFC 7323 2.2)", func(t *testing.T) {
		tc := talk(t).connect()
		tc.input("S. 0:0(0) ack 1 win 1000 " + allOptions)
		if tc.c.snd.wnd != 1000 {
			t.Errorf("SND.WND is %d", tc.c.snd.wnd)
		}
		tc.input(". 1:1(0) ack 1 win 1000")
		if tc.c.snd.wnd != 1000<<7 {
			t.Errorf("SND.WND is %d", tc.c.snd.wnd)
		}
	})
	t.Run("a shift above 14 is 14 (RFC 7323 2.3)", func(t *testing.T) {
		tc := talk(t).connect()
		tc.input("S. 0:0(0) ack 1 win 1000 <wscale 200>")
		if tc.c.snd.wscale != 14 {
			t.Errorf("shift %d", tc.c.snd.wscale)
		}
	})
	t.Run("MSS only in SYN (MUST-65)", func(t *testing.T) {
		tc := established(t, allOptions)
		tc.write(10)
		if s := tc.want("P. 1:11(10) ack 1"); s.Options.MSS != 0 || s.Options.HasWScale || s.Options.SACKPermitted {
			t.Error(tc.format(&s))
		}
	})
}

// MUST-22.
func TestSynIsResent_MUST22(t *testing.T) {
	tc := talk(t).connect()
	start := tc.now
	for _, after := range []time.Duration{1, 3, 7, 15, 31, 63, 127} {
		tc.fire()
		tc.want("S 0:0(0)")
		if got := tc.now - start; got != after*time.Second {
			t.Errorf("resent after %v, want %v", got, after*time.Second)
		}
	}
	tc.fire()
	if got := tc.now - start; got != 247*time.Second {
		t.Errorf("given up after %v", got)
	}
	tc.wantState(socket.TCP_CLOSE)
	if err := tc.c.TakeError(); err != syscall.ETIMEDOUT {
		t.Errorf("error %v", err)
	}
	if !tc.c.Done() || tc.c.Deadline() != 0 {
		t.Error("something is left")
	}
}

// MUST-21 for SYN.
func TestSynCount_MUST21(t *testing.T) {
	tc := talk(t)
	tc.set(func(o *Options) { o.SynCount = 1 })
	tc.connect()
	tc.fire()
	tc.want("S 0:0(0)")
	tc.fire()
	tc.wantState(socket.TCP_CLOSE)
}

func TestFirstRoundTripComesFromTheHandshake(t *testing.T) {
	for _, tt := range []struct {
		name    string
		resends int
		synack  string
		rtt     time.Duration
		rto     time.Duration
	}{
		{"", 0, "S. 0:0(0) ack 1 win 1000 " + noOptions, 30 * time.Millisecond, 230 * time.Millisecond},
		{"SYN resent, no timestamps: RFC 6298 5.7", 1, "S. 0:0(0) ack 1 win 1000 " + noOptions, 0, 3 * time.Second},
		{"SYN resent, timestamps tell which", 1, "S. 0:0(0) ack 1 win 1000 <TS val 1 ecr 3602000>", 30 * time.Millisecond, 230 * time.Millisecond},
	} {
		tc := talk(t).connect()
		for range tt.resends {
			tc.fire()
			tc.want("S 0:0(0)")
		}
		tc.advance(30 * time.Millisecond)
		tc.input(tt.synack)
		if i := tc.c.Info(tc.now); i.RTT != tt.rtt || i.RTO != tt.rto || i.Backoff != 0 {
			t.Errorf("%s: RTT %v, RTO %v, backoff %d; want %v, %v", tt.name, i.RTT, i.RTO, i.Backoff, tt.rtt, tt.rto)
		}
	}
}

// A SYN,ACK that echoes a timestamp we never sent belongs to another
// connection (RFC 7323 5.2, as Linux).
func TestSynAckWithStaleEcho(t *testing.T) {
	for echo, stale := range map[string]bool{"3600999": true, "3601000": false, "3601001": true, "0": false} {
		tc := talk(t).connect()
		tc.input("S. 0:0(0) ack 1 win 1000 <TS val 1 ecr " + echo + ">")
		if stale {
			tc.want("R 1:1(0)")
			tc.wantState(socket.TCP_SYN_SENT)
		} else {
			tc.want(". 1:1(0) ack 1")
		}
	}
}

func TestConnectTwice(t *testing.T) {
	tc := talk(t).connect()
	if err := tc.c.Connect(tc.now, tc.opening()); err != syscall.EISCONN {
		t.Errorf("in SYN-SENT: %v", err)
	}
	tc.input("R. 0:0(0) ack 1")
	if err := tc.c.Connect(tc.now, tc.opening()); err != syscall.EISCONN {
		t.Errorf("after a failure: %v", err)
	}
}

func TestUserOfSynSent(t *testing.T) {
	for name, call := range map[string]func(*conversation) error{
		"CloseRead":  func(tc *conversation) error { return tc.c.CloseRead() },
		"CloseWrite": func(tc *conversation) error { return tc.c.CloseWrite(tc.now) },
	} {
		tc := talk(t).connect()
		if err := call(tc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		tc.wantState(socket.TCP_CLOSE) // as Linux disconnects
		if err := tc.c.TakeError(); err != syscall.ECONNRESET {
			t.Errorf("%s: pending %v", name, err)
		}
	}
	tc := talk(t).connect()
	if _, err := tc.c.Write(tc.now, []byte("x"), false); err != syscall.EAGAIN {
		t.Errorf("Write: %v", err)
	}
	tc.wantAgain()
	if e := tc.c.Events(); e != 0 {
		t.Errorf("events %v", e)
	}
	tc.close()
	tc.pull()
	tc.wantNothing() // no reset: the peer knows of nothing
	tc.wantState(socket.TCP_CLOSE)
}

// Shutting down what is not there yet drops it, and there is no end of a stream
// to read afterwards (as Linux).
func TestShutdownInSynSent(t *testing.T) {
	for name, shutdown := range map[string]func(*Conn) error{
		"SHUT_RD": (*Conn).CloseRead,
		"SHUT_WR": func(c *Conn) error { return c.CloseWrite(time.Hour) },
	} {
		tc := talk(t).connect()
		if err := shutdown(tc.c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		tc.wantState(socket.TCP_CLOSE)
		if e, want := tc.c.Events(), socket.POLLOUT|socket.POLLERR|socket.POLLHUP; e != want {
			t.Errorf("%s: %v, want %v", name, e, want)
		}
		if err := tc.c.TakeError(); err != syscall.ECONNRESET {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := tc.c.Read(tc.now, make([]byte, 1)); err != syscall.ENOTCONN {
			t.Errorf("%s: reading gives %v", name, err)
		}
	}
}
