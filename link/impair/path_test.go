package impair

import (
	"math"
	"testing"
	"time"
)

const ms = time.Millisecond

func newPath(cfg Config) *path {
	p := new(path)
	p.configure(cfg, 0, true)
	return p
}

// kbit makes a byte take 8 us, so that 125 bytes take a millisecond.
const mbit = 1_000_000

func TestRateAndQueue(t *testing.T) {
	type packet struct {
		at      time.Duration
		length  int
		due     time.Duration // -1: dropped
		comment string
	}
	for _, tt := range []struct {
		name    string
		cfg     Config
		packets []packet
	}{
		{"no rate", Config{}, []packet{
			{0, 60000, 0, ""},
			{0, 60000, 0, "at once, too"},
		}},
		{"one after the other", Config{Rate: mbit}, []packet{
			{0, 125, 1 * ms, "leaves when its last bit is sent"},
			{0, 250, 3 * ms, "waits for the first"},
			{1 * ms, 125, 4 * ms, "waits for both"},
			{10 * ms, 125, 11 * ms, "finds the link free"},
		}},
		{"and then the delay", Config{Rate: mbit, Delay: 20 * ms}, []packet{
			{0, 125, 21 * ms, ""},
			{0, 125, 22 * ms, "on their way at the same time"},
		}},
		{"the queue is full", Config{Rate: mbit, Queue: 250}, []packet{
			{0, 125, 1 * ms, ""},
			{0, 125, 2 * ms, "125 bytes before it"},
			{0, 1, -1, "250 bytes wait"},
			{0, 125, -1, "and still do"},
			{1 * ms, 125, 3 * ms, "one is sent"},
			{1 * ms, 125, -1, "full again"},
			{1*ms + 500*time.Microsecond, 62, 3*ms + 496*time.Microsecond, "half of one is sent"},
		}},
		{"longer than the queue", Config{Rate: mbit, Queue: 100}, []packet{
			{0, 125, 1 * ms, "passes an idle link"},
			{0, 1, -1, "but nothing waits beyond the limit"},
			{1 * ms, 125, 2 * ms, "idle again"},
		}},
		{"the default queue", Config{Rate: mbit}, []packet{
			{0, 60000, 480 * ms, ""},
			{0, 1440000, 12000 * ms, "1.5 MB in all"},
			{0, 1, -1, ""},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPath(tt.cfg)
			for i, pk := range tt.packets {
				f := p.decide(pk.length, pk.at, 0)
				if pk.due < 0 && f.dropped != QueueFull || pk.due >= 0 && (f.dropped != 0 || f.due != pk.due) {
					t.Errorf("packet %d (%s): %v at %v, want %v", i, pk.comment, f.dropped, f.due, pk.due)
				}
			}
		})
	}
}

func TestRateIsExactInTheLongRun(t *testing.T) {
	for _, rate := range []int64{1, 9600, 1_000_003, 10 * mbit, 999_999_937, 400_000 * mbit} {
		var n narrow
		var sent time.Duration
		const packets, length = 10000, 61
		for range packets {
			sent, _ = n.pass(length, 0, rate, math.MaxInt)
		}
		want := float64(packets*length*8) / float64(rate)
		if got := sent.Seconds(); math.Abs(got-want) > 1e-9+want*1e-12 {
			t.Errorf("at %d bit/s: %v s, want %v", rate, got, want)
		}
	}
}

func TestDelayAndJitter(t *testing.T) {
	p := newPath(Config{Delay: 10 * ms, Jitter: 4 * ms})
	least, most, last := time.Hour, time.Duration(0), time.Duration(0)
	for i := range 10000 {
		now := time.Duration(i) * 100 * ms // far apart: nobody waits for the one ahead
		f := p.decide(100, now, 0)
		least, most = min(least, f.due-now), max(most, f.due-now)
	}
	if least < 6*ms || least > 6*ms+10*time.Microsecond || most > 14*ms || most < 14*ms-10*time.Microsecond {
		t.Errorf("delays from %v to %v, want 6ms to 14ms", least, most)
	}

	p = newPath(Config{Delay: 10 * ms, Jitter: 10 * ms})
	for i := range 1000 {
		f := p.decide(100, time.Duration(i)*ms, 0)
		if f.due < last {
			t.Fatalf("packet %d leaves at %v, before the one ahead at %v", i, f.due, last)
		}
		last = f.due
	}

	p = newPath(Config{Delay: ms, Jitter: time.Second})
	for range 100 {
		if f := p.decide(100, 5*time.Second, 0); f.due < 5*time.Second {
			t.Fatalf("left at %v, before it came", f.due)
		}
	}
}

func TestExtraDelayHoldsNobodyElseUp(t *testing.T) {
	p := newPath(Config{Delay: 10 * ms})
	first, second := p.decide(100, 0, 50*ms), p.decide(100, 1*ms, 0)
	if first.due != 60*ms || second.due != 11*ms {
		t.Errorf("due at %v and %v", first.due, second.due)
	}
}

// fates counts what becomes of n packets.
func fates(p *path, n int) (s Stats) {
	for range n {
		f := p.decide(100, 0, 0)
		s.count(f.dropped)
		if f.corrupt {
			s.Corrupted++
		}
		if f.duplicate {
			s.Duplicated++
		}
		if f.reorder {
			s.Reordered++
		}
	}
	return s
}

func TestProbabilities(t *testing.T) {
	const n = 100_000
	for _, p := range []float64{0, 0.001, 0.1, 0.5, 1} {
		s := fates(newPath(Config{Loss: p}), n)
		c := fates(newPath(Config{Corrupt: p, Duplicate: p, Reorder: p}), n)
		for name, got := range map[string]uint64{
			"lost": s.Lost, "corrupted": c.Corrupted, "duplicated": c.Duplicated, "reordered": c.Reordered,
		} {
			// Five standard deviations of a binomial distribution.
			want, bound := p*n, 5*math.Sqrt(n*p*(1-p))
			if math.Abs(float64(got)-want) > bound {
				t.Errorf("probability %v: %d %s, want %v +- %v", p, got, name, want, bound)
			}
		}
	}
}

func TestBursts(t *testing.T) {
	const n, loss, length = 1_000_000, 0.02, 5
	p := newPath(Config{Burst: Bursts(loss, length)})
	lost, bursts, before := 0, 0, false
	for range n {
		now := p.decide(100, 0, 0).dropped == LostBurst
		if now {
			lost++
			if !before {
				bursts++
			}
		}
		before = now
	}
	if got := float64(lost) / n; math.Abs(got-loss) > 0.001 {
		t.Errorf("lost %v, want %v", got, loss)
	}
	if got := float64(lost) / float64(bursts); math.Abs(got-length) > 0.2 {
		t.Errorf("bursts of %v packets, want %v", got, length)
	}
}

func TestBothStatesLose(t *testing.T) {
	s := fates(newPath(Config{Burst: GilbertElliott{ToBad: 0.5, ToGood: 0.5, LossGood: 0.1, LossBad: 0.3}}), 100_000)
	if got := float64(s.LostBurst) / 100_000; math.Abs(got-0.2) > 0.01 {
		t.Errorf("lost %v, want 0.2", got)
	}
}

func TestTheSameSeedIsTheSameFate(t *testing.T) {
	all := Config{
		Seed: 1, Loss: 0.1, Burst: Bursts(0.1, 3), Corrupt: 0.1, Duplicate: 0.1, Reorder: 0.1,
		Delay: 5 * ms, Jitter: 5 * ms, Rate: 100 * mbit,
	}
	other := all
	other.Seed = 2
	a, b, c := newPath(all), newPath(all), newPath(other)
	differ := false
	for i := range 1000 {
		now, length := time.Duration(i)*ms, 40+i
		x, y, z := a.decide(length, now, 0), b.decide(length, now, 0), c.decide(length, now, 0)
		if x != y {
			t.Fatalf("packet %d: %+v and %+v", i, x, y)
		}
		differ = differ || x != z
	}
	if !differ {
		t.Error("another seed makes no difference")
	}
}

func TestOneCauseDoesNotShiftAnother(t *testing.T) {
	some, more := newPath(Config{Loss: 0.2}), newPath(Config{Loss: 0.2, Corrupt: 0.5, Duplicate: 0.5, Jitter: ms, Burst: Bursts(0.5, 2)})
	for i := range 1000 {
		x, y := some.decide(100, 0, 0), more.decide(100, 0, 0)
		if (x.dropped == Lost) != (y.dropped == Lost) {
			t.Fatalf("packet %d: %v and %v", i, x.dropped, y.dropped)
		}
	}
}

func TestTheFlippedBitIsInThePacket(t *testing.T) {
	p := newPath(Config{Corrupt: 1})
	for length := range 100 {
		f := p.decide(length, 0, 0)
		if f.corrupt != (length > 0) || f.corrupt && (f.bit < 0 || f.bit >= length*8) {
			t.Fatalf("length %d: %+v", length, f)
		}
	}
}

func TestANewSeedBeginsAnew(t *testing.T) {
	p := newPath(Config{Seed: 1, Loss: 0.5})
	first := fates(p, 100)
	p.configure(Config{Seed: 1, Loss: 0.5, Delay: ms}, 0, false)
	second := fates(p, 100)
	p.configure(Config{Seed: 2, Loss: 0.5}, 0, false)
	p.configure(Config{Seed: 1, Loss: 0.5}, 0, false)
	if again := fates(p, 100); again != first || second == first {
		t.Errorf("lost %d, %d with the same seed, %d with the seed set again", first.Lost, second.Lost, again.Lost)
	}
}

func BenchmarkDecide(b *testing.B) {
	p := newPath(Config{Loss: 0.01, Delay: 20 * ms, Jitter: ms, Rate: 1000 * mbit})
	now := time.Duration(0)
	for b.Loop() {
		now += 12 * time.Microsecond
		p.decide(1500, now, 0)
	}
}
