package multicast

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

const second = time.Second

var (
	g4, h4 = at("239.1.1.1"), at("239.1.1.2")
	g6     = at("ff15::1")
	link   = at("fe80::1")
)

// world is an interface, the time, and what the interface sent.
type world struct {
	*Interface
	t   *testing.T
	now time.Duration
}

func newWorld(t *testing.T, cfg Config) *world {
	return &world{Interface: New(cfg), t: t, now: time.Hour}
}

func (w *world) advance(d time.Duration) {
	w.t.Helper()
	end := w.now + d
	for next := w.Deadline(); next != 0 && next <= end; next = w.Deadline() {
		w.now = max(w.now, next)
		w.Timer(w.now)
		if after := w.Deadline(); after != 0 && after <= w.now {
			w.t.Fatalf("deadline %v is not after %v", after, w.now)
		}
	}
	w.now = end
}

// change makes one membership from, to. The notation is that of the RFCs:
// "EX(10.0.0.1)", "IN(10.0.0.1,10.0.0.2)"; "" is none.
func (w *world) change(group netip.Addr, from, to string) {
	w.Apply(w.now, Change{Group: group, From: parse(from), To: parse(to)})
}

func parse(s string) (out Sources) {
	if s == "" {
		return out
	}
	out.Exclude = s[:2] == "EX"
	out.List = addrs(strings.ReplaceAll(strings.Trim(s[2:], "()"), ",", " "))
	slices.SortFunc(out.List, netip.Addr.Compare)
	return out
}

// settled brings a group into a state, long ago.
func (w *world) settled(group netip.Addr, state string) {
	w.change(group, "", state)
	w.advance(10 * second)
	w.Take(nil)
}

func (w *world) query(version int, group netip.Addr, sources ...netip.Addr) {
	w.Query(w.now, Query{Version: version, MaxResp: 10 * second, Group: group, Sources: sources})
}

func (w *world) want(what string, messages ...string) {
	w.t.Helper()
	var got []string
	for _, m := range w.Take(nil) {
		got = append(got, show(w.t, m))
	}
	if g, want := strings.Join(got, "; "), strings.Join(messages, "; "); g != want {
		w.t.Fatalf("%s:\n got %s\nwant %s", what, g, want)
	}
}

// show encodes and decodes a message, and writes it in the notation of the RFCs.
func show(t *testing.T, m Message) string {
	t.Helper()
	b := m.Append(nil)
	var records []header.GroupRecord
	switch m.Type {
	case header.IGMPTypeV3Report:
		var r header.IGMPv3Report
		if _, err := r.Parse(b); err != nil || m.Dst != reports4 {
			t.Fatalf("%v to %v", err, m.Dst)
		}
		records = r.Records
	case header.ICMPv6MLDv2Report:
		var r header.MLDv2Report
		if _, err := r.Parse(b); err != nil || m.Dst != reports6 {
			t.Fatalf("%v to %v", err, m.Dst)
		}
		records = r.Records
	case header.ICMPv6MLDReport, header.ICMPv6MLDDone:
		var r header.MLDReport
		if _, err := r.Parse(b); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("MLDv1 %d %v to %v from %v", r.Type, r.Group, m.Dst, m.Src)
	default:
		var r header.IGMPReport
		if _, err := r.Parse(b); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("IGMP %#x %v to %v", r.Type, r.Group, m.Dst)
	}
	var s []string
	for _, r := range records {
		names := [...]string{"", "IS_IN", "IS_EX", "TO_IN", "TO_EX", "ALLOW", "BLOCK"}
		list := strings.Trim(strings.ReplaceAll(fmt.Sprint(r.Sources), " ", ","), "[]")
		s = append(s, fmt.Sprintf("%v %s(%s)", r.Group, names[r.Type], list))
	}
	return strings.Join(s, " ")
}
