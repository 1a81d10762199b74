package lab

import (
	"fmt"
	"testing"
	"testing/synctest"
)

// Test runs a test on fake time in a network of its own: it is synctest.Test and
// New in one. The flags -lab.seed and -lab.seeds choose the seeds; with several,
// each is a subtest. With -lab.shrink a seed that fails is run again and again
// with fewer faults, and what is left of them is printed.
func Test(t *testing.T, f func(t *testing.T, n *Network), opts ...Option) {
	t.Helper()
	first := defaultOptions()
	for _, o := range opts {
		o(&first)
	}
	switch {
	case *flagSeed != 0:
		runSeed(t, *flagSeed, f, opts)
	case *flagSeeds > 0:
		for i := range uint64(*flagSeeds) {
			seed := first.seed + i
			t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { runSeed(t, seed, f, opts) })
		}
	default:
		runSeed(t, first.seed, f, opts)
	}
}

// runSeed runs the test with one seed, and shrinks what fails if asked to.
func runSeed(t *testing.T, seed uint64, f func(*testing.T, *Network), opts []Option) {
	t.Helper()
	opts = append(opts[:len(opts):len(opts)], Seed(seed))
	if !*flagShrink {
		run(t, f, opts, nil)
		return
	}
	var faults []Fault
	passed := t.Run("faults=all", func(t *testing.T) { run(t, f, opts, &faults) })
	if passed {
		return
	}
	left := Minimise(faults, func(only Option) bool {
		return !t.Run("faults=some", func(t *testing.T) { run(t, f, append(opts[:len(opts):len(opts)], only), nil) })
	})
	if len(left) == 0 {
		t.Logf("lab: seed %d fails without any of its %d random faults", seed, len(faults))
		return
	}
	t.Logf("lab: seed %d still fails with %d of its %d random faults:\n%s", seed, len(left), len(faults), list(left))
	t.Run("faults=fewest", func(t *testing.T) { run(t, f, append(opts[:len(opts):len(opts)], Only(left)), nil) })
}

// run runs the test once, and sets faults, if not nil, to those that there were. It
// does not return where the test ends at once.
func run(t *testing.T, f func(*testing.T, *Network), opts []Option, faults *[]Fault) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := New(t, opts...)
		if faults != nil {
			t.Cleanup(func() { *faults = n.Faults() })
		}
		f(t, n)
	})
}
