package multicast

import (
	"testing"
	"time"
)

// RFC 3376 section 7.2.1, RFC 3810 section 8.2.1.
func TestVersionFollowsTheQuerier(t *testing.T) {
	w := newWorld(t, Config{})
	wantVersion := func(what string, v int) {
		t.Helper()
		if got := w.Version(w.now); got != v {
			t.Errorf("%s: version %d, want %d", what, got, v)
		}
	}
	present := 2*defaultQueryInterval + 10*second
	wantVersion("at first", 3)
	w.query(2, all4)
	wantVersion("IGMPv2 querier", 2)
	w.query(3, all4)
	wantVersion("and one of IGMPv3", 2)
	w.advance(100 * second)
	w.query(1, all4)
	wantVersion("and one of IGMPv1", 1)
	w.advance(present - 1)
	wantVersion("just before the time-out", 1)
	w.advance(1)
	wantVersion("after the time-out", 3)
	w.query(1, all4)
	w.query(2, all4)
	w.advance(second)
	w.query(2, all4)
	w.advance(present - second)
	wantVersion("only IGMPv2 was heard again", 2)

	w = newWorld(t, Config{IPv6: true})
	wantVersion("MLD", 2)
	w.query(1, all6)
	wantVersion("MLDv1 querier", 1)
	w.advance(present)
	wantVersion("after the time-out", 2)
}

func TestForgedQueryHoldsTheVersionForHoursAtMost(t *testing.T) {
	w := newWorld(t, Config{})
	w.Query(w.now, Query{Version: 3, Group: all4, QRV: 7, QQI: 31744 * second})
	w.query(1, all4)
	w.advance(7*time.Hour + 10*second)
	if w.Version(w.now) != 3 {
		t.Error("still IGMPv1")
	}
}

func TestIGMPv2(t *testing.T) {
	w := newWorld(t, Config{})
	w.query(2, all4)
	w.change(g4, "", "EX()")
	w.want("join", "IGMP 0x16 239.1.1.1 to 239.1.1.1")
	w.advance(10 * second)
	w.want("again", "IGMP 0x16 239.1.1.1 to 239.1.1.1")
	w.advance(20 * second)
	w.want("no more")
	w.change(g4, "EX()", "EX(10.0.0.1)")
	w.want("sources are not told")
	w.query(3, g4, at("10.0.0.1"))
	w.advance(10 * second)
	w.want("a query of IGMPv3", "IGMP 0x16 239.1.1.1 to 239.1.1.1")
	w.query(2, h4)
	w.advance(10 * second)
	w.want("for another group")
	w.change(g4, "EX(10.0.0.1)", "")
	w.want("leave", "IGMP 0x17 239.1.1.1 to 224.0.0.2")
	if len(w.groups) != 0 {
		t.Error("not forgotten")
	}
	w.query(2, all4)
	w.advance(10 * second)
	w.want("nothing to report")
}

func TestIGMPv1(t *testing.T) {
	w := newWorld(t, Config{})
	w.query(1, all4)
	w.change(g4, "", "EX()")
	w.advance(30 * second)
	w.want("join", "IGMP 0x12 239.1.1.1 to 239.1.1.1", "IGMP 0x12 239.1.1.1 to 239.1.1.1")
	w.change(g4, "EX()", "")
	w.want("IGMPv1 has no leave")
}

func TestMLDv1(t *testing.T) {
	w := newWorld(t, Config{IPv6: true})
	w.SetLinkLocal(w.now, link)
	w.query(1, all6)
	w.Join(w.now, g6, second)
	w.want("delayed")
	w.advance(second)
	w.want("join", "MLDv1 131 ff15::1 to ff15::1 from fe80::1")
	w.advance(10 * second)
	w.want("again", "MLDv1 131 ff15::1 to ff15::1 from fe80::1")
	w.SetLinkLocal(w.now, at("fe80::2"))
	w.want("new source", "MLDv1 131 ff15::1 to ff15::1 from fe80::2")
	w.Leave(w.now, g6)
	w.want("leave", "MLDv1 132 ff15::1 to ff02::2 from fe80::2")
}

// RFC 2236 section 3: a timer is set anew only if the query wants the answer
// sooner than it will come.
func TestOlderQueryWhileAnAnswerWaits(t *testing.T) {
	w := newWorld(t, Config{})
	w.query(2, all4)
	w.settled(g4, "EX()")
	w.advance(20 * second)
	w.Take(nil)
	w.query(2, all4) // in 10 s, without randomness
	w.advance(5 * second)
	w.query(2, all4)
	w.advance(5 * second)
	w.want("the first stands", "IGMP 0x16 239.1.1.1 to 239.1.1.1")
	w.query(2, all4)
	w.Query(w.now, Query{Version: 2, Group: g4, MaxResp: second})
	w.advance(second)
	w.want("sooner", "IGMP 0x16 239.1.1.1 to 239.1.1.1")
}

// RFC 2236 section 3, RFC 2710 section 4.
func TestReportsOfOthersSuppressOurs(t *testing.T) {
	w := newWorld(t, Config{})
	w.settled(g4, "EX()")
	w.Reported(w.now, g4)
	if w.Stats().Suppressed != 0 {
		t.Error("IGMPv3 is not suppressed")
	}
	w.query(2, all4)
	w.Reported(w.now, h4)
	w.Reported(w.now, g4)
	w.advance(100 * second)
	w.want("somebody else answered")
	w.Reported(w.now, g4) // nothing of ours waits
	if w.Stats().Suppressed != 1 {
		t.Errorf("%d suppressed", w.Stats().Suppressed)
	}
	w.change(g4, "EX()", "")
	w.want("somebody else is there: no leave")
}

func TestChangeOfVersionCancelsWhatWaits(t *testing.T) {
	w := newWorld(t, Config{})
	w.change(g4, "", "EX()")
	w.change(h4, "", "EX()")
	w.change(h4, "EX()", "")
	w.query(3, all4)
	w.Take(nil)
	w.Query(w.now, Query{Version: 2, Group: h4, MaxResp: second})
	if w.Deadline() != 0 || len(w.groups) != 1 {
		t.Errorf("deadline %v, %d groups", w.Deadline(), len(w.groups))
	}
	w.change(g4, "EX()", "")
	w.want("we reported it in IGMPv3", "IGMP 0x17 239.1.1.1 to 224.0.0.2")
}
