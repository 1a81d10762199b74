package labfile

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"example.com/berth/link/impair"
	"go.yaml.in/yaml/v4"

	"example.com/berth/internal/units"
)

// conditions reads what a link is like: keys that are about both ways, and up
// and down for one of them. What is about one way changes what is about both,
// and that changes the profile, in whatever order they stand in the file.
type conditions struct {
	*parser
	mtu      *int
	up, down *Conditions

	profileUp, profileDown Conditions
	both, onlyUp, onlyDown Conditions
}

// fields are the keys that a link, or a change to one, may have.
func (c *conditions) fields() []field {
	return append([]field{
		{"profile", c.readProfile},
		c.count("mtu", 68, 65535, c.mtu),
		c.way("up", c.up),
		c.way("down", c.down),
	}, c.impairments(&c.both)...)
}

// way is a field with the conditions of one direction.
func (c *conditions) way(name string, to *Conditions) field {
	return field{name, func(_, v *yaml.Node) {
		only := &c.onlyUp
		if to == c.down {
			only = &c.onlyDown
		}
		c.mapping(v, name, c.impairments(only))
	}}
}

// finish puts together what was read.
func (c *conditions) finish() {
	*c.up = slices.Concat(c.profileUp, c.both, c.onlyUp)
	*c.down = slices.Concat(c.profileDown, c.both, c.onlyDown)
}

// readProfile reads the name of a profile. The first end of the link is the
// subscriber's.
func (c *conditions) readProfile(_, v *yaml.Node) {
	var names []string
	for _, p := range impair.Profiles() {
		names = append(names, p.Name)
	}
	c.word("profile", names, func(name string) {
		p, err := impair.Profile(name)
		if err != nil {
			c.fail(v, "", "%v", err)
			return
		}
		c.profileUp = Conditions{func(cfg *impair.Config) { *cfg = p.Up }}
		c.profileDown = Conditions{func(cfg *impair.Config) { *cfg = p.Down }}
	}).read(nil, v)
}

// impairments are the keys that are about one direction, or both.
func (c *conditions) impairments(to *Conditions) []field {
	add := func(change func(*impair.Config)) { *to = append(*to, change) }
	share := func(name string, set func(*impair.Config, float64)) field {
		return value(&c.reader, name, units.ShareHint, units.ParseShare, func(f float64) {
			add(func(cfg *impair.Config) { set(cfg, f) })
		})
	}
	span := func(name string, set func(*impair.Config, time.Duration)) field {
		return value(&c.reader, name, units.DurationHint, units.ParseDuration, func(d time.Duration) {
			add(func(cfg *impair.Config) { set(cfg, d) })
		})
	}
	return []field{
		span("delay", func(cfg *impair.Config, d time.Duration) { cfg.Delay = d }),
		span("jitter", func(cfg *impair.Config, d time.Duration) { cfg.Jitter = d }),
		share("loss", func(cfg *impair.Config, f float64) { cfg.Loss, cfg.Burst = f, impair.GilbertElliott{} }),
		{"burst-loss", func(_, v *yaml.Node) { c.burst(v, add) }},
		share("duplicate", func(cfg *impair.Config, f float64) { cfg.Duplicate = f }),
		share("corrupt", func(cfg *impair.Config, f float64) { cfg.Corrupt = f }),
		{"reorder", func(_, v *yaml.Node) { c.reorder(v, add) }},
		value(&c.reader, "rate", units.RateHint+", or unlimited", parseLimit, func(n int64) {
			add(func(cfg *impair.Config) { cfg.Rate, cfg.Trace = n, nil })
		}),
		{"trace", func(_, v *yaml.Node) { c.trace(v, add) }},
		value(&c.reader, "queue", units.QueueHint, units.ParseQueue, func(n int) {
			add(func(cfg *impair.Config) { cfg.Queue = n })
		}),
		c.truth("codel", func(on bool) {
			add(func(cfg *impair.Config) { cfg.AQM.CoDel, cfg.AQM.ECN = on, cfg.AQM.ECN && on })
		}),
		c.truth("ecn", func(on bool) {
			add(func(cfg *impair.Config) { cfg.AQM.ECN, cfg.AQM.CoDel = on, cfg.AQM.CoDel || on })
		}),
	}
}

// parseLimit reads a rate that may be no limit.
func parseLimit(s string) (int64, error) {
	if strings.EqualFold(s, "unlimited") {
		return 0, nil
	}
	n, err := units.ParseRate(s)
	if err == nil && n == 0 {
		err = fmt.Errorf("%q lets nothing through: cut the link, or lose 100%%", s)
	}
	return n, err
}

// burst reads the share that is lost in bursts, and their mean length.
func (c *conditions) burst(n *yaml.Node, add func(func(*impair.Config))) {
	var share float64
	var length int
	before := c.Count()
	c.mapping(n, "burst-loss", []field{
		value(&c.reader, "share", units.ShareHint, units.ParseShare, func(f float64) { share = f }),
		c.count("length", 1, 10_000, &length),
	})
	switch {
	case c.Count() > before:
	case share == 0 || length == 0:
		c.fail(n, "burst-loss: {share: 1%, length: 5}", "burst-loss needs a share, and the mean length of bursts in packets")
	case share == 1 || share/(1-share) > float64(length):
		c.fail(n, "make the bursts longer, or the share smaller", "bursts of %d packets cannot lose %.4g%% of all", length, share*100)
	default:
		add(func(cfg *impair.Config) { cfg.Burst, cfg.Loss = impair.Bursts(share, float64(length)), 0 })
	}
}

// reorder reads a share, or one with how many packets overtake.
func (c *conditions) reorder(n *yaml.Node, add func(func(*impair.Config))) {
	var share float64
	var by int
	setShare := func(f float64) { share = f }
	if n.Kind == yaml.MappingNode {
		c.mapping(n, "reorder", []field{
			value(&c.reader, "share", units.ShareHint, units.ParseShare, setShare),
			c.count("by", 1, 1000, &by),
		})
	} else {
		value(&c.reader, "reorder", units.ShareHint, units.ParseShare, setShare).read(nil, n)
	}
	add(func(cfg *impair.Config) { cfg.Reorder, cfg.ReorderGap = share, by })
}

// trace reads a file in mahimahi's format.
func (c *conditions) trace(v *yaml.Node, add func(func(*impair.Config))) {
	const hint = "a trace is a file of mahimahi's: a number of milliseconds a line"
	path, ok := c.scalar(v, hint)
	if !ok {
		return
	}
	trace, err := c.readTrace(path)
	if err != nil {
		c.fail(v, hint, "trace: %v", err)
		return
	}
	add(func(cfg *impair.Config) { cfg.Trace, cfg.Rate = trace, 0 })
}

func (c *conditions) readTrace(path string) (*impair.Trace, error) {
	if c.open == nil {
		return nil, fmt.Errorf("%q cannot be opened here", path)
	}
	f, err := c.open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const most = 64 << 20
	return impair.ParseTrace(io.LimitReader(f, most))
}
