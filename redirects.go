package berth

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"example.com/berth/internal/header"
	"example.com/berth/internal/icmp"
	"example.com/berth/internal/neighbor"
	"example.com/berth/internal/route"
)

// redirects is the table of redirects under a lock, which guards it and is taken
// while any other is held. A redirect is about one destination, whatever it says
// (RFC 1122 section 3.2.2.2), and never changes the routes.
type redirects struct {
	host *Host
	n    atomic.Int32 // destinations in the table

	mu    sync.Mutex
	table route.Redirects
}

// nextHop is the neighbor that packets to dst go to by a route.
func (d *redirects) nextHop(dst netip.Addr, r *route.Route) netip.Addr {
	if d.n.Load() != 0 && r.Gateway.IsValid() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if to, ok := d.table.Lookup(d.host.now(), dst, r); ok {
			return d.host.interfaceByIndex(r.Interface).scoped(to)
		}
	}
	return r.NextHop(dst)
}

// lost is told that a neighbor does not answer: what leads to it is forgotten.
func (d *redirects) lost(gw route.Gateway) {
	if d.n.Load() == 0 {
		return
	}
	d.mu.Lock()
	news := d.table.Lost(gw)
	d.n.Store(int32(d.table.Len()))
	d.mu.Unlock()
	if news {
		d.host.gen.Add(1)
	}
}

// redirected takes the word of src, which came in on ifc, that the neighbor to is
// the better next hop for packets from the host to dst. It is believed only of the
// next hop that they go to now (RFC 1122 section 3.2.2.2, RFC 4861 section 8.1),
// and not by a router.
func (h *Host) redirected(ifc *Interface, src, from, dst, to netip.Addr) bool {
	n := h.net.Load()
	if h.config.IgnoreRedirects || n.forwarding || needsZone(dst) {
		return false
	}
	if l, ok := n.isLocal(from); !ok || l.tentative {
		return false // the host did not send what is quoted
	}
	r, err := h.lookup(n, dst, 0)
	if err != nil || r.Interface != ifc.index || !r.Gateway.IsValid() {
		return false
	}
	if h.config.SecureRedirects && to != dst.WithZone("") && !n.isGateway(to, ifc) {
		return false
	}
	if h.redirects.nextHop(dst, &r).WithZone("") != src.WithZone("") || to == src.WithZone("") {
		return false
	}
	d := &h.redirects
	d.mu.Lock()
	via := route.Gateway{Addr: r.Gateway.WithZone(""), Interface: r.Interface}
	news := d.table.Update(h.now(), dst, via, to)
	d.n.Store(int32(d.table.Len()))
	d.mu.Unlock()
	if news {
		h.gen.Add(1)
	}
	return true
}

// redirect4 takes an ICMPv4 redirect, whatever its code. The new gateway must be
// another host on the link.
func (h *Host) redirect4(in *inPacket, e *icmp.Error) {
	n := h.net.Load()
	_, broadcast := n.broadcast.get(e.Gateway)
	_, local := n.isLocal(e.Gateway)
	via, err := n.routes.Lookup(e.Gateway, in.ifc.index)
	neighbor := err == nil && !via.Gateway.IsValid() && !broadcast && !local &&
		!e.Gateway.IsMulticast() && !e.Gateway.IsUnspecified()
	if in.group || !neighbor || !h.redirected(in.ifc, in.src, e.Local.Addr(), e.Remote.Addr(), e.Gateway) {
		h.count.ICMP.Ignored.Add(1)
		return
	}
	h.count.ICMP.Redirects.Add(1)
}

// redirect6 takes an ICMPv6 redirect (RFC 4861 section 8.3). The destination may
// itself be the next hop: it is on the link then.
func (ifc *Interface) redirect6(in *inPacket, p *neighbor.Packet, b []byte) error {
	h := ifc.host
	var m header.Redirect
	if _, err := m.Parse(b); err != nil {
		return err
	}
	// That the sender is the next hop in use is looked at below.
	if err := p.CheckRedirect(&m, in.src); err != nil {
		return err
	}
	if in.group || !h.redirected(ifc, in.src, in.dst, m.Destination, m.Target) {
		h.count.ICMP.Ignored.Add(1)
		return nil
	}
	h.count.ICMP.Redirects.Add(1)
	if ifc.nd == nil {
		return nil
	}
	ifc.mu.Lock()
	if m.HasTargetHW {
		ifc.nd.Learn(h.now(), m.Target, m.TargetHW)
	}
	if m.Target != m.Destination {
		ifc.nd.Router(m.Target)
	}
	ifc.act()
	return nil
}

// isGateway tells whether a route leads over a neighbor on ifc.
func (n *network) isGateway(a netip.Addr, ifc *Interface) bool {
	for r := range n.routes.All() {
		if r.Interface == ifc.index && r.Gateway.IsValid() && r.Gateway.WithZone("") == a {
			return true
		}
	}
	return false
}
