package berth

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"example.com/berth/internal/lean"
	"example.com/berth/internal/route"
)

// gateways knows which gateways do not answer: it is the host's dead-gateway
// detection (RFC 1122 section 3.3.1.4). What tells it is the neighbor cache, which
// asks while packets are sent and no transport says that they arrive. Its lock
// guards the table, and is taken while any other is held.
type gateways struct {
	host  *Host
	timer timerEntry
	dead  atomic.Int32 // so many do not answer

	mu    sync.Mutex
	table route.Gateways
}

func (g *gateways) init(h *Host) { g.host, g.timer.owner = h, g }

// lost is told that a neighbor does not answer. If it is a gateway, all look for
// another one.
func (g *gateways) lost(ifc *Interface, addr netip.Addr) {
	gw := route.Gateway{Addr: addr.WithZone(""), Interface: ifc.index}
	g.host.redirects.lost(gw)
	if !g.host.net.Load().hasGateway(gw) {
		return
	}
	g.mu.Lock()
	news := g.table.Lost(g.host.now(), gw)
	g.settle()
	g.mu.Unlock()
	if news {
		g.host.count.Neighbor.GatewaysLost.Add(1)
		g.host.gen.Add(1)
	}
}

// found is told that a neighbor answers.
func (g *gateways) found(ifc *Interface, addr netip.Addr) {
	if g.dead.Load() == 0 {
		return
	}
	g.mu.Lock()
	news := g.table.Found(route.Gateway{Addr: addr.WithZone(""), Interface: ifc.index})
	g.settle()
	g.mu.Unlock()
	if news {
		g.host.gen.Add(1)
	}
}

// settle arms the timer. The lock is held.
func (g *gateways) settle() {
	g.dead.Store(int32(g.table.Len()))
	switch at := g.table.Deadline(); {
	case g.table.Wanted():
		g.host.timers.schedule(&g.timer, g.host.now())
	case at != 0:
		g.host.timers.schedule(&g.timer, at)
	}
}

// lookup asks the routing table for a route whose gateway answers, as far as
// there is one to the prefix.
func (g *gateways) lookup(n *network, dst netip.Addr, device int) (route.Route, error) {
	if g.dead.Load() == 0 {
		return n.routes.Lookup(dst, device)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	r, err := n.routes.LookupAround(dst, device, g.table.Avoid)
	if g.table.Wanted() {
		g.settle()
	}
	return r, err
}

// timerFired asks those gateways again that somebody would use.
func (g *gateways) timerFired(now time.Duration) {
	var room [8]route.Gateway
	g.mu.Lock()
	rested := g.table.Timer(now)
	ask := g.table.Ask(now, room[:0])
	g.settle()
	g.mu.Unlock()
	if rested {
		g.host.gen.Add(1)
	}
	lean.Sort(ask, func(a, b *route.Gateway) bool { return a.Addr.Less(b.Addr) })
	for _, gw := range ask {
		g.host.interfaceByIndex(gw.Interface).doubt(gw.Addr)
	}
}

// hasGateway tells whether a route goes through a gateway.
func (n *network) hasGateway(gw route.Gateway) bool {
	for r := range n.routes.All() {
		if r.Interface == gw.Interface && r.Gateway.IsValid() && r.Gateway.WithZone("") == gw.Addr {
			return true
		}
	}
	return false
}

// doubt has the neighbor cache ask whether a neighbor is there.
func (ifc *Interface) doubt(addr netip.Addr) {
	if ifc.linkHeader == 0 {
		return
	}
	ifc.mu.Lock()
	ifc.cache(addr).Doubt(ifc.host.now(), addr)
	ifc.act()
}

// advise tells IP once that the connection has reached R1: the peer does not
// answer, and what does not may be the next hop (RFC 9293 3.8.3, MUST-20). The
// lock is held; it is let go meanwhile.
func (s *stream) advise() {
	if on := s.conn.Struggling(); on == s.advised || !on {
		s.advised = on
		return
	}
	s.advised = true
	ifc, next := s.path.ifc, s.path.next
	s.mu.Unlock()
	ifc.doubt(next)
	s.mu.Lock()
}
