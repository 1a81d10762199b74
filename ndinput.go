package berth

import (
	"net/netip"

	"example.com/berth/internal/header"
	"example.com/berth/internal/neighbor"
)

// ndInput takes a neighbor discovery message, whose checksum is verified.
func (ifc *Interface) ndInput(in *inPacket, b []byte) {
	c := &ifc.host.count.Neighbor
	c.NDIn.Add(1)
	p := neighbor.Packet{Src: in.src, Dst: in.dst, HopLimit: in.ttl, Fragmented: in.fragmented}
	var err error
	switch b[0] {
	case header.ICMPv6NeighborSolicit:
		err = ifc.neighborSolicit(in, &p, b)
	case header.ICMPv6NeighborAdvert:
		err = ifc.neighborAdvert(&p, b)
	case header.ICMPv6RouterAdvert:
		err = ifc.routerAdvert(in, &p, b)
	case header.ICMPv6Redirect:
		err = ifc.redirect6(in, &p, b)
	default: // router solicitations are for routers that advertise
		ifc.host.count.ICMP.Ignored.Add(1)
	}
	if err != nil {
		c.Malformed.Add(1)
	}
}

var allNodes = netip.MustParseAddr("ff02::1")

// neighborSolicit answers a solicitation for an address of this interface
// (RFC 4861 section 7.2.3).
func (ifc *Interface) neighborSolicit(in *inPacket, p *neighbor.Packet, b []byte) error {
	var ns header.NeighborSolicit
	if _, err := ns.Parse(b); err != nil {
		return err
	}
	if err := p.CheckSolicit(&ns); err != nil {
		return err
	}
	now := ifc.host.now()
	ifc.mu.Lock()
	answer := ifc.conf.Solicited(now, in.src, &ns)
	if answer && ns.HasSourceHW && ifc.nd != nil {
		ifc.nd.Learn(now, in.src, ns.SourceHW)
	}
	ifc.act()
	if answer {
		ifc.advertise(in, &ns)
	}
	return nil
}

// advertise answers a solicitation (RFC 4861 section 7.2.4).
func (ifc *Interface) advertise(in *inPacket, ns *header.NeighborSolicit) {
	na := header.NeighborAdvert{
		Target: ns.Target, Solicited: true, Override: true,
		Router:      ifc.host.net.Load().forwarding,
		HasTargetHW: ifc.linkHeader > 0, TargetHW: ifc.info.Load().Addr,
	}
	dst, mac := in.src, ns.SourceHW
	switch {
	case in.src.IsUnspecified(): // somebody checks whether the address is free
		dst, na.Solicited = allNodes, false
		mac = header.MulticastMAC(dst)
	case (!ns.HasSourceHW || mac.IsMulticast() || mac.IsZero()) && ifc.nd != nil:
		var known bool
		ifc.mu.Lock()
		mac, known = ifc.nd.Resolve(ifc.host.now(), in.src)
		ifc.act()
		if !known {
			mac = header.MulticastMAC(neighbor.SolicitedNode(in.src))
		}
	}
	ifc.sendND(ns.Target, dst, mac, na.Append(nil))
}

func (ifc *Interface) neighborAdvert(p *neighbor.Packet, b []byte) error {
	var na header.NeighborAdvert
	if _, err := na.Parse(b); err != nil {
		return err
	}
	if err := p.CheckAdvert(&na); err != nil {
		return err
	}
	now := ifc.host.now()
	ifc.mu.Lock()
	conflicts := ifc.conf.Stats().Conflicts
	if !ifc.conf.Advertised(now, &na) && ifc.nd != nil {
		ifc.nd.Advert(now, &na)
	}
	if ifc.conf.Stats().Conflicts > conflicts { // somebody has an address of ours
		ifc.host.count.Neighbor.Duplicates.Add(1)
	}
	ifc.act()
	return nil
}

func (ifc *Interface) routerAdvert(in *inPacket, p *neighbor.Packet, b []byte) error {
	var ra header.RouterAdvert
	if _, err := ra.Parse(b); err != nil {
		return err
	}
	if err := p.CheckRouterAdvert(); err != nil {
		return err
	}
	now := ifc.host.now()
	ifc.mu.Lock()
	ifc.conf.RouterAdvert(now, in.src, &ra)
	if ifc.nd != nil {
		if ra.HasSourceHW {
			ifc.nd.Learn(now, in.src, ra.SourceHW)
		}
		ifc.nd.Router(in.src)
	}
	ifc.act()
	return nil
}
