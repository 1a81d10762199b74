package ipoptions

import (
	"net/netip"
	"syscall"
	"testing"
)

var (
	us   = netip.MustParseAddr("10.0.0.1")
	them = netip.MustParseAddr("10.0.9.9")
)

const (
	us4, hop1, hop2, hop3, them4 = "\x0a\x00\x00\x01", "\x0a\x00\x01\x01", "\x0a\x00\x02\x02", "\x0a\x00\x03\x03", "\x0a\x00\x09\x09"
	zero                         = "\x00\x00\x00\x00"
	noon                         = "\x02\x93\x2e\x00" // 43 200 000 ms
)

// What is sent of options that a program gives, by us to them at noon.
var compileTests = []struct {
	name, text, wire string
	first            netip.Addr
	bad              bool
}{
	{name: "none"},
	{name: "no operation, filled up", text: "\x01", wire: "\x01\x00\x00\x00"},
	{name: "behind the end there are zeros", text: "\x00\x83\x07\x04", wire: zero},
	{name: "router alert", text: "\x94\x04\x00\x00", wire: "\x94\x04\x00\x00"},
	{name: "router alert cut short", text: "\x94\x03\x00\x00", bad: true},
	{name: "an option that nobody knows", text: "\x5e\x04ab", wire: "\x5e\x04ab"},
	{name: "more than 40 bytes", text: "\x5e\x29" + string(make([]byte, 39)), bad: true},
	{name: "length 0", text: "\x07\x00\x00\x00", bad: true},
	{name: "length 1", text: "\x07\x01\x00\x00", bad: true},
	{name: "longer than all", text: "\x07\x07\x04\x00", bad: true},
	{name: "no length", text: "\x01\x01\x01\x07", bad: true},

	{name: "loose source route", text: "\x83\x07\x04" + hop1, wire: "\x83\x07\x04" + them4 + "\x00", first: netip.MustParseAddr("10.0.1.1")},
	{
		name: "strict source route by three hops, behind a no operation", text: "\x01\x89\x0f\x04" + hop1 + hop2 + hop3,
		wire: "\x01\x89\x0f\x04" + hop2 + hop3 + them4, first: netip.MustParseAddr("10.0.1.1"),
	},
	{name: "two source routes", text: "\x83\x07\x04" + hop1 + "\x89\x07\x04" + hop1, bad: true},
	{name: "a source route without a hop", text: "\x83\x03\x04", bad: true},
	{name: "a source route of a hop and a half", text: "\x83\x09\x04" + hop1 + "\x01\x01", bad: true},
	{name: "a source route that is travelled", text: "\x83\x07\x08" + hop1, bad: true},
	{name: "a source route without a pointer", text: "\x83\x02", bad: true},

	{name: "record route", text: "\x07\x0b\x04" + zero + zero, wire: "\x07\x0b\x08" + us4 + zero + "\x00"},
	{name: "record route without room", text: "\x07\x03\x04", wire: "\x07\x03\x04\x00"},
	{name: "record route with too little room", text: "\x07\x05\x04\x00\x00", bad: true},
	{name: "record route, pointer into its head", text: "\x07\x07\x03" + zero, bad: true},
	{name: "two record routes", text: "\x07\x07\x04" + zero + "\x07\x07\x04" + zero, bad: true},

	{name: "timestamps", text: "\x44\x0c\x05\x00" + zero + zero, wire: "\x44\x0c\x09\x00" + noon + zero},
	{name: "timestamps with addresses", text: "\x44\x0c\x05\x01" + zero + zero, wire: "\x44\x0c\x0d\x01" + us4 + noon},
	{name: "timestamps of us", text: "\x44\x0c\x05\x03" + us4 + zero, wire: "\x44\x0c\x0d\x03" + us4 + noon},
	{name: "timestamps of others", text: "\x44\x0c\x05\x03" + hop1 + zero, wire: "\x44\x0c\x05\x03" + hop1 + zero},
	{name: "timestamps of an unknown kind", text: "\x44\x08\x05\x07" + zero, wire: "\x44\x08\x05\x07" + zero},
	{name: "no room for timestamps, which is counted", text: "\x44\x08\x09\x10" + noon, wire: "\x44\x08\x09\x20" + noon},
	{name: "as often as can be", text: "\x44\x08\x09\xf0" + noon, bad: true},
	{name: "nobody counts whose addresses are given", text: "\x44\x08\x09\xf3" + noon, wire: "\x44\x08\x09\xf3" + noon},
	{name: "too little room for an address and a time", text: "\x44\x08\x05\x01" + zero, bad: true},
	{name: "timestamps, pointer into the head", text: "\x44\x08\x04\x00" + zero, bad: true},
	{name: "timestamps cut short", text: "\x44\x03\x05", bad: true},
	{name: "two timestamps", text: "\x44\x08\x05\x00" + zero + "\x44\x08\x05\x00" + zero, bad: true},
}

// HOST-31, HOST-32: what the host records when a packet begins its way here. HOST-36:
// nothing is sent with two source routes.
func TestCompile(t *testing.T) {
	for _, tt := range compileTests {
		t.Run(tt.name, func(t *testing.T) {
			o, err := Compile(tt.text)
			if tt.bad {
				if err != syscall.EINVAL {
					t.Errorf("%v, want EINVAL", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := string(o.Append([]byte("IP"), them, us, 43_200_000)); got != "IP"+tt.wire {
				t.Errorf("% x, want % x", got[2:], tt.wire)
			}
			if o.Len() != len(tt.wire) || o.HasRoute() != tt.first.IsValid() {
				t.Errorf("%d bytes, route: %v", o.Len(), o.HasRoute())
			}
			first := them
			if o.HasRoute() {
				first = tt.first
			}
			if got := o.FirstHop(them); got != first {
				t.Errorf("to %v first, want %v", got, first)
			}
			if got := o.String(); len(got) < len(tt.text) || tt.first.IsValid() && got[:len(tt.text)] != tt.text {
				t.Errorf("read back % x", got)
			}
		})
	}
}

func TestIPv6HasNoSourceRoute(t *testing.T) {
	o, err := Compile("\x89\x07\x04" + hop1)
	if err != nil || !o.Strict() {
		t.Fatal(err)
	}
	six := netip.MustParseAddr("fd00::1")
	if o.FirstHop(six) != six {
		t.Error("a packet of IPv6 takes the route of IPv4")
	}
}

func TestNoOptionsCostNothing(t *testing.T) {
	var o *Options
	if n := testing.AllocsPerRun(100, func() {
		if o.Len() != 0 || o.HasRoute() || o.Strict() || o.FirstHop(them) != them || len(o.Append(nil, them, us, 0)) != 0 || o.String() != "" {
			t.Error("nil is some")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
