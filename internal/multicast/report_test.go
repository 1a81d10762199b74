package multicast

import (
	"net/netip"
	"strings"
	"testing"

	"example.com/berth/internal/header"
)

// RFC 3810 section 6.1, RFC 3376 section 5.1.
func TestReportOfAChange(t *testing.T) {
	const a, b, c = "10.0.0.1", "10.0.0.2", "10.0.0.3"
	for _, tt := range []struct{ from, to, want string }{
		{"", "EX()", "TO_EX()"},
		{"EX()", "", "TO_IN()"},
		{"", "IN(" + a + ")", "ALLOW(" + a + ")"},
		{"IN(" + a + ")", "", "BLOCK(" + a + ")"},
		{"IN(" + a + ")", "IN(" + a + "," + b + ")", "ALLOW(" + b + ")"},
		{"IN(" + a + "," + b + ")", "IN(" + b + "," + c + ")", "ALLOW(" + c + ") BLOCK(" + a + ")"},
		{"EX()", "EX(" + a + ")", "BLOCK(" + a + ")"},
		{"EX(" + a + "," + b + ")", "EX(" + b + "," + c + ")", "ALLOW(" + a + ") BLOCK(" + c + ")"},
		{"IN(" + a + ")", "EX(" + b + ")", "TO_EX(" + b + ")"},
		{"EX(" + a + ")", "IN(" + b + ")", "TO_IN(" + b + ")"},
		{"EX()", "EX()", ""},
	} {
		w := newWorld(t, Config{})
		if tt.from != "" {
			w.settled(g4, tt.from)
		}
		w.change(g4, tt.from, tt.to)
		var want []string
		if tt.want != "" {
			want = []string{"239.1.1.1 " + strings.ReplaceAll(tt.want, ") ", ") 239.1.1.1 ")}
		}
		w.want("at once: "+tt.from+" to "+tt.to, want...)
		w.advance(second)
		w.want("again, [Robustness Variable] - 1 times", want...)
		w.advance(100 * second)
		w.want("no more")
		if tt.to == "" && len(w.groups) != 0 {
			t.Errorf("%s: the group is not forgotten", tt.from)
		}
	}
}

// RFC 3810 section 4.2, with its examples.
func TestMergingOfMemberships(t *testing.T) {
	for _, tt := range []struct {
		sockets []string
		want    string
	}{
		{[]string{"EX(10.0.0.1,10.0.0.2)", "EX(10.0.0.2,10.0.0.3)", "IN(10.0.0.4)"}, "EX(10.0.0.2)"},
		{[]string{"EX(10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4)", "EX(10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5)", "IN(10.0.0.4,10.0.0.5,10.0.0.6)"}, "EX(10.0.0.2,10.0.0.3)"},
		{[]string{"IN(10.0.0.1)", "IN(10.0.0.2)"}, "IN(10.0.0.1,10.0.0.2)"},
		{[]string{"IN(10.0.0.1)", "IN(10.0.0.1)"}, "IN(10.0.0.1)"},
		{[]string{"IN(10.0.0.1)", "EX()"}, "EX()"},
		{nil, ""},
	} {
		w := newWorld(t, Config{})
		for _, s := range tt.sockets {
			w.change(g4, "", s)
		}
		want := parse(tt.want)
		for n := 0; n < 256; n++ {
			src := netip.AddrFrom4([4]byte{10, 0, 0, byte(n)})
			if got, expect := w.Accepts(g4, src), tt.want != "" && want.Allows(src); got != expect {
				t.Errorf("%v: from %v: %v", tt.sockets, src, got)
			}
		}
		if got := w.Groups(nil); tt.want != "" && (got[0].Exclude != want.Exclude || len(minus(got[0].List, want.List))+len(minus(want.List, got[0].List)) > 0) {
			t.Errorf("%v: %v, want %s", tt.sockets, got, tt.want)
		}
		for _, s := range tt.sockets {
			w.change(g4, s, "")
		}
		w.advance(10 * second)
		if len(w.groups) != 0 || w.Deadline() != 0 {
			t.Errorf("%v: something is left", tt.sockets)
		}
	}
}

// RFC 3810 section 6.1: changes that follow each other are merged, and each is
// sent [Robustness Variable] times.
func TestChangesAreMerged(t *testing.T) {
	w := newWorld(t, Config{Robustness: 3})
	w.settled(g4, "IN(10.0.0.1)")
	w.change(g4, "IN(10.0.0.1)", "IN(10.0.0.1,10.0.0.2)")
	w.want("first", "239.1.1.1 ALLOW(10.0.0.2)")
	w.change(g4, "IN(10.0.0.1,10.0.0.2)", "IN(10.0.0.2)")
	w.want("merged", "239.1.1.1 ALLOW(10.0.0.2) 239.1.1.1 BLOCK(10.0.0.1)")
	w.advance(second)
	w.want("third time for the first change", "239.1.1.1 ALLOW(10.0.0.2) 239.1.1.1 BLOCK(10.0.0.1)")
	w.advance(second)
	w.want("third time for the second change", "239.1.1.1 BLOCK(10.0.0.1)")
	w.advance(second)
	w.want("no more")

	w.change(g4, "IN(10.0.0.2)", "EX()")
	w.change(g4, "EX()", "EX(10.0.0.9)")
	w.want("a change of mode tells all", "239.1.1.1 TO_EX()", "239.1.1.1 TO_EX(10.0.0.9)")
	w.advance(10 * second)
	w.want("three times each", "239.1.1.1 TO_EX(10.0.0.9)", "239.1.1.1 BLOCK(10.0.0.9)")

	w.change(g4, "EX(10.0.0.9)", "")
	w.change(g4, "", "EX()")
	w.advance(10 * second)
	w.want("left and joined", "239.1.1.1 TO_IN()", "239.1.1.1 TO_EX()", "239.1.1.1 TO_EX()", "239.1.1.1 TO_EX()")
}

func TestAllNodesAndLocalGroupsAreSilent(t *testing.T) {
	w4, w6 := newWorld(t, Config{}), newWorld(t, Config{IPv6: true})
	for _, g := range []string{"224.0.0.1", "ff02::1", "ff01::5", "ff11::5", "ff00::5"} {
		w := w4
		if at(g).Is6() {
			w = w6
		}
		w.change(at(g), "", "EX()")
		w.want("join " + g)
		if !w.Accepts(at(g), link) || !w.Member(at(g)) {
			t.Errorf("%s is not joined", g)
		}
	}
	w4.query(3, netip.IPv4Unspecified())
	w6.query(2, netip.IPv6Unspecified())
	w4.query(2, netip.IPv4Unspecified())
	w6.query(1, netip.IPv6Unspecified())
	w4.advance(100 * second)
	w6.advance(100 * second)
	w6.SetLinkLocal(w6.now, link)
	w4.want("queries")
	w6.want("queries")
	empty := New(Config{IPv6: true})
	for _, g := range []string{"ff02::1", "ff01::1"} {
		if !empty.Accepts(at(g), link) || !empty.Member(at(g)) {
			t.Errorf("%s is not always joined", g)
		}
	}
	if empty.Accepts(g6, link) || empty.Member(g6) {
		t.Error("takes packets to a group that nobody joined")
	}
}

// RFC 3590.
func TestReportsBeforeThereIsALinkLocalAddress(t *testing.T) {
	w := newWorld(t, Config{IPv6: true})
	solicited, ssm := at("ff02::1:ff00:1"), at("ff35::1")
	w.Join(w.now, solicited, 300e6)
	w.advance(300e6 - 1)
	w.want("the delay of the detection")
	w.advance(1)
	if m := w.Take(nil); len(m) != 1 || m[0].Src != netip.IPv6Unspecified() || show(t, m[0]) != "ff02::1:ff00:1 TO_EX()" {
		t.Errorf("%+v", m)
	}
	w.advance(10 * second)
	w.settled(ssm, "IN(2001:db8::1)")
	w.Take(nil)
	w.SetLinkLocal(w.now, link.WithZone("eth0"))
	m := w.Take(nil)
	if len(m) != 1 || m[0].Src != link || show(t, m[0]) != "ff02::1:ff00:1 TO_EX() ff35::1 ALLOW(2001:db8::1)" {
		t.Errorf("%+v", m)
	}
	w.SetLinkLocal(w.now, link)
	w.advance(second)
	w.want("again", "ff02::1:ff00:1 TO_EX() ff35::1 ALLOW(2001:db8::1)")
	w.SetLinkLocal(w.now, netip.IPv6Unspecified())
	w.Leave(w.now, solicited)
	if m := w.Take(nil); len(m) != 1 || !m[0].Src.IsUnspecified() || show(t, m[0]) != "ff02::1:ff00:1 TO_IN()" {
		t.Errorf("%+v", m)
	}
}

func TestJoinsOfTheHostAreCounted(t *testing.T) {
	w := newWorld(t, Config{IPv6: true})
	w.Join(w.now, g6, 0)
	w.Join(w.now, g6, 0)
	w.Leave(w.now, g6)
	if !w.Member(g6) {
		t.Error("left too early")
	}
	w.Leave(w.now, g6)
	if w.Member(g6) {
		t.Error("not left")
	}
	w.Join(w.now, g4, 0) // of the other IP version: not here
	if w.Member(g4) {
		t.Error("an IPv4 group joined for IPv6")
	}
}

// What two goroutines do to one socket may reach the interface in any order.
func TestChangesMayComeInTheWrongOrder(t *testing.T) {
	w := newWorld(t, Config{})
	w.change(g4, "EX()", "EX(10.0.0.1)")
	w.change(h4, "IN(10.0.0.1)", "")
	w.advance(10 * second)
	w.change(g4, "", "EX()")
	w.change(h4, "", "IN(10.0.0.1)")
	if w.Accepts(g4, at("10.0.0.1")) || !w.Accepts(g4, at("10.0.0.2")) || w.Member(h4) {
		t.Errorf("%v", w.Groups(nil))
	}
	w.change(g4, "EX(10.0.0.1)", "")
	w.advance(10 * second)
	if len(w.groups) != 0 {
		t.Errorf("%d groups are left", len(w.groups))
	}
}

// RFC 3810 section 5.2.15.
func TestLongReportsAreSplit(t *testing.T) {
	many := func(n int) (list []netip.Addr) {
		for k := range n {
			list = append(list, netip.AddrFrom4([4]byte{10, 0, byte(k >> 8), byte(k)}))
		}
		return list
	}
	count := func(m []Message) (messages, records, sources, longest int) {
		for _, x := range m {
			records += len(x.Records)
			longest = max(longest, len(x.Append(nil)))
			for _, r := range x.Records {
				sources += len(r.Sources)
			}
		}
		return len(m), records, sources, longest
	}
	w := newWorld(t, Config{}) // 576 bytes: 544 for records, of 134 sources at most
	w.Apply(w.now, Change{Group: g4, To: Sources{List: many(300)}})
	if m, r, s, long := count(w.Take(nil)); m != 3 || r != 3 || s != 300 || long > 576-24 {
		t.Errorf("ALLOW: %d messages, %d records, %d sources, %d bytes", m, r, s, long)
	}
	w.Apply(w.now, Change{Group: g4, From: Sources{List: many(300)}, To: Sources{Exclude: true, List: many(300)}})
	if m, r, s, long := count(w.Take(nil)); m != 1 || r != 1 || s != 134 || long > 576-24 {
		t.Errorf("TO_EX: %d messages, %d records, %d sources, %d bytes", m, r, s, long)
	}
	w = newWorld(t, Config{IPv6: true, MTU: 1})
	for k := range 1000 {
		w.Join(w.now, netip.AddrFrom16([16]byte{0xff, 0x15, 14: byte(k >> 8), 15: byte(k)}), 0)
	}
	w.advance(100 * second)
	w.Take(nil)
	w.query(2, netip.IPv6Unspecified())
	w.advance(10 * second)
	if m, r, _, long := count(w.Take(nil)); m != 17 || r != 1000 || long > 1280-48 {
		t.Errorf("1000 groups: %d messages, %d records, %d bytes", m, r, long)
	}
}

func TestReportsAreValidOnTheWire(t *testing.T) {
	w := newWorld(t, Config{IPv6: true})
	w.change(g6, "", "IN(2001:db8::1)")
	b := w.Take(nil)[0].Append(nil)
	if b[0] != header.ICMPv6MLDv2Report || len(b) != 8+20+16 {
		t.Errorf("% x", b)
	}
}
