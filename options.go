package berth

import (
	"syscall"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// flag finds the switch that an option is in what the socket has set; nil if the
// option is none, or one that sockets of the domain do not have.
func (o *ipOptions) flag(id socket.OptionID, domain socket.Domain) *bool {
	switch id {
	case socket.SO_BROADCAST.ID:
		return &o.broadcast
	case socket.SO_DONTROUTE.ID:
		return &o.dontRoute
	case socket.SO_REUSEADDR.ID:
		return &o.reuseAddr
	case socket.SO_REUSEPORT.ID:
		return &o.reusePort
	case socket.SO_OOBINLINE.ID:
		return &o.oobInline
	case socket.IP_PKTINFO.ID:
		return &o.pktInfo4
	case socket.IP_RECVERR.ID:
		return &o.recvErr4
	case socket.IP_RECVTTL.ID:
		return &o.recvTTL4
	case socket.IP_RECVTOS.ID:
		return &o.recvTOS4
	case socket.IP_FREEBIND.ID:
		return &o.freebind
	case socket.IP_TRANSPARENT.ID:
		return &o.transparent
	case socket.IP_BIND_ADDRESS_NO_PORT.ID:
		return &o.bindNoPort
	case socket.IP_MULTICAST_LOOP.ID:
		return &o.loop4
	case socket.IP_MULTICAST_ALL.ID:
		return &o.multicastAll
	}
	if domain == socket.INET6 {
		return o.flag6(id)
	}
	return nil
}

// flag6 is flag for those that only INET6 sockets have.
func (o *ipOptions) flag6(id socket.OptionID) *bool {
	switch id {
	case socket.IPV6_MULTICAST_LOOP.ID:
		return &o.loop6
	case socket.IPV6_RECVPKTINFO.ID:
		return &o.pktInfo6
	case socket.IPV6_RECVHOPLIMIT.ID:
		return &o.recvHops6
	case socket.IPV6_RECVTCLASS.ID:
		return &o.recvTClass6
	case socket.IPV6_RECVERR.ID:
		return &o.recvErr6
	case socket.IPV6_DONTFRAG.ID:
		return &o.dontFrag6
	case socket.IPV6_V6ONLY.ID:
		return &o.v6only
	}
	return nil
}

// setFlag sets the switch that flag finds. The lock is held.
func (s *sock) setFlag(id socket.OptionID, v int) error {
	switch id {
	case socket.IP_MULTICAST_ALL.ID, socket.IPV6_MULTICAST_LOOP.ID:
		if v < 0 || v > 1 {
			return syscall.EINVAL
		}
	case socket.IPV6_V6ONLY.ID:
		if s.bound {
			return syscall.EINVAL
		}
	}
	*s.ownIP().flag(id, s.domain) = v != 0
	switch id {
	case socket.SO_REUSEADDR.ID, socket.SO_REUSEPORT.ID, socket.IP_BIND_ADDRESS_NO_PORT.ID:
		s.host.ports.update(s)
	}
	return nil
}

// number reads an option of all types of socket that has a number or a switch as
// value, and tells whether there is one. The lock is held.
func (s *sock) number(id socket.OptionID) (v int, ok bool) {
	if f := s.ip.flag(id, s.domain); f != nil {
		return bit(*f), true
	}
	switch id {
	case socket.SO_TYPE.ID:
		return int(s.typ), true
	case socket.SO_DOMAIN.ID:
		return int(s.domain), true
	case socket.SO_PROTOCOL.ID:
		return int(s.protocol), true
	case socket.IP_TOS.ID:
		return int(s.ip.tos), true
	case socket.IP_TTL.ID:
		return orDefault(s.ip.ttl, int(s.host.defaultTTL())), true
	case socket.IP_RECVOPTS.ID:
		return bit(s.ip.inHeader().recvOpts), true
	case socket.IP_RETOPTS.ID:
		return bit(s.ip.inHeader().retOpts), true
	case socket.IP_MULTICAST_TTL.ID:
		return int(s.ip.multicastTTL), true
	case socket.IP_MTU_DISCOVER.ID:
		return int(s.ip.mtuDiscover4), true
	}
	if s.domain == socket.INET6 {
		return s.number6(id)
	}
	return 0, false
}

// number6 is number for the options that only INET6 sockets have.
func (s *sock) number6(id socket.OptionID) (v int, ok bool) {
	switch id {
	case socket.IPV6_TCLASS.ID:
		return int(s.ip.tclass), true
	case socket.IPV6_UNICAST_HOPS.ID:
		return orDefault(s.ip.hops, int(s.host.defaultTTL())), true
	case socket.IPV6_MULTICAST_HOPS.ID:
		return orDefault(s.ip.multicastHops, 1), true
	case socket.IPV6_MTU_DISCOVER.ID:
		return int(s.ip.mtuDiscover6), true
	case socket.IPV6_MTU.ID:
		return int(s.ip.mtu6), true
	case socket.IPV6_MULTICAST_IF.ID:
		return s.ip.multicastDevice(false), true
	}
	return 0, false
}

// setNumber sets an option that number reads; ENOPROTOOPT if that is all that can
// be done with it. The lock is held.
func (s *sock) setNumber(id socket.OptionID, v int) error {
	if s.ip.flag(id, s.domain) != nil {
		return s.setFlag(id, v)
	}
	switch id {
	case socket.IP_TOS.ID:
		s.ownIP().tos = s.withoutECN(v)
	case socket.IP_TTL.ID:
		if v != -1 && (v < 1 || v > 255) {
			return syscall.EINVAL
		}
		s.ownIP().ttl = int16(v)
	case socket.IP_RECVOPTS.ID:
		s.ownHeader().recvOpts = v != 0
	case socket.IP_RETOPTS.ID:
		s.ownHeader().retOpts = v != 0
	case socket.IP_MULTICAST_TTL.ID:
		switch {
		case s.typ == socket.STREAM || v < -1 || v > 255:
			return syscall.EINVAL
		case v == -1:
			v = 1
		}
		s.ownIP().multicastTTL = uint8(v)
	case socket.IP_MTU_DISCOVER.ID:
		if !knownDiscovery(v) {
			return syscall.EINVAL
		}
		s.ownIP().mtuDiscover4 = uint8(v)
	default:
		if s.domain == socket.INET6 {
			return s.setNumber6(id, v)
		}
		return syscall.ENOPROTOOPT
	}
	return nil
}

// setNumber6 is setNumber for the options that only INET6 sockets have.
func (s *sock) setNumber6(id socket.OptionID, v int) error {
	switch id {
	case socket.IPV6_TCLASS.ID:
		if v < -1 || v > 255 {
			return syscall.EINVAL
		}
		s.ownIP().tclass = s.withoutECN(max(v, 0))
	case socket.IPV6_UNICAST_HOPS.ID:
		if v < -1 || v > 255 {
			return syscall.EINVAL
		}
		s.ownIP().hops = int16(v)
	case socket.IPV6_MULTICAST_HOPS.ID:
		switch {
		case v < -1 || v > 255:
			return syscall.EINVAL
		case s.typ == socket.STREAM:
			return syscall.ENOPROTOOPT
		}
		s.ownIP().multicastHops = int16(v)
	case socket.IPV6_MTU_DISCOVER.ID:
		if !knownDiscovery(v) {
			return syscall.EINVAL
		}
		s.ownIP().mtuDiscover6 = uint8(v)
	case socket.IPV6_MTU.ID:
		if v != 0 && (v < header.MinMTU6 || v > header.MaxPacket) {
			return syscall.EINVAL
		}
		s.ownIP().mtu6 = uint16(v)
	case socket.IPV6_MULTICAST_IF.ID:
		return s.setMulticastIf6(v)
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

// setMulticastIf6 is IPV6_MULTICAST_IF: an interface's index; 0 takes the choice
// back.
func (s *sock) setMulticastIf6(index int) error {
	switch {
	case s.typ == socket.STREAM:
		return syscall.ENOPROTOOPT
	case index != 0 && s.host.interfaceByIndex(index) == nil:
		return syscall.ENODEV
	case s.ip.device != 0 && s.ip.device != index:
		return syscall.EINVAL
	}
	s.group().multicastIf6 = index
	return nil
}

// knownDiscovery tells whether Linux has a way of discovering MTUs of that number.
func knownDiscovery(v int) bool { return v >= socket.IP_PMTUDISC_DONT && v <= 5 }

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// withoutECN leaves the ECN bits of a traffic class to TCP on a stream socket.
func (s *sock) withoutECN(class int) uint8 {
	if s.typ == socket.STREAM {
		class &^= 3
	}
	return uint8(class)
}

func orDefault(v int16, def int) int {
	if v < 0 {
		return def
	}
	return int(v)
}

// setOption sets an option that all types of socket have. The lock is held.
func (s *sock) setOption(id socket.OptionID, value any) error {
	switch id {
	case socket.SO_LINGER.ID:
		return s.setLinger(value)
	case socket.SO_BINDTODEVICE.ID:
		return s.setDevice(value)
	case socket.IP_MULTICAST_IF.ID:
		g, ok := value.(socket.Group)
		if !ok || s.typ == socket.STREAM {
			return syscall.EINVAL
		}
		return s.setMulticastIf(g)
	case socket.IP_OPTIONS.ID:
		return s.setSent(value)
	}
	if change, takes := membership(id); change != nil {
		return s.setMembership(value, change, takes)
	}
	v, isInt := value.(int)
	if isInt {
		return s.setNumber(id, v)
	}
	if _, known := s.number(id); known || id == socket.SO_ERROR.ID {
		return syscall.EINVAL
	}
	return syscall.ENOPROTOOPT
}

// option reads an option that all types of socket have. The lock is held.
func (s *sock) option(id socket.OptionID) (any, error) {
	switch id {
	case socket.SO_LINGER.ID:
		return s.ip.linger, nil
	case socket.SO_BINDTODEVICE.ID:
		if s.ip.device == 0 {
			return "", nil
		}
		return s.host.interfaceByIndex(s.ip.device).name, nil
	case socket.IP_MULTICAST_IF.ID:
		if s.ip.groups == nil {
			return socket.Group{}, nil
		}
		return socket.Group{Local: s.ip.groups.addr}, nil // as on Linux, without the index
	case socket.IP_OPTIONS.ID:
		return s.ip.inHeader().sent.String(), nil
	case socket.IP_MTU.ID, socket.IPV6_MTU.ID:
		return s.pathMTU()
	}
	if v, ok := s.number(id); ok {
		return v, nil
	}
	if s.domain == socket.INET && s.foreign(id) {
		return nil, syscall.EOPNOTSUPP // as on Linux
	}
	return nil, syscall.ENOPROTOOPT
}

// foreign tells whether an option is one of IPv6 or of TCP.
func (s *sock) foreign(id socket.OptionID) bool {
	switch id.Level {
	case socket.SOL_IPV6:
		_, number := s.number6(id)
		return number || s.ip.flag6(id) != nil
	case socket.SOL_TCP:
		return s.typ != socket.STREAM && id.Name <= socket.TCP_AO_GET_KEYS.ID.Name
	}
	return false
}

// pathMTU is IP_MTU: that of the path to the peer.
func (s *sock) pathMTU() (any, error) {
	if !s.remote.IsValid() {
		return nil, syscall.ENOTCONN
	}
	to := s.remote.Addr()
	p, err := s.host.routeBy(s.ip.sentTo(to), to, s.sourceFor(to), s.ip.device)
	if err != nil {
		return nil, err
	}
	return p.mtu, nil
}

// setLinger is SO_LINGER.
func (s *sock) setLinger(value any) error {
	l, ok := value.(socket.Linger)
	if !ok || l.Seconds < 0 {
		return syscall.EINVAL
	}
	s.ownIP().linger = l
	return nil
}

// setDevice is SO_BINDTODEVICE: an interface's name; "" takes the choice back.
func (s *sock) setDevice(value any) error {
	name, ok := value.(string)
	if !ok {
		return syscall.EINVAL
	}
	index := 0
	if name != "" {
		ifc := s.host.interfaceByName(name)
		if ifc == nil {
			return syscall.ENODEV
		}
		index = ifc.index
	}
	s.ownIP().device = index
	s.host.ports.update(s)
	return nil
}
