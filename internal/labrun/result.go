package labrun

import (
	"fmt"
	"math"
	"time"

	"example.com/berth/internal/labfile"
	"example.com/berth/lab/report"
	"example.com/berth/link/impair"
)

// A Scene is the network as it is when the run begins.
type Scene struct {
	File  *labfile.File
	Nodes []report.Node
	Links []report.Link
}

// A Result is what came of a run.
type Result struct {
	File *labfile.File
	// Length is how long the run took on the network's clock.
	Length time.Duration
	// Bounded tells that it was ended by a bound, not by itself.
	Bounded bool
	// Interrupted tells that whoever started it ended it.
	Interrupted bool
	// EventsLeft are events that would have come later.
	EventsLeft int
	Outcomes   []Outcome
	Links      []LinkStats
}

// LinkStats are the counters of one direction of a link.
type LinkStats struct {
	From, To string
	impair.Stats
}

// Dropped is how many packets did not arrive.
func (s *LinkStats) Dropped() uint64 {
	return s.ByRule + s.QueueFull + s.QueueAQM + s.Lost + s.LostBurst + s.Overflow + s.Cleared
}

// An Outcome is what came of a command.
type Outcome struct {
	Command      *labfile.Command
	Began, Ended time.Duration
	// Begun tells whether its time came at all.
	Begun bool
	// Err is why it failed; nil if it did not.
	Err error
	// Values are what it measured, in the order of labfile.Metrics; NaN is what
	// there was nothing to measure of.
	Values   []Value
	Verdicts []Verdict
}

// A Value is a metric with its value.
type Value struct {
	labfile.Metric
	Value float64
}

// A Verdict is an expectation with what came of it.
type Verdict struct {
	labfile.Expectation
	Got string
	OK  bool
}

// Value returns the value of a metric; NaN if there is none.
func (o *Outcome) Value(name string) float64 {
	for _, v := range o.Values {
		if v.Name == name {
			return v.Value
		}
	}
	return math.NaN()
}

// OK tells whether the command did what is expected of it: that it does not fail,
// unless it is expected to, and all else that is expected.
func (o *Outcome) OK() bool {
	for _, v := range o.Verdicts {
		if !v.OK {
			return false
		}
	}
	return o.Err == nil || o.failureExpected()
}

func (o *Outcome) failureExpected() bool {
	for _, v := range o.Verdicts {
		if v.Error && v.OK {
			return true
		}
	}
	return false
}

// judge compares with what is expected.
func (o *Outcome) judge() {
	for _, e := range o.Command.Expect {
		v := Verdict{Expectation: e}
		switch {
		case e.Error:
			v.Got, v.OK = "no error", e.Matches(o.Err)
			if o.Err != nil {
				v.Got = o.Err.Error()
			}
		default:
			got := o.Value(e.Metric.Name)
			v.Got, v.OK = e.Metric.Format(got), e.Holds(got)
		}
		o.Verdicts = append(o.Verdicts, v)
	}
}

// OK tells whether all commands did what is expected of them.
func (r *Result) OK() bool { return len(r.Failures()) == 0 }

// Failures says what did not come out as expected, a line each.
func (r *Result) Failures() (lines []string) {
	for i := range r.Outcomes {
		o := &r.Outcomes[i]
		for _, v := range o.Verdicts {
			if !v.OK {
				lines = append(lines, fmt.Sprintf("%s: expected %v, got %s", o.Command.Name, &v.Expectation, v.Got))
			}
		}
		if o.Err != nil && !o.failureExpected() {
			lines = append(lines, fmt.Sprintf("%s: %v", o.Command.Name, o.Err))
		}
	}
	return lines
}

// Checks counts the expectations, and those that hold.
func (r *Result) Checks() (held, all int) {
	for _, o := range r.Outcomes {
		for _, v := range o.Verdicts {
			if all++; v.OK {
				held++
			}
		}
	}
	return held, all
}
