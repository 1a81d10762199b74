package tcp

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/berth/socket"
)

// testRTO is the time-out after a handshake that took no time.
const testRTO = 200*time.Millisecond + time.Microsecond

// inFlight begins a conversation whose congestion window is n segments of 1000
// bytes, with all of them in flight.
func inFlight(t testing.TB, options string, n int) *conversation {
	t.Helper()
	tc := established(t, options, func(p *Params) { p.InitialWindow = n })
	tc.advance(time.Second)
	tc.write(n * 1000)
	for i := range n {
		tc.want(fmt.Sprintf(". %d:%d(1000) ack 1", 1+i*1000, 1001+i*1000))
	}
	tc.wantNothing()
	return tc
}

// roundTrip is that of the conversations that onPath begins.
const roundTrip = 100 * time.Millisecond

// onPath begins a conversation with SACK over a path with a round trip, whose
// congestion window is n segments of 1000 bytes, with all of them in flight.
func onPath(t testing.TB, options string, n int, change ...func(*Params)) *conversation {
	t.Helper()
	tc := talk(t, append(change, func(p *Params) { p.InitialWindow = n })...)
	tc.accept("S 0:0(0) win 50000 " + options)
	tc.want("S. 0:0(0) ack 1")
	tc.advance(roundTrip)
	tc.input(". 1:1(0) ack 1 win 50000")
	tc.wantState(socket.TCP_ESTABLISHED)
	tc.advance(time.Second)
	tc.write(n * 1000)
	for i := range n {
		tc.want(fmt.Sprintf(". %d:%d(1000) ack 1", 1+i*1000, 1001+i*1000))
	}
	tc.wantNothing()
	return tc
}

func (tc *conversation) wantCwnd(segments int) {
	tc.t.Helper()
	if got := tc.c.cc.Cwnd(); got != segments*1000 {
		tc.t.Fatalf("cwnd is %d, want %d segments of 1000", got, segments)
	}
}

func (tc *conversation) wantCA(s caState) {
	tc.t.Helper()
	if tc.c.ca != s {
		tc.t.Fatalf("congestion state %d, want %d", tc.c.ca, s)
	}
}

// RFC 6298 5, MUST-18, MUST-19.
func TestRetransmissionTimeout_MUST19(t *testing.T) {
	tc := inFlight(t, noOptions, 4)
	tc.wantDeadline(testRTO)
	tc.fire()
	tc.want(". 1:1001(1000) ack 1")
	tc.wantNothing()
	tc.wantCwnd(1)
	tc.wantCA(caLoss)
	tc.wantDeadline(2 * testRTO) // 5.5
	tc.fire()
	tc.want(". 1:1001(1000) ack 1")
	tc.wantDeadline(4 * testRTO)
	if got := tc.c.cc.SSThresh(); got != 2000 {
		t.Errorf("ssthresh %d after two time-outs", got) // RFC 5681 eq. 4, once
	}
	// Slow start from one segment: what was lost is resent, in order.
	tc.input(". 1:1(0) ack 1001 win 50000")
	tc.want(". 1001:2001(1000) ack 1")
	tc.want(". 2001:3001(1000) ack 1")
	tc.wantNothing()
	// Karn: nothing tells how long the round trip is; the backoff stays.
	tc.wantDeadline(4 * testRTO)
	tc.input(". 1:1(0) ack 3001 win 50000")
	tc.want("P. 3001:4001(1000) ack 1")
	tc.input(". 1:1(0) ack 4001 win 50000")
	tc.wantNothing()
	tc.wantDeadline(0) // 5.2
	tc.wantCA(caOpen)
	tc.write(100)
	tc.want("P. 4001:4101(100) ack 1")
	tc.wantDeadline(4 * testRTO)
	tc.advance(10 * time.Millisecond)
	tc.input(". 1:1(0) ack 4101 win 50000") // a sample at last
	tc.write(100)
	tc.want("P. 4101:4201(100) ack 1")
	if d := tc.c.Deadline() - tc.now; d > 250*time.Millisecond {
		t.Errorf("the time-out is still %v", d)
	}
}

func TestTimerRestartsWithEachAcknowledgment(t *testing.T) {
	tc := inFlight(t, noOptions, 4)
	for i := range 3 {
		tc.advance(150 * time.Millisecond)
		tc.input(fmt.Sprintf(". 1:1(0) ack %d win 50000", 1001+i*1000))
		if tc.c.Deadline() < tc.now+200*time.Millisecond {
			t.Error("RFC 6298 5.3: the timer did not restart")
		}
	}
	tc.wantNothing()
}

// RFC 9293 3.8.3, MUST-20, SHLD-11: R2, by default after 924.6 seconds.
func TestGivesUp_MUST20(t *testing.T) {
	tc := inFlight(t, noOptions, 1)
	start, n := tc.now, 0
	for tc.c.State() != socket.TCP_CLOSE {
		tc.fire()
		n += len(tc.skip())
		if tc.c.State() != socket.TCP_CLOSE && tc.c.Struggling() != (n >= 3) { // SHLD-10
			t.Errorf("struggling %v after %d retransmissions", tc.c.Struggling(), n)
		}
	}
	if d := tc.now - start; d.Truncate(100*time.Millisecond) != 924600*time.Millisecond || n != 15 {
		t.Errorf("given up after %v and %d retransmissions", d, n)
	}
	tc.wantReadError(syscall.ETIMEDOUT)
	if tc.count().Timeouts.Load() != 1 {
		t.Error("not counted")
	}
}

// MUST-21: TCP_USER_TIMEOUT (RFC 5482), on the second.
func TestUserTimeout_MUST21(t *testing.T) {
	tc := inFlight(t, noOptions, 1)
	start := tc.now
	tc.c.SetUserTimeout(tc.now, 5*time.Second)
	for tc.c.State() != socket.TCP_CLOSE {
		tc.fire()
	}
	if d := tc.now - start; d != 5*time.Second {
		t.Errorf("given up after %v", d)
	}
	t.Run("of an acknowledged connection", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.c.SetUserTimeout(tc.now, 5*time.Second)
		tc.advance(time.Hour)
		tc.wantState(socket.TCP_ESTABLISHED)
	})
	t.Run("progress begins it anew", func(t *testing.T) {
		tc := inFlight(t, noOptions, 4)
		tc.c.SetUserTimeout(tc.now, 5*time.Second)
		for i := range 4 {
			tc.advance(4 * time.Second)
			tc.wantState(socket.TCP_ESTABLISHED)
			tc.input(fmt.Sprintf(". 1:1(0) ack %d win 50000", 1001+i*1000))
		}
	})
}

// RFC 5681 3.2 with RFC 6582 on a connection without SACK.
func TestFastRetransmitWithoutSACK(t *testing.T) {
	tc := inFlight(t, noOptions, 10)
	tc.write(5000)
	dup := ". 1:1(0) ack 1 win 50000"
	tc.input(dup)
	tc.want(". 10001:11001(1000) ack 1") // limited transmit (RFC 3042)
	tc.input(dup)
	tc.want(". 11001:12001(1000) ack 1")
	tc.wantNothing()
	tc.wantCA(caDisorder)
	tc.wantCwnd(10)
	tc.input(dup)
	tc.want(". 1:1001(1000) ack 1") // the fast retransmit
	tc.wantNothing()
	tc.wantCA(caRecovery)
	tc.wantCwnd(6) // half of the flight
	// Each further duplicate means that one has left the network.
	for range 3 {
		tc.input(dup)
		tc.wantNothing()
	}
	tc.input(dup)
	tc.want(". 12001:13001(1000) ack 1")
	// A partial acknowledgment: 4001 is lost, too (RFC 6582 3.2, step 3).
	tc.input(". 1:1(0) ack 4001 win 50000")
	tc.want(". 4001:5001(1000) ack 1")
	tc.wantCA(caRecovery)
	tc.wantCwnd(6)
	tc.skip()
	// All that was in flight has arrived; what came after has not.
	tc.input(". 1:1(0) ack 12001 win 50000")
	tc.wantCA(caRecovery) // hold: RFC 6582 4
	tc.skip()
	tc.input(". 1:1(0) ack 13001 win 50000")
	tc.wantCA(caOpen)
	if n := tc.count().RTOs.Load(); n != 0 {
		t.Errorf("%d time-outs", n)
	}
}

func TestTwoDuplicatesAreNoLoss(t *testing.T) {
	for _, options := range []string{noOptions, sackOnly} {
		tc := inFlight(t, options, 10)
		tc.input(". 1:1(0) ack 1 win 50000 <sack 1001:2001>")
		tc.input(". 1:1(0) ack 1 win 50000 <sack 1001:3001>")
		tc.input(". 1:1(0) ack 3001 win 50000")
		tc.wantCA(caOpen)
		tc.wantNothing()
		if n := tc.count().Retransmits.Load(); n != 0 {
			t.Errorf("%d retransmissions", n)
		}
	}
}

// What is no duplicate acknowledgment (RFC 5681 2).
func TestNotDuplicates(t *testing.T) {
	for name, in := range map[string]string{
		"window updates": ". 1:1(0) ack 1 win %[1]d",
		"data":           "P. %[2]d:%[3]d(1) ack 1 win 50000",
	} {
		tc := inFlight(t, noOptions, 10)
		for i := range 5 {
			s := fmt.Sprintf(in, 50001+i, 1+i, 2+i)
			s, _, _ = strings.Cut(s, "%!")
			tc.input(s)
		}
		if tc.c.ca != caOpen {
			t.Errorf("%s: congestion state %d", name, tc.c.ca)
		}
	}
}

// Fast recovery with SACK: RACK finds the loss, PRR decides what is sent.
func TestRecoveryWithSACK(t *testing.T) {
	tc := onPath(t, sackOnly, 10)
	tc.write(9000)
	tc.advance(roundTrip)
	tc.input(". 1:1(0) ack 1 win 50000 <sack 1001:2001>")
	tc.want(". 10001:11001(1000) ack 1") // limited transmit (RFC 3042)
	tc.input(". 1:1(0) ack 1 win 50000 <sack 1001:3001>")
	tc.want(". 11001:12001(1000) ack 1")
	tc.input(". 1:1(0) ack 1 win 50000 <sack 1001:4001>")
	tc.want(". 1:1001(1000) ack 1") // ssthresh is 6: of 10 that arrive 6 may be sent
	tc.wantNothing()
	tc.wantCA(caRecovery)
	for _, tt := range []struct {
		end  int
		want string
	}{
		{5001, ""},
		{6001, ""},
		{7001, ""},
		{8001, ". 12001:13001(1000) ack 1"},
		{9001, ". 13001:14001(1000) ack 1"},
		{10001, ". 14001:15001(1000) ack 1"},
	} {
		tc.input(fmt.Sprintf(". 1:1(0) ack 1 win 50000 <sack 1001:%d>", tt.end))
		if tt.want != "" {
			tc.want(tt.want)
		}
		tc.wantNothing()
	}
	tc.advance(roundTrip)
	tc.input(". 1:1(0) ack 12001 win 50000")
	tc.wantCA(caOpen)
	tc.skip()
	tc.wantCwnd(6)
	if n := tc.count().Retransmits.Load(); n != 1 {
		t.Errorf("%d retransmissions", n)
	}
}

// Several holes are repaired in one round trip, lowest first.
func TestRecoveryOfSeveralHoles(t *testing.T) {
	tc := onPath(t, sackOnly, 10)
	tc.advance(roundTrip)
	tc.input(". 1:1(0) ack 1 win 50000 <sack 2001:3001>")
	tc.input(". 1:1(0) ack 1 win 50000 <sack 4001:5001 2001:3001>")
	tc.wantNothing()
	tc.input(". 1:1(0) ack 1 win 50000 <sack 6001:7001 4001:5001 2001:3001>")
	tc.want(". 1:1001(1000) ack 1") // and 1001, 3001, 5001 are lost, too
	tc.wantNothing()
	tc.input(". 1:1(0) ack 1 win 50000 <sack 6001:8001 4001:5001 2001:3001>")
	tc.want(". 1001:2001(1000) ack 1")
	tc.wantNothing()
	tc.input(". 1:1(0) ack 1 win 50000 <sack 6001:9001 4001:5001 2001:3001>")
	tc.want(". 3001:4001(1000) ack 1")
	tc.wantNothing()
	tc.input(". 1:1(0) ack 1 win 50000 <sack 6001:10001 4001:5001 2001:3001>")
	tc.want(". 5001:6001(1000) ack 1")
	tc.advance(roundTrip)
	tc.input(". 1:1(0) ack 10001 win 50000")
	tc.wantCA(caOpen)
	tc.wantNothing()
	tc.wantDeadline(0)
}

// RFC 2018 8: a receiver may drop what it acknowledged selectively.
//
// DEF-31.
func TestReneging(t *testing.T) {
	tc := inFlight(t, sackOnly, 5)
	tc.input(". 1:1(0) ack 1 win 50000 <sack 1001:3001>")
	tc.input(". 1:1(0) ack 1001 win 50000") // and 1001:3001 is gone
	tc.wantNothing()
	tc.fire()
	tc.want(". 1001:2001(1000) ack 1")
	tc.input(". 1:1(0) ack 2001 win 50000")
	tc.want(". 2001:3001(1000) ack 1")
	if n := tc.count().SACKReneges.Load(); n != 1 {
		t.Errorf("counted %d", n)
	}
}

// After one time-out what was sacked is not resent; after two it is no longer
// believed.
//
// DEF-31.
func TestSACKAfterTimeout(t *testing.T) {
	tc := onPath(t, sackOnly, 5)
	tc.advance(roundTrip)
	tc.input(". 1:1(0) ack 1 win 50000 <sack 1001:3001>")
	tc.fire()
	tc.want(". 1:1001(1000) ack 1") // the reordering timer
	tc.advance(testRTO)
	for i := range 2 {
		if tc.fire(); tc.count().RTOs.Load() != uint64(i+1) {
			t.Fatal("no time-out")
		}
		tc.want(". 1:1001(1000) ack 1")
		tc.wantNothing()
	}
	tc.advance(roundTrip)
	tc.input(". 1:1(0) ack 1001 win 50000")
	tc.want(". 1001:2001(1000) ack 1")
	tc.want(". 2001:3001(1000) ack 1")
}

// DEF-31.
func TestNonsenseInSACK(t *testing.T) {
	for name, opt := range map[string]string{
		"beyond SND.NXT":           "<sack 5001:6002>",
		"the wrong way round":      "<sack 3001:2001>",
		"empty":                    "<sack 3001:3001>",
		"half of the number space": "<sack 1001:-2147480000>",
	} {
		tc := inFlight(t, sackOnly, 6)
		for range 5 {
			tc.input(". 1:1(0) ack 1 win 50000 " + opt)
		}
		tc.wantNothing()
		tc.wantCA(caOpen)
		if tc.c.fl.sackedBytes() != 0 || tc.count().SACKDiscarded.Load() == 0 {
			t.Errorf("%s: %d bytes sacked", name, tc.c.fl.sackedBytes())
		}
	}
	t.Run("before SND.UNA: a DSACK", func(t *testing.T) {
		tc := inFlight(t, sackOnly, 6)
		tc.input(". 1:1(0) ack 3001 win 50000")
		tc.input(". 1:1(0) ack 3001 win 50000 <sack 1001:2001>")
		if tc.c.fl.sackedBytes() != 0 || tc.c.seldom().dsacks != 1 {
			t.Error("not taken for one")
		}
	})
	t.Run("in another block: a DSACK", func(t *testing.T) {
		tc := inFlight(t, sackOnly, 6)
		tc.input(". 1:1(0) ack 1 win 50000 <sack 2001:3001 1001:4001>")
		if tc.c.fl.sackedBytes() != 3000 || tc.c.seldom().dsacks != 1 {
			t.Errorf("%d bytes sacked, %d DSACKs", tc.c.fl.sackedBytes(), tc.c.seldom().dsacks)
		}
	})
	t.Run("part of a segment: nothing", func(t *testing.T) {
		tc := inFlight(t, sackOnly, 6)
		tc.input(". 1:1(0) ack 1 win 50000 <sack 1500:2500>")
		if tc.c.fl.sackedBytes() != 0 {
			t.Errorf("%d bytes sacked", tc.c.fl.sackedBytes())
		}
	})
}

// Small segments that were lost are resent as one.
func TestSmallSegmentsAreResentTogether(t *testing.T) {
	tc := established(t, noOptions)
	tc.c.SetNoDelay(true)
	for range 8 {
		tc.write(200)
	}
	tc.skip()
	tc.fire()
	tc.want(". 1:1001(1000) ack 1")
	tc.input(". 1:1(0) ack 1001 win 50000")
	tc.want("P. 1001:1601(600) ack 1")
	tc.wantNothing()
}

// Of a large segment only what was lost is resent.
func TestLargeSegmentIsResentInPart(t *testing.T) {
	tc := talk(t, func(p *Params) { p.InitialWindow = 11 })
	seg := tc.parse("S 0:0(0) win 50000 "+sackOnly, true)
	o := tc.opening()
	o.LargeSend = 65160
	tc.c = Passive(tc.p, tc.now, o, &seg, nil)
	tc.pull()
	tc.skip()
	tc.input(". 1:1(0) ack 1 win 50000")
	tc.write(10500)
	if s := tc.want(". 1:10001(10000) ack 1"); s.SegSize != 1000 {
		t.Errorf("pieces of %d", s.SegSize)
	}
	tc.want("P. 10001:10501(500) ack 1")
	tc.input(". 1:1(0) ack 3001 win 50000 <sack 4001:7001>")
	if s := tc.want(". 3001:4001(1000) ack 1"); s.SegSize != 0 {
		t.Errorf("pieces of %d", s.SegSize)
	}
	tc.wantNothing()
}

// MUST-34: the peer takes its window back.
//
// DEF-29.
func TestWindowShrinks_MUST34(t *testing.T) {
	tc := inFlight(t, noOptions, 5)
	tc.input("P. 1:2(1) ack 1 win 50000")
	tc.input(". 2:2(0) ack 1 win 1500")
	tc.skip()
	tc.write(1000)
	tc.wantNothing() // SHLD-15
	tc.fire()
	tc.want(". 1:1001(1000) ack 2") // SHLD-16
	tc.input(". 2:2(0) ack 1001 win 500")
	tc.want(". 1001:2001(1000) ack 2") // MAY-7: the first one goes in any case
	tc.wantNothing()
	tc.input(". 2:2(0) ack 2001 win 0")
	// SHLD-17: as long as it answers, it is not given up.
	start := tc.now
	for tc.now-start < time.Hour {
		tc.fire()
		if len(tc.sent) == 0 {
			t.Fatal("no retransmission")
		}
		tc.skip()
		tc.input(". 2:2(0) ack 2001 win 0")
	}
	tc.wantState(socket.TCP_ESTABLISHED)
	tc.input(". 2:2(0) ack 2001 win 50000")
	tc.input(". 2:2(0) ack 5001 win 50000")
	tc.want("P. 5001:6001(1000) ack 2")
}
