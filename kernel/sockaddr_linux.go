package kernel

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"example.com/berth/socket"
	"golang.org/x/sys/unix"
)

// sockaddr is a struct sockaddr_in or sockaddr_in6 as the kernel has it.
type sockaddr struct {
	raw unix.RawSockaddrInet6
	len uint32
}

const sockaddrSize = unix.SizeofSockaddrInet6

// bytes is the address as a message header refers to it.
func (sa *sockaddr) bytes() *byte { return (*byte)(unsafe.Pointer(&sa.raw)) }

func (sa *sockaddr) in4() *unix.RawSockaddrInet4 {
	return (*unix.RawSockaddrInet4)(unsafe.Pointer(&sa.raw))
}

// set fills sa from an address of any family: whether it fits the socket is the
// kernel's to say. The zero Addr is the wildcard of the socket's domain.
func (sa *sockaddr) set(s *sock, addr netip.AddrPort) error {
	a, port := addr.Addr(), addr.Port()
	if s.typ == socket.RAW {
		port = 0
	}
	if !a.IsValid() {
		a = wildcard(s.domain)
	}
	*sa = sockaddr{}
	if a.Is4() {
		in := sa.in4()
		in.Family, in.Addr = unix.AF_INET, a.As4()
		sa.setPort(port)
		sa.len = unix.SizeofSockaddrInet4
		return nil
	}
	sa.raw.Family, sa.raw.Addr = unix.AF_INET6, a.As16()
	sa.setPort(port)
	sa.len = unix.SizeofSockaddrInet6
	if zone := a.Zone(); zone != "" {
		index, err := s.interfaceIndex(zone)
		if err != nil {
			return err
		}
		sa.raw.Scope_id = index
	}
	return nil
}

// setUnspec makes sa the address of family AF_UNSPEC that dissolves a
// connection.
func (sa *sockaddr) setUnspec() {
	*sa = sockaddr{len: unix.SizeofSockaddrInet4}
	sa.raw.Family = unix.AF_UNSPEC
}

// setPort sets the port, which both families have in one place.
func (sa *sockaddr) setPort(port uint16) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&sa.raw.Port))[:], port)
}

// get is the address in sa; the zero AddrPort if the kernel gave none.
func (sa *sockaddr) get(s *sock) netip.AddrPort {
	if sa.len < unix.SizeofSockaddrInet4 {
		return netip.AddrPort{}
	}
	var a netip.Addr
	switch sa.raw.Family {
	case unix.AF_INET:
		a = netip.AddrFrom4(sa.in4().Addr)
	case unix.AF_INET6:
		a = netip.AddrFrom16(sa.raw.Addr)
		if sa.raw.Scope_id != 0 {
			a = a.WithZone(s.interfaceName(sa.raw.Scope_id))
		}
	default:
		return netip.AddrPort{}
	}
	if s.typ == socket.RAW {
		return netip.AddrPortFrom(a, 0)
	}
	return netip.AddrPortFrom(a, binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&sa.raw.Port))[:]))
}

func wildcard(d socket.Domain) netip.Addr {
	if d == socket.INET6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// interfaceIndex asks the kernel for the index of a zone, in the network
// namespace of the socket. A zone may also be a number.
func (s *sock) interfaceIndex(zone string) (uint32, error) {
	if n, err := strconv.ParseUint(zone, 10, 31); err == nil {
		return uint32(n), nil
	}
	ifr, err := unix.NewIfreq(zone)
	if err != nil {
		return 0, syscall.ENODEV // the name is too long for any interface
	}
	if err := s.control(func(fd uintptr) error {
		return unix.IoctlIfreq(int(fd), unix.SIOCGIFINDEX, ifr)
	}); err != nil {
		return 0, err
	}
	return ifr.Uint32(), nil
}

// interfaceName is the name of an interface in the socket's namespace, or the
// number in decimal where it has none any more.
func (s *sock) interfaceName(index uint32) string {
	ifr := new(ifreqIndex)
	ifr.index = int32(index)
	err := s.control(func(fd uintptr) error {
		_, _, e := unix.Syscall(unix.SYS_IOCTL, fd, unix.SIOCGIFNAME, uintptr(unsafe.Pointer(ifr)))
		return result(e)
	})
	if err != nil {
		return strconv.FormatUint(uint64(index), 10)
	}
	return unix.ByteSliceToString(ifr.name[:])
}

// ifreqIndex is struct ifreq with ifr_ifindex. (Package unix has no way to make
// one without a name.)
type ifreqIndex struct {
	name  [unix.IFNAMSIZ]byte
	index int32
	_     [24]byte
}
