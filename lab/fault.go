package lab

import (
	"fmt"
	"slices"
	"strings"

	"example.com/berth/link/impair"
)

// A Fault is something that befell one packet by chance.
type Fault struct {
	// Way is the direction of a link: "web>client"; of several links between two
	// nodes the second is "web>client#2".
	Way string
	// Packet counts the packets of the way, from 0.
	Packet uint64
	Cause  impair.Cause
}

func (f Fault) String() string { return fmt.Sprintf("%s: packet %d %v", f.Way, f.Packet, f.Cause) }

// random tells whether a cause is a random fault, which can be pardoned.
func random(c impair.Cause) bool {
	switch c {
	case impair.Lost, impair.LostBurst, impair.Corrupted, impair.Duplicated, impair.Reordered:
		return true
	}
	return false
}

// Faults returns what has befallen packets by chance so far, in order.
func (n *Network) Faults() []Fault {
	n.trace.mu.Lock()
	defer n.trace.mu.Unlock()
	return slices.Clone(n.trace.faults)
}

// Only lets no other random faults happen than these: with the seed of a run and
// some of its faults, that run without the others. See [Minimise].
func Only(faults []Fault) Option {
	allowed := make(map[Fault]bool, len(faults))
	for _, f := range faults {
		allowed[f] = true
	}
	return func(o *options) { o.only = allowed }
}

// pardons is what a pipe asks before a random fault.
func (n *Network) pardons(p *pipe) func(uint64, impair.Cause) bool {
	if n.opts.only == nil {
		return nil
	}
	return func(packet uint64, c impair.Cause) bool {
		return !n.opts.only[Fault{p.name, packet, c}]
	}
}

// Minimise finds a small set of faults that still makes a run fail. Fails runs
// what is to be looked at in a network made with the option it is given, and
// tells whether it failed; it is called many times. What is left is minimal: a run
// with any one of the faults less passes (Zeller's ddmin). Runs that differ by a
// fault differ in all that follows from it, so what is left need not be the
// smallest set there is; and where a program's own goroutines race, it need not
// be minimal.
func Minimise(faults []Fault, fails func(Option) bool) []Fault {
	if fails(Only(nil)) {
		return nil // it fails on a perfect network
	}
	for parts := 2; len(faults) > 1; {
		reduced := false
		for _, part := range split(faults, parts) {
			rest := without(faults, part)
			if len(rest) == 0 || !fails(Only(rest)) {
				continue
			}
			faults, reduced = rest, true
			parts = max(parts-1, 2)
			break
		}
		switch {
		case reduced:
		case parts >= len(faults):
			return faults
		default:
			parts = min(2*parts, len(faults))
		}
	}
	return faults
}

func split(faults []Fault, parts int) [][]Fault {
	return slices.Collect(slices.Chunk(faults, (len(faults)+parts-1)/parts))
}

func without(faults, part []Fault) []Fault {
	return slices.DeleteFunc(slices.Clone(faults), func(f Fault) bool { return slices.Contains(part, f) })
}

// list writes faults one a line.
func list(faults []Fault) string {
	var b strings.Builder
	for _, f := range faults {
		fmt.Fprintf(&b, "\t%v\n", f)
	}
	return b.String()
}
