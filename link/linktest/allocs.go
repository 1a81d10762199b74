package linktest

import "testing"

// NoAllocs fails the test if f allocates when it is called again and again.
// Under the race detector it only calls f, since pools then forget on purpose.
func NoAllocs(t *testing.T, f func()) {
	t.Helper()
	if race {
		f()
		return
	}
	// The mean is rounded down, so that a pool emptied by the collector in the
	// middle of it is not held against f.
	if n := testing.AllocsPerRun(1000, f); n > 0 {
		t.Errorf("%v allocations a call", n)
	}
}
