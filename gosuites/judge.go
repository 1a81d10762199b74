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
	// Skipped is how many tests were skipped, over the kernel as well.
	Skipped int
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
	failed, skipped := v.unexpected(s, m, Failed), v.unexpected(s, m, Skipped)
	// A test that is skipped is not skipped by chance.
	skipped, err := r.again(ctx, s, Kernel, 1, skipped, v.passesOverKernel)
	if err != nil {
		return err
	}
	if failed, err = r.again(ctx, s, m, Again, failed, v.passesAlone); err != nil {
		return err
	}
	if failed, err = r.again(ctx, s, Kernel, Again, failed, v.passesOverKernel); err != nil {
		return err
	}
	for _, t := range failed {
		v.note("%s fails over the kernel too", t)
	}
	v.Skipped = len(skipped)
	return nil
}

// unexpected are the tests that ended so and have no exception.
func (v *Verdict) unexpected(s Suite, m Mode, o Outcome) []string {
	var all []string
	for _, t := range v.Result.Leaves(o) {
		if exception(s, m, t) != nil {
			v.Excepted++
		} else {
			all = append(all, t)
		}
	}
	return all
}

// again runs tests on their own, several times or until all have passed, tells
// of those that did, and returns the others.
func (r *Runner) again(ctx context.Context, s Suite, m Mode, times int, tests []string, passed func(test string)) ([]string, error) {
	for range times {
		if len(tests) == 0 {
			break
		}
		res, _, err := r.Run(ctx, s, m, tops(tests))
		if err != nil {
			return nil, err
		}
		tests = slices.DeleteFunc(tests, func(t string) bool {
			if res.Tests[t] == Passed {
				passed(t)
			}
			return res.Tests[t] == Passed
		})
	}
	return tests, nil
}

func (v *Verdict) passesAlone(test string) { v.note("%s passes when it runs alone", test) }

func (v *Verdict) passesOverKernel(test string) {
	v.complain("%s passes over the kernel; over berth:\n%s", test, v.Result.Output(test))
}

func (v *Verdict) complain(format string, args ...any) {
	v.Complaints = append(v.Complaints, fmt.Sprintf(format, args...))
}

func (v *Verdict) note(format string, args ...any) {
	v.Notes = append(v.Notes, fmt.Sprintf(format, args...))
}
