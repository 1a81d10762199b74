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

// addTo adds what the other end got, or would have got: it counts that under the lock
// that it takes anyway.
func (p *pair) addTo(from *Device, s *Stats) {
	to := p.a
	if from == p.a {
		to = p.b
	}
	to.each(func(in *inlet) { in.addTaken(s) })
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
