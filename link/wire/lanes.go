package wire

import (
	"encoding/binary"

	"example.com/berth/link"
)

// laneCount is the number of lanes of a device, a power of two. It is the same
// everywhere, so that what happens does not depend on the machine.
const laneCount = 16

// lanes are the inlets of a device whose handler may be called from several
// goroutines at once, beside the one that all devices have. Each flow has its lane,
// so that its frames stay in order, and processors with different flows do not
// meet: they work for one another no more than they have to.
type lanes [laneCount - 1]inlet

// attach gives the device a handler, and lanes if the handler takes them.
func (d *Device) attach(h link.Handler) error {
	d.setting.Lock() // so that close and setDown find the lanes
	defer d.setting.Unlock()
	if err := d.in.attach(h); err != nil {
		return err
	}
	if c, ok := h.(link.ConcurrentHandler); !ok || !c.Concurrent() {
		return nil
	}
	s := d.state.Load()
	more := new(lanes)
	for i := range more {
		in := &more[i]
		in.init(d.in.queue.limit)
		in.handler, in.down, in.closed = h, s.down, s.closed
	}
	d.more.Store(more)
	return nil
}

// deliver hands frames to the lanes of their flows, in order, and returns how
// many were taken.
func (d *Device) deliver(frames []link.Frame) int {
	more := d.more.Load()
	if more == nil {
		return d.in.deliver(frames)
	}
	medium := d.state.Load().info.Medium
	taken := 0
	for taken < len(frames) {
		lane, n := laneOf(medium, &frames[taken]), taken+1
		for n < len(frames) && laneOf(medium, &frames[n]) == lane {
			n++
		}
		in := &d.in
		if lane > 0 {
			in = &more[lane-1]
		}
		run := frames[taken:n]
		k := in.deliver(run)
		if taken += k; k < len(run) {
			break
		}
	}
	return taken
}

// laneOf is the lane of a frame: by the ends of its flow for TCP and UDP, and the
// first for all else, fragments included.
func laneOf(medium link.Medium, f *link.Frame) int {
	b := f.Head
	if len(b) == 0 {
		b = f.Payload
	}
	if medium == link.Ethernet {
		if len(b) < ethernetLen {
			return 0
		}
		b = b[ethernetLen:]
	}
	const tcp, udp = 6, 17
	var hash uint32
	switch {
	case len(b) >= 24 && b[0] == 0x45 && (b[9] == tcp || b[9] == udp) && binary.BigEndian.Uint16(b[6:])&0x3fff == 0:
		hash = word(b[12:]) ^ word(b[16:]) ^ word(b[20:])
	case len(b) >= 44 && b[0]>>4 == 6 && (b[6] == tcp || b[6] == udp):
		hash = word(b[20:]) ^ word(b[36:]) ^ word(b[40:])
	default:
		return 0
	}
	return int(hash * 0x9e3779b1 >> 16 % laneCount)
}

// ethernetLen is the length of an Ethernet header.
const ethernetLen = 14

func word(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

// each calls f for the inlets of a device.
func (d *Device) each(f func(*inlet)) {
	f(&d.in)
	if more := d.more.Load(); more != nil {
		for i := range more {
			f(&more[i])
		}
	}
}

// closeInlets waits until nobody is in the handler, and sees to it that nobody will
// be. It reports whether this call closed them.
func (d *Device) closeInlets() (first bool) {
	d.each(func(in *inlet) {
		closed := in.close()
		first = first || closed
	})
	return first
}
