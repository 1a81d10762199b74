package impair

import (
	"math/rand/v2"
	"time"
)

// A path is one direction of an impaired link as a pure function: what becomes
// of a packet depends on what came before, its length, and the time.
type path struct {
	cfg    Config
	stream uint64 // of the random values of one seed
	rng    rand.PCG
	bad    bool // the state of Gilbert and Elliott
	narrow narrow
	last   time.Duration // when the latest packet leaves that was not reordered
}

// A fate is what becomes of one packet.
type fate struct {
	dropped   Cause // or 0, and then:
	due       time.Duration
	duplicate bool
	corrupt   bool
	bit       int  // which one is flipped
	reorder   bool // leave after some others have
}

func (p *path) configure(cfg Config, stream uint64, first bool) {
	if first || cfg.Seed != p.cfg.Seed {
		p.rng = *rand.NewPCG(cfg.Seed, stream)
		p.bad = false
	}
	p.cfg, p.stream = cfg, stream
}

// clear forgets what is on its way.
func (p *path) clear() { p.narrow, p.last = narrow{}, 0 }

// chances are the random values of one packet. All are drawn for each.
type chances struct {
	loss, state, burst, corrupt, bit, duplicate, reorder, jitter float64
}

func (p *path) draw() chances {
	next := func() float64 { return float64(p.rng.Uint64()>>11) / (1 << 53) } // [0, 1)
	return chances{next(), next(), next(), next(), next(), next(), next(), next()}
}

// decide decides about a packet of length bytes that comes at now, and that a
// rule delays by extra.
func (p *path) decide(length int, now, extra time.Duration) (f fate) {
	c := p.draw()
	sent, ok := p.narrow.pass(length, now, p.cfg.Rate, p.cfg.queue())
	switch {
	case !ok:
		f.dropped = QueueFull
		return f
	case c.loss < p.cfg.Loss:
		f.dropped = Lost
		return f
	case p.burst(c):
		f.dropped = LostBurst
		return f
	}
	f.corrupt, f.bit = c.corrupt < p.cfg.Corrupt && length > 0, int(c.bit*float64(length*8))
	f.duplicate = c.duplicate < p.cfg.Duplicate
	f.reorder = c.reorder < p.cfg.Reorder

	jitter := time.Duration(float64(p.cfg.Jitter) * (2*c.jitter - 1))
	f.due = sent + max(0, p.cfg.Delay+jitter)
	if extra > 0 || f.reorder {
		f.due += extra
		return f
	}
	f.due = max(f.due, p.last)
	p.last = f.due
	return f
}

// burst moves between the states and tells whether the packet is lost.
func (p *path) burst(c chances) bool {
	ge := &p.cfg.Burst
	change, loss := ge.ToBad, ge.LossGood
	if p.bad {
		change = ge.ToGood
	}
	if c.state < change {
		p.bad = !p.bad
	}
	if p.bad {
		loss = ge.LossBad
	}
	return c.burst < loss
}

func (c *Config) queue() int {
	if c.Queue == 0 {
		return defaultQueue
	}
	return c.Queue
}

func (c *Config) gap() int {
	if c.ReorderGap == 0 {
		return defaultGap
	}
	return c.ReorderGap
}

func (c *Config) hold() time.Duration {
	if c.ReorderHold == 0 {
		return defaultHold
	}
	return c.ReorderHold
}
