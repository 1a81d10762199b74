package impair

import (
	"errors"
	"fmt"
	"time"
)

// Config is what happens to packets in one direction. The zero value does
// nothing. Probabilities are from 0 to 1.
type Config struct {
	// Seed repeats a run. Zero is a seed like any other.
	Seed uint64

	// Rule, if not nil, sees each packet first.
	Rule Rule

	// Rate is the rate of the link in bits a second; 0 has no limit. Only the
	// bytes of frames count: no preamble, gap or trailer of Ethernet.
	Rate int64
	// Trace, if not nil, is the link's rate as it was recorded, in place of
	// Rate. It begins at time 0: when the device was made.
	Trace *Trace
	// Queue is how many bytes may wait for the link; one packet may always be
	// in transmission. 0 stands for 1000 packets of 1500 bytes.
	Queue int
	// AQM manages that queue. The zero value is drop-tail.
	AQM AQM

	// Loss is the probability that a packet is lost.
	Loss float64
	// Burst loses packets that are close to each other.
	Burst GilbertElliott
	// Corrupt is the probability that one bit of a packet is flipped.
	Corrupt float64
	// Duplicate is the probability that a packet arrives twice.
	Duplicate float64

	// Reorder is the probability that a packet is held back until ReorderGap
	// others have overtaken it (0 stands for 1), or for ReorderHold if fewer
	// come (0 stands for 10 ms).
	Reorder     float64
	ReorderGap  int
	ReorderHold time.Duration

	// Delay is how long a packet is on its way.
	Delay time.Duration
	// Jitter varies that evenly between Delay-Jitter, but not below 0, and
	// Delay+Jitter.
	Jitter time.Duration

	// Observe, if not nil, is told of each packet that is dropped or changed.
	// It is called in order, by one goroutine at a time in each direction, must
	// not block, and must not call the device.
	Observe func(Event)

	// Pardon, if not nil, is asked before chance does something to a packet:
	// Lost, LostBurst, Corrupted, Duplicated or Reordered. True lets the packet
	// off. What happens to other packets does not change, so that the faults of
	// a run can be removed one by one. It is called as Observe is, and should
	// give the same answer to the same question.
	Pardon func(packet uint64, c Cause) bool
}

// GilbertElliott loses packets in bursts: the link is in a good or a bad state,
// and each state has its own probability of loss (Gilbert 1960, Elliott 1963).
// It begins in the good state; the zero value stays there and loses nothing.
type GilbertElliott struct {
	ToBad, ToGood     float64 // probabilities of a change with each packet
	LossGood, LossBad float64 // probabilities of loss in each state
}

// Bursts returns the model that loses the given share of all packets in bursts
// of the given mean length in packets.
func Bursts(loss, length float64) GilbertElliott {
	toGood := 1 / length
	return GilbertElliott{ToBad: loss * toGood / (1 - loss), ToGood: toGood, LossBad: 1}
}

const (
	defaultQueue = 1000 * 1500
	defaultGap   = 1
	defaultHold  = 10 * time.Millisecond
)

// Validate says which field cannot be, and why.
func (c *Config) Validate() error {
	for _, p := range []struct {
		name  string
		value float64
	}{
		{"Loss", c.Loss},
		{"Burst.ToBad", c.Burst.ToBad},
		{"Burst.ToGood", c.Burst.ToGood},
		{"Burst.LossGood", c.Burst.LossGood},
		{"Burst.LossBad", c.Burst.LossBad},
		{"Corrupt", c.Corrupt},
		{"Duplicate", c.Duplicate},
		{"Reorder", c.Reorder},
	} {
		if !(p.value >= 0 && p.value <= 1) { // NaN is neither
			return fmt.Errorf("impair: %s is %v: a probability is from 0 to 1", p.name, p.value)
		}
	}
	for _, n := range []struct {
		name     string
		negative bool
		value    any
	}{
		{"Rate", c.Rate < 0, c.Rate},
		{"Queue", c.Queue < 0, c.Queue},
		{"ReorderGap", c.ReorderGap < 0, c.ReorderGap},
		{"ReorderHold", c.ReorderHold < 0, c.ReorderHold},
		{"Delay", c.Delay < 0, c.Delay},
		{"Jitter", c.Jitter < 0, c.Jitter},
		{"AQM.Target", c.AQM.Target < 0, c.AQM.Target},
		{"AQM.Interval", c.AQM.Interval < 0, c.AQM.Interval},
		{"AQM.MarkAt", c.AQM.MarkAt < 0, c.AQM.MarkAt},
		{"AQM.MarkAfter", c.AQM.MarkAfter < 0, c.AQM.MarkAfter},
	} {
		if n.negative {
			return fmt.Errorf("impair: %s is %v: it cannot be negative", n.name, n.value)
		}
	}
	switch {
	case c.Trace != nil && c.Rate != 0:
		return errors.New("impair: Rate and Trace are both set: a link has one of them")
	case c.Trace != nil && len(c.Trace.at) == 0:
		return errors.New("impair: Trace is empty: ParseTrace makes one")
	case c.AQM.ECN && !c.AQM.CoDel:
		return errors.New("impair: AQM.ECN is set without AQM.CoDel: nothing would be marked")
	}
	return nil
}

// transparent tells whether the config does nothing.
func (c *Config) transparent() bool { return c.Delay == 0 && !c.perPacket() }

// perPacket tells whether packets may have different fates, so that large
// frames must be cut.
func (c *Config) perPacket() bool {
	return c.Rule != nil || c.Rate > 0 || c.Trace != nil || c.random()
}

// random tells whether chance has a part in it.
func (c *Config) random() bool {
	return c.Loss > 0 || c.Burst != GilbertElliott{} || c.Corrupt > 0 || c.Duplicate > 0 ||
		c.Reorder > 0 || c.Jitter > 0
}

// looksInside tells whether the bytes of packets matter, so that they must be
// complete.
func (c *Config) looksInside() bool { return c.Rule != nil || c.Corrupt > 0 }

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
