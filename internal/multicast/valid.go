package multicast

import (
	"errors"
	"net/netip"
)

// Why a query or a report is discarded.
var (
	ErrTTL         = errors.New("multicast: TTL or hop limit is not 1")
	ErrRouterAlert = errors.New("multicast: no router alert option")
	ErrSource      = errors.New("multicast: source address is not allowed")
	ErrDestination = errors.New("multicast: destination address is not allowed")
)

// Packet is what the IP header says of an IGMP or MLD message that came in. Its
// destination is an address or a group of this host.
type Packet struct {
	Src, Dst    netip.Addr
	TTL         uint8 // or hop limit
	RouterAlert bool  // with the value 0
}

// CheckQuery validates the packet of a query of a version, general or not (RFC
// 3376 section 9.1, RFC 3810 section 6.2). A query of IGMPv1 has no router
// alert option, which is younger.
func (p *Packet) CheckQuery(version int, general bool) error {
	igmp := p.Src.Is4()
	switch {
	case p.TTL != 1:
		return ErrTTL
	case !p.RouterAlert && !(igmp && version == 1):
		return ErrRouterAlert
	case !igmp && !p.Src.IsLinkLocalUnicast():
		return ErrSource
	case general && p.Dst.IsMulticast() && !isAllNodes(p.Dst.WithZone("")):
		return ErrDestination
	}
	return nil
}

// CheckReport validates the packet of a report of IGMPv1, IGMPv2 or MLDv1 for a
// group: it is sent to the group. For MLD the source must be link-local, so
// that a host that is just starting does not silence others (RFC 2710 section
// 5, RFC 3590 section 4).
func (p *Packet) CheckReport(group netip.Addr) error {
	switch {
	case p.TTL != 1:
		return ErrTTL
	case p.Src.Is6() && !p.Src.IsLinkLocalUnicast():
		return ErrSource
	case p.Dst.WithZone("") != group.WithZone(""):
		return ErrDestination
	}
	return nil
}
