package tcp

import (
	"fmt"
	"testing"
	"time"
)

// With timestamps a full segment has 1000 bytes, too.
const sackAndTS = "<mss 1012,sackOK,TS val 100 ecr 0>"

// What happens, and what a connection with NewReno makes of it. The flight is of
// ten segments, cwnd too, the round trip is 100 ms, and 5000 bytes more wait.
func TestReactions(t *testing.T) {
	ack := func(n int) string { return fmt.Sprintf(". 1:1(0) ack %d win 50000", 1+n*1000) }
	sack := func(n int, blocks string) string { return ack(n) + " <sack " + blocks + ">" }
	p := func(n int) string { return fmt.Sprintf(". %d:%d(1000) ack 1", 1+n*1000, 1001+n*1000) }
	// echo is an acknowledgment of something sent so long after the flight.
	echo := func(n int, sent time.Duration, sack string) string {
		ecr := 3602100 + sent/time.Millisecond
		return ack(n) + fmt.Sprintf(" <TS val 200 ecr %d%s>", ecr, sack)
	}
	early := []line{ // the fast retransmit of a segment that is only late
		{100 * msec, sack(0, "1001:2001"), []string{p(10)}, caDisorder},
		{100 * msec, sack(0, "1001:3001"), []string{p(11)}, caDisorder},
		{100 * msec, sack(0, "1001:4001"), []string{p(0)}, caRecovery},
	}
	timeout := []line{
		{200 * msec, "", []string{p(10)}, caOpen},
		{500 * msec, "", []string{p(0)}, caLoss},
	}
	for _, tt := range []struct {
		name    string
		options string
		lines   []line
		cwnd    int // segments at the end
		undone  uint64
	}{
		{"the segment was lost", sackOnly, append(early,
			line{200 * msec, ack(12), []string{p(12), p(13), "P. 14001:15001(1000) ack 1"}, caOpen},
		), 6, 0},
		{"it was late, as a timestamp says", sackAndTS, append(early,
			line{101 * msec, echo(4, 0, ""), []string{p(12), p(13), "P. 14001:15001(1000) ack 1"}, caOpen},
		), 10, 1},
		{"it was late, as a DSACK says", sackOnly, append(early,
			line{101 * msec, ack(10), []string{p(12), p(13), "P. 14001:15001(1000) ack 1"}, caRecovery},
			line{200 * msec, sack(12, "1:1001"), nil, caOpen},
		), 10, 1},
		{"three were late, as DSACKs say", sackOnly, []line{
			{100 * msec, sack(0, "3001:4001"), []string{p(10)}, caDisorder},
			{100 * msec, sack(0, "3001:5001"), []string{p(11)}, caDisorder},
			{100 * msec, sack(0, "3001:6001"), []string{p(0)}, caRecovery},
			{100 * msec, sack(0, "3001:7001"), nil, caRecovery},
			{100 * msec, sack(0, "3001:8001"), []string{p(1)}, caRecovery},
			{100 * msec, sack(0, "3001:9001"), []string{p(2)}, caRecovery},
			{113 * msec, ack(12), []string{p(12), p(13), "P. 14001:15001(1000) ack 1"}, caOpen},
			{211 * msec, sack(12, "1:1001"), nil, caOpen},
			{212 * msec, sack(12, "1001:2001"), nil, caOpen},
			{213 * msec, sack(12, "2001:3001"), nil, caOpen},
		}, 10, 1},
		{"a timestamp says that it was lost", sackAndTS, append(early,
			line{200 * msec, echo(12, 100*msec, ""), []string{p(12), p(13), "P. 14001:15001(1000) ack 1"}, caOpen},
		), 6, 0},
		{"a time-out that was due", sackOnly, append(timeout,
			line{600 * msec, ack(1), []string{p(11), p(12)}, caLoss},                     // F-RTO, step 2
			line{700 * msec, sack(1, "11001:12001"), []string{p(1)}, caLoss},             // 3a
			line{800 * msec, sack(2, "11001:13001"), []string{p(2), p(3), p(4)}, caLoss}, // slow start
		), 3, 0},
		{"a time-out too early, as F-RTO finds", sackOnly, append(timeout,
			line{510 * msec, ack(1), []string{p(11), p(12)}, caLoss},
			line{520 * msec, ack(2), nil, caOpen},
		), 10, 1},
		{"a time-out too early, as a timestamp says", sackAndTS, append(timeout,
			line{510 * msec, echo(1, 0, ""), []string{p(11)}, caOpen},
		), 10, 1},
		{"a time-out too early, as a DSACK says", sackOnly, append(timeout,
			line{510 * msec, ack(11), []string{p(11), p(12), p(13), "P. 14001:15001(1000) ack 1"}, caOpen},
			line{610 * msec, sack(11, "1:1001"), nil, caOpen},
		), 10, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tc := onPath(t, tt.options, 10)
			tc.write(5000)
			tc.play(tc.now, tt.lines)
			if got := (tc.c.cc.Cwnd() + 999) / 1000; got != tt.cwnd && !(tt.undone > 0 && got > tt.cwnd) {
				t.Errorf("cwnd is %d segments, want %d", got, tt.cwnd)
			}
			if n := tc.count().Undone.Load(); n != tt.undone {
				t.Errorf("%d recoveries undone, want %d", n, tt.undone)
			}
		})
	}
}

// What was taken for lost, and arrives before anything could be resent, was late.
func TestRecoveryThatResentNothing(t *testing.T) {
	for _, late := range []bool{true, false} {
		tc := onPath(t, sackOnly, 10)
		tc.advance(roundTrip)
		all := []string{". 1:1(0) ack 1 win 50000 <sack 1001:2001>", ". 1:1(0) ack 1 win 50000 <sack 1001:3001>", ". 1:1(0) ack 1 win 50000 <sack 1001:4001>"}
		if late {
			tc.inputs(append(all, ". 1:1(0) ack 4001 win 50000")...) // in one batch
		} else {
			tc.inputs(all...)
			tc.want(". 1:1001(1000) ack 1")
			tc.input(". 1:1(0) ack 4001 win 50000")
		}
		if n := tc.count().Undone.Load(); n != 0 != late || tc.c.ca == caOpen != late {
			t.Errorf("late %v: %d recoveries undone, congestion state %d", late, n, tc.c.ca)
		}
		if got := tc.c.cc.Cwnd(); got >= 10_000 != late {
			t.Errorf("late %v: cwnd is %d", late, got)
		}
	}
}

// What a tail loss probe finds (RFC 8985 7.4.2).
func TestTailProbeFinds(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		losses       uint64
		cwnd         int
	}{
		{"that both copies came: DSACK", ". 1:1(0) ack 4001 win 50000 <sack 3001:4001>", 0, 4},
		{"that both copies came: a duplicate", ". 1:1(0) ack 4001 win 50000", 0, 4},
		{"that one copy was lost", "", 1, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tc := onPath(t, sackOnly, 4)
			tc.fire()
			tc.want("P. 3001:4001(1000) ack 1")
			tc.advance(roundTrip)
			tc.input(". 1:1(0) ack 4001 win 50000")
			if tt.answer != "" {
				tc.input(tt.answer)
			}
			tc.advance(time.Second)
			tc.c.cc.(*Reno).cwnd = 4000
			tc.write(1000)
			tc.want("P. 4001:5001(1000) ack 1")
			tc.advance(roundTrip)
			tc.input(". 1:1(0) ack 5001 win 50000")
			if n := tc.count().TailLosses.Load(); n != tt.losses {
				t.Errorf("%d losses", n)
			}
			tc.wantCwnd(tt.cwnd)
			tc.wantCA(caOpen)
			tc.wantDeadline(0)
		})
	}
}

// Where acknowledgments come late for other reasons than the path, a probe after two
// round trips would be for nothing: Linux puts them off by 40 ms while its program
// does not read and the window cannot grow.
func TestTailProbeWaitsForLateAcknowledgments(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name      string
		srtt, min time.Duration
		dsack     bool
		want      time.Duration
	}{
		{"a short path", 100 * time.Microsecond, 50 * time.Microsecond, false, 10 * ms},
		{"a short path, a slow peer", 3 * ms, 12 * time.Microsecond, false, 60 * ms},
		{"a short path, and something was resent for nothing", 3 * ms, 2 * ms, true, 60 * ms},
		{"a long path", 40 * ms, 35 * ms, false, 80 * ms},
		{"a long path with a long queue", 90 * ms, 10 * ms, false, 180 * ms},
		{"a short path with a queue", 16 * ms, 2 * ms, false, 32 * ms},
	} {
		tc := onPath(t, sackOnly, 4)
		tc.c.rtt.srtt, tc.c.rtt.min = tt.srtt, tt.min
		if tt.dsack {
			tc.c.need().dsacks = 1
		}
		if got := tc.c.pto(); got != tt.want {
			t.Errorf("%s: a probe after %v, want %v", tt.name, got, tt.want)
		}
	}
}

// One probe at a time, and none without a new measurement: the next is a
// time-out.
func TestOneTailProbe(t *testing.T) {
	tc := onPath(t, sackOnly, 4)
	tc.fire()
	tc.want("P. 3001:4001(1000) ack 1")
	tc.fire()
	tc.want(". 1:1001(1000) ack 1")
	tc.wantCA(caLoss)
	if p, r := tc.count().TailProbes.Load(), tc.count().RTOs.Load(); p != 1 || r != 1 {
		t.Errorf("%d probes, %d time-outs", p, r)
	}
}

// Without SACK there is no RACK, and no probe.
func TestNoTailProbeWithoutSACK(t *testing.T) {
	tc := onPath(t, noOptions, 4)
	tc.wantDeadline(300 * msec)
	tc.fire()
	tc.want(". 1:1001(1000) ack 1")
	tc.wantCA(caLoss)
}

// Before a timer that resends the shell looks what has arrived, and before no other.
func TestWhatResends(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func() *conversation
		want bool
	}{
		{"a tail loss probe", func() *conversation { return onPath(t, sackOnly, 4) }, true},
		{"a time-out", func() *conversation { return onPath(t, noOptions, 4) }, true},
		{"the reordering timer", func() *conversation {
			tc := onPath(t, sackOnly, 4)
			tc.advance(roundTrip)
			tc.input(". 1:1(0) ack 1 win 50000 <sack 1001:2001>")
			tc.wantNothing()
			return tc
		}, true},
		{"a delayed acknowledgment", func() *conversation {
			tc := established(t, sackOnly)
			tc.c.delack.quick = 0
			tc.input("P. 1:11(10) ack 1 win 50000")
			tc.wantNothing()
			return tc
		}, false},
	} {
		c := tt.make().c
		at := c.Deadline()
		if at == 0 || c.Resends(at-1) || c.Resends(at) != tt.want {
			t.Errorf("%s, due at %v: resends %v, a moment before %v", tt.name, at, c.Resends(at), c.Resends(at-1))
		}
	}
	if established(t, sackOnly).c.Resends(time.Hour) {
		t.Error("a connection that waits for nothing resends")
	}
}

// A host that was busy or asleep first reads what has arrived meanwhile.
func TestLateTimerWaitsForWhatHasArrived(t *testing.T) {
	for _, options := range []string{sackOnly, noOptions} {
		tc := onPath(t, options, 4)
		tc.now += time.Minute
		tc.c.Timer(tc.now)
		tc.pull()
		tc.wantNothing()
		tc.wantDeadline(lateTimer)
		tc.input(". 1:1(0) ack 4001 win 50000")
		tc.wantDeadline(0)
		tc.wantNothing()
		if n := tc.count().Retransmits.Load(); n != 0 {
			t.Errorf("%d retransmissions", n)
		}
	}
	t.Run("but not for ever", func(t *testing.T) {
		tc := onPath(t, noOptions, 4)
		tc.now += time.Minute
		tc.c.Timer(tc.now)
		tc.now += time.Minute
		tc.c.Timer(tc.now)
		tc.pull()
		tc.want(". 1:1001(1000) ack 1")
	})
}

// RFC 4015 3.3: after a spurious time-out the next one knows how long the path
// can take.
func TestRTOAfterSpuriousTimeout(t *testing.T) {
	tc := onPath(t, sackAndTS, 1)
	tc.fire() // the probe
	tc.fire()
	tc.wantCA(caLoss)
	tc.advance(300 * msec)
	tc.skip()
	tc.input(". 1:1(0) ack 1001 win 50000 <TS val 200 ecr 3602100>")
	tc.wantCA(caOpen)
	if v := &tc.c.rtt; v.srtt < 900*msec || v.rto < 2*time.Second || v.backoff != 0 {
		t.Errorf("SRTT %v, RTO %v, backoff %d", v.srtt, v.rto, v.backoff)
	}
	if n := tc.count().SpuriousRTOs.Load(); n != 1 {
		t.Errorf("counted %d", n)
	}
}

// RFC 9937: the rate of recovery.
func TestPRR(t *testing.T) {
	type step struct {
		pipe, delivered int
		progress        bool
		send            int // segments that may be sent
	}
	const mss = 1000
	for name, steps := range map[string][]step{
		"one loss of twenty, ssthresh ten: every second": {
			{19, 1, false, 1}, {19, 1, false, 0}, {18, 1, false, 0}, {17, 1, false, 1}, {17, 1, false, 0}, {16, 1, false, 1},
		},
		"most are lost: by what arrives, and one more with progress": {
			{3, 1, false, 1}, {3, 1, false, 1}, {3, 1, true, 2}, {4, 1, true, 2}, {5, 1, false, 1},
		},
		"never beyond ssthresh": {
			{9, 8, true, 1}, {10, 1, true, 0}, {9, 1, true, 1},
		},
	} {
		var p prr
		p.begin(20 * mss)
		for i, s := range steps {
			p.onAck(s.pipe*mss, 10*mss, s.delivered*mss, mss, s.progress)
			got := (p.cwnd - s.pipe*mss) / mss
			if i == 0 {
				got = max(got, 1) // the fast retransmit
			}
			if got != s.send {
				t.Errorf("%s: step %d: %d segments, want %d", name, i, got, s.send)
			}
			p.sent(got * mss)
		}
	}
}
