package impair

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A LinkProfile is a link of a well-known kind, each way.
type LinkProfile struct {
	// Name is how Profile finds it.
	Name string
	// Description says what it is, in a line.
	Description string
	// Source says where the numbers come from, and which are ours.
	Source string
	// Down leads to the subscriber, Up away from it. Each is a copy that may be
	// changed; Seed is 0.
	Down, Up Config
}

// Profile returns the profile of a name; case does not matter. The error of an
// unknown name lists those there are.
func Profile(name string) (LinkProfile, error) {
	var names []string
	for _, k := range kinds {
		if strings.EqualFold(k.name, name) {
			return k.profile(), nil
		}
		names = append(names, k.name)
	}
	slices.SortFunc(names, byName)
	return LinkProfile{}, fmt.Errorf("impair: no profile %q: there are %s", name, strings.Join(names, ", "))
}

// Profiles returns all profiles by name.
func Profiles() []LinkProfile {
	all := make([]LinkProfile, 0, len(kinds))
	for _, k := range kinds {
		all = append(all, k.profile())
	}
	slices.SortFunc(all, func(a, b LinkProfile) int { return byName(a.Name, b.Name) })
	return all
}

// byName orders without regard to case.
func byName(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }

// kind is a row of the table of profiles: rates in kbit/s, and the round trip
// that both directions share.
type kind struct {
	name, description, source string

	down, up    int64
	roundTrip   time.Duration
	jitter      time.Duration // each way
	loss, burst float64       // the share that is lost, and the mean length of a burst; each way
	queue       time.Duration // what the queue holds at the rate; 0 stands for 250 ms
	markAt      int           // AQM.MarkAt
}

func (k *kind) profile() LinkProfile {
	return LinkProfile{
		Name: k.name, Description: k.description, Source: k.source,
		Down: k.config(k.down), Up: k.config(k.up),
	}
}

// config is one direction. None of the sources says how long queues are: a
// quarter of a second, and no fewer than 16 packets, is long enough for TCP and
// short enough to see the queue overflow.
func (k *kind) config(kbit int64) Config {
	held := k.queue
	if held == 0 {
		held = 250 * time.Millisecond
	}
	c := Config{
		Rate:   kbit * 1000,
		Queue:  max(16*1500, int(float64(kbit)*1000/8*held.Seconds())),
		Delay:  k.roundTrip / 2,
		Jitter: k.jitter,
		AQM:    AQM{MarkAt: k.markAt},
	}
	switch {
	case k.burst > 1:
		c.Burst = Bursts(k.loss, k.burst)
	default:
		c.Loss = k.loss
	}
	return c
}
