package bridge

import (
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

// addrPort reads an address of the system calls. A zone is an index there and a
// name in berth.
func addrPort(sa syscall.Sockaddr) (netip.AddrPort, error) {
	switch sa := sa.(type) {
	case *syscall.SockaddrInet4:
		return inet4(sa)
	case *syscall.SockaddrInet6:
		return inet6(sa)
	}
	return netip.AddrPort{}, syscall.EAFNOSUPPORT
}

func inet4(sa *syscall.SockaddrInet4) (netip.AddrPort, error) {
	if sa.Port < 0 || sa.Port > 0xffff {
		return netip.AddrPort{}, syscall.EINVAL
	}
	return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)), nil
}

func inet6(sa *syscall.SockaddrInet6) (netip.AddrPort, error) {
	if sa.Port < 0 || sa.Port > 0xffff {
		return netip.AddrPort{}, syscall.EINVAL
	}
	a := netip.AddrFrom16(sa.Addr)
	if sa.ZoneId != 0 {
		a = a.WithZone(zoneName(int(sa.ZoneId)))
	}
	return netip.AddrPortFrom(a, uint16(sa.Port)), nil
}

// sockaddr writes an address as the system calls of a domain do: an IPv4 address
// on an IPv6 socket is a mapped one.
func sockaddr(domain socket.Domain, a netip.AddrPort) syscall.Sockaddr {
	if domain == socket.INET {
		sa := new(syscall.SockaddrInet4)
		setInet4(sa, a)
		return sa
	}
	sa := new(syscall.SockaddrInet6)
	setInet6(sa, a)
	return sa
}

func setInet4(sa *syscall.SockaddrInet4, a netip.AddrPort) {
	sa.Port = int(a.Port())
	sa.Addr = [4]byte{}
	if ip := a.Addr().Unmap(); ip.Is4() {
		sa.Addr = ip.As4()
	}
}

func setInet6(sa *syscall.SockaddrInet6, a netip.AddrPort) {
	sa.Port = int(a.Port())
	sa.Addr = [16]byte{}
	if a.Addr().IsValid() {
		sa.Addr = a.Addr().As16()
	}
	sa.ZoneId = 0
	if zone := a.Addr().Zone(); zone != "" {
		sa.ZoneId = uint32(zoneIndex(zone))
	}
}

func zoneName(index int) string {
	for _, ifc := range host().Interfaces() {
		if ifc.Index() == index {
			return ifc.Name()
		}
	}
	return ""
}

func zoneIndex(name string) int {
	for _, ifc := range host().Interfaces() {
		if ifc.Name() == name {
			return ifc.Index()
		}
	}
	return 0
}
