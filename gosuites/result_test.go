package gosuites

import (
	"slices"
	"strings"
	"testing"
)

const printed = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestA/x"}
{"Action":"output","Package":"p","Test":"TestA/x","Output":"got 1\n"}
{"Action":"output","Package":"p","Test":"TestA/x","Output":"want 2\n"}
{"Action":"fail","Package":"p","Test":"TestA/x"}
{"Action":"run","Package":"p","Test":"TestA/y"}
{"Action":"pass","Package":"p","Test":"TestA/y"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestB"}
{"Action":"skip","Package":"p","Test":"TestB"}
{"Action":"run","Package":"p","Test":"TestC"}
{"Action":"output","Package":"p","Test":"TestC","Output":"panic: no\n"}
{"Action":"output","Package":"p","Output":"FAIL\n"}
{"Action":"fail","Package":"p"}
`

func TestParse(t *testing.T) {
	r, err := Parse(strings.NewReader(printed))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		o      Outcome
		leaves string
		count  int
	}{
		{Failed, "TestA/x TestC", 3}, // TestC did not end
		{Skipped, "TestB", 1},
		{Passed, "TestA/y", 1},
	} {
		if got := strings.Join(r.Leaves(tt.o), " "); got != tt.leaves {
			t.Errorf("Leaves(%s) = %s, want %s", tt.o, got, tt.leaves)
		}
		if got := r.Count(tt.o); got != tt.count {
			t.Errorf("Count(%s) = %d, want %d", tt.o, got, tt.count)
		}
	}
	if got := r.Output("TestA/x"); got != "got 1\nwant 2\n" {
		t.Errorf("output of TestA/x is %q", got)
	}
	if r.Ended != Failed || r.Crash != "panic: no" {
		t.Errorf("the package ended with %s, crash %q", r.Ended, r.Crash)
	}
	if _, err := Parse(strings.NewReader("not JSON\n")); err == nil {
		t.Error("what is not JSON was read")
	}
}

func TestTops(t *testing.T) {
	got := tops([]string{"TestB/x/y", "TestA", "TestB"})
	if want := []string{"TestA", "TestB"}; !slices.Equal(got, want) {
		t.Errorf("tops = %v, want %v", got, want)
	}
}

// Each exception is of a suite, and says why; none is covered by another.
func TestExceptions(t *testing.T) {
	for i, e := range Exceptions {
		s := Suite{Package: e.Package}
		if !slices.ContainsFunc(Suites, func(s Suite) bool { return s.Package == e.Package }) {
			t.Errorf("%s %s: no such suite", e.Package, e.Test)
		}
		if e.Reason == "" {
			t.Errorf("%s %s: no reason", e.Package, e.Test)
		}
		if got := exception(s, e.Mode, e.Test); got != &Exceptions[i] {
			t.Errorf("%s %s: covered by %s", e.Package, e.Test, got.Test)
		}
		if exception(s, e.Mode, e.Test+"/sub") == nil || exception(s, e.Mode, e.Test+"X") != nil {
			t.Errorf("%s %s: holds for its subtests and no other", e.Package, e.Test)
		}
	}
}

func TestStaleExceptions(t *testing.T) {
	e := Exceptions[0]
	s := Suite{Package: e.Package}
	for o, want := range map[Outcome]int{Passed: 1, Failed: 0, Skipped: 0} {
		got := stale(s, Clean, &Result{Tests: map[string]Outcome{e.Test: o}})
		if len(got) != want {
			t.Errorf("an exception with outcome %s: %d are stale, want %d", o, len(got), want)
		}
	}
}
