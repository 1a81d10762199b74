package multicast

import (
	"net/netip"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

var all4, all6 = netip.IPv4Unspecified(), netip.IPv6Unspecified()

// RFC 3810 section 6.3, RFC 3376 section 5.2.
func TestAnswers(t *testing.T) {
	s := func(list string) []netip.Addr { return addrs(list) }
	for _, tt := range []struct {
		name, state string
		group       netip.Addr
		sources     []netip.Addr
		want        string
	}{
		{"general", "EX()", all4, nil, "239.1.1.1 IS_EX()"},
		{"general", "EX(10.0.0.1)", all4, nil, "239.1.1.1 IS_EX(10.0.0.1)"},
		{"general", "IN(10.0.0.1,10.0.0.2)", all4, nil, "239.1.1.1 IS_IN(10.0.0.1,10.0.0.2)"},
		{"for the group", "EX(10.0.0.1)", g4, nil, "239.1.1.1 IS_EX(10.0.0.1)"},
		{"for the group", "IN(10.0.0.1)", g4, nil, "239.1.1.1 IS_IN(10.0.0.1)"},
		{"for another group", "EX()", h4, nil, ""},
		{"for sources", "IN(10.0.0.1,10.0.0.2)", g4, s("10.0.0.2 10.0.0.3"), "239.1.1.1 IS_IN(10.0.0.2)"},
		{"for sources", "IN(10.0.0.1)", g4, s("10.0.0.2"), ""},
		{"for sources", "EX(10.0.0.1)", g4, s("10.0.0.1 10.0.0.2"), "239.1.1.1 IS_IN(10.0.0.2)"},
		{"for sources", "EX(10.0.0.1)", g4, s("10.0.0.1"), ""},
	} {
		w := newWorld(t, Config{Rand: func() uint64 { return uint64(4*second) - 1 }})
		w.settled(g4, tt.state)
		w.query(3, tt.group, tt.sources...)
		w.advance(4*second - 1)
		w.want(tt.name + " too early")
		w.advance(1)
		var want []string
		if tt.want != "" {
			want = []string{tt.want}
		}
		w.want(tt.name+", "+tt.state, want...)
		w.advance(100 * second)
		w.want("no more")
	}
}

// The rules of RFC 3810 section 6.2 for a query while an answer waits.
func TestQueriesAreCombined(t *testing.T) {
	delay := second
	w := newWorld(t, Config{Rand: func() uint64 { return uint64(delay) - 1 }})
	w.settled(g4, "IN(10.0.0.1,10.0.0.2,10.0.0.3)")
	w.settled(h4, "EX()")
	ask := func(d time.Duration, group netip.Addr, sources ...netip.Addr) {
		delay = d
		w.query(3, group, sources...)
	}
	const both = "239.1.1.1 IS_IN(10.0.0.1,10.0.0.2,10.0.0.3) 239.1.1.2 IS_EX()"

	ask(2*second, all4)
	ask(3*second, g4)   // 1: the general answer comes sooner
	ask(3*second, all4) // 1
	w.advance(100 * second)
	w.want("rule 1", both)

	ask(3*second, all4)
	ask(second, all4) // 2
	w.advance(second)
	w.want("rule 2", both)
	w.advance(100 * second)
	w.want("and that is all")

	ask(2*second, g4, at("10.0.0.1"))
	ask(3*second, g4, at("10.0.0.2"), at("10.0.0.1")) // 5
	w.advance(2 * second)
	w.want("rule 5", "239.1.1.1 IS_IN(10.0.0.1,10.0.0.2)")

	ask(2*second, g4, at("10.0.0.1"))
	ask(second, g4) // 4
	w.advance(second)
	w.want("rule 4", "239.1.1.1 IS_IN(10.0.0.1,10.0.0.2,10.0.0.3)")
	ask(second, g4)
	ask(2*second, g4, at("10.0.0.1")) // 4
	w.advance(second)
	w.want("rule 4, the other way round", "239.1.1.1 IS_IN(10.0.0.1,10.0.0.2,10.0.0.3)")
	w.advance(100 * second)
	w.want("no more")
}

func TestQueriesForManySourcesAskForAll(t *testing.T) {
	w := newWorld(t, Config{})
	w.settled(g4, "IN(10.0.0.1)")
	list := make([]netip.Addr, 0, 400)
	for k := range 400 {
		list = append(list, netip.AddrFrom4([4]byte{10, 9, byte(k >> 8), byte(k)}))
	}
	w.query(3, g4, list...)
	w.advance(10 * second)
	w.want("400 at once", "239.1.1.1 IS_IN(10.0.0.1)")
	w.query(3, g4, list[:50]...)
	w.query(3, g4, list[50:100]...)
	if n := len(w.groups[0].queried); n > maxQueried {
		t.Errorf("%d sources are remembered", n)
	}
	w.advance(10 * second)
	w.want("100 in two queries", "239.1.1.1 IS_IN(10.0.0.1)")
}

func TestAnAnswerAtOnce(t *testing.T) {
	w := newWorld(t, Config{IPv6: true})
	w.settled(g6, "EX()")
	w.Query(w.now, FromMLD(&header.MLDQuery{Version: 2, Group: all6, MaxResp: 0}))
	w.want("MLDv2", "ff15::1 IS_EX()")
	w.Query(w.now, FromMLD(&header.MLDQuery{Version: 1, Group: g6, MaxResp: 0}))
	w.want("MLDv1", "MLDv1 131 ff15::1 to ff15::1 from ::")
}

func TestNobodyAnswersWithoutGroups(t *testing.T) {
	w := newWorld(t, Config{})
	w.query(3, all4)
	w.query(3, g4)
	w.Query(w.now, FromIGMP(&header.IGMPQuery{Version: 3, Group: at("10.0.0.1")}))
	w.query(3, all6)
	if w.Deadline() != 0 || w.Stats().Ignored != 2 || w.Stats().Queries != 2 {
		t.Errorf("deadline %v, %+v", w.Deadline(), w.Stats())
	}
}

func TestRobustnessOfTheQuerier(t *testing.T) {
	w := newWorld(t, Config{})
	w.Query(w.now, Query{Version: 3, Group: all4, QRV: 4})
	w.change(g4, "", "EX()")
	w.advance(100 * second)
	if n := len(w.Take(nil)); n != 4 {
		t.Errorf("%d reports, want 4", n)
	}
	w.Query(w.now, Query{Version: 3, Group: all4})
	if w.robustness != 2 {
		t.Errorf("%d, want the default again", w.robustness)
	}
}

func TestAFloodOfQueriesMakesOneAnswer(t *testing.T) {
	n := uint64(0)
	w := newWorld(t, Config{Rand: func() uint64 { n += 12345678901; return n }})
	for k := range 100 {
		w.settled(netip.AddrFrom4([4]byte{239, 1, 1, byte(k)}), "EX()")
	}
	sent := 0
	for range 10000 {
		w.query(3, all4)
		w.query(3, g4)
		w.advance(time.Millisecond)
		sent += len(w.Take(nil))
	}
	// 10 s of queries, each to be answered within 10 s.
	if sent > 2*10000/10 {
		t.Errorf("%d reports", sent)
	}
	before := w.Stats().Reports
	for range 10000 { // without time passing
		w.query(3, all4)
	}
	if w.Stats().Reports != before {
		t.Error("answered at once")
	}
}
