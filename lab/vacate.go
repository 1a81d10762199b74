package lab

import (
	"fmt"
	"net/netip"

	"example.com/berth/link"
)

// A Seat is a host's place on the network, for a TCP/IP stack that is not the
// lab's: that of a kernel, of a virtual machine, of another implementation.
type Seat struct {
	// Device is the host's end of its link. Its Info has the medium and the MTU; on
	// Ethernet the stack may use an address of its own. Its handler is called in the
	// lab's turns and must not block. Close leaves the seat: nobody answers then.
	Device link.Device
	// Addrs are the host's addresses, which the stack is to have, with the lengths
	// of their prefixes.
	Addrs []netip.Prefix
	// Gateways are where packets go that are not for the link: at most one of each
	// family, the first router in sight.
	Gateways []netip.Addr
}

// Vacate crashes the host, and gives its place to another stack; whoever had the
// place before falls silent. [Host.Restart] takes it back. The host must have
// exactly one link, and must not be a router or a NAT.
//
// What another stack does follows from its own clock: such a network belongs on the
// wall clock, and its runs do not repeat.
func (h *Host) Vacate() (*Seat, error) {
	switch {
	case forwards(h):
		return nil, fmt.Errorf("lab: %s is a %s, and its place cannot be another stack's", h.name, h.kind)
	case len(h.ports) != 1:
		return nil, fmt.Errorf("lab: %s has %d links; the place of a host with one can be another stack's", h.name, len(h.ports))
	case h.net.isClosed():
		return nil, ErrClosed
	}
	h.Crash()
	p := h.ports[0]
	s := &Seat{Addrs: p.addrs}
	for _, v4 := range []bool{true, false} {
		for _, r := range routersInSight(h) {
			via, ok := r.prefix(v4)
			if _, nat := r.node.(*NAT); !ok || nat && !v4 {
				continue // a NAT would not let the answers in
			}
			s.Gateways = append(s.Gateways, via.Addr())
			break
		}
	}
	s.Device = p.plug()
	return s, nil
}
