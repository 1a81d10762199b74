package kernel

import (
	"net/netip"
	"syscall"
	"unsafe"

	"example.com/berth/socket"
	"golang.org/x/sys/unix"
)

// groupSourceReq is struct group_source_req. The kernel's sockaddr_storage is
// aligned as a long.
type groupSourceReq struct {
	index  uint32
	_      [0]uintptr
	group  [128 / unsafe.Sizeof(uintptr(0))]uintptr
	source [128 / unsafe.Sizeof(uintptr(0))]uintptr
}

// ipMreqSource is struct ip_mreq_source.
type ipMreqSource struct{ group, local, source [4]byte }

func encodeMembership4(_ *sock, id socket.OptionID, value any) (socket.OptionID, []byte, error) {
	g, ok := value.(socket.Group)
	if !ok || !optional4(g.Group) || !optional4(g.Local) {
		return id, nil, syscall.EINVAL
	}
	return id, bytesOf(unix.IPMreqn{
		Multiaddr: as4(g.Group),
		Address:   as4(g.Local),
		Ifindex:   int32(g.Interface),
	}), nil
}

// multicastInterface is IP_MULTICAST_IF, of which the kernel tells only the
// local address, if the interface was given by that.
var multicastInterface = option{
	encode: encodeMembership4,
	decode: func(b []byte) any {
		var g socket.Group
		if a := netip.AddrFrom4(take[[4]byte](b)); !a.IsUnspecified() {
			g.Local = a
		}
		return g
	},
	size: 4,
}

// sourceOption4 is an option with a struct ip_mreq_source, which names the
// interface by its local address; where the value names it by its index, the
// option of the same meaning that takes a group_source_req is set.
func sourceOption4(byIndex int) option {
	return option{encode: func(s *sock, id socket.OptionID, value any) (socket.OptionID, []byte, error) {
		g, ok := value.(socket.Group)
		if !ok || !optional4(g.Group) || !optional4(g.Source) || !optional4(g.Local) {
			return id, nil, syscall.EINVAL
		}
		if g.Interface != 0 {
			return encodeSource(s, socket.OptionID{Level: socket.SOL_IP, Name: byIndex}, value)
		}
		return id, bytesOf(ipMreqSource{group: as4(g.Group), local: as4(g.Local), source: as4(g.Source)}), nil
	}}
}

func encodeMembership6(s *sock, id socket.OptionID, value any) (socket.OptionID, []byte, error) {
	g, ok := value.(socket.Group)
	if !ok || g.Group.Is4() {
		return id, nil, syscall.EINVAL
	}
	index, err := s.groupInterface(g)
	if err != nil {
		return id, nil, err
	}
	req := unix.IPv6Mreq{Interface: index}
	if g.Group.IsValid() {
		req.Multiaddr = g.Group.As16()
	}
	return id, bytesOf(req), nil
}

func encodeSource(s *sock, id socket.OptionID, value any) (socket.OptionID, []byte, error) {
	g, ok := value.(socket.Group)
	if !ok {
		return id, nil, syscall.EINVAL
	}
	index, err := s.groupInterface(g)
	if err != nil {
		return id, nil, err
	}
	var group, source sockaddr
	if err := group.set(s, netip.AddrPortFrom(g.Group, 0)); err != nil {
		return id, nil, err
	}
	if err := source.set(s, netip.AddrPortFrom(g.Source, 0)); err != nil {
		return id, nil, err
	}
	var req groupSourceReq
	req.index = index
	*(*unix.RawSockaddrInet6)(unsafe.Pointer(&req.group)) = group.raw
	*(*unix.RawSockaddrInet6)(unsafe.Pointer(&req.source)) = source.raw
	return id, bytesOf(req), nil
}

// groupInterface is the interface that g names by index or by the zone of its
// group.
func (s *sock) groupInterface(g socket.Group) (uint32, error) {
	if g.Interface == 0 && g.Group.Zone() != "" {
		return s.interfaceIndex(g.Group.Zone())
	}
	return uint32(g.Interface), nil
}

// optional4 tells whether a is an IPv4 address or none.
func optional4(a netip.Addr) bool { return !a.IsValid() || a.Is4() }

func as4(a netip.Addr) [4]byte {
	if !a.IsValid() {
		return [4]byte{}
	}
	return a.As4()
}
