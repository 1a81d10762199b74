package berth

import (
	"errors"
	"net/netip"
	"slices"
	"syscall"

	"example.com/berth/internal/autoconf"
	"example.com/berth/internal/header"
	"example.com/berth/internal/neighbor"
	"example.com/berth/internal/route"
)

// IPv6Config says how a host's interfaces configure IPv6. The zero value makes
// a link-local address on every interface and leaves the rest to AddAddr and
// AddRoute.
type IPv6Config struct {
	// Disabled leaves IPv6 out of the attached interfaces: no link-local
	// address, no routers, no multicast listener reports. AddAddr still takes
	// IPv6 ones, which work as ever.
	Disabled bool
	// AcceptRouters takes addresses, routes, the MTU and the hop limit from
	// router advertisements (SLAAC, RFC 4862), and solicits them. A host that
	// forwards ignores routers.
	AcceptRouters bool
	// DetectDuplicates checks each address before it is used (RFC 4862
	// section 5.4), which takes a second or two. Without it an address is
	// usable at once.
	DetectDuplicates bool
	// Temporary makes temporary addresses beside the stable ones (RFC 8981).
	Temporary bool
	// EUI64 makes addresses of the hardware's address instead of opaque ones
	// (RFC 7217).
	EUI64 bool
}

func (ifc *Interface) initConf() {
	h := ifc.host
	cfg := h.config.IPv6
	c := autoconf.Config{
		MAC: ifc.info.Load().Addr, Name: ifc.name, NetworkID: h.name,
		EUI64: cfg.EUI64, Temporary: cfg.Temporary,
		IgnoreRouters: !cfg.AcceptRouters || h.config.Forwarding || cfg.Disabled,
		NoLinkLocal:   cfg.Disabled,
		MTU:           ifc.info.Load().MTU, Rand: h.random.Uint64,
		Key:       h.random.derive("stable addresses"),
		Transmits: 1,
	}
	if !cfg.DetectDuplicates {
		c.Transmits, c.MaxDelay = -1, -1
	}
	ifc.conf = autoconf.New(c)
	ifc.initACD()
}

// startConf makes the link-local address and begins to listen for routers, on a
// link that is up.
func (ifc *Interface) startConf() {
	if !ifc.info.Load().Up {
		return
	}
	ifc.mu.Lock()
	ifc.conf.Start(ifc.host.now())
	ifc.act()
}

// stopConf forgets what was learned from a link that is down: it may be another
// one when it comes back.
func (ifc *Interface) stopConf() {
	ifc.mtu6.Store(0)
	ifc.hopLimit.Store(0)
	ifc.mu.Lock()
	ifc.conf.Stop()
	if ifc.arp != nil {
		ifc.arp.Flush(false)
		ifc.nd.Flush(false)
	}
	ifc.act()
}

// confAdd tells the machine of an address that was set by hand.
func (ifc *Interface) confAdd(p netip.Prefix) {
	if !p.Addr().Is6() || p.Addr().IsLoopback() {
		return
	}
	ifc.mu.Lock()
	// The host has checked what Add checks; that the machine has the address
	// from a router is no error either: it is now the owner's.
	_ = ifc.conf.Add(ifc.host.now(), p, autoconf.Lifetimes{}, !ifc.detectsDuplicates(p.Addr()))
	ifc.act()
}

func (ifc *Interface) confRemove(a netip.Addr) {
	ifc.mu.Lock()
	ifc.conf.Remove(a)
	ifc.act()
}

// detectsDuplicates tells whether an address is checked before it is used.
func (ifc *Interface) detectsDuplicates(a netip.Addr) bool {
	return a.Is6() && ifc.host.config.IPv6.DetectDuplicates && ifc != ifc.host.lo && !ifc.host.config.IPv6.Disabled
}

// doConf carries out what the machine asks for. No lock is held.
func (ifc *Interface) doConf(a *autoconf.Action) {
	switch a.Op {
	case autoconf.SendNS:
		ns := header.NeighborSolicit{Target: a.Addr, Nonce: a.Nonce, HasNonce: a.HasNonce}
		dst := neighbor.SolicitedNode(a.Addr)
		ifc.sendND(netip.IPv6Unspecified(), dst, header.MulticastMAC(dst), ns.Append(nil))
	case autoconf.SendNA:
		na := header.NeighborAdvert{
			Target: a.Addr, Router: ifc.host.net.Load().forwarding,
			HasTargetHW: ifc.linkHeader > 0, TargetHW: ifc.info.Load().Addr,
		}
		ifc.sendND(a.Addr, allRouters, header.MulticastMAC(allRouters), na.Append(nil))
	case autoconf.SendRS:
		rs := header.RouterSolicit{HasSourceHW: ifc.linkHeader > 0, SourceHW: ifc.info.Load().Addr}
		ifc.sendND(a.Addr, allRouters, header.MulticastMAC(allRouters), rs.Append(nil))
	case autoconf.JoinGroup:
		ifc.hostJoin(a.Addr, a.Delay)
	case autoconf.LeaveGroup:
		ifc.hostLeave(a.Addr)
	case autoconf.AddAddress, autoconf.SetAddress:
		ifc.setAutoAddr(a)
	case autoconf.RemoveAddress:
		ifc.dropAddr(a.Prefix.Addr())
	case autoconf.SendProbe:
		ifc.arpAsk(netip.IPv4Unspecified(), a.Addr)
	case autoconf.SendAnnouncement:
		ifc.arpAsk(a.Addr, a.Addr)
	case autoconf.AddRoute, autoconf.RemoveRoute:
		ifc.autoRoute(a)
	case autoconf.SetMTU:
		ifc.mtu6.Store(int32(a.Value))
		ifc.host.gen.Add(1)
	case autoconf.SetHopLimit:
		ifc.hopLimit.Store(int32(a.Value))
		ifc.host.gen.Add(1)
	case autoconf.SetTimers:
		if ifc.nd != nil {
			ifc.mu.Lock()
			ifc.nd.SetTimers(a.Reachable, a.Retrans)
			ifc.act()
		}
	case autoconf.Disable: // what the machine had made it removes itself
		ifc.host.count.Neighbor.Duplicates.Add(1)
	}
}

var allRouters = netip.MustParseAddr("ff02::2")

// setAutoAddr enters an address of the machine, or its new state.
func (ifc *Interface) setAutoAddr(a *autoconf.Action) {
	if a.State == autoconf.Duplicate {
		ifc.host.count.Neighbor.Duplicates.Add(1)
	}
	next := Addr{
		Prefix: a.Prefix, Tentative: !a.State.Assigned(), Deprecated: a.State == autoconf.Deprecated,
		Temporary: a.Temporary, Auto: true,
	}
	err := ifc.host.change(func(*network) error {
		i := slices.IndexFunc(ifc.addrs, func(x Addr) bool { return x.Prefix.Addr() == a.Prefix.Addr() })
		if i < 0 {
			return syscall.ENOENT
		}
		next.Auto, next.Temporary = ifc.addrs[i].Auto, ifc.addrs[i].Temporary || a.Temporary
		ifc.addrs = slices.Clone(ifc.addrs)
		ifc.addrs[i] = next
		return nil
	})
	if addr := a.Prefix.Addr(); addr.Is6() && addr.IsLinkLocalUnicast() && a.State.Assigned() {
		defer ifc.linkLocalReady(addr)
	}
	if errors.Is(err, syscall.ENOENT) && a.Op == autoconf.AddAddress {
		// That another interface has it is a conflict of the network's making.
		if err := ifc.addAddr(next); err != nil {
			ifc.host.count.Neighbor.Duplicates.Add(1)
		}
	}
}

// linkLocalReady says that there is an address to send MLD messages from.
func (ifc *Interface) linkLocalReady(addr netip.Addr) {
	ifc.mu.Lock()
	ifc.groups.v6.SetLinkLocal(ifc.host.now(), addr)
	ifc.act()
}

// autoRoute adds or removes a route that a router advertised. Preference is a
// metric: Linux's for such routes is 1024.
func (ifc *Interface) autoRoute(a *autoconf.Action) {
	r := route.Route{
		Prefix: a.Prefix, Interface: ifc.index, Metric: autoMetric - int(a.Preference),
	}
	if a.Addr.IsValid() {
		r.Gateway = a.Addr.WithZone(ifc.name)
	}
	// A route that is there already, or gone already, is as wanted.
	_ = ifc.host.change(func(n *network) error {
		n.routes = n.routes.RemoveFunc(func(x *route.Route) bool {
			return x.Prefix == r.Prefix.Masked() && x.Gateway == r.Gateway && x.Interface == r.Interface &&
				x.Metric >= autoMetric-1 && x.Metric <= autoMetric+1
		})
		if a.Op == autoconf.AddRoute {
			return n.addRoute(r)
		}
		return nil
	})
}

const autoMetric = 1024

// routerLost is told that a router does not answer, or is none any more.
func (ifc *Interface) routerLost(addr netip.Addr, gone bool) {
	if !gone {
		ifc.host.gateways.lost(ifc, addr)
	}
	if !gone || !addr.Is6() {
		return
	}
	ifc.mu.Lock()
	ifc.conf.RouterGone(addr)
	ifc.act()
}

// DNS returns the name servers and search domains that routers advertised
// (RFC 8106).
func (ifc *Interface) DNS() (servers []netip.Addr, domains []string) {
	ifc.mu.Lock()
	defer ifc.mu.Unlock()
	return ifc.conf.DNS()
}
