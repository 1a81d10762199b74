package lab

import (
	"flag"
)

// Flags of the tests that use labs.
var (
	flagSeed   = flag.Uint64("lab.seed", 0, "seed of all networks; 0: that of the test, or 1")
	flagShrink = flag.Bool("lab.shrink", false, "run what fails in lab.Test again with fewer random faults")
	flagSeeds  = flag.Int("lab.seeds", 0, "run tests made with lab.Test over so many seeds")
)

// options are those of a network.
type options struct {
	seed   uint64
	record int            // bytes of packets to keep; < 0: none
	only   map[Fault]bool // nil: all
}

// An Option changes a network when it is made.
type Option func(*options)

// defaultRecord is how many bytes of packets a network remembers.
const defaultRecord = 64 << 20

func defaultOptions() options {
	return options{seed: 1, record: defaultRecord}
}

// Seed sets the seed that all random values follow from: losses, ports, sequence
// numbers. It is 1 where nothing is said. The flag -lab.seed has the last word.
func Seed(seed uint64) Option { return func(o *options) { o.seed = seed } }

// Record sets how many bytes of packets the network remembers for what it leaves
// behind when a test fails; older packets are forgotten. 0 stands for 64 MiB; a
// negative number remembers nothing, which is faster.
func Record(bytes int) Option {
	return func(o *options) {
		if o.record = bytes; bytes == 0 {
			o.record = defaultRecord
		}
	}
}
