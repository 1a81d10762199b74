package berth

import (
	"net/netip"
	"sync"
	"syscall"

	"example.com/berth/internal/route"
)

// SourceAddr returns the address that a packet to dst would have as its source,
// if its sender names none (RFC 6724 section 5). Errors: ENETUNREACH without a
// route, EADDRNOTAVAIL without an address, EINVAL for a link-local destination
// without a zone.
func (h *Host) SourceAddr(dst netip.Addr) (netip.Addr, error) {
	p, err := h.route(dst.Unmap(), netip.Addr{}, 0)
	return p.src, err
}

// route finds the way to dst. From is the source address that is given, or the
// zero Addr, and device the interface that must be used, or 0.
//
// Errors: ENETUNREACH without a route, EADDRNOTAVAIL without an address to send
// from, EINVAL for a link-local destination that does not say on which link.
func (h *Host) route(dst, from netip.Addr, device int) (path, error) {
	gen := h.gen.Load() // first: a change that comes now makes the path stale
	n := h.net.Load()
	if l, ok := n.isLocal(dst); ok && !l.tentative {
		return h.localPath(dst, from, gen), nil
	}
	p := path{gen: gen}
	if zone := dst.Zone(); zone != "" {
		ifc := h.interfaceByZone(zone)
		if ifc == nil || device != 0 && device != ifc.index {
			return p, syscall.EINVAL
		}
		device = ifc.index
	} else if needsZone(dst) {
		if device == 0 && from.Zone() != "" {
			device = h.interfaceByZone(from.Zone()).index
		}
		if device == 0 && dst.IsLinkLocalUnicast() {
			return p, syscall.EINVAL
		}
	}
	r, err := h.lookup(n, dst, device)
	if err != nil {
		return p, err
	}
	p.ifc = n.interfaces[r.Interface-1]
	info := p.ifc.info.Load()
	if !info.Up {
		return p, syscall.ENETDOWN
	}
	if needsZone(dst) {
		dst = dst.WithZone(p.ifc.name)
	}
	p.next = h.redirects.nextHop(dst, &r)
	p.mtu = info.MTU
	if said := int(p.ifc.mtu6.Load()); said > 0 && dst.Is6() {
		p.mtu = min(p.mtu, said)
	}
	if r.MTU > 0 {
		p.mtu = min(p.mtu, r.MTU)
	}
	p.mtu = h.mtus.lookup(dst, p.mtu)
	if p.src = from; !from.IsValid() {
		src, ok := n.selectSource(dst, &r)
		if !ok {
			return p, syscall.EADDRNOTAVAIL
		}
		p.src = p.ifc.scoped(src)
	}
	return p, nil
}

// localPath is the way to an address of the host itself: over lo.
func (h *Host) localPath(dst, from netip.Addr, gen uint64) path {
	if !from.IsValid() {
		from = dst
		if _, own := h.net.Load().local.get(dst); !own && dst.Is4() {
			from = loopbackOf(dst) // as on Linux, of all 127.0.0.0/8
		}
	}
	return path{ifc: h.lo, next: dst, src: from, mtu: h.lo.MTU(), gen: gen}
}

// lookup asks the routing table. Limited broadcast and multicast without a
// route go out of the interface that is named, or of the first that is not lo.
func (h *Host) lookup(n *network, dst netip.Addr, device int) (route.Route, error) {
	r, err := h.gateways.lookup(n, dst, device)
	if dst == broadcastAll || dst.IsMulticast() && r.Prefix.Bits() < 4 {
		r.Gateway = netip.Addr{} // who is on the link is meant (RFC 1112 6.1); a default route says which
	}
	if err == nil || !dst.IsMulticast() && dst != broadcastAll && !(device != 0 && needsZone(dst)) {
		return r, err
	}
	if device == 0 {
		for _, ifc := range n.interfaces[1:] {
			if n.sources.HasFamily(ifc.index, dst.Is4()) {
				device = ifc.index
				break
			}
		}
	}
	if device == 0 {
		return r, err
	}
	return route.Route{Prefix: netip.PrefixFrom(dst, dst.BitLen()), Interface: device}, nil
}

// anyLink is the index of the first interface that is not lo; 0 if there is none.
func (h *Host) anyLink() int {
	if all := h.net.Load().interfaces; len(all) > 1 {
		return all[1].index
	}
	return 0
}

// selectSource is RFC 6724 section 5 over the addresses of all interfaces.
func (n *network) selectSource(dst netip.Addr, r *route.Route) (netip.Addr, bool) {
	var s route.Selector
	return s.Source(dst, r, &n.sources)
}

func (n *network) internalRoute(r Route) (route.Route, error) {
	ir := route.Route{Prefix: r.Dst.Masked(), Gateway: r.Via, Source: r.Src, Metric: r.Metric, MTU: r.MTU}
	switch {
	case r.Interface != nil:
		ir.Interface = r.Interface.index
	case r.Via.IsValid():
		via, err := n.routes.Lookup(r.Via, 0)
		if err != nil || via.Gateway.IsValid() {
			return ir, syscall.ENETUNREACH
		}
		ir.Interface = via.Interface
	default:
		return ir, syscall.ENODEV
	}
	return ir, nil
}

func (n *network) addRoute(r route.Route) (err error) {
	n.routes, err = n.routes.Add(r)
	return err
}

func (n *network) removeRoute(r route.Route) (err error) {
	n.routes, err = n.routes.Remove(r)
	return err
}

// addConnected adds the route to the link that an address brings. An address
// that is all of its prefix brings none, nor does one of lo.
func (n *network) addConnected(ifc *Interface, p netip.Prefix) error {
	if p.IsSingleIP() {
		return nil
	}
	err := n.addRoute(route.Route{Prefix: p.Masked(), Interface: ifc.index})
	if err == syscall.EEXIST {
		return nil
	}
	return err
}

func (n *network) removeConnected(ifc *Interface, p netip.Prefix) {
	if t, err := n.routes.Remove(route.Route{Prefix: p.Masked(), Interface: ifc.index}); err == nil {
		n.routes = t
	}
}

func (n *network) dropRoutes(ifc *Interface) {
	n.routes = n.routes.RemoveFunc(func(r *route.Route) bool { return r.Interface == ifc.index })
}

// Routes returns the routing table, without the routes to the host itself.
func (h *Host) Routes() []Route {
	n := h.net.Load()
	var out []Route
	for r := range n.routes.All() {
		out = append(out, Route{
			Dst: r.Prefix, Via: r.Gateway, Interface: n.interfaces[r.Interface-1],
			Src: r.Source, Metric: r.Metric, MTU: r.MTU,
		})
	}
	return out
}

// loopbackOf is the loopback address of a's family.
func loopbackOf(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

// mtuCache is the path-MTU cache under a lock, which guards the cache.
type mtuCache struct {
	host  *Host
	mu    sync.Mutex
	cache *route.MTUCache
}

func (c *mtuCache) init(h *Host) { c.host, c.cache = h, route.NewMTUCache(0) }

// lookup returns the path MTU to dst, given that of the first link.
func (c *mtuCache) lookup(dst netip.Addr, first int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cache.Len() == 0 {
		return first
	}
	if known, ok := c.cache.Lookup(dst, c.host.now()); ok {
		return min(first, known.MTU)
	}
	return first
}

// update takes a path MTU that an ICMP message reported, and makes all paths
// look again if it is news.
func (c *mtuCache) update(dst netip.Addr, mtu int) (now int, changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, changed := c.cache.Update(dst, mtu, c.host.now())
	if changed {
		c.host.gen.Add(1)
	}
	return known.MTU, changed
}
