package netconn

import (
	"net"
	"net/netip"

	"example.com/berth/socket"
)

// kind is what the first word of a network's name says: "tcp", "udp", "ip".
type kind string

// netAddr is the address of package net for an address of the contract.
func (k kind) netAddr(a netip.AddrPort) net.Addr {
	switch k {
	case "tcp":
		return net.TCPAddrFromAddrPort(a)
	case "udp":
		return net.UDPAddrFromAddrPort(a)
	}
	return ipAddr(a.Addr())
}

func ipAddr(a netip.Addr) *net.IPAddr { return &net.IPAddr{IP: a.AsSlice(), Zone: a.Zone()} }

// addrPort is the reverse of netAddr; false if a is of another kind. The
// address is the zero Addr where a has none, and never an IPv4 one in IPv6.
func (k kind) addrPort(a net.Addr) (ap netip.AddrPort, ok bool) {
	switch a := a.(type) {
	case *net.TCPAddr:
		return unmap(a.AddrPort()), k == "tcp"
	case *net.UDPAddr:
		return unmap(a.AddrPort()), k == "udp"
	case *net.IPAddr:
		if a == nil {
			return netip.AddrPort{}, k == "ip"
		}
		ip, _ := netip.AddrFromSlice(a.IP)
		return netip.AddrPortFrom(ip.Unmap().WithZone(a.Zone), 0), k == "ip"
	}
	return netip.AddrPort{}, false
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

func isWildcard(a netip.Addr) bool { return !a.IsValid() || a.IsUnspecified() }

// fit gives an address the form that sockets of a domain use: IPv4 addresses
// are mapped for INET6, and no address is the domain's wildcard.
func fit(d socket.Domain, a netip.AddrPort) (netip.AddrPort, error) {
	ip := a.Addr()
	switch {
	case d == socket.INET && !ip.IsValid():
		ip = netip.IPv4Unspecified()
	case d == socket.INET:
		if ip = ip.Unmap(); !ip.Is4() {
			return a, &net.AddrError{Err: "non-IPv4 address", Addr: ip.String()}
		}
	case !ip.IsValid(), ip == netip.IPv4Unspecified():
		ip = netip.IPv6Unspecified()
	case ip.Is4():
		ip = netip.AddrFrom16(ip.As16())
	}
	return netip.AddrPortFrom(ip, a.Port()), nil
}
