package impair

import (
	"math"
	"testing"
	"time"
)

const ms = time.Millisecond

// chance draws what becomes of packets.
type chance struct {
	fates
	cfg Config
}

func newChance(cfg Config) *chance {
	c := &chance{cfg: cfg}
	c.seed(cfg.Seed, 0)
	return c
}

func (c *chance) packet(length int) fate { return c.draw(&c.cfg, length) }

// tally counts what becomes of n packets.
func tally(c *chance, n int) (s Stats) {
	for range n {
		f := c.packet(100)
		for _, x := range []struct {
			happens bool
			cause   Cause
		}{
			{f.lost, Lost}, {f.burst, LostBurst}, {f.corrupt, Corrupted}, {f.duplicate, Duplicated}, {f.reorder, Reordered},
		} {
			if x.happens {
				s.count(x.cause)
			}
		}
	}
	return s
}

func TestProbabilities(t *testing.T) {
	const n = 100_000
	for _, p := range []float64{0, 0.001, 0.1, 0.5, 1} {
		s := tally(newChance(Config{Loss: p}), n)
		c := tally(newChance(Config{Corrupt: p, Duplicate: p, Reorder: p}), n)
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
	p := newChance(Config{Burst: Bursts(loss, length)})
	lost, bursts, before := 0, 0, false
	for range n {
		now := p.packet(100).burst
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
	s := tally(newChance(Config{Burst: GilbertElliott{ToBad: 0.5, ToGood: 0.5, LossGood: 0.1, LossBad: 0.3}}), 100_000)
	if got := float64(s.LostBurst) / 100_000; math.Abs(got-0.2) > 0.01 {
		t.Errorf("lost %v, want 0.2", got)
	}
}

func TestTheSameSeedIsTheSameFate(t *testing.T) {
	all := Config{
		Seed: 1, Loss: 0.1, Burst: Bursts(0.1, 3), Corrupt: 0.1, Duplicate: 0.1, Reorder: 0.1,
		Delay: 5 * ms, Jitter: 5 * ms,
	}
	other := all
	other.Seed = 2
	a, b, c := newChance(all), newChance(all), newChance(other)
	differ := false
	for i := range 1000 {
		length := 40 + i
		x, y, z := a.packet(length), b.packet(length), c.packet(length)
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
	some, more := newChance(Config{Loss: 0.2}), newChance(Config{Loss: 0.2, Corrupt: 0.5, Duplicate: 0.5, Jitter: ms, Burst: Bursts(0.5, 2)})
	for i := range 1000 {
		if x, y := some.packet(100), more.packet(100); x.lost != y.lost {
			t.Fatalf("packet %d: %v and %v", i, x, y)
		}
	}
}

func TestTheFlippedBitIsInThePacket(t *testing.T) {
	p := newChance(Config{Corrupt: 1})
	for length := range 100 {
		f := p.packet(length)
		if f.corrupt != (length > 0) || f.corrupt && (f.bit < 0 || f.bit >= length*8) {
			t.Fatalf("length %d: %+v", length, f)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	p := newChance(Config{Loss: 0.01, Delay: 20 * ms, Jitter: ms})
	for b.Loop() {
		p.packet(1500)
	}
}
