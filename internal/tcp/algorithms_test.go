package tcp

import (
	"fmt"
	"math/rand/v2"
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
	stalls     time.Duration // how long each end is kept waiting, once in 10 ms; the mean
}

// channel returns a channel over the path, whose side 0 has the algorithm.
func (p path) channel(t testing.TB, seed uint64, a *Algorithm) *channel {
	ch := newChannel(t, seed)
	ch.rate, ch.delay, ch.loss = p.rate, p.rtt/2, p.loss
	if ch.queue = p.queue; p.queue == 0 {
		ch.queue = p.rtt
	}
	ch.ends[0].p.Algorithms = []*Algorithm{a}
	if p.stalls > 0 {
		ch.stall = stalls(seed, p.stalls)
	}
	return ch
}

// stalls is a machine that has other work to do: in each 10 ms it begins at random
// to keep its users waiting, for a time with that mean, but no longer than 10 ms.
func stalls(seed uint64, mean time.Duration) func(side int, at time.Duration) time.Duration {
	const every = 10 * time.Millisecond
	return func(side int, at time.Duration) time.Duration {
		for n := at/every - 1; n <= at/every; n++ {
			r := rand.New(rand.NewPCG(seed<<1|uint64(side), uint64(n)))
			from := n*every + time.Duration(r.Int64N(int64(every)))
			to := from + min(time.Duration(r.ExpFloat64()*float64(mean)), every)
			if at >= from && at < to {
				at = to
			}
		}
		return at
	}
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
	for _, a := range []*Algorithm{cubicAlgorithm, renoAlgorithm, bbrAlgorithm} {
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

// What a transfer reaches when its beginning is over: 96 % of the link are
// payload.
func TestCleanPathIsFilled(t *testing.T) {
	if raceEnabled {
		t.Skip("slow under the race detector, and races are not what it looks for")
	}
	for _, a := range []*Algorithm{cubicAlgorithm, renoAlgorithm} {
		p := path{rate: 25_000_000, rtt: 20 * time.Millisecond}
		if got := p.share(t, 2*time.Second, 3*time.Second, a)[0]; got < 0.94*200 {
			t.Errorf("%s: %.1f of 200 Mbit/s", a.Name, got)
		}
	}
}

// A larger buffer at either end never makes a transfer slower.
func TestLargerBuffersAreNotSlower(t *testing.T) {
	if raceEnabled {
		t.Skip("slow under the race detector, and races are not what it looks for")
	}
	measure := func(size int, limits func(*Params) *BufferLimits, end int) float64 {
		p := path{rate: 12_500_000, rtt: 20 * time.Millisecond, queue: 100 * time.Millisecond}
		ch := p.channel(t, 1, cubicAlgorithm)
		*limits(ch.ends[end].p) = BufferLimits{4 << 10, size, size}
		ch.ends[0].send = 8 << 20
		start := ch.now
		ch.connect(1500, 0)
		for ch.ends[1].c == nil || !ch.ends[1].eof {
			if !ch.step() {
				t.Fatal(ch.describe())
			}
		}
		return float64(ch.ends[0].send) * 8 / (ch.now - start).Seconds() / 1e6
	}
	for name, f := range map[string]func(size int) float64{
		"send":    func(n int) float64 { return measure(n, func(p *Params) *BufferLimits { return &p.SndBuf }, 0) },
		"receive": func(n int) float64 { return measure(n, func(p *Params) *BufferLimits { return &p.RcvBuf }, 1) },
	} {
		last := 0.0
		for size := 32 << 10; size <= 4<<20; size *= 2 {
			got := f(size)
			if got < 0.97*last {
				t.Errorf("a %s buffer of %d KiB: %.1f Mbit/s, one of half the size %.1f", name, size>>10, got, last)
			}
			last = got
		}
	}
}

// Buffers of 8 MiB that the user asks for are not slower than those that grow by
// themselves. The queue is one round trip, which larger buffers may fill sooner, and a
// loss more or less is chance: so a few percent are allowed.
func TestBuffersOfTheUserAreNotSlower(t *testing.T) {
	if raceEnabled {
		t.Skip("slow under the race detector, and races are not what it looks for")
	}
	for _, a := range []*Algorithm{cubicAlgorithm, bbrAlgorithm} {
		for _, rtt := range []time.Duration{20 * time.Millisecond, 100 * time.Millisecond} {
			measure := func(buffers int) float64 {
				p := path{rate: 25_000_000, rtt: rtt}
				ch := p.channel(t, 1, a)
				for _, e := range ch.ends {
					e.p.Options.RcvBuf, e.p.Options.SndBuf = buffers, buffers
				}
				ch.ends[0].send = 16 << 20
				start := ch.now
				ch.connect(1500, 0)
				for ch.ends[1].c == nil || !ch.ends[1].eof {
					if !ch.step() {
						t.Fatal(ch.describe())
					}
				}
				return float64(ch.ends[0].send) * 8 / (ch.now - start).Seconds() / 1e6
			}
			usual, large := measure(0), measure(8<<20)
			t.Logf("%s, %v: %.1f Mbit/s with the usual buffers, %.1f with those of 8 MiB", a.Name, rtt, usual, large)
			if large < 0.97*usual {
				t.Errorf("%s, %v: %.1f Mbit/s with the usual buffers, %.1f with those of 8 MiB", a.Name, rtt, usual, large)
			}
		}
	}
}
