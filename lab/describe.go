package lab

import (
	"fmt"
	"strconv"
	"strings"

	"example.com/berth/link/impair"
)

// describe says what a link is like, as a person would.
func (l *Link) describe() string {
	ab, ba := describe(l.ab.line.Config()), describe(l.ba.line.Config())
	if ab == ba {
		return ab
	}
	return fmt.Sprintf("%s: %s; %s: %s", l.ab.name, ab, l.ba.name, ba)
}

func describe(c impair.Config) string {
	var parts []string
	add := func(on bool, format string, args ...any) {
		if on {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	switch {
	case c.Delay > 0 && c.Jitter > 0:
		add(true, "%v ± %v", c.Delay, c.Jitter)
	case c.Delay > 0 || c.Jitter > 0:
		add(true, "%v", max(c.Delay, c.Jitter))
	}
	add(c.Rate > 0, "%s", bits(c.Rate))
	add(c.Rate > 0 && c.Queue > 0, "queue of %d bytes", c.Queue)
	add(c.Trace != nil, "a trace of %s", bits(meanRate(c.Trace)))
	add(c.AQM.CoDel, "CoDel")
	add(c.AQM.ECN || c.AQM.MarkAt > 0 || c.AQM.MarkAfter > 0, "ECN marks")
	add(c.Loss > 0, "%s loss", percent(c.Loss))
	if b := c.Burst; b.ToBad > 0 && b.ToGood > 0 {
		add(true, "%s loss in bursts of %.3g", percent(b.ToBad/(b.ToBad+b.ToGood)*b.LossBad), 1/b.ToGood)
	}
	add(c.Duplicate > 0, "%s duplicated", percent(c.Duplicate))
	add(c.Corrupt > 0, "%s corrupted", percent(c.Corrupt))
	add(c.Reorder > 0, "%s reordered", percent(c.Reorder))
	add(c.Rule != nil, "a rule")
	if len(parts) == 0 {
		return "perfect"
	}
	return strings.Join(parts, ", ")
}

func meanRate(t *impair.Trace) int64 {
	if t == nil {
		return 0
	}
	return t.Rate()
}

func percent(p float64) string { return strconv.FormatFloat(p*100, 'g', 3, 64) + "%" }

// bits writes a rate in bits a second.
func bits(r int64) string {
	for _, u := range []struct {
		size int64
		name string
	}{{1e9, "Gbit/s"}, {1e6, "Mbit/s"}, {1e3, "kbit/s"}} {
		if r >= u.size {
			return strconv.FormatFloat(float64(r)/float64(u.size), 'g', 4, 64) + " " + u.name
		}
	}
	return strconv.FormatInt(r, 10) + " bit/s"
}
