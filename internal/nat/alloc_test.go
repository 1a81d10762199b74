package nat

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"example.com/berth/internal/header"
)

// flow returns a table with a mapping, a packet that goes out through it and one
// that comes in.
func flow(tb testing.TB, name string, b Behavior) (t *Table, out, in []byte) {
	tb.Helper()
	t, err := New(Config{Behavior: b, External: []netip.Addr{external}, InboundRefresh: true})
	if err != nil {
		tb.Fatal(err)
	}
	out = packets[name](ap(alice), ap(server))
	seen := append([]byte(nil), out...)
	if v := t.Out(1, seen); v.Action != Pass {
		tb.Fatal(v)
	}
	src, _ := ends(seen)
	switch name {
	case "udp":
		in = udp(ap(server), src, "answer")
	case "tcp":
		in = tcp(ap(server), src, header.SYN|header.ACK)
	default:
		in = pong(ap(server).Addr(), src)
	}
	return t, out, in
}

func TestNoAllocs(t *testing.T) {
	b := make([]byte, 1500)
	for name := range packets {
		for _, preset := range presets {
			table, out, in := flow(t, name, preset)
			if n := testing.AllocsPerRun(100, func() {
				table.Out(2, b[:copy(b, out)])
				table.In(2, b[:copy(b, in)])
			}); n != 0 {
				t.Errorf("%s, %v: %v allocations", name, preset, n)
			}
		}
	}
	table, out, _ := flow(t, "udp", Symmetric)
	table.Out(2, out)
	e := unreachable(router, out, 28)
	if n := testing.AllocsPerRun(100, func() {
		if v := table.In(2, b[:copy(b, e)]); v.Action != Pass {
			t.Fatal(v)
		}
	}); n != 0 {
		t.Errorf("error: %v allocations", n)
	}
}

func BenchmarkOut(b *testing.B) {
	for _, preset := range presets {
		b.Run(preset.String(), func(b *testing.B) {
			table, out, _ := flow(b, "tcp", preset)
			p := make([]byte, len(out))
			b.ReportAllocs()
			for b.Loop() {
				table.Out(2, p[:copy(p, out)])
			}
		})
	}
}

// BenchmarkNewMapping is a table that is full, each packet another host's.
func BenchmarkNewMapping(b *testing.B) {
	table, err := New(Config{External: []netip.Addr{external}, Random: rand.New(rand.NewPCG(1, 2)).Uint64})
	if err != nil {
		b.Fatal(err)
	}
	out := udp(ap(alice), ap(server), "")
	p := make([]byte, len(out))
	b.ReportAllocs()
	for i := uint32(0); b.Loop(); i++ {
		copy(p, out)
		binary.BigEndian.PutUint32(p[12:], 10<<24|i%(1<<24))
		p[10], p[11] = 0, 0
		binary.BigEndian.PutUint16(p[10:], header.Fold(header.Sum(p[:20], 0)))
		if v := table.Out(2, p); v.Action != Pass {
			b.Fatal(v)
		}
	}
}
