package tcp

import (
	"strings"
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// SHLD-27, SHLD-28: what several writes left in the queue goes out in full
// segments, with PSH where all of it ends and nowhere before.
func TestPushesOfSeveralWritesAreCollapsed(t *testing.T) {
	tc := established(t, noOptions)
	tc.c.SetNoDelay(true)
	tc.input(". 1:1(0) ack 1 win 0")
	for range 50 {
		tc.write(50)
	}
	tc.wantNothing()
	tc.input(". 1:1(0) ack 1 win 50000")
	for _, s := range []struct {
		want string
		push bool
	}{{". 1:1001(1000) ack 1", false}, {". 1001:2001(1000) ack 1", false}, {". 2001:2501(500) ack 1", true}} {
		if got := tc.want(s.want); got.has(header.PSH) != s.push {
			t.Errorf("%s: PSH is %v", s.want, !s.push)
		}
	}
	tc.wantNothing()
}

// MAY-3: the MSS option is sent even where it says what it would mean to leave
// it out.
func TestMSSIsAlwaysAnnounced(t *testing.T) {
	for _, tt := range []struct {
		mtu  int
		ipv6 bool
		want string
	}{
		{576, false, "<mss 536>"},
		{1280, true, "<mss 1220>"},
	} {
		o := Opening{ISS: testISS, MTU: tt.mtu, IPv6: tt.ipv6}
		tc := talk(t)
		if err := tc.c.Connect(tc.now, o); err != nil {
			t.Fatal(err)
		}
		tc.pull()
		tc.want("S 0:0(0) " + tt.want)
		tc = talk(t)
		seg := tc.parse("S 0:0(0) win 1000", true)
		tc.c = Passive(tc.p, tc.now, o, &seg, nil)
		tc.pull()
		tc.want("S. 0:0(0) ack 1 " + tt.want)
	}
}

// MUST-23: SYN is resent for three minutes and more.
func TestSynIsResentForThreeMinutes(t *testing.T) {
	tc := talk(t).connect()
	tc.advance(3 * time.Minute)
	tc.wantState(socket.TCP_SYN_SENT)
	if n := len(tc.skip()); n != 7 {
		t.Errorf("resent %d times", n)
	}
}

// MUST-11: where a connection in SYN-RECEIVED goes back to depends on how it
// was opened. A passive one vanishes, and its user never hears of it; an active
// one fails.
func TestResetInSynReceived(t *testing.T) {
	passive := talk(t).accept("S 0:0(0) win 1000")
	passive.want("S. 0:0(0) ack 1")
	active := talk(t).connect()
	active.input("S 0:0(0) win 1000")
	active.want("S. 0:0(0) ack 1")
	for tc, told := range map[*conversation]bool{passive: false, active: true} {
		tc.wantState(socket.TCP_SYN_RECV)
		tc.input("R 1:1(0)")
		tc.wantState(socket.TCP_CLOSE)
		if err := tc.c.TakeError(); (err != nil) != told {
			t.Errorf("told %v, want %v", err, told)
		}
	}
}

// MUST-59: what has queued up is processed before anything is acknowledged,
// gaps and their ends among it.
func TestQueuedSegmentsAreAcknowledgedTogether(t *testing.T) {
	tc := established(t, sackOnly)
	tc.c.SetQuickAck(true)
	tc.inputs(
		"P. 1:1001(1000) ack 1 win 50000",
		"P. 2001:3001(1000) ack 1 win 50000",
		"P. 1001:2001(1000) ack 1 win 50000",
		"P. 3001:4001(1000) ack 1 win 50000",
	)
	all := tc.skip()
	if len(all) == 0 {
		t.Fatal("nothing is acknowledged")
	}
	for _, s := range all {
		if got := tc.format(&s); !strings.Contains(got, "ack 4001") {
			t.Errorf("sent %s", got)
		}
	}
}
