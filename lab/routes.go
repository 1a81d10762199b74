package lab

import (
	"net/netip"

	"example.com/berth"
)

// Routes are computed from the topology, as a routing protocol would, but at
// once and without packets: the way with the fewest hops, and of equal ones that
// over the link made first. Cutting a link does not change them.
//
// A host with one router in sight has a default route to it. Routers, and hosts
// that see several, have a route for each network. Nobody outside has a route to
// a network behind a NAT.

// settleNow brings the routes up to date, before the next turn does.
func (n *Network) settleNow() {
	if n.dirty.Load() {
		n.sched.do(n.settle)
	}
}

// computeRoutes gives all hosts their routes. It is called in a turn.
func (n *Network) computeRoutes() {
	n.mu.Lock()
	nodes := n.nodes
	n.mu.Unlock()
	for _, v := range nodes {
		h := hostOf(v)
		if h == nil {
			continue
		}
		s := h.Stack()
		if s == nil {
			continue
		}
		for _, r := range h.routes {
			_ = s.RemoveRoute(r) // it is gone if the host was restarted
		}
		h.routes = nil
		h.addRoutes(s)
	}
}

func (h *Host) addRoutes(s *berth.Host) {
	routers := routersInSight(h)
	switch {
	case len(routers) == 0:
	case len(routers) == 1 && !forwards(h):
		h.addDefault(s, routers[0])
	default:
		h.addEachRoute(s)
	}
}

// forwards tells whether a host passes packets on.
func forwards(h *Host) bool { return h.kind != "host" }

// routersInSight are the ports of routers on the host's networks.
func routersInSight(h *Host) (list []*port) {
	for _, p := range h.ports {
		for _, m := range p.seg.members {
			if o := hostOf(m.node); o != h && forwards(o) && !m.outside {
				list = append(list, m)
			}
		}
	}
	return list
}

func (h *Host) addDefault(s *berth.Host, gateway *port) {
	for _, a := range gateway.addrs {
		if _, nat := gateway.node.(*NAT); nat && a.Addr().Is6() && !gateway.outside {
			continue // it would not let the answers in
		}
		h.addRoute(s, berth.Route{Dst: netip.PrefixFrom(unspecified(a.Addr()), 0), Via: a.Addr()})
	}
}

// addRoute adds a route, unless the user has one of that kind.
func (h *Host) addRoute(s *berth.Host, r berth.Route) {
	if s.AddRoute(r) == nil {
		h.routes = append(h.routes, r)
	}
}

func unspecified(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// addEachRoute walks the networks from the host on, nearest first.
func (h *Host) addEachRoute(s *berth.Host) {
	type step struct {
		seg     *segment
		gateway *port // the first router on the way
	}
	seen := make(map[*segment]bool)
	var queue []step
	for _, p := range h.ports {
		if !seen[p.seg] {
			seen[p.seg] = true
			queue = append(queue, step{p.seg, nil})
		}
	}
	for ; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for _, m := range at.seg.members {
			r := hostOf(m.node)
			if r == h || !forwards(r) || m.outside {
				continue // from outside nobody gets through a NAT
			}
			gateway := at.gateway
			if gateway == nil {
				gateway = m
			}
			for _, p := range r.ports {
				if seen[p.seg] {
					continue
				}
				seen[p.seg] = true
				h.addRoutesTo(s, p.seg, gateway)
				queue = append(queue, step{p.seg, gateway})
			}
		}
	}
	if h.kind == "nat" {
		for _, p := range h.ports {
			if p.outside {
				for _, m := range p.seg.members {
					if o := hostOf(m.node); o != h && forwards(o) && !m.outside {
						h.addDefault(s, m)
						return
					}
				}
			}
		}
	}
}

func (h *Host) addRoutesTo(s *berth.Host, to *segment, gateway *port) {
	for _, dst := range to.prefixes() {
		if via, ok := gateway.prefix(dst.Addr().Is4()); ok {
			h.addRoute(s, berth.Route{Dst: dst, Via: via.Addr()})
		}
	}
}

// prefixes are those of a network: of what the lab chose, and of addresses that
// were given.
func (s *segment) prefixes() (list []netip.Prefix) {
	seen := make(map[netip.Prefix]bool)
	for _, m := range s.members {
		for _, a := range m.addrs {
			if p := a.Masked(); !seen[p] {
				seen[p] = true
				list = append(list, p)
			}
		}
	}
	return list
}
