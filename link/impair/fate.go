package impair

import (
	"math/rand/v2"
	"time"
)

// fates draws what chance does to packets. It draws the same number of random
// values for each, whatever is switched on.
type fates struct {
	rng     rand.PCG
	stream  uint64 // of the random values of one seed
	bad     bool   // the state of Gilbert and Elliott
	undrawn uint64 // values of packets that chance had nothing to do with
}

// values is how many random values a packet takes.
const values = 8

// A fate is what chance does to one packet, if it gets so far.
type fate struct {
	lost, burst, corrupt, duplicate, reorder bool

	bit    int           // which one is flipped
	flight time.Duration // the delay with its jitter
}

// seed begins anew.
func (s *fates) seed(seed, stream uint64) {
	*s = fates{rng: *rand.NewPCG(seed, stream), stream: stream}
}

// next is the next random value, from 0 to below 1.
func (s *fates) next() float64 { return float64(s.rng.Uint64()>>11) / (1 << 53) }

// skip passes over what n packets would draw.
func (s *fates) skip(n int) { s.undrawn += values * uint64(n) }

// draw draws for a packet of length bytes.
func (s *fates) draw(cfg *Config, length int) (f fate) {
	if !cfg.random() {
		s.skip(1)
		return fate{flight: cfg.Delay}
	}
	for ; s.undrawn > 0; s.undrawn-- {
		s.rng.Uint64()
	}
	f.lost = s.next() < cfg.Loss
	f.burst = s.burst(&cfg.Burst, s.next(), s.next())
	f.corrupt = s.next() < cfg.Corrupt && length > 0
	f.bit = int(s.next() * float64(length*8))
	f.duplicate = s.next() < cfg.Duplicate
	f.reorder = s.next() < cfg.Reorder
	jitter := time.Duration(float64(cfg.Jitter) * (2*s.next() - 1))
	f.flight = max(0, cfg.Delay+jitter)
	return f
}

// burst moves between the states and tells whether the packet is lost.
func (s *fates) burst(ge *GilbertElliott, state, lost float64) bool {
	change := ge.ToBad
	if s.bad {
		change = ge.ToGood
	}
	if state < change {
		s.bad = !s.bad
	}
	if s.bad {
		return lost < ge.LossBad
	}
	return lost < ge.LossGood
}
