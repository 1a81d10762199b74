package gosuites

import (
	"context"
	"fmt"
	"slices"
)

// Again is how often a test that did not pass runs on its own before it counts.
const Again = 2

// A Verdict is what a suite in one mode came to.
type Verdict struct {
	Result   *Result
	Counters map[string]uint64
	// Complaints are what has to be mended: a test that does not pass over berth
	// and does over the kernel, an exception that passes, or nothing sent.
	Complaints []string
	// Notes tell what did not pass and does not count.
	Notes []string
	// Excepted is how many tests did not pass and are known not to.
	Excepted int
}

// Judge runs a suite over berth and holds it against the kernel.
func (r *Runner) Judge(ctx context.Context, s Suite, m Mode) (*Verdict, error) {
	v := new(Verdict)
	for range 2 { // a crash takes the tests behind it along
		res, counters, err := r.Run(ctx, s, m, nil)
		if err != nil {
			return nil, err
		}
		v.Result, v.Counters = res, counters
		if res.Crash == "" {
			break
		}
		v.note("the process crashed: %s", res.Crash)
	}
	switch {
	case v.Result.Crash != "":
		v.complain("the process crashed twice: %s", v.Result.Crash)
	case v.Result.Ended != Passed && len(v.Result.Leaves(Failed)) == 0:
		v.complain("the package failed and no test did: %s", v.Result.Output(""))
	}
	if err := r.appeal(ctx, s, m, v); err != nil {
		return nil, err
	}
	for _, e := range stale(s, m, v.Result) {
		v.complain("%s passes, and an exception says that it does not: %s", e.Test, e.Reason)
	}
	if v.Counters["TCP.SegsIn"]+v.Counters["UDP.In"] == 0 {
		v.complain("nothing was sent through berth")
	}
	if m == Lossy && v.Counters["Line.Packets"] > 2000 && v.Counters["Line.Lost"] == 0 {
		v.complain("the line lost none of %d packets", v.Counters["Line.Packets"])
	}
	return v, nil
}

// appeal sorts the tests that did not pass: those that have an exception, those
// that pass on their own, those that do not pass over the kernel either, and the
// rest.
func (r *Runner) appeal(ctx context.Context, s Suite, m Mode, v *Verdict) error {
	var bad []string
	for _, t := range slices.Concat(v.Result.Leaves(Failed), v.Result.Leaves(Skipped)) {
		if exception(s, m, t) != nil {
			v.Excepted++
		} else {
			bad = append(bad, t)
		}
	}
	passes := func(m Mode, t string, res *Result) bool {
		if res.Tests[t] != Passed {
			return false
		}
		if m == Kernel {
			v.complain("%s passes over the kernel; over berth:\n%s", t, v.Result.Output(t))
		} else {
			v.note("%s passes when it runs alone", t)
		}
		return true
	}
	for _, m := range []Mode{m, Kernel} {
		for range Again {
			if len(bad) == 0 {
				return nil
			}
			res, _, err := r.Run(ctx, s, m, tops(bad))
			if err != nil {
				return err
			}
			bad = slices.DeleteFunc(bad, func(t string) bool { return passes(m, t, res) })
		}
	}
	for _, t := range bad {
		v.note("%s does not pass over the kernel either (%s)", t, v.Result.Tests[t])
	}
	return nil
}

func (v *Verdict) complain(format string, args ...any) {
	v.Complaints = append(v.Complaints, fmt.Sprintf(format, args...))
}

func (v *Verdict) note(format string, args ...any) {
	v.Notes = append(v.Notes, fmt.Sprintf(format, args...))
}
