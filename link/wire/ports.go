package wire

import (
	"slices"
	"sync"
	"sync/atomic"
)

// ports are the devices of a switch or hub, in the order they were made.
type ports struct {
	mu   sync.Mutex // guards the replacement of list, and made
	list atomic.Pointer[[]*Device]
	made int
}

// all returns the open ports; the slice is never changed.
func (p *ports) all() []*Device {
	if l := p.list.Load(); l != nil {
		return *l
	}
	return nil
}

// add makes a port with the index that it is given.
func (p *ports) add(make func(index int) *Device) *Device {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made++
	d := make(p.made)
	l := append(slices.Clone(p.all()), d)
	p.list.Store(&l)
	return d
}

func (p *ports) remove(d *Device) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := slices.DeleteFunc(slices.Clone(p.all()), func(o *Device) bool { return o == d })
	p.list.Store(&l)
}
