package header

import (
	"errors"
	"slices"
	"testing"
)

var ipv4OptionTests = []struct {
	name, options string
	kinds         []uint8
	err           error
}{
	{name: "none"},
	{name: "end", options: "\x00\xff\xff\xff"},
	{name: "no operation", options: "\x01\x01\x01\x00"},
	{name: "router alert", options: IPv4RouterAlert, kinds: []uint8{IPv4OptionRouterAlert}},
	{name: "unknown, then router alert", options: "\x5e\x04ab" + IPv4RouterAlert, kinds: []uint8{0x5e, IPv4OptionRouterAlert}},
	{name: "behind the end nothing counts", options: "\x00\x83\x03\x04"},
	{name: "length 0", options: "\x07\x00\x00\x00", err: ErrOption},
	{name: "length 1", options: "\x07\x01\x00\x00", err: ErrOption},
	{name: "longer than the options", options: "\x5e\x02\x07\x03", kinds: []uint8{0x5e}, err: ErrOption},
	{name: "length missing", options: "\x5e\x03a\x07", kinds: []uint8{0x5e}, err: ErrOption},
	{name: "length 255", options: "\x94\xff\x00\x00", err: ErrOption},
}

func TestWalkOfIPv4Options(t *testing.T) {
	for _, tt := range ipv4OptionTests {
		var kinds []uint8
		var err error
		for b := []byte(tt.options); len(b) > 0 && err == nil; {
			var kind uint8
			if kind, _, b, err = NextIPv4Option(b); err == nil && kind != IPv4OptionEnd {
				kinds = append(kinds, kind)
			}
		}
		if !slices.Equal(kinds, tt.kinds) || !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, %v; want %v, %v", tt.name, kinds, err, tt.kinds, tt.err)
		}
	}
}

func TestNextIPv4Option(t *testing.T) {
	kind, data, rest, err := NextIPv4Option([]byte("\x01\x01\x07\x04ab\x83\x03c"))
	if kind != IPv4OptionRecordRoute || string(data) != "ab" || string(rest) != "\x83\x03c" || err != nil {
		t.Errorf("%d %q %q %v", kind, data, rest, err)
	}
}

func TestOptionsThatEachFragmentCarries(t *testing.T) {
	for _, tt := range []struct{ name, options, want string }{
		{"none", "", ""},
		{"router alert", IPv4RouterAlert, IPv4RouterAlert},
		{"record route stays in the first", "\x07\x07\x04\x00\x00\x00\x00\x00", ""},
		{"padding is made anew", "\x01\x44\x04\x05\x00\x83\x07\x04\x0a\x00\x00\x01", "\x83\x07\x04\x0a\x00\x00\x01\x00"},
		{"until a malformed one", IPv4RouterAlert + "\x83\xff\x00\x00", IPv4RouterAlert},
	} {
		if got := AppendCopiedOptions([]byte("IP"), []byte(tt.options)); string(got) != "IP"+tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got[2:], tt.want)
		}
	}
}
