package tcp

import (
	"testing"
	"time"

	"example.com/berth/socket"
)

// An opener begins a passive open by a SYN.
type opener func(tc *conversation, syn string) *conversation

// bothWays runs a test of SYN-RECEIVED with a handshake that is a connection from
// the beginning, as in a Fast Open, and with one that becomes one.
func bothWays(t *testing.T, name string, f func(t *testing.T, open opener)) {
	t.Run(name, func(t *testing.T) { f(t, (*conversation).begin) })
	t.Run(name+", whole", func(t *testing.T) { f(t, (*conversation).accept) })
}

// RFC 9293 3.10.7.4 in SYN-RECEIVED state, entered from LISTEN, where RCV.NXT is
// 1 and the window 64240.
func TestSegmentArrivesWhenSynReceived(t *testing.T) {
	const (
		synRecv = socket.TCP_SYN_RECV
		estab   = socket.TCP_ESTABLISHED
		closed  = socket.TCP_CLOSE
	)
	for _, tt := range []struct {
		name, in, out string
		state         socket.TCPState
	}{
		{"ACK", ". 1:1(0) ack 1 win 100", "", estab},
		{"ACK with data", "P. 1:11(10) ack 1 win 100", ". 1:1(0) ack 11", estab},
		{"ACK with data and FIN", "FP. 1:11(10) ack 1 win 100", ". 1:1(0) ack 12", socket.TCP_CLOSE_WAIT},
		{"FIN", "F. 1:1(0) ack 1 win 100", ". 1:1(0) ack 2", socket.TCP_CLOSE_WAIT},
		{"FIN without ACK", "F 1:1(0)", "", synRecv},
		{"old ACK", ". 1:1(0) ack 0", "R 0:0(0)", synRecv},
		{"ACK of what was not sent", ". 1:1(0) ack 2", "R 2:2(0)", synRecv},
		{"SYN once more", "S 0:0(0) win 100", "S. 0:0(0) ack 1", synRecv},
		{"another SYN in the window", "S 100:100(0) win 100", ". 1:1(0) ack 1", synRecv},
		{"another SYN", "S 100000:100000(0) win 100", ". 1:1(0) ack 1", synRecv},
		{"RST", "R 1:1(0)", "", closed},
		{"RST with data (SHLD-2)", "R 1:20(19)", "", closed},
		{"RST inside the window", "R 2:2(0)", ". 1:1(0) ack 1", synRecv},
		{"RST at the last octet", "R 64240:64240(0)", ". 1:1(0) ack 1", synRecv},
		{"RST beyond the window", "R 64241:64241(0)", "", synRecv},
		{"RST before the window", "R 0:0(0)", "", synRecv},
		{"data beyond the window", "P. 64241:64251(10) ack 1", ". 1:1(0) ack 1", synRecv},
		{"ACK at the right edge", ". 64241:64241(0) ack 1", ". 1:1(0) ack 1", synRecv},
		{"nothing", "- 1:1(0)", "", synRecv},
	} {
		bothWays(t, tt.name, func(t *testing.T, open opener) {
			tc := talk(t)
			open(tc, "S 0:0(0) win 1000 "+noOptions)
			tc.want("S. 0:0(0) ack 1")
			tc.input(tt.in)
			if tt.out != "" {
				tc.want(tt.out)
			}
			tc.wantNothing()
			tc.wantState(tt.state)
			if err := tc.c.TakeError(); err != nil {
				t.Errorf("error %v: nobody was told of the connection", err)
			}
		})
	}
}

// Nothing can have come twice before the first byte.
func TestNoDuplicatesAreReportedInSynReceived(t *testing.T) {
	tc := talk(t)
	tc.accept("S 0:0(0) win 1000 " + sackOnly)
	tc.want("S. 0:0(0) ack 1")
	tc.input("P. -99:1(100) ack 1 win 1000")
	tc.want(". 1:1(0) ack 1 <>")
}

func TestSynAckIsResent(t *testing.T) {
	bothWays(t, "", func(t *testing.T, open opener) {
		tc := talk(t)
		open(tc, "S 0:0(0) win 1000")
		tc.want("S. 0:0(0) ack 1")
		start := tc.now
		for _, after := range []time.Duration{1, 3, 7, 15, 31} {
			tc.fire()
			tc.want("S. 0:0(0) ack 1")
			if got := tc.now - start; got != after*time.Second {
				t.Errorf("resent after %v, want %v", got, after*time.Second)
			}
		}
		tc.fire()
		tc.wantNothing()
		tc.wantState(socket.TCP_CLOSE)
	})
}

// Where more than half of a queue is taken, and most of that by handshakes whose
// peers have not answered, these are given up sooner.
func TestOldHandshakesMakeRoom(t *testing.T) {
	p := DefaultParams()
	for _, tt := range []struct{ pending, young, backlog, want int }{
		{0, 0, 128, 5},
		{4, 0, 1, 5}, // a small queue is not much of a burden
		{64, 0, 128, 5},
		{65, 65, 128, 5},
		{65, 32, 128, 4},
		{65, 16, 128, 3},
		{65, 8, 128, 2},
		{65, 0, 128, 2},
	} {
		if got := p.Retries(tt.pending, tt.young, tt.backlog); got != tt.want {
			t.Errorf("%+v: %d", tt, got)
		}
	}
}

// The SYN of a peer that repeats it is answered, but not each of a flood.
func TestRepeatedSynIsAnsweredAtARate(t *testing.T) {
	bothWays(t, "", func(t *testing.T, open opener) {
		tc := talk(t)
		open(tc, "S 0:0(0) win 1000")
		tc.want("S. 0:0(0) ack 1")
		for range 1000 {
			tc.input("S 0:0(0) win 1000")
			tc.now += time.Millisecond / 2
		}
		if n := len(tc.skip()); n != 1 {
			t.Errorf("%d answers in half a second", n)
		}
	})
}

// A connection for which there was no place gets its SYN,ACK again, so that its
// peer sends the acknowledgment again.
func TestHandshakeWithoutAPlaceGoesOn(t *testing.T) {
	tc := talk(t).begin("S 0:0(0) win 1000 " + allOptions)
	tc.want("S. 0:0(0) ack 1")
	ack := tc.parse(". 1:1(0) ack 1 win 1000 <TS val 101 ecr 0>", true)
	var out Segment
	if v := tc.r.Input(tc.now, &ack, tc.c.Options(), &out); v != Open {
		t.Fatalf("verdict %v", v)
	}
	tc.r.Wait()
	tc.fire()
	tc.want("S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 3602000 ecr 101,wscale 7>")
	tc.input(". 1:1(0) ack 1 win 1000 <TS val 102 ecr 0>")
	tc.wantState(socket.TCP_ESTABLISHED)
}

// TCP_DEFER_ACCEPT counts retransmissions: 5 s are three of them, 7 s.
func TestDeferAccept(t *testing.T) {
	open := func(t *testing.T) *conversation {
		tc := talk(t)
		tc.set(func(o *Options) { o.DeferAccept = 5 * time.Second })
		tc.begin("S 0:0(0) win 1000")
		tc.want("S. 0:0(0) ack 1")
		tc.input(". 1:1(0) ack 1 win 1000")
		tc.wantNothing()
		tc.wantState(socket.TCP_SYN_RECV)
		return tc
	}
	t.Run("data comes", func(t *testing.T) {
		tc := open(t)
		tc.now += 3 * time.Second
		tc.input("P. 1:11(10) ack 1 win 1000")
		tc.want(". 1:1(0) ack 11")
		tc.wantState(socket.TCP_ESTABLISHED)
	})
	t.Run("no data comes", func(t *testing.T) {
		tc := open(t)
		begun := tc.now
		for range 2 {
			tc.fire()
			tc.wantNothing() // the peer has it
		}
		tc.fire()
		tc.want("S. 0:0(0) ack 1")
		if got := tc.now - begun; got != 7*time.Second {
			t.Errorf("resent after %v", got)
		}
		tc.input(". 1:1(0) ack 1 win 1000")
		tc.wantState(socket.TCP_ESTABLISHED)
	})
	t.Run("nothing comes at all", func(t *testing.T) {
		tc := talk(t)
		tc.set(func(o *Options) { o.DeferAccept = 5 * time.Second })
		tc.begin("S 0:0(0) win 1000")
		tc.want("S. 0:0(0) ack 1")
		tc.fire()
		tc.want("S. 0:0(0) ack 1") // it may be lost
	})
	t.Run("FIN comes", func(t *testing.T) {
		tc := open(t)
		tc.input("F. 1:1(0) ack 1 win 1000")
		tc.want(". 1:1(0) ack 2")
		tc.wantState(socket.TCP_CLOSE_WAIT)
	})
}

func TestCloseInSynReceived(t *testing.T) {
	tc := talk(t)
	tc.accept("S 0:0(0) win 1000")
	tc.want("S. 0:0(0) ack 1")
	tc.closeWrite()
	tc.wantNothing() // FIN waits for ESTABLISHED (RFC 9293 3.10.4)
	tc.input(". 1:1(0) ack 1 win 1000")
	tc.want("F. 1:1(0) ack 1")
	tc.wantState(socket.TCP_FIN_WAIT1)

	tc = talk(t)
	tc.accept("S 0:0(0) win 1000")
	tc.want("S. 0:0(0) ack 1")
	tc.c.Abort(tc.now)
	tc.pull()
	tc.want("R. 1:1(0) ack 1")
	if !tc.c.Done() {
		t.Error("not done")
	}
}
