package berth

import (
	"net/netip"
	"slices"
	"strconv"
	"syscall"

	"example.com/berth/internal/route"
)

// network is a host's configuration as packets see it: interfaces, addresses
// and routes. It is immutable; a change makes a new one, with the next
// generation.
type network struct {
	interfaces []*Interface // by index, from 1
	local      addrTable[*localAddr]
	loopback   localAddr // that of 127.0.0.0/8
	broadcast  addrTable[*Interface]
	sources    route.Sources // what packets may be sent from
	routes     *route.Table
	forwarding bool
}

// localAddr is an address of the host. Link-local ones of IPv6 are keys with
// the name of their interface as zone.
type localAddr struct {
	ifc       *Interface
	prefix    netip.Prefix
	tentative bool // duplicate address detection is not over
}

// change makes a new network from the present one and puts it in force.
func (h *Host) change(f func(*network) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return syscall.ENETDOWN
	}
	n := *h.net.Load()
	if err := f(&n); err != nil {
		return err
	}
	n.derive()
	h.net.Store(&n)
	h.gen.Add(1)
	return nil
}

// derive makes what follows from the interfaces' addresses and the routes.
func (n *network) derive() {
	n.local, n.broadcast = addrTable[*localAddr]{}, addrTable[*Interface]{}
	n.broadcast.set(broadcastAll, nil)
	n.sources = route.Sources{}
	if len(n.interfaces) > 0 {
		n.loopback.ifc = n.interfaces[0]
	}
	for _, ifc := range n.interfaces {
		for _, a := range ifc.addrs {
			addr := a.Prefix.Addr()
			n.local.set(ifc.scoped(addr), &localAddr{ifc, a.Prefix, a.Tentative})
			if !a.Tentative {
				n.sources.Add(route.Address{
					Prefix: a.Prefix, Interface: ifc.index, Deprecated: a.Deprecated, Temporary: a.Temporary,
				})
			}
			if addr.Is4() && a.Prefix.Bits() < 31 && !addr.IsLoopback() {
				n.broadcast.set(lastAddr(a.Prefix), ifc)
				n.broadcast.set(a.Prefix.Masked().Addr(), ifc) // RFC 1122 3.2.1.3: the old form
			}
		}
	}
}

var broadcastAll = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// lastAddr is the highest address of an IPv4 prefix, its broadcast address.
func lastAddr(p netip.Prefix) netip.Addr {
	a := p.Masked().Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		a[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(a)
}

// scoped gives a link-local address the interface as zone.
func (ifc *Interface) scoped(a netip.Addr) netip.Addr {
	if needsZone(a) {
		return a.WithZone(ifc.name)
	}
	return a
}

// seen gives a link-local address of a packet that came in the zone it belongs
// to. Over lo those are the host's own, of the interface that has them.
func (ifc *Interface) seen(a netip.Addr) netip.Addr {
	if !needsZone(a) || ifc != ifc.host.lo {
		return ifc.scoped(a)
	}
	n := ifc.host.net.Load()
	for _, other := range n.interfaces {
		if _, ok := n.local.get(other.scoped(a)); ok {
			return other.scoped(a)
		}
	}
	return ifc.scoped(a)
}

// isLocal tells whether an address is one of the host's, and of which
// interface. All of 127.0.0.0/8 is.
func (n *network) isLocal(a netip.Addr) (*localAddr, bool) {
	if l, ok := n.local.get(a); ok {
		return l, true
	}
	if a.Is4() && a.IsLoopback() && len(n.interfaces) > 0 {
		return &n.loopback, true
	}
	return nil, false
}

func (h *Host) isBindable(a netip.Addr) bool {
	n := h.net.Load()
	l, ok := n.isLocal(a)
	if !ok {
		_, ok = n.broadcast.get(a)
		return ok
	}
	return !l.tentative
}

// isBroadcast tells whether an address is a broadcast address here. A copy at every call
// would be much.
//
//go:noinline
func (h *Host) isBroadcast(a netip.Addr) bool {
	_, ok := h.net.Load().broadcast.get(a)
	return ok
}

// interfaceByIndex returns the interface with an index, or nil. A copy at every call
// would be much.
//
//go:noinline
func (h *Host) interfaceByIndex(i int) *Interface {
	n := h.net.Load()
	if i < 1 || i > len(n.interfaces) {
		return nil
	}
	return n.interfaces[i-1]
}

func (h *Host) interfaceByName(name string) *Interface {
	for _, ifc := range h.net.Load().interfaces {
		if ifc.name == name {
			return ifc
		}
	}
	return nil
}

// interfaceByZone finds the interface that a zone names, by its name or index.
func (h *Host) interfaceByZone(zone string) *Interface {
	if ifc := h.interfaceByName(zone); ifc != nil {
		return ifc
	}
	if i, err := strconv.Atoi(zone); err == nil {
		return h.interfaceByIndex(i)
	}
	return nil
}

// Interfaces returns the host's interfaces, lo first.
func (h *Host) Interfaces() []*Interface { return slices.Clone(h.net.Load().interfaces) }

// Route is a way to the addresses of a prefix.
type Route struct {
	// Dst is the prefix; 0.0.0.0/0 and ::/0 are the default routes.
	Dst netip.Prefix
	// Via is the gateway; the zero Addr means that Dst is on the link.
	Via netip.Addr
	// Interface is the way out; nil means the one whose prefix has Via.
	Interface *Interface
	// Src is the source address to prefer; zero lets the host select.
	Src netip.Addr
	// Metric chooses among routes to one prefix: the lowest wins.
	Metric int
	// MTU bounds the path MTU; 0 means that of the interface.
	MTU int
}

// AddRoute adds a route. Errors: EINVAL for one without sense, ENETUNREACH if
// the gateway is on no link, EEXIST if there is one of that prefix, metric and
// interface.
func (h *Host) AddRoute(r Route) error {
	return h.change(func(n *network) error {
		ir, err := n.internalRoute(r)
		if err != nil {
			return failed(err, "add route to "+r.Dst.String())
		}
		return n.addRoute(ir)
	})
}

// RemoveRoute removes a route that AddRoute added. ESRCH: there is none.
func (h *Host) RemoveRoute(r Route) error {
	return h.change(func(n *network) error {
		ir, err := n.internalRoute(r)
		if err != nil {
			return failed(err, "remove route to "+r.Dst.String())
		}
		return n.removeRoute(ir)
	})
}

// SetForwarding makes the host a router, or not.
func (h *Host) SetForwarding(on bool) error {
	return h.change(func(n *network) error {
		n.forwarding = on
		return nil
	})
}
