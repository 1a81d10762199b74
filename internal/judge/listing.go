package judge

import (
	"fmt"
	"strings"
)

// Listing prints a schedule with what each host did, step by step, up to the step
// where they differ.
func Listing(s *Schedule, berth, linux []Observation, d *Difference) string {
	var b strings.Builder
	opening := "listen()"
	if s.active {
		opening = "connect()"
	}
	family := ""
	if s.ipv6 {
		family = ", IPv6"
	}
	fmt.Fprintf(&b, "seed %d%s, the peer offers %v\n", s.Seed, family, s.syn)
	for i := range min(len(berth), d.Step+1) {
		what := opening
		if i > 0 {
			what = s.steps[i-1].String()
		}
		fmt.Fprintf(&b, "%3d  %s\n", i, what)
		x, y := berth[i].String(), linux[i].String()
		if x == y {
			fmt.Fprintf(&b, "       both   %s\n", x)
			continue
		}
		fmt.Fprintf(&b, "       berth  %s\n       Linux  %s\n", x, y)
	}
	fmt.Fprintf(&b, "%v\n", d)
	return b.String()
}

// String is an observation on one line.
func (o *Observation) String() string {
	var s []string
	if o.Result != "" {
		s = append(s, "= "+o.Result)
	}
	if o.State != 0 {
		s = append(s, o.State.String())
	}
	s = append(s, o.Events.String())
	if len(o.Sent) > 0 {
		s = append(s, "> "+text(o.Sent))
	}
	return strings.Join(s, "  ")
}
