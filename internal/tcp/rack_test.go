package tcp

import (
	"fmt"
	"testing"
	"time"
)

// A line is something that happens to a connection of onPath, and what it
// answers. Times are those since the flight was sent.
type line struct {
	at   time.Duration
	in   string   // a segment from the peer; "write N": the user; "": the timer
	want []string // what is sent
	ca   caState
}

func (tc *conversation) play(start time.Duration, lines []line) {
	tc.t.Helper()
	for i, l := range lines {
		var n int
		switch {
		case l.in == "":
			if d := tc.c.Deadline(); d != start+l.at {
				tc.t.Fatalf("line %d: the next timer is at %v, want %v", i, d-start, l.at)
			}
			tc.fire()
		default:
			if d := tc.c.Deadline(); d != 0 && d < start+l.at {
				tc.t.Fatalf("line %d at %v: a timer at %v", i, l.at, d-start)
			}
			tc.now = start + l.at
			if _, err := fmt.Sscanf(l.in, "write %d", &n); err == nil {
				tc.write(n)
			} else {
				tc.input(l.in)
			}
		}
		for _, w := range l.want {
			tc.want(w)
		}
		if len(tc.sent) > 0 {
			tc.t.Fatalf("line %d at %v: sent %s, want no more", i, l.at, tc.format(&tc.sent[0]))
		}
		if tc.c.ca != l.ca {
			tc.t.Fatalf("line %d at %v: congestion state %d, want %d", i, l.at, tc.c.ca, l.ca)
		}
	}
}

const msec = time.Millisecond

// A free control has no say in recovery: what is lost is resent at once.
type free struct{ *Reno }

func (free) OnLoss(time.Duration, int)      {}
func (free) OnRecovered(time.Duration, int) {}
func (free) SSThresh() int                  { return NoThreshold }

func freeWindow(p *Params) {
	p.Algorithms = []*Algorithm{{Name: "free", New: func(mss int) CongestionControl { return free{NewReno(mss)} }}}
}

// The examples of RFC 8985, packet by packet. The round trip is 100 ms, the
// reordering window 25 ms to begin with, the time-out 300 ms at first.
func TestRACK(t *testing.T) {
	ack := func(n int) string { return fmt.Sprintf(". 1:1(0) ack %d win 50000", 1+n*1000) }
	sack := func(n int, blocks string) string { return ack(n) + " <sack " + blocks + ">" }
	p := func(n int) string { return fmt.Sprintf(". %d:%d(1000) ack 1", 1+n*1000, 1001+n*1000) }
	for _, tt := range []struct {
		name   string
		flight int
		lines  []line
		rtos   uint64
	}{
		{"3.4: the tail is lost, and one of the retransmissions", 4, []line{
			{100 * msec, ack(1), nil, caOpen},
			{300 * msec, "", []string{p(3)}, caOpen}, // two round trips
			{400 * msec, sack(1, "3001:4001"), []string{p(1), p(2)}, caRecovery},
			{500 * msec, sack(1, "2001:4001"), []string{p(1)}, caRecovery},
			{600 * msec, ack(4), nil, caOpen},
		}, 0},
		{"9.1, 1: P1 and P3 of three", 3, []line{
			{100 * msec, sack(0, "1001:2001"), nil, caDisorder},
			{125 * msec, "", []string{p(0)}, caRecovery},
			// R1 was sent after P3: with it P3 is known to be lost.
			{225 * msec, ack(2), []string{p(2)}, caRecovery},
			{325 * msec, ack(3), nil, caOpen},
		}, 0},
		{"9.1, 2: a retransmission is lost", 3, []line{
			{100 * msec, sack(0, "2001:3001"), nil, caDisorder},
			{125 * msec, "", []string{p(0), p(1)}, caRecovery},
			{225 * msec, sack(0, "1001:3001"), []string{p(0)}, caRecovery},
			{325 * msec, ack(3), nil, caOpen},
		}, 0},
		{"9.1, 3: reordering within the window", 3, []line{
			{100 * msec, sack(0, "2001:3001"), nil, caDisorder},
			{120 * msec, sack(1, "2001:3001"), nil, caDisorder},
			{124 * msec, ack(3), nil, caOpen},
		}, 0},
		{"three are sacked: no need to wait", 5, []line{
			{100 * msec, sack(0, "1001:2001"), nil, caDisorder},
			{100 * msec, sack(0, "1001:3001"), nil, caDisorder},
			{100 * msec, sack(0, "1001:4001"), []string{p(0)}, caRecovery},
			{200 * msec, ack(5), nil, caOpen},
		}, 0},
		{"a single segment: the probe waits for a delayed acknowledgment", 1, []line{
			{300 * msec, "", []string{p(0)}, caOpen}, // at the time-out, which comes first
			{400 * msec, ack(1), nil, caOpen},
		}, 0},
		{"the probe is new data if there is some", 2, []line{
			{50 * msec, "write 500", nil, caOpen}, // cwnd is two segments
			{200 * msec, "", []string{"P. 2001:2501(500) ack 1"}, caOpen},
			{300 * msec, sack(0, "2001:2501"), []string{p(0), p(1)}, caRecovery},
			{400 * msec, ". 1:1(0) ack 2501 win 50000", nil, caOpen},
		}, 0},
		{"all is lost: the probe, and then a time-out", 3, []line{
			{200 * msec, "", []string{p(2)}, caOpen},
			{500 * msec, "", []string{p(0)}, caLoss},
			{600 * msec, ack(1), []string{p(1), p(2)}, caLoss},
			{700 * msec, ack(3), nil, caOpen},
		}, 1},
		{"3.5: what was sent just before a time-out is not lost", 3, []line{
			{100 * msec, ack(2), nil, caOpen},
			{400 * msec, "", []string{p(2)}, caOpen},
			{690 * msec, "write 1", []string{"P. 3001:3002(1) ack 1"}, caOpen},
			{700 * msec, "", []string{p(2)}, caLoss},
			{750 * msec, ack(3), nil, caLoss}, // 3001 is not resent
			{790 * msec, ". 1:1(0) ack 3002 win 50000", nil, caOpen},
		}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tc := onPath(t, sackOnly, tt.flight, freeWindow)
			tc.play(tc.now, tt.lines)
			if n := tc.count().RTOs.Load(); n != tt.rtos {
				t.Errorf("%d time-outs, want %d", n, tt.rtos)
			}
		})
	}
}

// On a path without any delay what was resent in this moment is not lost in it,
// and so acknowledgments that come together do not each have all of it resent.
func TestNothingIsLostInTheMomentItIsResent(t *testing.T) {
	tc := established(t, sackOnly)
	tc.write(5000)
	tc.skip()
	tc.input(". 1:1(0) ack 1 win 50000 <sack 2001:5001>")
	tc.want(". 1:1001(1000) ack 1")
	tc.want(". 1001:2001(1000) ack 1")
	for range 3 {
		tc.input(". 1:1(0) ack 1 win 50000 <sack 2001:5001>")
		tc.wantNothing()
	}
}
