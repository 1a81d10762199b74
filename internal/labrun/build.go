package labrun

import (
	"errors"
	"net/netip"

	"example.com/berth/internal/labfile"
	"example.com/berth/lab"
	"example.com/berth/link/impair"
)

// A link is one of the network, with what it is like now.
type link struct {
	*lab.Link
	up, down impair.Config
}

var behaviors = map[string]lab.NATBehavior{
	"full-cone":          lab.FullCone,
	"address-restricted": lab.AddressRestricted,
	"port-restricted":    lab.PortRestricted,
	"symmetric":          lab.Symmetric,
}

// build makes the nodes and links of the file. What the lab does not take is a
// mistake in the file.
func (r *run) build() error {
	for _, h := range r.file.Hosts {
		err := r.try(h.Pos, func() { r.node(&h) })
		if err != nil {
			return err
		}
	}
	for i := range r.file.Links {
		l := &r.file.Links[i]
		if err := r.try(l.Pos, func() { r.link(l) }); err != nil {
			return err
		}
	}
	for _, h := range r.file.Hosts {
		for _, f := range h.Forwards {
			if err := r.forward(&h, &f); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) node(h *labfile.Host) {
	switch h.Kind {
	case labfile.KindRouter:
		r.net.Router(h.Name)
	case labfile.KindSwitch:
		r.net.Switch(h.Name)
	case labfile.KindNAT:
		r.net.NAT(h.Name, behaviors[h.Behavior])
	default:
		r.net.Host(h.Name)
	}
}

func (r *run) link(l *labfile.Link) {
	a, b := r.net.Node(l.A), r.net.Node(l.B)
	one := link{}
	opts := one.change(a, b, l.MTU, l.Up, l.Down)
	for _, end := range []struct {
		of    lab.Node
		addrs []netip.Prefix
	}{{a, l.AddrsA}, {b, l.AddrsB}} {
		for _, p := range end.addrs {
			opts = append(opts, lab.Addr(end.of, p.String()))
		}
	}
	one.Link = r.net.Link(a, b, opts...)
	r.links = append(r.links, one)
}

// change applies conditions, and returns the options that make them so.
func (l *link) change(a, b lab.Node, mtu int, up, down labfile.Conditions) []lab.LinkOption {
	up.Apply(&l.up)
	down.Apply(&l.down)
	opts := []lab.LinkOption{lab.From(a, lab.Impair(l.up)), lab.From(b, lab.Impair(l.down))}
	if mtu > 0 {
		opts = append(opts, lab.MTU(mtu))
	}
	return opts
}

func (r *run) forward(h *labfile.Host, f *labfile.Forward) error {
	var inside netip.Addr
	for _, a := range r.host(f.To.Host).Addrs() {
		if a.Is4() {
			inside = a
			break
		}
	}
	nat, ok := r.net.Node(h.Name).(*lab.NAT)
	if !ok || !inside.IsValid() {
		return r.file.Mistake(f.Pos, "link it to the NAT first", "%s has no IPv4 address", f.To.Host)
	}
	if _, err := nat.Forward(f.Network, f.Port, netip.AddrPortFrom(inside, f.To.Port)); err != nil {
		return r.file.Mistake(f.Pos, "", "%v", err)
	}
	return nil
}

// host is a node that has a TCP/IP stack.
func (r *run) host(name string) *lab.Host {
	switch v := r.net.Node(name).(type) {
	case *lab.Host:
		return v
	case *lab.Router:
		return &v.Host
	case *lab.NAT:
		return &v.Host
	}
	return nil // the file's reader knows that it is no switch
}

// try makes a mistake that the lab finds one in the file.
func (r *run) try(at labfile.Pos, f func()) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		var mistake *lab.Error
		if e, ok := p.(error); ok && errors.As(e, &mistake) {
			err = r.file.Mistake(at, "", "%s: %s", mistake.Op, mistake.Text)
			return
		}
		panic(p)
	}()
	f()
	return nil
}
