package tcp

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// A path is a network to measure an algorithm on. The queue before the
// bottleneck holds queue, or one round trip if that is 0.
type path struct {
	rate       int // bytes a second
	rtt, queue time.Duration
	loss       float64
}

// channel returns a channel over the path, whose side 0 has the algorithm.
func (p path) channel(t testing.TB, seed uint64, a *Algorithm) *channel {
	ch := newChannel(t, seed)
	ch.rate, ch.delay, ch.loss = p.rate, p.rtt/2, p.loss
	if ch.queue = p.queue; p.queue == 0 {
		ch.queue = p.rtt
	}
	ch.ends[0].p.Algorithms = []*Algorithm{a}
	return ch
}

// goodput returns the Mbit/s that reach the reader of a transfer of size bytes.
func (p path) goodput(t testing.TB, seed uint64, a *Algorithm, size int) float64 {
	ch := p.channel(t, seed, a)
	ch.ends[0].send = size
	start := ch.now
	ch.connect(1500, 0)
	for ch.ends[1].c == nil || !ch.ends[1].eof {
		if !ch.step() {
			t.Fatal(ch.describe())
		}
	}
	return float64(size) * 8 / (ch.now - start).Seconds() / 1e6
}

// TestGoodputOfAlgorithms is TestGoodput for each algorithm, on a faster path.
func TestGoodputOfAlgorithms(t *testing.T) {
	if raceEnabled {
		t.Skip("slow under the race detector, and races are not what it looks for")
	}
	const golden, size = "testdata/algorithms.txt", 32 << 20
	var b strings.Builder
	fmt.Fprintf(&b, "Goodput in Mbit/s of 32 MiB over 200 Mbit/s with a queue of one round trip.\n\n%-10s%8s%10s%10s\n", "", "loss", "20ms", "100ms")
	for _, a := range []*Algorithm{cubicAlgorithm, renoAlgorithm} {
		for _, loss := range []float64{0, 0.001, 0.01} {
			fmt.Fprintf(&b, "%-10s%7.1f%%", a.Name, loss*100)
			for _, rtt := range []time.Duration{20 * time.Millisecond, 100 * time.Millisecond} {
				p := path{rate: 25_000_000, rtt: rtt, loss: loss}
				fmt.Fprintf(&b, "%10.1f", p.goodput(t, 1, a, size))
			}
			fmt.Fprintln(&b)
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("go test -run TestGoodputOfAlgorithms -update writes\n%s\nwas\n%s", &b, want)
	}
}
