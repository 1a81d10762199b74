package lab

import (
	"fmt"
	"net/netip"
	"sync"

	"example.com/berth/link"
)

// A port is where a link meets a node: an interface of a host, or a socket of a
// switch.
type port struct {
	node    node
	name    string // eth0
	link    *Link
	out     *pipe // what this port sends
	mac     [6]byte
	seg     *segment
	addrs   []netip.Prefix
	outside bool // of a NAT

	mu  sync.Mutex // guards what follows
	dev *device    // of the host that runs now; nil on a switch, and while the host is down
}

// receive takes what comes in over the link, in a turn.
func (p *port) receive(frames []link.Frame) {
	if s, ok := p.node.(*Switch); ok {
		s.forward(p, frames)
		return
	}
	if v, ok := p.node.(*NAT); ok {
		frames = v.inward(p, frames)
	}
	if h := p.handler(); h != nil && len(frames) > 0 { // else nobody hears it
		h.Input(frames)
	}
}

// handler is the host's ear, if it has one.
func (p *port) handler() link.Handler {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dev == nil {
		return nil
	}
	return p.dev.handler
}

// prefix is the port's address of a family, if it has one.
func (p *port) prefix(v4 bool) (netip.Prefix, bool) {
	for _, a := range p.addrs {
		if a.Addr().Is4() == v4 {
			return a, true
		}
	}
	return netip.Prefix{}, false
}

// A device is what a host has of a port: the host's network card. A host that is
// started again gets a new one.
type device struct {
	port    *port
	handler link.Handler // guarded by the port's lock
}

// plug makes the device of a host that starts.
func (p *port) plug() *device {
	d := &device{port: p}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dev = d
	return d
}

// unplug takes the device away: the host falls silent.
func (p *port) unplug() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dev = nil
}

// Info implements link.Device.
func (d *device) Info() link.Info {
	p := d.port
	i := link.Info{Name: p.name, Medium: p.link.medium, MTU: p.link.mtu(), Up: p.link.up()}
	if i.Medium == link.Ethernet {
		i.Addr = p.mac
	}
	return i
}

// Attach implements link.Device.
func (d *device) Attach(h link.Handler) error {
	d.port.mu.Lock()
	defer d.port.mu.Unlock()
	if d.handler != nil {
		return link.ErrAttached
	}
	d.handler = h
	return nil
}

// Output implements link.Device.
func (d *device) Output(frames []link.Frame) (int, error) {
	d.port.mu.Lock()
	gone := d.port.dev != d
	d.port.mu.Unlock()
	if gone { // the host has crashed, and does not know
		return len(frames), nil
	}
	info := d.Info()
	good, err := info.CheckAll(frames)
	leaving := frames[:good]
	if v, ok := d.port.node.(*NAT); ok {
		leaving = v.outward(d.port, leaving)
	}
	d.port.out.push(leaving)
	return good, err
}

// Close implements link.Device.
func (d *device) Close() error {
	d.port.mu.Lock()
	defer d.port.mu.Unlock()
	if d.port.dev == d {
		d.port.dev = nil
	}
	return nil
}

// changed tells the host that the link's Info has.
func (p *port) changed() {
	if h := p.handler(); h != nil {
		h.Changed()
	}
}

func (p *port) String() string { return fmt.Sprintf("%s/%s", p.node.Name(), p.name) }
