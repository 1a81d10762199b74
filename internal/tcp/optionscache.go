package tcp

import (
	"sync/atomic"

	"example.com/berth/internal/lean"
)

// optionsCache has the options that connections of a host were given lately.
// Programs set the same few on each of their connections, one after the other:
// each step is found here, nothing is allocated, and thousands of connections
// refer to one value.
type optionsCache struct {
	_ lean.Incomparable

	recent [16]atomic.Pointer[Options]
	next   atomic.Uint32
}

// find returns options equal to o that others may have, or makes them.
func (oc *optionsCache) find(o *Options) *Options {
	if oc == nil {
		own := *o
		return &own
	}
	for i := range oc.recent {
		if known := oc.recent[i].Load(); known != nil && *known == *o {
			return known
		}
	}
	own := *o
	oc.recent[oc.next.Add(1)%uint32(len(oc.recent))].Store(&own)
	return &own
}
