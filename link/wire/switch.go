package wire

import (
	"sync/atomic"

	"example.com/berth/link"
)

// A Switch joins any number of Ethernet ports. It learns from the source
// addresses which station is at which port, and sends a frame to the port of
// its destination, or to all if that is a group or not known.
type Switch struct {
	config   config
	ports    ports
	stations stations

	flooded, local, runts atomic.Uint64
}

// SwitchStats are a switch's counters; what its ports dropped is in theirs.
type SwitchStats struct {
	// Stations is how many addresses are known, of at most 4096.
	Stations int
	// Learned counts the addresses learned, Moved those that appeared at
	// another port, and Evicted those forgotten to make room for others.
	Learned, Moved, Evicted uint64
	// Flooded are frames that went to all ports.
	Flooded uint64
	// Local are frames to a station at the port they came from, dropped.
	Local uint64
	// Runts are frames without a whole Ethernet header, dropped.
	Runts uint64
}

// NewSwitch returns a switch without ports. The options are those of its ports.
func NewSwitch(opts ...Option) *Switch {
	c := newConfig(link.Ethernet, opts)
	c.medium = link.Ethernet
	return &Switch{config: c}
}

// Port returns a new port; its options change those of the switch. A port is
// removed by closing it.
func (s *Switch) Port(opts ...Option) *Device {
	c := s.config.with(opts)
	c.medium = link.Ethernet
	return s.ports.add(func(index int) *Device { return newDevice(&c, 0, index, s) })
}

// Stats returns the switch's counters.
func (s *Switch) Stats() SwitchStats {
	st := SwitchStats{Flooded: s.flooded.Load(), Local: s.local.Load(), Runts: s.runts.Load()}
	s.stations.addTo(&st)
	return st
}

// carry forwards frames in runs with one source and one destination, so that a
// batch of one connection stays a batch. It takes all: what a port has no room
// for is lost there.
func (s *Switch) carry(from *Device, frames []link.Frame) int {
	for i := 0; i < len(frames); {
		var h, next addresses
		if frames[i].Peek(h[:]) < ethernetHeader {
			s.runts.Add(1)
			i++
			continue
		}
		j := i + 1
		for j < len(frames) && frames[j].Peek(next[:]) == ethernetHeader && next.same(&h) {
			j++
		}
		s.forward(from, &h, frames[i:j])
		i = j
	}
	from.out.took(frames)
	return len(frames)
}

// addTo has nothing to add: what a port sent is counted there.
func (s *Switch) addTo(*Device, *Stats) {}

func (s *Switch) forward(from *Device, h *addresses, frames []link.Frame) {
	if src := h.src(); !group(src) {
		s.stations.learn(src, from)
	}
	if to := s.stations.find(h.dst()); to == from {
		s.local.Add(uint64(len(frames)))
	} else if to != nil {
		to.receive(frames)
	} else {
		s.flooded.Add(uint64(len(frames)))
		for _, d := range s.ports.all() {
			if d != from {
				d.receive(frames)
			}
		}
	}
}

func (s *Switch) changed(d *Device) {
	changed(&s.ports, d)
	if !d.willing() {
		s.stations.forget(d)
	}
}

// ethernetHeader is the length of a frame's header in bytes.
const ethernetHeader = 14

// addresses is the header of an Ethernet frame.
type addresses [ethernetHeader]byte

func (a *addresses) dst() [6]byte { return [6]byte(a[0:6]) }
func (a *addresses) src() [6]byte { return [6]byte(a[6:12]) }

func (a *addresses) same(b *addresses) bool { return [12]byte(a[:12]) == [12]byte(b[:12]) }

// group tells whether an address is that of a group, or of everybody.
func group(a [6]byte) bool { return a[0]&1 != 0 }
