package header

import (
	"errors"
	"testing"
)

var ipv4OptionTests = []struct {
	name    string
	options string
	want    IPv4Options
	err     error
}{
	{name: "none"},
	{name: "end", options: "\x00\xff\xff\xff"},
	{name: "no operation", options: "\x01\x01\x01\x00"},
	{name: "router alert", options: IPv4RouterAlert, want: IPv4Options{RouterAlert: true}},
	{name: "loose source route", options: "\x01\x83\x07\x04\x0a\x00\x00\x01", want: IPv4Options{SourceRoute: true}},
	{name: "strict source route", options: "\x89\x03\x04\x00", want: IPv4Options{SourceRoute: true}},
	{name: "unknown, then router alert", options: "\x5e\x04ab" + IPv4RouterAlert, want: IPv4Options{RouterAlert: true}},
	{name: "behind the end nothing counts", options: "\x00\x83\x03\x04"},
	{name: "length 0", options: "\x07\x00\x00\x00", want: IPv4Options{Pointer: 20}, err: ErrOption},
	{name: "length 1", options: "\x07\x01\x00\x00", want: IPv4Options{Pointer: 20}, err: ErrOption},
	{name: "longer than the options", options: "\x5e\x02\x07\x03", want: IPv4Options{Pointer: 22}, err: ErrOption},
	{name: "length missing", options: "\x5e\x03a\x07", want: IPv4Options{Pointer: 23}, err: ErrOption},
	{name: "length 255", options: "\x94\xff\x00\x00", want: IPv4Options{Pointer: 20}, err: ErrOption},
}

func TestIPv4Options(t *testing.T) {
	for _, tt := range ipv4OptionTests {
		got := IPv4Options{Pointer: 99, SourceRoute: true}
		_, err := got.Parse([]byte(tt.options))
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %+v, %v; want %+v, %v", tt.name, got, err, tt.want, tt.err)
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
