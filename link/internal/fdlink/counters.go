package fdlink

import "sync/atomic"

// Counters count what happened to frames on a descriptor.
type Counters struct {
	// FramesIn and BytesIn count what was handed to the handler; BatchesIn the
	// calls of its Input.
	FramesIn, BytesIn, BatchesIn uint64
	// FramesOut and BytesOut count what the kernel took.
	FramesOut, BytesOut uint64
	// Malformed counts frames read that were dropped, because their virtio
	// header does not fit them or is of a kind that is not understood.
	Malformed uint64
	// Busy counts calls of Output that ended early because the kernel's queue
	// was full; Refused those that ended because a frame was not accepted.
	Busy, Refused uint64
}

// counters is the form of Counters that is counted in.
type counters struct {
	framesIn, bytesIn, batchesIn atomic.Uint64
	framesOut, bytesOut          atomic.Uint64
	malformed, busy, refused     atomic.Uint64
}

func (c *counters) read() Counters {
	return Counters{
		FramesIn:  c.framesIn.Load(),
		BytesIn:   c.bytesIn.Load(),
		BatchesIn: c.batchesIn.Load(),
		FramesOut: c.framesOut.Load(),
		BytesOut:  c.bytesOut.Load(),
		Malformed: c.malformed.Load(),
		Busy:      c.busy.Load(),
		Refused:   c.refused.Load(),
	}
}
