package neighbor

import (
	"time"

	"example.com/berth/internal/lean"
)

// Config says how a table behaves. A zero field takes the default named at it.
type Config struct {
	// ReachableTime is the base of the time for which a confirmation holds: 30 s
	// (RFC 4861 section 10). The time itself is chosen between half and one and
	// a half of it.
	ReachableTime time.Duration
	// RetransTimer is the time between solicitations: 1 s.
	RetransTimer time.Duration
	// DelayFirstProbe is how long DELAY waits for a confirmation: 5 s.
	DelayFirstProbe time.Duration
	// MaxUnicastSolicit and MaxMulticastSolicit are how often a neighbor is
	// asked: 3.
	MaxUnicastSolicit, MaxMulticastSolicit int
	// BackoffMultiple lengthens the time between the solicitations to an
	// UNREACHABLE neighbor, up to MaxRetransTimer: 3 and 60 s (RFC 7048
	// section 4).
	BackoffMultiple int
	MaxRetransTimer time.Duration
	// FailedTime is how long a neighbor that did not answer is shown: 30 s.
	FailedTime time.Duration

	// MaxEntries bounds the table: 1024.
	MaxEntries int
	// MaxIncomplete bounds the neighbors that are asked for at a time: half of
	// MaxEntries.
	MaxIncomplete int
	// MaxPending and MaxPendingBytes bound the packets that wait for one
	// neighbor: 64 and 128 KiB. One packet may always wait.
	MaxPending, MaxPendingBytes int
	// MaxTotalBytes bounds the packets that wait in the table: 1 MiB.
	MaxTotalBytes int
	// SolicitRate and SolicitBurst bound the solicitations that are sent to all
	// the link to find a neighbor: 256 a second, and 256 at once.
	SolicitRate, SolicitBurst int

	// LearnUnsolicited makes an entry for a neighbor that announces itself:
	// what a router does (RFC 9131 section 6.1.2), and not a host.
	LearnUnsolicited bool
	// Rand gives random bits for ReachableTime; nil leaves it at its base.
	Rand func() uint64
}

// rerollTime is how long one random ReachableTime is used: "a few hours"
// (RFC 4861 section 6.3.4).
const rerollTime = 2 * time.Hour

// lockTime is how long after an ARP reply another one with another link-layer
// address is taken for a late second answer and ignored (Linux's locktime).
const lockTime = time.Second

// The range of what a router may set (SetTimers): the upper bound is RFC 4861's
// for ReachableTime, the lower ones keep a forged advertisement from making the
// interface ask all the time.
const (
	minRetransTimer  = 10 * time.Millisecond
	minReachableTime = 100 * time.Millisecond
	maxAdvertised    = time.Hour
)

func (c Config) withDefaults() Config {
	c.ReachableTime = lean.Or(c.ReachableTime, 30*time.Second)
	c.RetransTimer = lean.Or(c.RetransTimer, time.Second)
	c.DelayFirstProbe = lean.Or(c.DelayFirstProbe, 5*time.Second)
	c.MaxUnicastSolicit = lean.Or(c.MaxUnicastSolicit, 3)
	c.MaxMulticastSolicit = lean.Or(c.MaxMulticastSolicit, 3)
	c.BackoffMultiple = lean.Or(c.BackoffMultiple, 3)
	c.MaxRetransTimer = lean.Or(c.MaxRetransTimer, time.Minute)
	c.FailedTime = lean.Or(c.FailedTime, 30*time.Second)
	c.MaxEntries = lean.Or(c.MaxEntries, 1024)
	c.MaxIncomplete = lean.Or(c.MaxIncomplete, max(c.MaxEntries/2, 1))
	c.MaxPending = lean.Or(c.MaxPending, 64)
	c.MaxPendingBytes = lean.Or(c.MaxPendingBytes, 128<<10)
	c.MaxTotalBytes = lean.Or(c.MaxTotalBytes, 1<<20)
	c.SolicitRate = lean.Or(c.SolicitRate, 256)
	c.SolicitBurst = lean.Or(c.SolicitBurst, 256)
	return c
}

// SetTimers takes the Reachable Time and the Retrans Timer of a router
// advertisement; zero leaves a value as it is (RFC 4861 section 6.3.4).
func (t *Table[P]) SetTimers(reachable, retrans time.Duration) {
	if reachable > 0 {
		base := min(max(reachable, minReachableTime), maxAdvertised)
		if base != t.cfg.ReachableTime {
			t.cfg.ReachableTime = base
			t.reroll = 0
		}
	}
	if retrans > 0 {
		t.cfg.RetransTimer = min(max(retrans, minRetransTimer), maxAdvertised)
	}
}

// reachableTime gives the random time for which a confirmation holds, uniformly
// between half and one and a half of the base.
// It is called seldom, and too much to have a copy at every call.
//
//go:noinline
func (t *Table[P]) reachableTime(now time.Duration) time.Duration {
	if t.reroll == 0 || now >= t.reroll {
		t.reachable = t.cfg.ReachableTime
		if t.cfg.Rand != nil {
			base := uint64(t.cfg.ReachableTime)
			t.reachable = time.Duration(base/2 + t.cfg.Rand()%(base+1))
		}
		t.reroll = now + rerollTime
	}
	return t.reachable
}
