package impair_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"example.com/berth/link"
	"example.com/berth/link/impair"
)

// lines are configs whose cost is of interest.
var lines = []struct {
	name string
	cfg  impair.Config
}{
	{"nothing", impair.Config{}},
	{"delay", impair.Config{Delay: 20 * ms}},
	{"loss", impair.Config{Delay: 20 * ms, Loss: 0.01}},
	{"rate", impair.Config{Delay: 20 * ms, Rate: 1e9}},
	{"CoDel", impair.Config{Delay: 20 * ms, Rate: 1e9, AQM: impair.AQM{CoDel: true}}},
	{"all", impair.Config{
		Delay: 20 * ms, Jitter: ms, Rate: 1e9, AQM: impair.AQM{CoDel: true, ECN: true, MarkAt: 1e6},
		Loss: 0.01, Burst: impair.Bursts(0.01, 3), Duplicate: 0.01, Reorder: 0.01,
	}},
}

// pump returns a function that pushes a packet each 12 us, the time of 1500
// bytes at 1 Gbit/s, and takes what leaves.
func pump(l *impair.Line) func() {
	b := link.NewBuffer(1500)
	frames := []link.Frame{{Head: make([]byte, 54), Payload: b.Bytes()[:1446], Buffer: b}}
	batch := make([]*link.Kept, 0, 16)
	now := time.Duration(0)
	return func() {
		for {
			at, ok := l.Next()
			if !ok || at > now {
				break
			}
			batch = l.Take(at, batch[:0])
			for _, k := range batch {
				k.Release()
			}
		}
		l.Push(now, frames)
		now += 12 * time.Microsecond
	}
}

func TestALineDoesNotAllocate(t *testing.T) {
	for _, tt := range lines {
		if tt.name == "all" {
			continue // its remarks do
		}
		step := pump(newLine(t, tt.cfg))
		for range 5000 {
			step()
		}
		if n := testing.AllocsPerRun(1000, step); n > 0 {
			t.Errorf("%s: %v allocations a packet", tt.name, n)
		}
	}
}

func BenchmarkLine(b *testing.B) {
	for _, tt := range lines {
		b.Run(tt.name, func(b *testing.B) {
			step := pump(newLine(b, tt.cfg))
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
		})
	}
}

func BenchmarkRule(b *testing.B) {
	f := link.Frame{Payload: segment(4, "SA", 0)}
	for name, r := range map[string]impair.Rule{
		"one":   impair.Drop(impair.Nth(3, impair.TCPFlags("SA"))),
		"three": impair.Rules(slices.Repeat([]impair.Rule{impair.Drop(impair.Port(9))}, 3)...),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r(0, &f)
			}
		})
	}
}

// Next is asked for often: its cost does not grow with what is on its way.
func BenchmarkNext(b *testing.B) {
	for _, n := range []int{10, 100000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l := newLine(b, impair.Config{Delay: time.Second, Rate: 1e9, Queue: 1 << 30})
			for range n {
				l.Push(0, texts("x"))
			}
			for b.Loop() {
				l.Next()
			}
			l.Clear()
		})
	}
}
