package tcp

import (
	"testing"
	"time"
)

func withControl(p *Params) { p.ECNControl = true }

// With ECNControl everything but SYN is ECN-capable: acknowledgments, retransmissions,
// probes, FIN and RST.
func TestControlPacketsAreECNCapable(t *testing.T) {
	tc := talk(t, withECN(ECNAccurate), withControl)
	if err := tc.c.Connect(tc.now, tc.opening()); err != nil {
		t.Fatal(err)
	}
	tc.pull()
	tc.want("SEWA 0:0(0) ecn 0")
	tc.input("S.W 0:0(0) ack 1 win 1000 <mss 1000,sackOK>")
	tc.want(".W 1:1(0) ack 1 ecn 2")
	tc.c.tlp.out = true // no probe
	tc.write(1500)
	tc.want(".EA 1:1001(1000) ack 1 ecn 2")
	tc.fire()
	tc.want(".EA 1:1001(1000) ack 1 ecn 2") // a retransmission
	tc.input(".EA 1:1(0) ack 1001 win 0")
	tc.fire()
	tc.want(".EA 1000:1000(0) ack 1 ecn 2") // a probe of the window
	tc.input(".EA 1:1(0) ack 1001 win 1000")
	tc.want(".EA 1001:1501(500) ack 1 ecn 2")
	tc.closeWrite()
	tc.want("F.EA 1501:1501(0) ack 1 ecn 2")
	tc.c.Abort(tc.now)
	tc.pull()
	if s := tc.skip(); len(s) != 1 || s[0].ECN != ecnECT0 {
		t.Errorf("the reset: %+v", s)
	}
}

// That needs accurate ECN, and for acknowledgments SACK; and it ends where the network
// is found to change the field.
func TestControlPacketsThatAreNotECNCapable(t *testing.T) {
	for _, tt := range []struct {
		syn, ack  string
		data, fin string // of the acknowledgment of data, and of FIN
	}{
		{"SEWA 0:0(0) win 50000 " + sackOnly, ".W", ".EA 1:1(0) ack 501 ecn 2", "F.EA 1:1(0) ack 501 ecn 2"},
		{"SEWA 0:0(0) win 50000 " + noOptions, ".W", ".EA 1:1(0) ack 501 ecn 0", "F.EA 1:1(0) ack 501 ecn 2"},
		{"SEW 0:0(0) win 50000 " + sackOnly, ".", ". 1:1(0) ack 501 ecn 0", "F. 1:1(0) ack 501 ecn 0"},
		{"S 0:0(0) win 50000 " + sackOnly, ".", ". 1:1(0) ack 501 ecn 0", "F. 1:1(0) ack 501 ecn 0"},
		{"SEWA 0:0(0) win 50000 " + sackOnly, ".", ".EA 1:1(0) ack 501 ecn 0", "F.EA 1:1(0) ack 501 ecn 0"},
	} {
		tc := talk(t, withECN(ECNAccuratePassive), withControl)
		tc.begin(tt.syn)
		if s := tc.skip(); len(s) != 1 || s[0].ECN != 0 {
			t.Errorf("%s: the answer is %+v", tt.syn, s)
		}
		tc.input(tt.ack + " 1:1(0) ack 1 win 50000")
		tc.input(tt.ack + " 1:501(500) ack 1 win 50000")
		tc.want(tt.data)
		tc.closeWrite()
		tc.want(tt.fin)
	}
}

// RFC 9768 3.2.2.5.1: acknowledgments of marked acknowledgments are no duplicates, with
// which the peer would say that it missed something.
func TestAcknowledgmentsOfMarksAreNoDuplicates(t *testing.T) {
	tc := accurateEstablished(t, sackOnly, withControl)
	tc.write(5000)
	tc.skip()
	tc.advance(time.Millisecond)
	for range 5 {
		tc.input(".EA 1:1(0) ack 1 win 50000")
		tc.wantNothing()
	}
	if tc.c.ca != caOpen || tc.count().Retransmits.Load() > 0 {
		t.Errorf("in state %d after acknowledgments of marks", tc.c.ca)
	}
}

// Marks of acknowledgments are counted when nothing is in flight, and shrink no window.
func TestMarksOfAcknowledgments(t *testing.T) {
	tc := accurateEstablished(t, sackOnly, withControl)
	tc.input(".EA 1:501(500) ack 1 win 50000 ecn 2")
	tc.want(".EA 1:1(0) ack 501 ecn 2")
	tc.input(".WA 501:1001(500) ack 1 win 50000 ecn 2") // that was marked
	tc.want(".EA 1:1(0) ack 1001 ecn 2")
	if n := tc.c.Info(tc.now).DeliveredCE; n != 1 {
		t.Errorf("%d marks", n)
	}
	tc.write(1000)
	tc.want(".EA 1:1001(1000) ack 1001 ecn 2")
	tc.input(".WA 1001:1001(0) ack 1001 win 50000")
	tc.wantCwnd(10)
	if n := tc.count().ECNReductions.Load(); n != 0 {
		t.Errorf("%d reductions", n)
	}
}

// Everything is marked, in both directions, and both ends count the same: answers to
// answers die out.
func TestControlPacketsOverAMarkingPath(t *testing.T) {
	p := path{rate: 12_500_000, rtt: 10 * time.Millisecond, queue: time.Second}
	ch := p.channel(t, 1, dctcpAlgorithm)
	packets := 0
	ch.drop = func(_ int, seg *Segment) bool {
		if packets++; seg.ECN != 0 {
			seg.ECN = ecnCE
		}
		return false
	}
	for i, e := range ch.ends {
		e.p.ECN, e.p.ECNControl = []ECNMode{ECNAccurate, ECNAccuratePassive}[i], true
		e.send = 1 << 18
	}
	ch.connect(1500, 0)
	for !ch.done() && ch.step() {
		if packets > 20_000 {
			t.Fatal("it does not end")
		}
	}
	for i, e := range ch.ends {
		if o := ch.ends[1-i].p.Counters; !e.eof || e.p.Counters.ECNMarks.Load() == 0 || o.Retransmits.Load() > 0 {
			t.Errorf("side %d: eof %v, %d marks, %d resent", i, e.eof, e.p.Counters.ECNMarks.Load(), o.Retransmits.Load())
		}
	}
}
