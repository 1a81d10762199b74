package wire

import (
	"sync"

	"example.com/berth/link"
)

// Pair returns two devices that are each other's far end: what goes out of one
// comes in at the other. Without options they carry IP packets of up to 1500
// bytes, and large frames of 64 KiB.
func Pair(opts ...Option) (a, b *Device) {
	c := newConfig(link.IP, opts)
	p := new(pair)
	p.a, p.b = newDevice(&c, 0, 1, p), newDevice(&c, 1, 2, p)
	return p.a, p.b
}

type pair struct {
	a, b *Device
	mu   sync.Mutex // orders the changes of both ends
}

func (p *pair) carry(from *Device, frames []link.Frame) int {
	if from == p.a {
		return p.b.deliver(frames)
	}
	return p.a.deliver(frames)
}

// changed makes the link up when both ends are.
func (p *pair) changed(*Device) {
	p.mu.Lock()
	up := p.a.willing() && p.b.willing()
	a, b := p.a.setCarrier(up), p.b.setCarrier(up)
	p.mu.Unlock()
	if a {
		p.a.in.changed()
	}
	if b {
		p.b.in.changed()
	}
}
