package neighbor

import (
	"errors"
	"net/netip"

	"example.com/berth/internal/header"
)

// Why a neighbor discovery message is discarded.
var (
	ErrHopLimit    = errors.New("neighbor: hop limit is not 255")
	ErrFragmented  = errors.New("neighbor: message was fragmented")
	ErrTarget      = errors.New("neighbor: target is not a unicast address")
	ErrSource      = errors.New("neighbor: source address is not allowed")
	ErrDestination = errors.New("neighbor: destination address is not allowed")
	ErrOption      = errors.New("neighbor: link-layer address from the unspecified address")
	ErrSolicited   = errors.New("neighbor: solicited advertisement to a group")
)

// Packet is what the IPv6 header and the extension headers say of a neighbor
// discovery message. Its Check methods are the validity checks that are not
// parsing: code, length, options and checksum are verified before.
type Packet struct {
	Src, Dst   netip.Addr
	HopLimit   uint8
	Fragmented bool // there is a fragment header (RFC 6980 section 5)
}

var anyNodes = netip.MustParsePrefix("ff02::1:ff00:0/104")

// SolicitedNode gives the group on which the solicitations for an IPv6 address
// arrive (RFC 4291 section 2.7.1).
func SolicitedNode(addr netip.Addr) netip.Addr {
	a, group := addr.As16(), anyNodes.Addr().As16()
	copy(group[13:], a[13:])
	return netip.AddrFrom16(group)
}

func (p *Packet) check() error {
	switch {
	case p.Fragmented:
		return ErrFragmented
	case p.HopLimit != 255:
		return ErrHopLimit
	case p.Src.IsMulticast():
		return ErrSource
	}
	return nil
}

// CheckSolicit validates a neighbor solicitation (RFC 4861 section 7.1.1).
func (p *Packet) CheckSolicit(ns *header.NeighborSolicit) error {
	if err := p.check(); err != nil {
		return err
	}
	if !isTarget(ns.Target) {
		return ErrTarget
	}
	if p.Src.IsUnspecified() {
		if !anyNodes.Contains(p.Dst.WithZone("")) {
			return ErrDestination
		}
		if ns.HasSourceHW {
			return ErrOption
		}
	}
	return nil
}

// CheckAdvert validates a neighbor advertisement (RFC 4861 section 7.1.2).
func (p *Packet) CheckAdvert(na *header.NeighborAdvert) error {
	if err := p.check(); err != nil {
		return err
	}
	switch {
	case p.Src.IsUnspecified():
		return ErrSource
	case !isTarget(na.Target):
		return ErrTarget
	case p.Dst.IsMulticast() && na.Solicited:
		return ErrSolicited
	}
	return nil
}

// CheckRouterSolicit validates a router solicitation (RFC 4861 section 6.1.1).
func (p *Packet) CheckRouterSolicit(rs *header.RouterSolicit) error {
	if err := p.check(); err != nil {
		return err
	}
	if p.Src.IsUnspecified() && rs.HasSourceHW {
		return ErrOption
	}
	return nil
}

// CheckRouterAdvert validates a router advertisement (RFC 4861 section 6.1.2).
func (p *Packet) CheckRouterAdvert() error {
	if err := p.check(); err != nil {
		return err
	}
	if !p.Src.IsLinkLocalUnicast() {
		return ErrSource
	}
	return nil
}

// CheckRedirect validates a redirect (RFC 4861 section 8.1);
// gateway is the next hop that this host uses for its destination.
func (p *Packet) CheckRedirect(r *header.Redirect, gateway netip.Addr) error {
	if err := p.check(); err != nil {
		return err
	}
	switch {
	case !p.Src.IsLinkLocalUnicast() || p.Src.WithZone("") != gateway.WithZone(""):
		return ErrSource
	case r.Destination.IsMulticast():
		return ErrDestination
	case r.Target != r.Destination && !r.Target.IsLinkLocalUnicast():
		return ErrTarget
	}
	return nil
}

func isTarget(a netip.Addr) bool { return a.IsValid() && !a.IsMulticast() && !a.IsUnspecified() }
