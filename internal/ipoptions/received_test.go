package ipoptions

import (
	"net/netip"
	"testing"
)

func parse(t *testing.T, b string) *Received {
	t.Helper()
	r := new(Received)
	if at, ok := r.Parse([]byte(b), them); !ok {
		t.Fatalf("malformed at %d", at)
	}
	return r
}

func isUs(a netip.Addr) bool { return a == us }

// Where the parameter problem about malformed options points.
func TestMalformedOptions(t *testing.T) {
	for _, tt := range []struct {
		name, options string
		pointer       int
	}{
		{"length 0", "\x07\x00\x00\x00", 20},
		{"longer than the options, behind others", "\x01\x01\x94\x04\x00\x00\x5e\x07", 26},
		{"length missing", "\x01\x01\x01\x07", 23},
		{"source route without pointer", "\x83\x02\x00\x00", 21},
		{"source route, pointer into its head", "\x83\x07\x02" + hop1 + "\x00", 22},
		{"a second source route", "\x83\x07\x04" + hop1 + "\x83\x07\x04" + hop1 + "\x00\x00", 27},
		{"record route with half an address", "\x01\x07\x05\x04\x00\x00\x00\x00", 23},
		{"timestamps with no room to count", "\x44\x04\x05\xf0", 23},
	} {
		var r Received
		if at, ok := r.Parse([]byte(tt.options), them); ok || at != tt.pointer {
			t.Errorf("%s: pointer %d, %v; want %d", tt.name, at, ok, tt.pointer)
		}
	}
}

// What a host writes into options of a packet that arrives, at noon.
func TestWrite(t *testing.T) {
	for _, tt := range []struct{ name, came, is string }{
		{"nothing to write", "\x94\x04\x00\x00", "\x94\x04\x00\x00"},
		{"record route", "\x07\x0b\x08" + hop1 + zero + "\x00", "\x07\x0b\x0c" + hop1 + us4 + "\x00"},
		{"record route that is full", "\x07\x07\x08" + hop1 + "\x00", "\x07\x07\x08" + hop1 + "\x00"},
		{"a time", "\x44\x08\x05\x00" + zero, "\x44\x08\x09\x00" + noon},
		{"an address and a time", "\x44\x0c\x05\x01" + zero + zero, "\x44\x0c\x0d\x01" + us4 + noon},
		{"a time if it is our turn", "\x44\x0c\x05\x03" + us4 + zero, "\x44\x0c\x0d\x03" + us4 + noon},
		{"none if it is not", "\x44\x0c\x05\x03" + hop1 + zero, "\x44\x0c\x05\x03" + hop1 + zero},
		{"that there was no room", "\x44\x04\x05\xe0", "\x44\x04\x05\xf0"},
		{"both", "\x07\x07\x04" + zero + "\x44\x08\x05\x00" + zero + "\x00", "\x07\x07\x08" + us4 + "\x44\x08\x09\x00" + noon + "\x00"},
	} {
		r := parse(t, tt.came)
		changed := r.Write(us, 43_200_000, isUs)
		if string(r.Bytes()) != tt.is || changed != (tt.came != tt.is) {
			t.Errorf("%s: % x, changed: %v; want % x", tt.name, r.Bytes(), changed, tt.is)
		}
	}
}

func TestNextHop(t *testing.T) {
	for _, tt := range []struct {
		name, options, next string
		on                  bool
		pointer             int
	}{
		{name: "no source route", options: "\x07\x07\x04" + zero + "\x00"},
		{name: "at its end", options: "\x83\x07\x08" + hop1 + "\x00"},
		{name: "one hop to go", options: "\x83\x0b\x08" + hop1 + hop2 + "\x00", next: "10.0.2.2", on: true},
		{name: "past ourselves", options: "\x83\x0b\x04" + us4 + hop2 + "\x00", next: "10.0.2.2", on: true},
		{name: "to ourselves", options: "\x83\x0b\x08" + hop1 + us4 + "\x00", next: "10.0.0.1"},
		{name: "half an address", options: "\x01\x83\x09\x08" + hop1 + "\x01\x01\x00\x00", pointer: 23},
	} {
		next, on, pointer := parse(t, tt.options).NextHop(isUs)
		if on != tt.on || pointer != tt.pointer || tt.pointer == 0 && next.IsValid() != (tt.next != "") || tt.next != "" && next.String() != tt.next {
			t.Errorf("%s: %v, %v, %d", tt.name, next, on, pointer)
		}
	}
}

// RFC 791 section 3.1: who sends a packet on takes the place of the next hop.
func TestFollow(t *testing.T) {
	r := parse(t, "\x83\x0f\x04"+us4+hop2+hop3+"\x00")
	r.Follow(netip.MustParseAddr("10.0.2.2"), netip.MustParseAddr("10.0.0.7"))
	if want := "\x83\x0f\x0c" + us4 + "\x0a\x00\x00\x07" + hop3 + "\x00"; string(r.Bytes()) != want {
		t.Errorf("% x, want % x", r.Bytes(), want)
	}
	if last, ok := r.Final(); !ok || last.String() != "10.0.3.3" {
		t.Errorf("the end is %v, %v", last, ok)
	}
}

// What an answer has as options. HOST-35: a source route comes back reversed, and
// rightly so where the first hop that is named is the source itself (RFC 1122
// section 3.2.1.8 c, case B).
func TestReturn(t *testing.T) {
	for _, tt := range []struct{ name, came, back, route string }{
		{"nothing", "\x94\x04\x00\x00", "", ""},
		{"one hop", "\x83\x07\x08" + hop1 + "\x00", "\x83\x07\x04" + hop1 + "\x00", "\x83\x07\x04" + hop1 + "\x00"},
		{"three hops, strict", "\x89\x0f\x10" + hop1 + hop2 + hop3 + "\x00", "\x89\x0f\x04" + hop3 + hop2 + hop1 + "\x00", "\x89\x0f\x04" + hop3 + hop2 + hop1 + "\x00"},
		{"two of three hops", "\x83\x0f\x0c" + hop1 + hop2 + hop3 + "\x00", "\x83\x0b\x04" + hop2 + hop1 + "\x00", "\x83\x0b\x04" + hop2 + hop1 + "\x00"},
		{"no hop made", "\x83\x07\x04" + hop1 + "\x00", "", ""},
		{"the source first (HOST-35)", "\x83\x0b\x0c" + them4 + hop1 + "\x00", "\x83\x07\x04" + hop1 + "\x00", "\x83\x07\x04" + hop1 + "\x00"},
		{"nothing but the source", "\x83\x07\x08" + them4 + "\x00", "", ""},
		{"pointer far behind the end", "\x83\x07\xff" + hop1 + "\x00", "\x83\x07\x04" + hop1 + "\x00", "\x83\x07\x04" + hop1 + "\x00"},
		{"what was recorded", "\x07\x0b\x08" + hop1 + zero + "\x00", "\x07\x0b\x08" + hop1 + zero + "\x00", ""},
		{
			"all, in the order of Linux", "\x83\x07\x08" + hop1 + "\x44\x08\x09\x00" + noon + "\x07\x07\x08" + hop2 + "\x00\x00",
			"\x07\x07\x08" + hop2 + "\x44\x08\x09\x00" + noon + "\x83\x07\x04" + hop1 + "\x00\x00", "\x83\x07\x04" + hop1 + "\x00",
		},
	} {
		r := parse(t, tt.came)
		if got := r.Return(); got != tt.back {
			t.Errorf("%s: % x, want % x", tt.name, got, tt.back)
		}
		if got := r.ReturnRoute(); got != tt.route {
			t.Errorf("%s: route % x, want % x", tt.name, got, tt.route)
		}
	}
}
