package machine

import (
	"context"
	"net"
	"net/netip"
)

// Family is which addresses a person wants: none or both of them stand for
// both.
type Family struct{ IPv4, IPv6 bool }

// Network is the name of a network with the family: "tcp", "tcp4", "tcp6".
func (f Family) Network(name string) string {
	switch {
	case f.IPv4 && !f.IPv6:
		return name + "4"
	case f.IPv6 && !f.IPv4:
		return name + "6"
	}
	return name
}

// discard is a port to look for a way to; nothing is sent there.
const discard = "9"

// Resolve gives the address of a host: of several the first to which there is a
// way, as connecting a datagram socket tells.
func (m *Machine) Resolve(ctx context.Context, f Family, host string) (netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap(), nil
	}
	c, err := m.Dialer().DialContext(ctx, f.Network("udp"), net.JoinHostPort(host, discard))
	if err != nil {
		return netip.Addr{}, err
	}
	defer c.Close()
	return c.RemoteAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}
