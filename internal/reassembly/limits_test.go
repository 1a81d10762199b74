package reassembly

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"example.com/berth/internal/header"
)

// DEF-10.
func TestExpiry(t *testing.T) {
	table := New(Limits{})
	mustInput := func(key Key, f *Fragment) {
		t.Helper()
		if _, err := table.Input(start, key, f); err != nil {
			t.Fatal(err)
		}
	}
	second := key4
	second.ID = 8
	first := frag4(0, true, a8)
	mustInput(key4, first)
	mustInput(second, frag4(8, false, "b")) // without the first fragment: no message
	mustInput(key6, frag6(0, true, strings.Repeat("x", 1400)))
	if table.Deadline() != start+Timeout4 {
		t.Errorf("deadline %v", table.Deadline())
	}
	if expired := table.Expire(start + Timeout4 - 1); len(expired) != 0 || table.Len() != 3 {
		t.Errorf("too early: %v", expired)
	}
	// A late fragment does not lengthen the time.
	if _, err := table.Input(start+Timeout4-1, key4, frag4(8, true, b8)); err != nil {
		t.Fatal(err)
	}
	expired := table.Expire(start + Timeout4)
	if len(expired) != 1 || expired[0].Key != key4 || string(expired[0].Packet) != string(first.Header)+a8 {
		t.Errorf("IPv4: %v", expired)
	}
	if table.Deadline() != start+Timeout6 || table.Len() != 1 {
		t.Errorf("IPv6: deadline %v, %d left", table.Deadline(), table.Len())
	}
	expired = table.Expire(start + Timeout6)
	if len(expired) != 1 || len(expired[0].Packet) != 1232 || string(expired[0].Packet[48:52]) != "xxxx" {
		t.Errorf("IPv6: %v", expired)
	}
	if table.Counters().TimedOut != 3 || table.Bytes() != 0 || table.Deadline() != 0 {
		t.Errorf("%+v, %d bytes", table.Counters(), table.Bytes())
	}
}

// DEF-10.
func TestTooManyFragmentsEndThePacket(t *testing.T) {
	table := New(Limits{Fragments: 4})
	for i := range 4 {
		if _, err := table.Input(start, key4, frag4(16*i, true, a8)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := table.Input(start, key4, frag4(8, true, b8)); !errors.Is(err, ErrTooMany) || table.Len() != 0 {
		t.Errorf("%v, %d left", err, table.Len())
	}
	if table.Counters().TooMany != 1 || table.Bytes() != 0 {
		t.Errorf("%+v", table.Counters())
	}
}

// FragmentSmack: first fragments of packets that never become complete.
//
// DEF-10.
func TestAFloodOfFirstFragments(t *testing.T) {
	const flood = 100_000
	for _, tt := range []struct {
		name    string
		sources bool // each fragment from an address of its own
	}{
		{"one source", false},
		{"spoofed sources", true},
	} {
		table := New(Limits{})
		whole, most := 0, 0
		key := key4
		for i := range flood {
			key.ID = uint32(i & 0xffff)
			if tt.sources {
				key.Src = netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(i))))
			}
			_, _ = table.Input(start, key, frag4(0, true, a8))
			most = max(most, table.Bytes())
			// An honest packet's fragments come with a hundred of the flood's
			// between them.
			if i%100 == 0 {
				honest := Key{Src: addr("192.0.2.1"), Dst: dst4, ID: uint32(i / 200), Protocol: 17}
				f := frag4(0, true, a8)
				if i/100%2 == 1 {
					f = frag4(8, false, "b")
				}
				if p, _ := table.Input(start, honest, f); p.Done() {
					p.Buffer.Release()
					whole++
				}
			}
		}
		if most > 4<<20 {
			t.Errorf("%s: %d bytes held", tt.name, most)
		}
		if want := flood / 200; whole != want {
			t.Errorf("%s: %d of %d honest packets came through", tt.name, whole, want)
		}
		if n := len(table.sources); n > table.Len() {
			t.Errorf("%s: %d sources of %d packets", tt.name, n, table.Len())
		}
		c := table.Counters()
		if tt.sources && (c.Evicted == 0 || c.SourceLimit != 0) || !tt.sources && (c.Evicted != 0 || c.SourceLimit == 0) {
			t.Errorf("%s: %+v", tt.name, c)
		}
	}
}

func TestAPacketLargerThanAllLimitsGoesItself(t *testing.T) {
	for _, limits := range []Limits{{Bytes: 2000}, {Bytes: 1 << 20, SourceBytes: 2000}} {
		table := New(limits)
		_, _ = table.Input(start, key4, frag4(0, true, strings.Repeat("a", 4000)))
		if table.Len() != 0 || table.Bytes() != 0 {
			t.Errorf("%+v: %d packets, %d bytes", limits, table.Len(), table.Bytes())
		}
	}
}

func TestTheOldestOfBothVersionsGoesFirst(t *testing.T) {
	cost := packetOverhead + 48 + fragmentOverhead + 8
	table := New(Limits{Bytes: 3 * cost, SourceBytes: 3 * cost})
	ids := func() (v4, v6 []uint32) {
		for p := table.ages[0].first; p != nil; p = p.links[byFamily].younger {
			v4 = append(v4, p.key.ID)
		}
		for p := table.ages[1].first; p != nil; p = p.links[byFamily].younger {
			v6 = append(v6, p.key.ID)
		}
		return v4, v6
	}
	for i, v := range []int{6, 4, 6, 4, 4, 6} {
		key, f := version(v, 0, true, a8)
		key.ID = uint32(i)
		_, _ = table.Input(start+1+timeOf(i), key, f)
	}
	v4, v6 := ids()
	if len(v4) != 2 || v4[0] != 3 || v4[1] != 4 || len(v6) != 1 || v6[0] != 5 {
		t.Errorf("left: IPv4 %v, IPv6 %v", v4, v6)
	}
}

func TestAllocationsDoNotGrowWithThePayload(t *testing.T) {
	table := New(Limits{})
	first, last := frag4(0, true, strings.Repeat("a", 1480)), frag4(1480, false, "b")
	n := testing.AllocsPerRun(100, func() {
		_, _ = table.Input(start, key4, first)
		p, err := table.Input(start, key4, last)
		if err != nil || !p.Done() {
			t.Fatal(err)
		}
		p.Buffer.Release()
	})
	// The packet, its source, its header, and the copy of what fills no block;
	// and what the race detector keeps from the pools.
	if n > 6 {
		t.Errorf("%v allocations a packet", n)
	}
}

func BenchmarkReassembly(b *testing.B) {
	table := New(Limits{})
	var frags []*Fragment
	for c := range Split(8192, Room(1500, header.IPv4MinLen)) {
		frags = append(frags, frag4(c.Offset, c.More, strings.Repeat("x", c.Len())))
	}
	b.SetBytes(8192)
	b.ReportAllocs()
	for range b.N {
		for _, f := range frags {
			if p, _ := table.Input(start, key4, f); p.Done() {
				p.Buffer.Release()
			}
		}
	}
}
