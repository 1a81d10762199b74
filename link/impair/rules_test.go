package impair_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/impair"
)

var flags = map[rune]header.TCPFlags{
	'F': header.FIN, 'S': header.SYN, 'R': header.RST, 'P': header.PSH, 'A': header.ACK,
	'U': header.URG, 'E': header.ECE, 'W': header.CWR, 'N': header.AE,
}

// wrap puts a transport's bytes into an IP packet of the version, from port
// 1000 of ...1 to port 80 of ...2.
func wrap(version int, protocol uint8, extensions, transport []byte) []byte {
	length := len(extensions) + len(transport)
	var h []byte
	if version == 4 {
		h = (&header.IPv4{PayloadLen: length, TTL: 64, Protocol: protocol, Src: addr(4, 1), Dst: addr(4, 2)}).Append(nil)
	} else {
		h = (&header.IPv6{PayloadLen: length, HopLimit: 64, NextHeader: protocol, Src: addr(6, 1), Dst: addr(6, 2)}).Append(nil)
	}
	return append(append(h, extensions...), transport...)
}

func addr(version int, host byte) netip.Addr {
	if version == 4 {
		return netip.AddrFrom4([4]byte{192, 0, 2, host})
	}
	return netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", host))
}

func tcp(letters string, data int) []byte {
	h := header.TCP{SrcPort: 1000, DstPort: 80}
	for _, c := range letters {
		h.Flags |= flags[c]
	}
	return append(h.Append(nil), make([]byte, data)...)
}

func udp(data int) []byte {
	return append((&header.UDP{SrcPort: 1000, DstPort: 80, PayloadLen: data}).Append(nil), make([]byte, data)...)
}

func segment(version int, letters string, data int) []byte {
	return wrap(version, header.ProtocolTCP, nil, tcp(letters, data))
}

// fragment6 is an IPv6 fragment header.
func fragment6(next uint8, offset int, more bool) []byte {
	return (&header.Fragment{NextHeader: next, Offset: offset, More: more}).Append(nil)
}

// matches tells whether m matches a packet, which must not depend on the
// medium, nor on how the frame is divided.
func matches(t *testing.T, m impair.Match, b []byte) (yes bool) {
	t.Helper()
	etherType := uint16(header.EtherTypeIPv4)
	if len(b) > 0 && b[0]>>4 == 6 {
		etherType = header.EtherTypeIPv6
	}
	e := ethernet(etherType, b)
	copy(e, "\x45\x00\x00\x28ab") // an address that looks like the beginning of IPv4
	padded := e
	if len(b) > 0 && !strings.HasPrefix(t.Name(), "TestCutShort") { // what is missing would be there again
		padded = append(bytes.Clone(e), make([]byte, 10)...)
	}
	r := impair.Drop(m)
	yes = r(0, &link.Frame{Payload: b}).Drop
	for _, f := range []link.Frame{
		{Head: b}, {Head: b[:len(b)/2], Payload: b[len(b)/2:]}, {Payload: e}, {Head: e[:14], Payload: e[14:]}, {Payload: padded},
	} {
		if r(0, &f).Drop != yes {
			t.Errorf("%d and %d bytes: not %v", len(f.Head), len(f.Payload), yes)
		}
	}
	return yes
}

func TestMatchers(t *testing.T) {
	first := wrap(6, header.ProtocolFragment, fragment6(6, 0, true), tcp("S", 24))
	later := wrap(6, header.ProtocolFragment, fragment6(6, 48, false), make([]byte, 100))
	atomic := wrap(6, header.ProtocolFragment, fragment6(6, 0, false), tcp("S", 0))
	hopByHop := wrap(6, header.ProtocolHopByHop, header.AppendRouterAlert(nil, header.ProtocolTCP), tcp("S", 0))
	long := wrap(6, header.ProtocolDestination, append([]byte{header.ProtocolTCP, 20}, make([]byte, 166)...), tcp("S", 0))
	tooLong := wrap(6, header.ProtocolDestination, append([]byte{header.ProtocolTCP, 40}, make([]byte, 326)...), tcp("S", 0))
	first4, later4 := segment(4, "S", 24), segment(4, "S", 24)
	part := func(b []byte, field uint16) {
		binary.BigEndian.PutUint16(b[6:], field)
		b[10], b[11] = 0, 0
		binary.BigEndian.PutUint16(b[10:], header.Fold(header.Sum(b[:20], 0)))
	}
	part(first4, 0x2000)
	part(later4, 6)
	icmp4, icmp6 := wrap(4, 1, nil, make([]byte, 8)), wrap(6, 58, nil, make([]byte, 8))
	for _, tt := range []struct {
		name string
		m    impair.Match
		b    []byte
		want bool
	}{
		{"TCP", impair.TCP, segment(4, "S", 0), true},
		{"TCP over IPv6", impair.TCP, segment(6, "S", 0), true},
		{"UDP is not TCP", impair.TCP, wrap(4, 17, nil, udp(5)), false},
		{"UDP", impair.UDP, wrap(6, 17, nil, udp(5)), true},
		{"ICMP", impair.ICMP, icmp4, true},
		{"ICMPv6", impair.ICMP, icmp6, true},
		{"ICMP of the other version", impair.ICMP, wrap(4, 58, nil, make([]byte, 8)), false},
		{"protocol", impair.Protocol(99), wrap(4, 99, nil, nil), true},
		{"no IP has no protocol", impair.Protocol(0), []byte("hello"), false},

		{"SYN", impair.TCPFlags("S"), segment(4, "S", 0), true},
		{"SYN that offers ECN", impair.TCPFlags("S"), segment(4, "SEW", 0), true},
		{"SYN is not SYN-ACK", impair.TCPFlags("S"), segment(4, "SA", 0), false},
		{"SYN-ACK", impair.TCPFlags("SA"), segment(6, "SA", 0), true},
		{"SYN-ACK is not SYN", impair.TCPFlags("SA"), segment(6, "S", 0), false},
		{"in any order and case", impair.TCPFlags("as"), segment(6, "SA", 0), true},
		{"push counts as ACK", impair.TCPFlags("A"), segment(4, "PA", 10), true},
		{"ACK does not push", impair.TCPFlags("PA"), segment(4, "A", 10), false},
		{"AE", impair.TCPFlags("NA"), segment(4, "NA", 10), true},
		{"no flags in UDP", impair.TCPFlags(""), wrap(4, 17, nil, udp(5)), false},

		{"port", impair.Port(80), segment(4, "S", 0), true},
		{"port of the source", impair.Port(1000), wrap(6, 17, nil, udp(5)), true},
		{"another port", impair.Port(81), segment(4, "S", 0), false},
		{"source port", impair.SrcPort(80), segment(4, "S", 0), false},
		{"destination port", impair.DstPort(80), segment(4, "S", 0), true},
		{"no ports in ICMP", impair.Port(0), icmp4, false},

		{"from", impair.From("192.0.2.1"), segment(4, "S", 0), true},
		{"from another", impair.From("192.0.2.2"), segment(4, "S", 0), false},
		{"from a prefix", impair.From("2001:db8::/32"), segment(6, "S", 0), true},
		{"to", impair.To("2001:db8::2"), segment(6, "S", 0), true},
		{"to a prefix of the other version", impair.To("0.0.0.0/0"), segment(6, "S", 0), false},

		{"data", impair.Data, segment(4, "A", 1), true},
		{"no data", impair.Data, segment(4, "A", 0), false},
		{"data of UDP", impair.Data, wrap(6, 17, nil, udp(1)), true},
		{"no data of UDP", impair.Data, wrap(6, 17, nil, udp(0)), false},

		{"behind extension headers", impair.TCPFlags("S"), hopByHop, true},
		{"behind long ones", impair.TCPFlags("S"), long, true},
		{"behind more than is read", impair.TCPFlags("S"), tooLong, false},
		{"a whole packet", impair.Fragment, segment(6, "S", 0), false},
		{"an atomic fragment is none", impair.Fragment, atomic, false},
		{"in an atomic fragment", impair.TCPFlags("S"), atomic, true},
		{"first fragment", impair.All(impair.Fragment, impair.TCPFlags("S")), first, true},
		{"later fragment", impair.All(impair.Fragment, impair.TCP), later, true},
		{"ports of a later fragment", impair.Port(0), later, false},
		{"first fragment of IPv4", impair.All(impair.Fragment, impair.TCPFlags("S")), first4, true},
		{"later fragment of IPv4", impair.All(impair.Fragment, impair.TCP, impair.Not(impair.Port(80))), later4, true},

		{"all of none", impair.All(), nil, true},
		{"any of none", impair.Any(), nil, false},
		{"any", impair.Any(impair.UDP, impair.TCP), segment(4, "S", 0), true},
		{"not", impair.Not(impair.TCP), segment(4, "S", 0), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := matches(t, tt.m, tt.b); got != tt.want {
				t.Errorf("matches: %v", got)
			}
		})
	}
}

func TestCutShort(t *testing.T) {
	anything := impair.Any(impair.TCP, impair.UDP, impair.Port(80), impair.From("0.0.0.0/0"), impair.From("::/0"))
	for _, b := range [][]byte{segment(4, "S", 10), segment(6, "S", 10)} {
		for n := range len(b) {
			if matches(t, anything, b[:n]) {
				t.Errorf("%d of %d bytes match", n, len(b))
			}
		}
	}
	// Lengths that fit, around too little of a transport.
	for n := range 20 {
		if matches(t, impair.Any(impair.TCPFlags("S"), impair.Port(80), impair.Data), wrap(4, 6, nil, tcp("S", 0)[:n])) {
			t.Errorf("%d bytes of TCP match", n)
		}
	}
}

// asked gives which of n packets the match picks, from 1.
func asked(m impair.Match, n int) (picked []int) {
	r := impair.Drop(m)
	for i := range n {
		if r(time.Duration(i)*ms, &link.Frame{Payload: segment(4, "SA", i)}).Drop {
			picked = append(picked, i+1)
		}
	}
	return picked
}

func TestCounting(t *testing.T) {
	every := impair.TCPFlags("SA")
	for _, tt := range []struct {
		name string
		m    impair.Match
		want string
	}{
		{"third", impair.Nth(3, every), "[3]"},
		{"first two", impair.First(2, every), "[1 2]"},
		{"every third", impair.Every(3, every), "[3 6 9]"},
		{"all but the first two", impair.Not(impair.First(2, every)), "[3 4 5 6 7 8 9 10]"},
		{"second of every third", impair.Nth(2, impair.Every(3, every)), "[6]"},
		{"never", impair.Nth(1, impair.UDP), "[]"},
		{"between", impair.Between(2*ms, 4*ms), "[3 4]"},
		{"longer", impair.Longer(48), "[10]"},
	} {
		if got := fmt.Sprint(asked(tt.m, 10)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestMistakesPanic(t *testing.T) {
	for want, f := range map[string]func(){
		`impair: "nowhere" is neither an address nor a prefix`:  func() { impair.From("nowhere") },
		`impair: "SX" has a letter that is none of "FSRPAUEWN"`: func() { impair.TCPFlags("SX") },
		"impair: Every of a number that is not above 0":         func() { impair.Every(0, impair.TCP) },
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %v, want %s", got, want)
				}
			}()
			f()
		}()
	}
}

func TestRules(t *testing.T) {
	upper := impair.Change(impair.All(), bytes.ToUpper)
	mark := func(s string) impair.Rule {
		return impair.Change(impair.All(), func(b []byte) []byte { return append(b, s...) })
	}
	sees := func(want string) impair.Match {
		return func(p *impair.Packet) bool { return string(p.Frame.AppendTo(nil)) == want }
	}
	for _, tt := range []struct {
		name string
		r    impair.Rule
		want impair.Verdict
	}{
		{"none", impair.Rules(), impair.Verdict{}},
		{"drop", impair.Drop(impair.All()), impair.Verdict{Drop: true}},
		{"delay", impair.Delay(ms, impair.All()), impair.Verdict{Delay: ms}},
		{"change", upper, impair.Verdict{Replace: []byte("ABC")}},
		{"change to nothing else", impair.Change(impair.All(), func([]byte) []byte { return nil }), impair.Verdict{}},
		{"reason", impair.Because("so", upper), impair.Verdict{Replace: []byte("ABC"), Reason: "so"}},
		{"no reason for nothing", impair.Because("so", impair.Drop(impair.Any())), impair.Verdict{}},
		{"one after the other", impair.Rules(mark("x"), upper, mark("y")), impair.Verdict{Replace: []byte("ABCXy")}},
		{"each sees what the one before made", impair.Rules(upper, impair.Delay(ms, sees("ABC"))), impair.Verdict{Replace: []byte("ABC"), Delay: ms}},
		{"delays add up", impair.Rules(impair.Delay(ms, impair.All()), impair.Delay(2*ms, impair.All())), impair.Verdict{Delay: 3 * ms}},
		{
			"a dropped packet is not seen", impair.Rules(impair.Because("one", impair.Delay(ms, impair.All())), impair.Because("two", impair.Drop(impair.All())), upper),
			impair.Verdict{Drop: true, Delay: ms, Reason: "one; two"},
		},
	} {
		lent := []byte("abc")
		got := tt.r(0, &link.Frame{Payload: lent})
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
		if string(lent) != "abc" {
			t.Errorf("%s: the lent frame is %q", tt.name, lent)
		}
	}
}

func TestTheThirdSYNACKIsDropped(t *testing.T) {
	l := newLine(t, impair.Config{Rule: impair.Drop(impair.Nth(3, impair.TCPFlags("SA")))})
	for i, letters := range []string{"S", "SA", "A", "SA", "SA", "SA"} {
		l.Push(time.Duration(i), []link.Frame{{Payload: segment(4, letters, 0), Comment: fmt.Sprint(i)}})
	}
	var got []string
	for _, k := range l.Take(time.Second, make([]*link.Kept, 0, 10)) {
		got = append(got, k.Comment)
		k.Release()
	}
	if fmt.Sprint(got) != "[0 1 2 3 5]" {
		t.Errorf("left: %v", got)
	}
}

// sound tells whether all checksums of a packet are right.
func sound(b []byte) bool {
	var src, dst netip.Addr
	var protocol uint8
	var rest []byte
	if b[0]>>4 == 4 {
		var h header.IPv4
		r, err := h.Parse(b)
		if err != nil {
			return false
		}
		src, dst, protocol, rest = h.Src, h.Dst, h.Protocol, r
	} else {
		var h header.IPv6
		r, err := h.Parse(b)
		if err != nil {
			return false
		}
		src, dst, protocol, rest = h.Src, h.Dst, h.NextHeader, r
	}
	if protocol == header.ProtocolICMP {
		return header.Fold(header.Sum(rest, 0)) == 0
	}
	return header.Fold(header.Sum(rest, header.PseudoSum(src, dst, protocol, len(rest)))) == 0
}

func TestFixed(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    []byte
	}{
		{"TCP", segment(4, "A", 11)},
		{"TCP over IPv6", segment(6, "A", 11)},
		{"UDP over IPv6", wrap(6, 17, nil, udp(7))},
		{"ICMP", wrap(4, 1, nil, append([]byte{8, 0, 0, 0}, "echo"...))},
		{"ICMPv6", wrap(6, 58, nil, append([]byte{128, 0, 0, 0}, "echo"...))},
	} {
		for _, medium := range []link.Medium{link.IP, link.Ethernet} {
			in, at := tt.b, medium.HeaderLen()
			if medium == link.Ethernet {
				in = ethernet(map[byte]uint16{4: header.EtherTypeIPv4, 6: header.EtherTypeIPv6}[in[0]>>4], in)
			}
			edit := func(b []byte) []byte {
				b[len(b)-1] ^= 0x55
				b[at+8]-- // the time to live
				return b
			}
			out := impair.Change(impair.All(), impair.Fixed(edit))(0, &link.Frame{Payload: in}).Replace
			if !sound(out[at:]) || out[len(out)-1] == in[len(in)-1] {
				t.Errorf("%s over %v: checksums are wrong", tt.name, medium)
			}
		}
	}
}

func TestFixedLeavesTheRestAlone(t *testing.T) {
	same := func(b []byte) []byte { return b }
	noChecksum := wrap(4, 17, nil, udp(7))
	piece := wrap(6, header.ProtocolFragment, fragment6(17, 0, true), udp(8))
	short := wrap(4, 6, nil, []byte{1, 2, 3})
	for name, b := range map[string][]byte{
		"UDP without a checksum": noChecksum, "a fragment": piece, "too short for TCP": short,
		"not IP": []byte("hello"), "longer than it is": segment(4, "A", 10)[:45], "nothing": {}, "none": nil,
	} {
		before := bytes.Clone(b)
		if got := impair.Fixed(same)(b); !bytes.Equal(got, before) {
			t.Errorf("%s: became %x", name, got)
		}
	}
}

func FuzzRules(f *testing.F) {
	for _, b := range [][]byte{
		nil, segment(4, "SA", 5), segment(6, "S", 0), wrap(6, 17, nil, udp(3)), wrap(4, 1, nil, make([]byte, 8)),
		ethernet(header.EtherTypeIPv4, segment(4, "A", 1)), ethernet(header.EtherTypeIPv6, segment(6, "A", 1)),
		wrap(6, header.ProtocolFragment, fragment6(6, 48, true), make([]byte, 9)),
		wrap(6, header.ProtocolHopByHop, header.AppendRouterAlert(nil, header.ProtocolTCP), tcp("S", 0)),
	} {
		f.Add(b, 3)
	}
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		cut = min(max(cut, 0), len(b))
		frame := link.Frame{Head: b[:cut], Payload: b[cut:]}
		before := bytes.Clone(b)
		for _, m := range []impair.Match{
			impair.TCP, impair.UDP, impair.ICMP, impair.Data, impair.Fragment, impair.Port(80), impair.From("::/0"),
			impair.To("10.0.0.0/8"), impair.TCPFlags("SA"), impair.Longer(100), impair.Protocol(6),
		} {
			impair.Drop(m)(0, &frame)
		}
		check := impair.Drop(func(p *impair.Packet) bool {
			if p.DataLen < 0 || p.DataLen > len(b) || p.Version == 0 && (p.Src.IsValid() || p.Fragment || p.DataLen > 0) {
				t.Errorf("%+v", p)
			}
			return false
		})
		check(0, &frame)
		fixed := impair.Change(impair.All(), impair.Fixed(func(b []byte) []byte { return b }))(0, &frame).Replace
		if len(fixed) != len(b) || !bytes.Equal(b, before) {
			t.Errorf("%d bytes became %d, or the lent ones changed", len(b), len(fixed))
		}
		for _, medium := range []link.Medium{link.IP, link.Ethernet} {
			l, _ := impair.NewLine(medium, impair.Config{Rate: 1000, AQM: impair.AQM{MarkAt: 1}})
			l.Push(0, []link.Frame{{Payload: []byte(strings.Repeat("x", 99))}, frame})
			drive(l)
			if !bytes.Equal(b, before) {
				t.Error("marking changed what was lent")
			}
		}
	})
}
