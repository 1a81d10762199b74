package header

import (
	"encoding/binary"
	"errors"
	"reflect"
	"testing"
)

// fuzz checks the promise of all formats: no input panics, what follows is the
// end of the input but for padding, and what was parsed survives being encoded
// and parsed again. Fix, if not nil, mends checksums that a fuzzer cannot guess.
func fuzz(f *testing.F, fix func([]byte), kinds ...codec) {
	for _, s := range samples {
		for _, k := range kinds {
			if reflect.TypeOf(s.header) == reflect.TypeOf(k) {
				f.Add(encode(s.header, s.payload))
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if fix != nil {
			fix(b)
		}
		for _, k := range kinds {
			x := blank(k)
			rest, err := x.Parse(b)
			if err != nil {
				continue
			}
			if len(rest) > len(b) {
				t.Fatalf("%T: %d bytes follow of %d", x, len(rest), len(b))
			}
			canonical(x)
			enc := x.Append(nil)
			switch k.(type) {
			case *IPv4, *IPv6, *UDP:
				enc = append(enc, rest...)
			}
			y := blank(k)
			if _, err := y.Parse(enc); err != nil {
				t.Fatalf("%+v: encoded: %v", x, err)
			}
			if canonical(y); !reflect.DeepEqual(x, y) {
				t.Fatalf("%+v became %+v", x, y)
			}
		}
	})
}

// canonical takes away what the wire can say and Append does not.
func canonical(h codec) {
	if h, ok := h.(*TCP); ok {
		o := &h.Options
		o.Malformed = false
		// The code stands where Append puts it; what nobody makes so, and what with
		// padding has no room, goes.
		if o.Auth.At = TCPAuthAt; o.Auth.Kind == TCPAuthNone || o.Auth.Kind == TCPAuthInvalid || o.fixed() > TCPOptionsMax {
			o.Auth = TCPAuth{}
		}
		// With padding there may be room for fewer blocks, and fewer fields.
		for o.SACKCount = o.Blocks(); o.Len() > TCPOptionsMax; o.SACKCount = o.Blocks() {
			o.AccECN = AccECN{}
		}
		clear(o.SACK[o.SACKCount:])
	}
}

func fixIPv4(b []byte) {
	if len(b) < IPv4MinLen {
		return
	}
	if n := int(b[0]&15) * 4; n >= IPv4MinLen && n <= len(b) {
		b[10], b[11] = 0, 0
		binary.BigEndian.PutUint16(b[10:], Fold(Sum(b[:n], 0)))
	}
}

func fixIGMP(b []byte) {
	if len(b) >= igmpLen {
		putICMPChecksum(b, 0)
	}
}

func FuzzEthernet(f *testing.F) { fuzz(f, nil, &Ethernet{}) }

func FuzzARP(f *testing.F) { fuzz(f, nil, &ARP{}) }

func FuzzIPv4(f *testing.F) { fuzz(f, fixIPv4, &IPv4{}) }

func FuzzIPv6(f *testing.F) { fuzz(f, nil, &IPv6{}, &Fragment{}) }

// DEF-20.
func FuzzUDP(f *testing.F) { fuzz(f, nil, &UDP{}) }

// DEF-17, DEF-18, DEF-57.
func FuzzTCP(f *testing.F) { fuzz(f, nil, &TCP{}) }

func FuzzICMP(f *testing.F) { fuzz(f, nil, &ICMP{}) }

// DEF-41.
func FuzzNeighborDiscovery(f *testing.F) {
	fuzz(f, nil, &NeighborSolicit{}, &NeighborAdvert{}, &RouterSolicit{}, &RouterAdvert{}, &Redirect{})
}

func FuzzIGMP(f *testing.F) { fuzz(f, fixIGMP, &IGMPQuery{}, &IGMPReport{}, &IGMPv3Report{}) }

func FuzzMLD(f *testing.F) { fuzz(f, nil, &MLDQuery{}, &MLDReport{}, &MLDv2Report{}) }

// DEF-21.
func FuzzIPv4Options(f *testing.F) {
	for _, s := range ipv4OptionTests {
		f.Add([]byte(s.options))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		AppendCopiedOptions(nil, b)
		for len(b) > 0 {
			_, _, next, err := NextIPv4Option(b)
			if err != nil {
				break
			}
			if len(next) >= len(b) {
				t.Fatal("the walk does not advance")
			}
			b = next
		}
	})
}

// DEF-15, DEF-16.
func FuzzExtensions(f *testing.F) {
	for _, tt := range extensionTests {
		f.Add(tt.next, []byte(tt.chain))
	}
	f.Fuzz(func(t *testing.T, next uint8, b []byte) {
		FirstFragmentComplete(next, b)
		var e Extensions
		rest, err := e.Parse(next, b)
		var problem *ParameterProblem
		if errors.As(err, &problem) && int(problem.Pointer) >= IPv6Len+len(b) {
			t.Fatalf("points at %d of %d", problem.Pointer, IPv6Len+len(b))
		}
		if err != nil {
			return
		}
		if e.HeaderLen+len(rest) != len(b) {
			t.Fatalf("%d bytes of headers and %d follow, of %d", e.HeaderLen, len(rest), len(b))
		}
		if e.UnfragmentableLen > e.HeaderLen || e.UnfragmentableLen%8 != 0 || e.HeaderLen%8 != 0 {
			t.Fatalf("%+v", e)
		}
		if e.HeaderLen > 0 && b[e.NextHeaderAt-IPv6Len] != e.Protocol {
			t.Fatalf("byte %d does not name protocol %d", e.NextHeaderAt, e.Protocol)
		}
		if e.HasFragment && !e.Fragment.IsAtomic() && e.Protocol != e.Fragment.NextHeader {
			t.Fatalf("%+v", e)
		}
	})
}
