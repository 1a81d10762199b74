package labfile

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"example.com/berth/internal/units"
)

// A Dimension is what a metric is a number of.
type Dimension int

// The dimensions, with the units of their numbers.
const (
	Count    Dimension = iota
	Duration           // nanoseconds
	Rate               // bits a second
	Size               // bytes
	Share              // from 0 to 1
)

// parse reads a value of the dimension.
func (d Dimension) parse(s string) (float64, error) {
	switch d {
	case Duration:
		v, err := units.ParseDuration(s)
		return float64(v), err
	case Rate:
		return units.Quantity(s, units.Rates, units.MaxRate)
	case Size:
		return units.Quantity(s, units.Sizes, units.MaxSize)
	case Share:
		return units.ParseShare(s)
	}
	v, err := units.ParseCount(s)
	return float64(v), err
}

func (d Dimension) hint() string {
	return [...]string{Count: units.CountHint, Duration: units.DurationHint, Rate: units.RateHint, Size: units.SizeHint, Share: units.ShareHint}[d]
}

// Format writes a value of the dimension as a person would.
func (d Dimension) Format(v float64) string {
	switch {
	case math.IsNaN(v):
		return "none"
	case d == Duration:
		return formatDuration(time.Duration(v))
	case d == Share:
		return strconv.FormatFloat(v*100, 'g', 4, 64) + "%"
	case d == Rate:
		return scaled(v, units.Rates[:4])
	case d == Size:
		return scaled(v, units.Sizes[:4])
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// scaled writes a number with the largest unit that it has one of.
func scaled(v float64, all []units.Unit) string {
	for _, u := range slices.Backward(all) {
		if v >= u.Worth && u.Worth > 1 {
			return strconv.FormatFloat(v/u.Worth, 'f', decimals(v/u.Worth), 64) + " " + u.Name
		}
	}
	return strconv.FormatFloat(v, 'f', 0, 64) + " " + all[0].Name
}

// decimals are so many that there are about three digits.
func decimals(v float64) int {
	switch {
	case v >= 100:
		return 0
	case v >= 10:
		return 1
	}
	return 2
}

// formatDuration writes microseconds up to a millisecond, milliseconds up to a
// second, then seconds.
func formatDuration(d time.Duration) string {
	v, unit := d.Seconds(), "s"
	switch {
	case d == 0:
		return "0 ms"
	case d < time.Millisecond:
		v, unit = float64(d)/1e3, "us"
	case d < time.Second:
		v, unit = float64(d)/1e6, "ms"
	}
	return strconv.FormatFloat(v, 'f', decimals(v), 64) + " " + unit
}

// A Metric is something that a command measures.
type Metric struct {
	Name string
	Dimension
}

// Metrics are what each kind of command measures, in the order of its report.
var Metrics = map[string][]Metric{
	"echo": {{"connections", Count}, {"bytes", Size}, {"datagrams", Count}},
	"connect": {
		{"attempts", Count},
		{"handshake", Duration},
		{"sent", Count},
		{"received", Count},
		{"loss", Share},
		{"rtt-min", Duration},
		{"rtt", Duration},
		{"rtt-max", Duration},
		{"time", Duration},
	},
	"ping": {
		{"sent", Count},
		{"received", Count},
		{"duplicates", Count},
		{"errors", Count},
		{"loss", Share},
		{"rtt-min", Duration},
		{"rtt", Duration},
		{"rtt-max", Duration},
		{"rtt-mdev", Duration},
	},
	"perf": {
		{"goodput", Rate},
		{"bytes", Size},
		{"time", Duration},
		{"retransmits", Count},
		{"rtt", Duration},
		{"sent", Count},
		{"received", Count},
		{"loss", Share},
		{"reordered", Count},
		{"jitter", Duration},
	},
	"http": {
		{"ok", Count},
		{"failed", Count},
		{"bytes", Size},
		{"goodput", Rate},
		{"time", Duration},
		{"latency-min", Duration},
		{"latency", Duration},
		{"latency-p50", Duration},
		{"latency-p95", Duration},
		{"latency-max", Duration},
	},
}

// An Expectation is what a metric should be, or what a command should fail with.
type Expectation struct {
	Pos
	Metric Metric
	// Text is how the file says it.
	Text string
	// Error tells that the command is expected to fail with an error that has
	// Text in it; "any" is any error. There is no metric then.
	Error bool

	tests []test
}

// A test is one comparison.
type test struct {
	op    string
	value float64
}

// operators are the comparisons, those of two characters first.
var operators = []string{"<=", ">=", "==", "!=", "<", ">", "="}

// Holds tells whether a value is as expected. What was not measured, NaN, is not.
func (e *Expectation) Holds(v float64) bool {
	return !slices.ContainsFunc(e.tests, func(t test) bool {
		switch t.op {
		case "<":
			return !(v < t.value)
		case "<=":
			return !(v <= t.value)
		case ">":
			return !(v > t.value)
		case ">=":
			return !(v >= t.value)
		case "!=":
			return !(v != t.value && !math.IsNaN(v))
		}
		return v != t.value
	})
}

// Matches tells whether an error is as expected.
func (e *Expectation) Matches(err error) bool {
	return err != nil && (e.Text == "any" || strings.Contains(err.Error(), e.Text))
}

// expect is a field with expectations of a kind of command.
func (p *parser) expect(kind string, to *[]Expectation) field {
	return field{"expect", func(_, v *yaml.Node) {
		fields := []field{{"error", func(k, v *yaml.Node) {
			if s, ok := p.scalar(v, `a part of what the error says, or any`); ok {
				*to = append(*to, Expectation{Pos: at(k), Text: s, Error: true})
			}
		}}}
		for _, m := range Metrics[kind] {
			fields = append(fields, field{m.Name, func(k, v *yaml.Node) {
				e := Expectation{Pos: at(k), Metric: m}
				if p.expectation(v, &e) {
					*to = append(*to, e)
				}
			}})
		}
		p.mapping(v, "what is expected of "+kind, fields)
	}}
}

// expectation reads ">= 9 Mbit/s", "9 .. 10 Mbit/s" or "3".
func (p *parser) expectation(v *yaml.Node, e *Expectation) bool {
	hint := e.Metric.hint() + `; before it may stand <, <=, >, >=, = or !=, or there are two with .. between them`
	s, ok := p.scalar(v, hint)
	if !ok {
		return false
	}
	e.Text = strings.Join(strings.Fields(s), " ")
	parts := []string{e.Text}
	ops := []string{"="}
	if from, to, ok := strings.Cut(e.Text, ".."); ok {
		if _, err := e.Metric.parse(from); err != nil {
			digits, _ := units.Split(from) // the unit may stand at the end alone
			_, name := units.Split(to)
			from = digits + name
		}
		parts, ops = []string{from, to}, []string{">=", "<="}
	} else {
		for _, op := range operators {
			if rest, found := strings.CutPrefix(e.Text, op); found {
				parts, ops = []string{rest}, []string{op}
				break
			}
		}
	}
	for i, part := range parts {
		f, err := e.Metric.parse(strings.TrimSpace(part))
		if err != nil {
			p.fail(v, hint, "%s: %v", e.Metric.Name, err)
			return false
		}
		e.tests = append(e.tests, test{ops[i], f})
	}
	if len(e.tests) == 2 && e.tests[0].value > e.tests[1].value {
		p.fail(v, "the smaller value comes first", "%s: nothing is within %q", e.Metric.Name, e.Text)
		return false
	}
	return true
}

// Expects makes the text of a whole expectation.
func (e *Expectation) String() string {
	if e.Error {
		return fmt.Sprintf("error %q", e.Text)
	}
	return e.Metric.Name + " " + e.Text
}
