package wire

import (
	"sync"

	"example.com/berth/link"
	"example.com/berth/link/gso"
)

// cutters are for ports with fewer offloads than the sender. Each is in use
// until its frames are delivered, and a delivery may lead to another.
var cutters = sync.Pool{New: func() any { return new(gso.Cutter) }}

// receive delivers what came through a switch or hub. A port gets what it could
// send itself: large frames that are more than it takes are cut.
func (d *Device) receive(frames []link.Frame) {
	info := &d.state.Load().info
	if info.Offload == link.OffloadAll {
		d.deliver(frames)
		return
	}
	c := cutters.Get().(*gso.Cutter)
	defer cutters.Put(c)
	out, bad := c.Cut(info.Medium, info.Offload, frames)
	if bad > 0 {
		d.in.malformed(bad)
	}
	if len(out) > 0 {
		d.deliver(out)
	}
}
