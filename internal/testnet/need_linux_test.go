package testnet

import (
	"fmt"
	"testing"
)

// recorder is a test of which only skipping and failing are looked at.
type recorder struct {
	testing.TB
	skipped, failed string
}

func (r *recorder) Helper()                           {}
func (r *recorder) Skipf(format string, args ...any)  { r.skipped = fmt.Sprintf(format, args...) }
func (r *recorder) Fatalf(format string, args ...any) { r.failed = fmt.Sprintf(format, args...) }

func TestMissingIsAFailureInCI(t *testing.T) {
	const why = `needs no-such-program: exec: "no-such-program": executable file not found in $PATH`
	for _, tt := range []struct{ ci, skipped, failed string }{
		{"", why, ""},
		{"true", "", why + " (not skipped, as CI=true)"},
	} {
		t.Setenv("CI", tt.ci)
		r := new(recorder)
		NeedTool(r, "no-such-program")
		if r.skipped != tt.skipped || r.failed != tt.failed {
			t.Errorf("CI=%q: skipped %q, failed %q", tt.ci, r.skipped, r.failed)
		}
		r = new(recorder)
		NeedTool(r, "sh")
		if r.skipped+r.failed != "" {
			t.Errorf("CI=%q: a program that is there: %q %q", tt.ci, r.skipped, r.failed)
		}
	}
}
