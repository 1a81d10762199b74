package tcp

import (
	"testing"
	"time"

	"example.com/berth/socket"
)

func withECN(m ECNMode) func(*Params) { return func(p *Params) { p.ECN = m } }

// SHLD-8: RFC 3168 6.1.1, from the side that is asked.
func TestECNIsGranted(t *testing.T) {
	for _, tt := range []struct {
		mode    ECNMode
		syn     string
		synAck  string
		granted bool
	}{
		{ECNOff, "SEW 0:0(0)", "S. 0:0(0) ack 1", false},
		{ECNPassive, "SEW 0:0(0)", "SE. 0:0(0) ack 1", true},
		{ECNOn, "SEW 0:0(0)", "SE. 0:0(0) ack 1", true},
		{ECNOn, "S 0:0(0)", "S. 0:0(0) ack 1", false},
		{ECNOn, "SE 0:0(0)", "S. 0:0(0) ack 1", false},
		{ECNOn, "SW 0:0(0)", "S. 0:0(0) ack 1", false},
	} {
		tc := talk(t, withECN(tt.mode))
		tc.accept(tt.syn + " win 50000 " + noOptions)
		tc.want(tt.synAck)
		tc.input(". 1:1(0) ack 1 win 50000")
		if got := tc.c.Info(tc.now).ECN; got != tt.granted {
			t.Errorf("TCP_INFO tells of ECN: %v", got)
		}
		tc.write(1000)
		if tt.granted {
			tc.want(". 1:1001(1000) ack 1 ecn 2")
		} else {
			tc.want(". 1:1001(1000) ack 1 ecn 0")
		}
	}
}

// SHLD-8: RFC 3168 6.1.1, from the side that asks.
func TestECNIsAskedFor(t *testing.T) {
	for _, tt := range []struct {
		mode    ECNMode
		syn     string
		synAck  string
		granted bool
	}{
		{ECNOff, "S 0:0(0)", "SE. 0:0(0) ack 1", false},
		{ECNPassive, "S 0:0(0)", "SE. 0:0(0) ack 1", false},
		{ECNOn, "SEW 0:0(0)", "SE. 0:0(0) ack 1", true},
		{ECNOn, "SEW 0:0(0)", "S. 0:0(0) ack 1", false},
		{ECNOn, "SEW 0:0(0)", "SEW. 0:0(0) ack 1", false},
	} {
		tc := talk(t, withECN(tt.mode))
		if err := tc.c.Connect(tc.now, tc.opening()); err != nil {
			t.Fatal(err)
		}
		tc.pull()
		tc.want(tt.syn)
		tc.input(tt.synAck + " win 50000 " + noOptions)
		tc.want(". 1:1(0) ack 1")
		tc.write(1000)
		if tt.granted {
			tc.want(". 1:1001(1000) ack 1 ecn 2")
		} else {
			tc.want(". 1:1001(1000) ack 1 ecn 0")
		}
	}
}

// RFC 3168 6.1.1.1: a SYN that is not answered is resent without. What is marked
// is echoed nevertheless, if it was the first that came through.
func TestECNFallsBackWhereItsSYNIsLost(t *testing.T) {
	tc := talk(t, withECN(ECNOn))
	if err := tc.c.Connect(tc.now, tc.opening()); err != nil {
		t.Fatal(err)
	}
	tc.pull()
	tc.want("SEW 0:0(0)")
	tc.fire()
	tc.want("S 0:0(0)")
	tc.input("SE. 0:0(0) ack 1 win 50000 " + noOptions)
	tc.want(". 1:1(0) ack 1")
	tc.write(1000)
	tc.want(". 1:1001(1000) ack 1 ecn 0")
	tc.input(". 1:501(500) ack 1001 win 50000 ecn 3")
	tc.want(".E 1001:1001(0) ack 501")
}

func TestECNIsNotUsedTowardsAPeerThatFellBack(t *testing.T) {
	tc := talk(t, withECN(ECNPassive))
	tc.accept("SEW 0:0(0) win 50000 " + noOptions)
	tc.want("SE. 0:0(0) ack 1")
	tc.input("S 0:0(0) win 50000 " + noOptions)
	tc.want("SE. 0:0(0) ack 1")
	tc.input(". 1:1(0) ack 1 win 50000")
	tc.write(1000)
	tc.want(". 1:1001(1000) ack 1 ecn 0")
}

// ecnEstablished is established with ECN.
func ecnEstablished(t *testing.T, options string, change ...func(*Params)) *conversation {
	tc := talk(t, append(change, withECN(ECNPassive))...)
	tc.accept("SEW 0:0(0) win 50000 " + options)
	tc.want("SE. 0:0(0) ack 1")
	tc.input(". 1:1(0) ack 1 win 50000")
	tc.wantState(socket.TCP_ESTABLISHED)
	tc.wantNothing()
	return tc
}

// SHLD-8: RFC 3168 6.1.3: every acknowledgment echoes a mark until the sender says that
// it has heard.
func TestMarksAreEchoed(t *testing.T) {
	tc := ecnEstablished(t, noOptions)
	tc.input(". 1:1001(1000) ack 1 win 50000 ecn 2")
	tc.want(". 1:1(0) ack 1001")
	tc.input(". 1001:2001(1000) ack 1 win 50000 ecn 3")
	tc.want(".E 1:1(0) ack 2001")
	tc.input(". 2001:3001(1000) ack 1 win 50000 ecn 2")
	tc.want(".E 1:1(0) ack 3001")
	tc.input(".W 3001:4001(1000) ack 1 win 50000 ecn 2")
	tc.want(". 1:1(0) ack 4001")
	tc.input(".W 4001:5001(1000) ack 1 win 50000 ecn 3")
	tc.want(".E 1:1(0) ack 5001")
	if n := tc.count().ECNMarks.Load(); n != 2 {
		t.Errorf("%d marks counted", n)
	}
}

func TestMarksAreIgnoredWithoutECN(t *testing.T) {
	tc := established(t, noOptions)
	tc.input(". 1:1001(1000) ack 1 win 50000 ecn 3")
	tc.want(". 1:1(0) ack 1001")
	tc.write(1000)
	tc.want(". 1:1001(1000) ack 1001 ecn 0")
	tc.input(".E 1001:1001(0) ack 1001 win 50000")
	if tc.count().ECNMarks.Load() != 0 || tc.count().ECNReductions.Load() != 0 {
		t.Error("the mark or the echo counted")
	}
}

// SHLD-8: RFC 3168 6.1.2: the sender halves its window once for a window of data, and
// says so with the first new data.
//
// DEF-32.
func TestEchoReducesTheWindowOnce(t *testing.T) {
	tc := ecnEstablished(t, noOptions)
	tc.write(10_000)
	tc.skip()
	tc.write(4000)
	tc.wantNothing()
	tc.input(".E 1:1(0) ack 2001 win 50000")
	tc.wantCwnd(5)
	tc.input(".E 1:1(0) ack 4001 win 50000")
	tc.input(".E 1:1(0) ack 6001 win 50000")
	tc.wantCwnd(5)
	tc.want(".W 10001:11001(1000) ack 1 ecn 2")
	tc.input(".E 1:1(0) ack 10001 win 50000") // the last one sent before the answer
	if w := tc.c.cc.Cwnd(); w != 2500 {
		t.Errorf("cwnd is %d, want half of 5000", w)
	}
	tc.want(".W 11001:12001(1000) ack 1 ecn 2")
	tc.wantNothing()
	if n := tc.count().ECNReductions.Load(); n != 2 {
		t.Errorf("%d reductions counted", n)
	}
}

// RFC 3168 6.1.5: a retransmission is not ECN-capable.
func TestRetransmissionsAreNotECNCapable(t *testing.T) {
	tc := ecnEstablished(t, noOptions)
	tc.write(1000)
	tc.want(". 1:1001(1000) ack 1 ecn 2")
	tc.fire()
	tc.want(". 1:1001(1000) ack 1 ecn 0")
}

// A path that marks instead of dropping, beyond a queue of half a round trip,
// loses nothing.
func TestMarkingQueueLosesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("slow under the race detector, and races are not what it looks for")
	}
	for a, least := range map[*Algorithm]float64{cubicAlgorithm: 85, renoAlgorithm: 75, dctcpAlgorithm: 90, bbrAlgorithm: 80} {
		t.Run(a.Name, func(t *testing.T) {
			p := path{rate: 12_500_000, rtt: 10 * time.Millisecond, queue: time.Second}
			ch := p.channel(t, 1, a)
			ch.mark = 5 * time.Millisecond
			ch.ends[0].p.ECN = ECNOn
			ch.ends[0].send = 32 << 20
			start := ch.now
			ch.connect(1500, 0)
			for ch.ends[1].c == nil || !ch.ends[1].eof {
				if !ch.step() {
					t.Fatal(ch.describe())
				}
			}
			mbits := float64(32<<20) * 8 / (ch.now - start).Seconds() / 1e6
			n := ch.ends[0].p.Counters
			if mbits < least || n.Retransmits.Load() > 0 || n.ECNReductions.Load() < 3 {
				t.Errorf("%.1f Mbit/s, %d resent, %d reductions", mbits, n.Retransmits.Load(), n.ECNReductions.Load())
			}
		})
	}
}
