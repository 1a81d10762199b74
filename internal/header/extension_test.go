package header

import (
	"errors"
	"strings"
	"testing"
)

// Pieces of chains: each begins with the number of the header that follows.
const (
	hopAlert   = "\x11\x00\x05\x02\x00\x00\x01\x00"                                 // router alert, PadN; then UDP
	hopThenDst = "\x3c\x00\x01\x04\x00\x00\x00\x00"                                 // then destination options
	dstThenUDP = "\x11\x00\x01\x04\x00\x00\x00\x00"                                 // then UDP
	dstThenDst = "\x3c\x00\x01\x04\x00\x00\x00\x00"                                 // then the same again
	routing0   = "\x11\x02\x00\x00\x00\x00\x00\x00ABCDEFGHIJKLMNOP"                 // type 0, none left; then UDP
	fragFirst  = "\x11\x00\x00\x01\x00\x00\x00\x07"                                 // first, more follow; UDP
	fragLast   = "\x3c\x00\x00\x08\x00\x00\x00\x07"                                 // last, offset 8; destination options
	fragAtomic = "\x11\x00\x00\x00\x00\x00\x00\x07"                                 // whole; UDP
	eight      = "\x11\x02\x1e\x00\x1e\x00\x1e\x00\x1e\x00\x1e\x00\x1e\x00\x1e\x00" // unknown options of type 0x1e
)

func problem(code uint8, pointer uint32) *ParameterProblem {
	return &ParameterProblem{Code: code, Pointer: pointer}
}

var extensionTests = []struct {
	name  string
	next  uint8
	chain string
	want  Extensions
	rest  string
	err   error
}{
	{name: "none", next: 17, chain: "data", rest: "data", want: Extensions{Protocol: 17, NextHeaderAt: 6}},
	{name: "no next header", next: 59, chain: "x", rest: "x", want: Extensions{Protocol: 59, NextHeaderAt: 6}},
	{
		name: "router alert", next: 0, chain: hopAlert + "data", rest: "data",
		want: Extensions{Protocol: 17, HeaderLen: 8, NextHeaderAt: 40, UnfragmentableLen: 8, RouterAlert: true},
	},
	{
		name: "hop-by-hop, destination, data", next: 0, chain: hopThenDst + dstThenUDP + "data", rest: "data",
		want: Extensions{Protocol: 17, HeaderLen: 16, NextHeaderAt: 48, UnfragmentableLen: 16},
	},
	{
		name: "routing with nothing left", next: 43, chain: routing0, rest: "",
		want: Extensions{Protocol: 17, HeaderLen: 24, NextHeaderAt: 40, UnfragmentableLen: 24},
	},
	{
		name: "first fragment", next: 44, chain: fragFirst + "data", rest: "data",
		want: Extensions{
			Protocol: 17, HeaderLen: 8, NextHeaderAt: 40, HasFragment: true, FragmentNamedAt: 6,
			Fragment: Fragment{NextHeader: 17, More: true, ID: 7},
		},
	},
	{
		name: "what follows a fragment header is data", next: 0,
		chain: "\x2c" + hopThenDst[1:] + fragLast + "data", rest: "data",
		want: Extensions{
			Protocol: 60, HeaderLen: 16, NextHeaderAt: 48, HasFragment: true, FragmentNamedAt: 40, UnfragmentableLen: 8,
			Fragment: Fragment{NextHeader: 60, Offset: 8, ID: 7},
		},
	},
	{
		name: "an atomic fragment is walked through", next: 44, chain: "\x3c" + fragAtomic[1:] + dstThenUDP + "data", rest: "data",
		want: Extensions{
			Protocol: 17, HeaderLen: 16, NextHeaderAt: 48, HasFragment: true, FragmentNamedAt: 6,
			Fragment: Fragment{NextHeader: 60, ID: 7},
		},
	},
	{name: "hop-by-hop not first", next: 60, chain: "\x00" + dstThenUDP[1:] + hopAlert, err: problem(1, 40)},
	{name: "hop-by-hop in the first fragment", next: 44, chain: "\x00" + fragFirst[1:] + hopAlert, err: problem(1, 40)},
	{name: "hop-by-hop in an atomic fragment", next: 44, chain: "\x00" + fragAtomic[1:] + hopAlert, err: problem(1, 40)},
	{
		name: "what a later fragment says follows means nothing", next: 44, chain: "\x00" + fragLast[1:] + "data", rest: "data",
		want: Extensions{
			Protocol: 0, HeaderLen: 8, NextHeaderAt: 40, HasFragment: true, FragmentNamedAt: 6,
			Fragment: Fragment{Offset: 8, ID: 7},
		},
	},
	{name: "routing type 0 with segments left", next: 43, chain: routing0[:3] + "\x01" + routing0[4:], err: problem(0, 42)},
	{name: "unknown routing type with segments left", next: 0, chain: "\x2b" + hopThenDst[1:] + "\x11\x00\xfd\x01abcd", err: problem(0, 50)},
	{name: "three destination headers", next: 60, chain: dstThenDst + dstThenDst + dstThenUDP, err: ErrExtension},
	{name: "two fragment headers", next: 44, chain: "\x2c" + fragAtomic[1:] + fragFirst, err: ErrExtension},
	{name: "cut", next: 0, chain: hopAlert[:7], err: ErrTruncated},
	{name: "longer than the packet", next: 60, chain: "\x11\x01" + dstThenUDP[2:], err: ErrTruncated},
	{name: "cut routing header", next: 43, chain: "\x11\x00\x00", err: ErrTruncated},
	{name: "cut fragment header", next: 44, chain: fragFirst[:7], err: ErrTruncated},
	{name: "nothing where a header is named", next: 0, chain: "", err: ErrTruncated},
	{name: "option longer than its header", next: 60, chain: "\x11\x00\x1e\x05\x00\x00\x00\x00", err: ErrOption},
	{name: "option cut after its type", next: 60, chain: "\x11\x00\x1e\x03\x00\x00\x00\x1e", err: ErrOption},
	{
		name: "unknown option to skip", next: 60, chain: "\x11\x00\x1e\x04abcd",
		want: Extensions{Protocol: 17, HeaderLen: 8, NextHeaderAt: 40, UnfragmentableLen: 8},
	},
	{name: "unknown option that asks for silence", next: 60, chain: "\x11\x00\x5e\x04abcd", err: ErrOption},
	{
		name: "unknown option that asks for an answer", next: 60, chain: "\x11\x00\x9e\x04abcd",
		err: &ParameterProblem{Code: 2, Pointer: 42, EvenMulticast: true},
	},
	{name: "unknown option that asks for an answer to unicast", next: 0, chain: "\x3c\x00\x01\x04\x00\x00\x00\x00\x11\x00\xde\x04abcd", err: problem(2, 50)},
	{name: "jumbogram", next: 0, chain: "\x11\x00\xc2\x04\x00\x01\x00\x00", err: problem(2, 42)},
	{name: "router alert of the wrong length", next: 0, chain: "\x11\x00\x05\x04\x00\x00\x00\x00", err: ErrOption},
	{name: "router alert is no destination option", next: 60, chain: hopAlert, want: Extensions{Protocol: 17, HeaderLen: 8, NextHeaderAt: 40, UnfragmentableLen: 8}},
	{
		name: "eight options", next: 60, chain: eight + "\x1e\x00\x01\x04\x00\x00\x00\x00",
		want: Extensions{Protocol: 17, HeaderLen: 24, NextHeaderAt: 40, UnfragmentableLen: 24},
	},
	{name: "nine options", next: 60, chain: eight + "\x1e\x00\x1e\x00\x01\x02\x00\x00", err: ErrOption},
	{name: "six bytes of Pad1", next: 60, chain: "\x11\x00\x00\x00\x00\x00\x00\x00", want: Extensions{Protocol: 17, HeaderLen: 8, NextHeaderAt: 40, UnfragmentableLen: 8}},
	{
		name: "padding before and behind an option", next: 60, chain: "\x11\x01\x01\x03\x00\x00\x00\x1e\x00\x01\x05\x00\x00\x00\x00\x00",
		want: Extensions{Protocol: 17, HeaderLen: 16, NextHeaderAt: 40, UnfragmentableLen: 16},
	},
	{name: "a bomb of Pad1", next: 60, chain: "\x11\x01" + strings.Repeat("\x00", 14), err: ErrOption},
	{name: "a bomb of PadN", next: 60, chain: "\x11\x01" + strings.Repeat("\x01\x00", 7), err: ErrOption},
	{name: "PadN that hides something", next: 60, chain: "\x11\x00\x01\x04\x00\x00x\x00", err: ErrOption},
}

// DEF-15, DEF-16, DEF-46.
func TestExtensions(t *testing.T) {
	for _, tt := range extensionTests {
		got := Extensions{RouterAlert: true, HasFragment: true, HeaderLen: 99} // must not shine through
		rest, err := got.Parse(tt.next, []byte(tt.chain))
		var want, problem *ParameterProblem
		if errors.As(tt.err, &want) {
			if !errors.As(err, &problem) || *problem != *want || problem.Error() == "" {
				t.Errorf("%s: %+v, want %+v", tt.name, err, *want)
			}
			continue
		}
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.err)
		}
		if err == nil && (got != tt.want || string(rest) != tt.rest) {
			t.Errorf("%s: %q follows\n got %+v\nwant %+v", tt.name, rest, got, tt.want)
		}
	}
}

func TestParameterProblemsSayWhatIsWrong(t *testing.T) {
	texts := map[string]bool{}
	for code := range uint8(4) {
		texts[problem(code, 0).Error()] = true
	}
	if len(texts) != 4 {
		t.Errorf("four problems, %d texts", len(texts))
	}
}

func TestExtensionsWithoutProblemDoNotAllocate(t *testing.T) {
	chain := []byte(hopThenDst + dstThenUDP + "data")
	var e Extensions
	if n := testing.AllocsPerRun(100, func() {
		if _, err := e.Parse(ProtocolHopByHop, chain); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAppendRouterAlert(t *testing.T) {
	b := AppendRouterAlert(nil, ProtocolICMPv6)
	var e Extensions
	rest, err := e.Parse(ProtocolHopByHop, b)
	if err != nil || len(rest) != 0 || !e.RouterAlert || e.RouterAlertValue != 0 || e.Protocol != ProtocolICMPv6 || len(b) != RouterAlertLen {
		t.Errorf("%+v, %v", e, err)
	}
}

// DEF-13.
func TestFirstFragmentComplete(t *testing.T) {
	for _, tt := range []struct {
		name string
		next uint8
		data string
		want bool
	}{
		{"TCP", 6, strings.Repeat("x", 20), true},
		{"TCP cut", 6, strings.Repeat("x", 19), false},
		{"UDP", 17, "12345678", true},
		{"UDP cut", 17, "1234567", false},
		{"ICMPv6 cut", 58, "1234567", false},
		{"another protocol", 132, "x", true},
		{"another protocol, nothing of it", 132, "", false},
		{"no next header", 59, "", true},
		{"destination options, UDP", 60, dstThenUDP + "12345678", true},
		{"destination options, UDP missing", 60, dstThenUDP, false},
		{"destination options cut", 60, dstThenUDP[:4], false},
		{"routing and UDP", 43, routing0 + "12345678", true},
		{"nested fragment", 44, fragFirst + "12345678", true},
		{"nested fragment cut", 44, fragFirst[:7], false},
		{"empty", 60, "", false},
	} {
		if got := FirstFragmentComplete(tt.next, []byte(tt.data)); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestUpperLayer(t *testing.T) {
	for _, tt := range []struct {
		name      string
		next      uint8
		chain     string
		protocol  uint8
		rest      string
		first, ok bool
	}{
		{"no extension", 6, "tcp", 6, "tcp", true, true},
		{"several", 0, hopThenDst + dstThenUDP + "udp", 17, "udp", true, true},
		{"a first fragment", 44, fragFirst + "udp", 17, "udp", true, true},
		{"a later fragment", 44, fragLast + "data", 60, "data", false, true},
		{"options that no receiver would bear", 60, "\x11\x00\xc2\xffabcdudp", 17, "udp", true, true},
		{"cut", 60, dstThenUDP[:7], 0, "", false, false},
		{"cut in the fragment header", 44, fragFirst[:7], 0, "", false, false},
	} {
		protocol, rest, first, ok := UpperLayer(tt.next, []byte(tt.chain))
		if protocol != tt.protocol || string(rest) != tt.rest || first != tt.first || ok != tt.ok {
			t.Errorf("%s: protocol %d, %q, first %v, ok %v", tt.name, protocol, rest, first, ok)
		}
	}
}
