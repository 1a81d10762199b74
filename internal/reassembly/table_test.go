package reassembly

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/header"
)

var (
	addr = netip.MustParseAddr
	src4 = addr("10.0.0.1")
	dst4 = addr("10.0.0.2")
	src6 = addr("2001:db8::1")
	dst6 = addr("2001:db8::2")
	key4 = Key{Src: src4, Dst: dst4, ID: 7, Protocol: header.ProtocolUDP}
	key6 = Key{Src: src6, Dst: dst6, ID: 7}
)

const start = time.Hour

// frag4 is a fragment of an IPv4 packet.
func frag4(offset int, more bool, data string) *Fragment {
	h := header.IPv4{
		PayloadLen: len(data), ID: 7, MF: more, Offset: offset, TTL: 64, Protocol: header.ProtocolUDP, Src: src4, Dst: dst4,
	}
	return &Fragment{Offset: offset, More: more, Header: h.Append(nil), Data: []byte(data)}
}

// frag6 is a fragment of an IPv6 packet of protocol 253, whose upper layer is
// complete with its first byte.
func frag6(offset int, more bool, data string) *Fragment {
	h := header.IPv6{PayloadLen: 8 + len(data), NextHeader: header.ProtocolFragment, HopLimit: 64, Src: src6, Dst: dst6}
	f := header.Fragment{NextHeader: 253, Offset: offset, More: more, ID: 7}
	return &Fragment{Offset: offset, More: more, Header: f.Append(h.Append(nil)), Data: []byte(data), NextHeader: 253, NamedAt: 6}
}

func version(v int, offset int, more bool, data string) (Key, *Fragment) {
	if v == 4 {
		return key4, frag4(offset, more, data)
	}
	return key6, frag6(offset, more, data)
}

// payload parses a whole packet of either version.
func payload(t *testing.T, p Packet) string {
	t.Helper()
	var rest []byte
	var err error
	if p.Bytes[0]>>4 == 4 {
		var ip header.IPv4
		rest, err = ip.Parse(p.Bytes)
		if ip.IsFragment() || ip.Protocol != header.ProtocolUDP {
			t.Errorf("the whole packet says %+v", ip)
		}
	} else {
		var ip header.IPv6
		rest, err = ip.Parse(p.Bytes)
		if ip.NextHeader != 253 {
			t.Errorf("the whole packet says %+v", ip)
		}
	}
	if err != nil {
		t.Errorf("the whole packet: %v", err)
	}
	s := string(rest)
	p.Buffer.Release()
	return s
}

// A step is a fragment and what becomes of it.
type step struct {
	offset int
	more   bool
	data   string
	want   string // the whole payload
	err    error
}

const (
	a8 = "aaaaaaaa"
	b8 = "bbbbbbbb"
	c8 = "cccccccc"
)

var sequences = []struct {
	name   string
	steps  []step
	left   int // packets in the table at the end, version 4 and 6
	left6  int
	counts Counters // but for Fragments
}{
	{
		name:   "in order",
		steps:  []step{{0, true, a8, "", nil}, {8, true, b8, "", nil}, {16, false, "c", a8 + b8 + "c", nil}},
		counts: Counters{Reassembled: 1},
	},
	{
		name:   "backwards",
		steps:  []step{{16, false, "c", "", nil}, {8, true, b8, "", nil}, {0, true, a8, a8 + b8 + "c", nil}},
		counts: Counters{Reassembled: 1},
	},
	{
		name:   "the middle last",
		steps:  []step{{16, false, "c", "", nil}, {0, true, a8, "", nil}, {8, true, b8, a8 + b8 + "c", nil}},
		counts: Counters{Reassembled: 1},
	},
	{
		name:   "duplicates",
		steps:  []step{{0, true, a8, "", nil}, {0, true, a8, "", nil}, {16, false, "c", "", nil}, {16, false, "c", "", nil}, {8, true, b8, a8 + b8 + "c", nil}},
		counts: Counters{Reassembled: 1, Duplicates: 2},
	},
	{
		name:   "a duplicate with other bytes is an overlap",
		steps:  []step{{0, true, a8, "", nil}, {0, true, b8, "", ErrOverlap}},
		left6:  1,
		counts: Counters{Overlaps: 1},
	},
	{
		name:   "overlap of what precedes",
		steps:  []step{{0, true, a8 + b8, "", nil}, {8, true, b8 + c8, "", ErrOverlap}},
		left6:  1,
		counts: Counters{Overlaps: 1},
	},
	{
		name:   "overlap of what follows",
		steps:  []step{{8, true, b8, "", nil}, {0, true, a8 + b8, "", ErrOverlap}},
		left6:  1,
		counts: Counters{Overlaps: 1},
	},
	{
		name:   "within another (teardrop)",
		steps:  []step{{0, true, a8 + b8 + c8, "", nil}, {8, false, "b", "", ErrOverlap}},
		left6:  1,
		counts: Counters{Overlaps: 1},
	},
	{
		name:   "two ends",
		steps:  []step{{8, false, "b", "", nil}, {16, false, "c", "", ErrOverlap}},
		left6:  1,
		counts: Counters{Overlaps: 1},
	},
	{
		name:   "beyond the end",
		steps:  []step{{8, false, "b", "", nil}, {16, true, c8, "", ErrOverlap}},
		left6:  1,
		counts: Counters{Overlaps: 1},
	},
	{
		name:   "an end before what is there",
		steps:  []step{{16, true, c8, "", nil}, {8, false, "b", "", ErrOverlap}},
		left6:  1,
		counts: Counters{Overlaps: 1},
	},
	{
		name:   "the end in the middle, said by a duplicate",
		steps:  []step{{0, true, a8, "", nil}, {8, true, b8, "", nil}, {8, false, b8, "", ErrOverlap}},
		left6:  1,
		counts: Counters{Overlaps: 1},
	},
	{
		name:   "an incomplete packet stays",
		steps:  []step{{0, true, a8, "", nil}, {16, false, "c", "", nil}},
		left:   1,
		left6:  1,
		counts: Counters{},
	},
	{
		name:   "empty",
		steps:  []step{{8, false, "", "", ErrLength}, {8, true, "", "", ErrLength}},
		counts: Counters{BadLength: 2},
	},
}

// DEF-11, DEF-12.
func TestSequencesOfFragments(t *testing.T) {
	for _, v := range []int{4, 6} {
		for _, tt := range sequences {
			table := New(Limits{})
			fragments := uint64(0)
			for i, s := range tt.steps {
				key, f := version(v, s.offset, s.more, s.data)
				p, err := table.Input(start, key, f)
				if !errors.Is(err, s.err) || p.Done() != (s.want != "") {
					t.Errorf("IPv%d: %s: step %d: done %v, %v", v, tt.name, i, p.Done(), err)
					continue
				}
				if p.Done() {
					if got := payload(t, p); got != s.want {
						t.Errorf("IPv%d: %s: %q, want %q", v, tt.name, got, s.want)
					}
				}
				if err == nil {
					fragments++
				}
			}
			left := tt.left
			if v == 6 {
				left = tt.left6
			}
			if table.Len() != left || (left == 0) != (table.Bytes() == 0) || (left == 0) != (table.Deadline() == 0) {
				t.Errorf("IPv%d: %s: %d packets left, %d bytes", v, tt.name, table.Len(), table.Bytes())
			}
			want := tt.counts
			want.Fragments = fragments - want.Duplicates
			if got := table.Counters(); got != want {
				t.Errorf("IPv%d: %s:\n got %+v\nwant %+v", v, tt.name, got, want)
			}
			if table.Clear(); table.Bytes() != 0 || len(table.sources) != 0 || table.Deadline() != 0 {
				t.Errorf("IPv%d: %s: Clear left %d bytes", v, tt.name, table.Bytes())
			}
		}
	}
}

// In IPv6 an overlap also ends what has not come yet (RFC 5722 4).
func TestAfterAnOverlapTheRestIsSwallowed(t *testing.T) {
	table := New(Limits{})
	input := func(offset int, more bool, data string) error {
		p, err := table.Input(start, key6, frag6(offset, more, data))
		if p.Done() {
			t.Error("a packet came out")
		}
		return err
	}
	_ = input(0, true, a8)
	_ = input(0, true, b8)
	for _, f := range []*Fragment{frag6(0, true, a8), frag6(8, false, "b")} {
		if err := input(f.Offset, f.More, string(f.Data)); !errors.Is(err, ErrOverlap) {
			t.Errorf("offset %d: %v", f.Offset, err)
		}
	}
	// No error message when its time is over.
	if expired := table.Expire(start + Timeout6); len(expired) != 0 || table.Len() != 0 || table.Counters().TimedOut != 0 {
		t.Errorf("%v", expired)
	}
	_ = input(0, true, a8)
	if p, _ := table.Input(start+Timeout6, key6, frag6(8, false, "b")); !p.Done() {
		t.Error("the identifier is never free again")
	}
}

func TestKeysKeepPacketsApart(t *testing.T) {
	table := New(Limits{})
	keys := []Key{key4, key4, key4, key4, key4}
	keys[1].Src = addr("10.0.0.3")
	keys[2].Dst = addr("10.0.0.3")
	keys[3].ID = 8
	keys[4].Protocol = header.ProtocolTCP
	for i, k := range keys {
		if _, err := table.Input(start, k, frag4(0, true, strings.Repeat(string(rune('a'+i)), 8))); err != nil {
			t.Fatal(err)
		}
	}
	for i, k := range keys {
		p, err := table.Input(start, k, frag4(8, false, "."))
		if err != nil || !p.Done() {
			t.Fatalf("%+v: %v", k, err)
		}
		if got, want := payload(t, p), strings.Repeat(string(rune('a'+i)), 8)+"."; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestParameterProblemsOfIPv6(t *testing.T) {
	options := func(f *Fragment) *Fragment { // eight bytes of destination options before the fragment header
		f.Header = append(append(append([]byte{}, f.Header[:40]...), 44, 0, 1, 4, 0, 0, 0, 0), f.Header[40:]...)
		return f
	}
	udp := frag6(0, true, a8)
	udp.NextHeader = header.ProtocolTCP
	for _, tt := range []struct {
		name    string
		f       *Fragment
		code    uint8
		pointer uint32
	}{
		{"length not a multiple of 8", frag6(8, true, "abc"), header.ProblemHeader, 4},
		{"too long", frag6(65528, false, a8), header.ProblemHeader, 42},
		{"too long by its extension headers", options(frag6(65520, false, a8)), header.ProblemHeader, 50},
		{"first fragment without all of the TCP header", udp, header.ProblemFirst, 0},
	} {
		_, err := New(Limits{}).Input(start, key6, tt.f)
		var problem *header.ParameterProblem
		if !errors.As(err, &problem) || problem.Code != tt.code || problem.Pointer != tt.pointer {
			t.Errorf("%s: %+v", tt.name, err)
		}
	}
}

// DEF-12.
func TestPacketsLongerThanTheirLengthFieldCanSay(t *testing.T) {
	table := New(Limits{})
	if _, err := table.Input(start, key4, frag4(65528, false, a8)); !errors.Is(err, ErrTooLong) { // the ping of death
		t.Errorf("ping of death: %v", err)
	}
	if _, err := table.Input(start, key4, frag4(8, true, "abc")); !errors.Is(err, ErrLength) {
		t.Errorf("length 3 in the middle: %v", err)
	}
	// The longest, and the longest with a first header of 24 bytes, which makes
	// it too long only when all is there.
	for _, options := range []int{0, 4} {
		tail := frag4(32768, false, strings.Repeat("b", 65535-20-32768))
		head := frag4(0, true, strings.Repeat("a", 32768))
		h := header.IPv4{MF: true, Src: src4, Dst: dst4, Protocol: header.ProtocolUDP, Options: make([]byte, options)}
		head.Header = h.Append(nil)
		if _, err := table.Input(start, key4, tail); err != nil {
			t.Fatal(err)
		}
		p, err := table.Input(start, key4, head)
		if options > 0 {
			if !errors.Is(err, ErrTooLong) || p.Done() {
				t.Errorf("too long by its first header: %v", err)
			}
			continue
		}
		if err != nil || len(payload(t, p)) != 65515 {
			t.Errorf("the longest: %v", err)
		}
	}
	if table.Len() != 0 || table.Counters().TooLong != 2 {
		t.Errorf("%d left, %+v", table.Len(), table.Counters())
	}
}

func TestTheUnfragmentablePartIsThatOfTheFirstFragment(t *testing.T) {
	// IPv6, destination options, fragment header: the options name it.
	wrap := func(f *Fragment, hopLimit uint8) *Fragment {
		h := header.IPv6{PayloadLen: 16 + len(f.Data), NextHeader: header.ProtocolDestination, HopLimit: hopLimit, Src: src6, Dst: dst6}
		b := append(h.Append(nil), header.ProtocolFragment, 0, 1, 4, 0, 0, 0, 0)
		f.Header = append(b, f.Header[40:]...)
		f.NamedAt = 40
		return f
	}
	table := New(Limits{})
	second := wrap(frag6(8, false, "b"), 9)
	second.NextHeader = 99 // counts only in the first (RFC 8200 4.5)
	if _, err := table.Input(start, key6, second); err != nil {
		t.Fatal(err)
	}
	p, err := table.Input(start, key6, wrap(frag6(0, true, a8), 64))
	if err != nil || !p.Done() {
		t.Fatal(err)
	}
	var ip header.IPv6
	var e header.Extensions
	rest, err := ip.Parse(p.Bytes)
	if err != nil || ip.HopLimit != 64 {
		t.Fatalf("%+v, %v", ip, err)
	}
	rest, err = e.Parse(ip.NextHeader, rest)
	if err != nil || e.HasFragment || e.Protocol != 253 || string(rest) != a8+"b" {
		t.Errorf("%+v, %q, %v", e, rest, err)
	}
}

func TestOptionsOfIPv4StayInTheWholePacket(t *testing.T) {
	table := New(Limits{})
	first := frag4(0, true, a8)
	h := header.IPv4{TOS: 0x10, DF: true, MF: true, TTL: 9, Protocol: header.ProtocolUDP, Src: src4, Dst: dst4, Options: []byte(header.IPv4RouterAlert)}
	first.Header = h.Append(nil)
	_, _ = table.Input(start, key4, first)
	p, _ := table.Input(start, key4, frag4(8, false, "b"))
	var got header.IPv4
	if _, err := got.Parse(p.Bytes); err != nil || string(got.Options) != header.IPv4RouterAlert || got.TTL != 9 || !got.DF || got.MF {
		t.Errorf("%+v, %v", got, err)
	}
}

// DEF-14.
func TestAtomicFragmentsAreTakenApartFromOthers(t *testing.T) {
	table := New(Limits{})
	_, _ = table.Input(start, key6, frag6(0, true, a8))
	p, err := table.Input(start, key6, frag6(0, false, "atomic"))
	if err != nil || !p.Done() || payload(t, p) != "atomic" {
		t.Fatalf("not delivered: %v", err)
	}
	p, err = table.Input(start, key6, frag6(8, false, "b"))
	if err != nil || !p.Done() || payload(t, p) != a8+"b" {
		t.Errorf("the packet with the same identifier was disturbed: %v", err)
	}
}

func TestECN(t *testing.T) {
	const notECT, ect1, ect0, ce = 0, 1, 2, 3
	for _, tt := range []struct {
		first, second uint8
		want          uint8
		err           error
	}{
		{notECT, notECT, notECT, nil},
		{ect0, ect0, ect0, nil},
		{ect0, ect1, ect0, nil},
		{ect0, ce, ce, nil},
		{ce, ect1, ce, nil},
		{ce, ce, ce, nil},
		{notECT, ce, 0, ErrECN},
		{ect0, notECT, 0, ErrECN},
	} {
		for _, v := range []int{4, 6} {
			mark := func(f *Fragment, ecn uint8) *Fragment {
				if v == 6 {
					ecn <<= 4
				}
				f.Header[1] |= ecn
				return f
			}
			table := New(Limits{})
			key, f := version(v, 0, true, a8)
			_, _ = table.Input(start, key, mark(f, tt.first))
			_, f = version(v, 8, false, "b")
			p, err := table.Input(start, key, mark(f, tt.second))
			if !errors.Is(err, tt.err) || p.Done() != (tt.err == nil) || table.Len() != 0 {
				t.Errorf("IPv%d: %d and %d: %v", v, tt.first, tt.second, err)
			}
			if p.Done() && ecnOf(p.Bytes) != tt.want {
				t.Errorf("IPv%d: %d and %d: %d", v, tt.first, tt.second, ecnOf(p.Bytes))
			}
		}
	}
}

func TestBuffersAreReleased(t *testing.T) {
	table := New(Limits{})
	shared := buffer.Get(2000) // of a size that data fill by half
	f := frag4(0, true, strings.Repeat("a", 1480))
	f.Data, f.Buffer = append(shared.Bytes()[:0], f.Data...), shared
	_, _ = table.Input(start, key4, f)
	if !shared.Shared() {
		t.Error("a full buffer was copied")
	}
	large := buffer.Get(buffer.Large)
	f = frag4(1480, true, a8)
	f.Buffer = large
	_, _ = table.Input(start, key4, f)
	if large.Shared() {
		t.Error("eight bytes hold 64 KiB")
	}
	p, _ := table.Input(start, key4, frag4(1488, false, "c"))
	if !bytes.Equal(p.Bytes[20:], []byte(strings.Repeat("a", 1480)+a8+"c")) {
		t.Error("wrong bytes")
	}
	p.Buffer.Release()
	if shared.Shared() {
		t.Error("the fragment's buffer was not released")
	}
	shared.Release()
	large.Release()
}
