package multicast

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
)

const eth, wlan = 1, 2

var at = netip.MustParseAddr

func addrs(list string) (all []netip.Addr) {
	for _, s := range strings.Fields(list) {
		all = append(all, at(s))
	}
	return all
}

// call is a call on a filter: "join G", "leave G", "+ G S" (join a source),
// "- G S" (leave it), "block G S", "unblock G S".
func call(f *Filter, s string) (Change, error) {
	w := strings.Fields(s)
	group := at(w[1])
	switch w[0] {
	case "join":
		return f.Join(eth, group)
	case "leave":
		return f.Leave(eth, group)
	case "+":
		return f.JoinSource(eth, group, at(w[2]))
	case "-":
		return f.LeaveSource(eth, group, at(w[2]))
	case "block":
		return f.Block(eth, group, at(w[2]))
	}
	return f.Unblock(eth, group, at(w[2]))
}

// The errors are those of Linux 6.18 for the same calls.
func TestErrnosOfMemberships(t *testing.T) {
	const (
		ok       = syscall.Errno(0)
		inuse    = syscall.EADDRINUSE
		notavail = syscall.EADDRNOTAVAIL
		inval    = syscall.EINVAL
		nobufs   = syscall.ENOBUFS
	)
	type step struct {
		call string
		want syscall.Errno
	}
	for _, family := range []struct{ group, net, unicast string }{
		{"239.1.2.3", "10.0.0.", "10.0.0.1"},
		{"ff15::1", "2001:db8::", "2001:db8::1"},
	} {
		leaveUnicast := notavail
		if family.group == "ff15::1" {
			leaveUnicast = inval
		}
		for _, tt := range [][]step{
			{{"leave G", notavail}, {"join G", ok}, {"join G", inuse}, {"leave G", ok}, {"leave G", notavail}},
			{{"join U", inval}, {"leave U", leaveUnicast}, {"+ U S1", inval}, {"- U S1", inval}},
			{{"block G S1", inval}, {"unblock G S1", inval}, {"- G S1", inval}},
			{
				{"join G", ok},
				{"unblock G S1", notavail},
				{"block G S1", ok},
				{"block G S1", notavail},
				{"+ G S2", inval},
				{"- G S2", inval},
				{"unblock G S1", ok},
				{"unblock G S1", notavail},
				{"+ G S2", inval}, // its mode is settled
				{"leave G", ok},
			},
			{
				{"+ G S1", ok},
				{"+ G S1", notavail},
				{"+ G S2", ok},
				{"block G S9", inval},
				{"join G", inuse},
				{"- G S3", notavail},
				{"- G S1", ok},
				{"- G S2", ok},
				{"- G S2", inval},
			},
			// A membership without sources may still become a source-specific one.
			{{"join G", ok}, {"+ G S1", ok}, {"block G S1", inval}, {"- G S1", ok}, {"leave G", notavail}},
			{{"+ G S1", ok}, {"leave G", ok}, {"leave G", notavail}},
		} {
			var f Filter
			for k, s := range tt {
				c := strings.NewReplacer("G", family.group, "U", family.unicast, "S", family.net).Replace(s.call)
				_, err := call(&f, c)
				if got, _ := err.(syscall.Errno); got != s.want {
					t.Errorf("%v: step %d: %v, want %v", tt, k, err, s.want)
				}
			}
		}

		// Limits.
		var f Filter
		group := at(family.group)
		most := f.Limits.of(group)
		var errs []error
		if _, err := f.Join(eth, group); err != nil {
			t.Fatal(err)
		}
		for k := range most.Sources + 1 {
			_, err := f.Block(eth, group, at(fmt.Sprint(family.net, k+1)))
			errs = append(errs, err)
		}
		if errs[most.Sources-1] != nil || errs[most.Sources] != nobufs {
			t.Errorf("%d sources: %v", most.Sources, errs)
		}
		for k := 1; k < most.Memberships; k++ {
			if _, err := f.Join(eth+k, group); err != nil {
				t.Fatalf("membership %d: %v", k, err)
			}
		}
		want := map[bool]syscall.Errno{false: nobufs, true: syscall.ENOMEM}[group.Is6()]
		_, err1 := f.Join(5000, group)
		_, err2 := f.JoinSource(5000, group, at(family.unicast))
		if err1 != want || err2 != want {
			t.Errorf("at %d memberships: %v, %v", most.Memberships, err1, err2)
		}
	}
	if l := (Limits{}).of(at("239.0.0.1")); l != (Limits{20, 10}) {
		t.Errorf("%+v", l)
	}
	if l := (Limits{3, 4}).of(at("ff02::5")); l != (Limits{3, 4}) {
		t.Errorf("%+v", l)
	}
}

func TestSourcesOfAnotherFamily(t *testing.T) {
	var f Filter
	for _, source := range []netip.Addr{{}, at("2001:db8::1")} {
		if _, err := f.JoinSource(eth, at("239.1.1.1"), source); err != syscall.EADDRNOTAVAIL {
			t.Errorf("%v: %v", source, err)
		}
	}
}

func TestChangesNameBeforeAndAfter(t *testing.T) {
	var f Filter
	show := func(c Change) string {
		return fmt.Sprintf("%d %v %v%v -> %v%v", c.Interface, c.Group, c.From.Exclude, c.From.List, c.To.Exclude, c.To.List)
	}
	for _, s := range []struct{ call, want string }{
		{"join 239.1.1.1", "1 239.1.1.1 false[] -> true[]"},
		{"block 239.1.1.1 10.0.0.2", "1 239.1.1.1 true[] -> true[10.0.0.2]"},
		{"block 239.1.1.1 10.0.0.1", "1 239.1.1.1 true[10.0.0.2] -> true[10.0.0.1 10.0.0.2]"},
		{"unblock 239.1.1.1 10.0.0.2", "1 239.1.1.1 true[10.0.0.1 10.0.0.2] -> true[10.0.0.1]"},
		{"leave 239.1.1.1", "1 239.1.1.1 true[10.0.0.1] -> false[]"},
		{"join 239.1.1.1", "1 239.1.1.1 false[] -> true[]"},
		{"+ 239.1.1.1 10.0.0.9", "1 239.1.1.1 true[] -> false[10.0.0.9]"},
		{"- 239.1.1.1 10.0.0.9", "1 239.1.1.1 false[10.0.0.9] -> false[]"},
	} {
		c, err := call(&f, s.call)
		if got := show(c); err != nil || got != s.want {
			t.Errorf("%s: %s, %v; want %s", s.call, got, err, s.want)
		}
	}
	_, _ = f.Join(eth, at("239.1.1.1"))
	_, _ = f.JoinSource(wlan, at("239.1.1.2"), at("10.0.0.1"))
	if m := f.Memberships(nil); len(m) != 2 || m[1].Interface != wlan || len(m[1].List) != 1 {
		t.Errorf("%+v", m)
	}
	if c := f.Close(); len(c) != 2 || show(c[1]) != "2 239.1.1.2 false[10.0.0.1] -> false[]" || len(f.members) != 0 {
		t.Errorf("%v", c)
	}
}

func TestAnyInterfaceFits(t *testing.T) {
	var f Filter
	_, _ = f.Join(wlan, at("239.1.1.1"))
	if _, err := f.Leave(eth, at("239.1.1.1")); err != syscall.EADDRNOTAVAIL {
		t.Errorf("another interface: %v", err)
	}
	if c, err := f.Leave(0, at("239.1.1.1")); err != nil || c.Interface != wlan {
		t.Errorf("any interface: %+v, %v", c, err)
	}
	_, _ = f.Join(wlan, at("239.1.1.1"))
	_, _ = f.Join(eth, at("239.1.1.1"))
	f.Drop(wlan)
	if m := f.Memberships(nil); len(m) != 1 || m[0].Interface != eth {
		t.Errorf("after the interface went away: %+v", m)
	}
}

func TestWhatASocketTakes(t *testing.T) {
	a, b := at("10.0.0.1"), at("10.0.0.2")
	g, h, none := at("239.1.1.1"), at("239.1.1.2"), at("239.1.1.3")
	var f Filter
	_, _ = f.Join(eth, g)
	_, _ = f.Block(eth, g, a)
	_, _ = f.JoinSource(eth, h, a)
	for _, tt := range []struct {
		iface         int
		group, source netip.Addr
		all, only     bool // with IP_MULTICAST_ALL on and off
	}{
		{eth, g, a, false, false},
		{eth, g, b, true, true},
		{eth, h, a, true, true},
		{eth, h, b, false, false},
		{eth, none, a, true, false},
		{wlan, g, a, true, false}, // not joined there
		{wlan, h, b, true, false},
	} {
		f.OnlyJoined = false
		if got := f.Accepts(tt.iface, tt.group, tt.source); got != tt.all {
			t.Errorf("%d %v from %v: %v", tt.iface, tt.group, tt.source, got)
		}
		f.OnlyJoined = true
		if got := f.Accepts(tt.iface, tt.group, tt.source); got != tt.only {
			t.Errorf("%d %v from %v without IP_MULTICAST_ALL: %v", tt.iface, tt.group, tt.source, got)
		}
	}
	_, _ = f.Join(eth, at("ff02::5"))
	if !f.Accepts(wlan, at("ff02::5%wlan"), at("fe80::1%wlan")) {
		t.Error("for IPv6 the interface does not matter")
	}
	if n := testing.AllocsPerRun(100, func() { f.Accepts(eth, at("ff02::5"), at("fe80::1")); f.Accepts(eth, g, a) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAccepts(b *testing.B) {
	var f Filter
	group, source := at("ff02::5"), at("fe80::1")
	if _, err := f.Join(eth, group); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if !f.Accepts(eth, group, source) {
			b.Fatal("refused")
		}
	}
}
