package gosuites

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Outcome is how a test ended.
type Outcome string

// The outcomes, with the names that go test gives them.
const (
	Passed  Outcome = "pass"
	Failed  Outcome = "fail"
	Skipped Outcome = "skip"
)

// Result is what became of the tests of one package in one run.
type Result struct {
	Tests map[string]Outcome // by name, subtests included
	// Ended tells whether the package passed; it may fail although no test does.
	Ended Outcome
	// Crash is the first line of a panic that ended the process.
	Crash  string
	output map[string]*strings.Builder // of each test, "" for the package's own
}

// event is what go test -json prints.
type event struct {
	Action, Test, Output string
}

// Parse reads what go test -json printed of one package. A test that began and
// did not end has failed.
func Parse(r io.Reader) (*Result, error) {
	res := &Result{Tests: make(map[string]Outcome), Ended: Failed, output: make(map[string]*strings.Builder)}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if bad := json.Unmarshal(line, &e); bad != nil {
				return nil, fmt.Errorf("gosuites: go test -json: %w: %q", bad, line)
			}
			res.add(&e)
		}
		if err == io.EOF {
			return res, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (r *Result) add(e *event) {
	switch e.Action {
	case "run":
		r.Tests[e.Test] = Failed
	case "pass", "fail", "skip":
		if e.Test != "" {
			r.Tests[e.Test] = Outcome(e.Action)
		} else {
			r.Ended = Outcome(e.Action)
		}
	case "output", "build-output":
		if r.output[e.Test] == nil {
			r.output[e.Test] = new(strings.Builder)
		}
		r.output[e.Test].WriteString(e.Output)
		if r.Crash == "" && (strings.HasPrefix(e.Output, "panic: ") || strings.HasPrefix(e.Output, "fatal error: ")) {
			r.Crash = strings.TrimSpace(e.Output)
		}
	}
}

// Output is what a test printed; the package's own if the name is empty.
func (r *Result) Output(test string) string {
	if b := r.output[test]; b != nil {
		return b.String()
	}
	return ""
}

// Leaves are the tests that have no subtests of the same outcome, in order: of a
// failure, where it lies.
func (r *Result) Leaves(o Outcome) []string {
	within := make(map[string]bool) // tests with such a subtest
	for name, got := range r.Tests {
		if got != o {
			continue
		}
		for i, c := range name {
			if c == '/' {
				within[name[:i]] = true
			}
		}
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(r.Tests)) {
		if r.Tests[name] == o && !within[name] {
			all = append(all, name)
		}
	}
	return all
}

// Count is how many tests ended so, subtests included.
func (r *Result) Count(o Outcome) int {
	n := 0
	for _, got := range r.Tests {
		if got == o {
			n++
		}
	}
	return n
}

// tops are the names of the tests that contain the given ones.
func tops(tests []string) []string {
	var all []string
	for _, t := range tests {
		top, _, _ := strings.Cut(t, "/")
		all = append(all, top)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
