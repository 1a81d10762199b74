package wire

import "example.com/berth/link"

// A Hub joins any number of hosts: what one sends, all others get. It carries
// IP packets (each host takes what is addressed to it) or Ethernet frames.
type Hub struct {
	config config
	ports  ports
}

// NewHub returns a hub without ports. The options are those of its ports.
func NewHub(opts ...Option) *Hub { return &Hub{config: newConfig(link.IP, opts)} }

// Port returns a new port; its options change those of the hub. A port is
// removed by closing it.
func (h *Hub) Port(opts ...Option) *Device {
	c := h.config.with(opts)
	c.medium = h.config.medium
	return h.ports.add(func(index int) *Device { return newDevice(&c, 0, index, h) })
}

// carry takes all: what a port has no room for is lost there.
func (h *Hub) carry(from *Device, frames []link.Frame) int {
	for _, d := range h.ports.all() {
		if d != from {
			d.receive(frames)
		}
	}
	from.out.took(frames)
	return len(frames)
}

// addTo has nothing to add: what a port sent is counted there.
func (h *Hub) addTo(*Device, *Stats) {}

func (h *Hub) changed(d *Device) { changed(&h.ports, d) }

// changed notes that a port of a switch or hub, whose links do not depend on
// each other, was closed, or went up or down.
func changed(p *ports, d *Device) {
	if d.state.Load().closed {
		p.remove(d)
	} else if d.setCarrier(d.willing()) {
		d.in.changed()
	}
}
