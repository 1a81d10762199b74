package berth

import (
	"syscall"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// intOption is an option whose value is a number or a switch.
type intOption struct {
	min, max int // EINVAL outside; both 0: any
	get      func(*sock) int
	set      func(*sock, int) error // nil: read only (ENOPROTOOPT)
}

// flag makes an option of a switch.
func flag(field func(*ipOptions) *bool) intOption {
	return intOption{
		get: func(s *sock) int {
			if *field(s.ip) {
				return 1
			}
			return 0
		},
		set: func(s *sock, v int) error {
			*field(s.ownIP()) = v != 0
			return nil
		},
	}
}

// readOnly makes an option that cannot be set.
func readOnly(get func(*sock) int) intOption { return intOption{get: get} }

// commonOptions are those of all types of socket. The lock is held by whoever
// calls them.
var commonOptions = map[socket.OptionID]intOption{
	socket.SO_TYPE.ID:      readOnly(func(s *sock) int { return int(s.typ) }),
	socket.SO_DOMAIN.ID:    readOnly(func(s *sock) int { return int(s.domain) }),
	socket.SO_PROTOCOL.ID:  readOnly(func(s *sock) int { return int(s.protocol) }),
	socket.SO_BROADCAST.ID: flag(func(o *ipOptions) *bool { return &o.broadcast }),
	socket.SO_DONTROUTE.ID: flag(func(o *ipOptions) *bool { return &o.dontRoute }),
	socket.SO_REUSEADDR.ID: reuse(func(o *ipOptions) *bool { return &o.reuseAddr }),
	socket.SO_REUSEPORT.ID: reuse(func(o *ipOptions) *bool { return &o.reusePort }),
	socket.SO_OOBINLINE.ID: flag(func(o *ipOptions) *bool { return &o.oobInline }),

	socket.IP_TOS.ID: {
		get: func(s *sock) int { return int(s.ip.tos) },
		set: func(s *sock, v int) error { s.ownIP().tos = s.withoutECN(v); return nil },
	},
	socket.IP_TTL.ID: {
		get: func(s *sock) int { return orDefault(s.ip.ttl, int(s.host.defaultTTL())) },
		set: func(s *sock, v int) error {
			if v != -1 && (v < 1 || v > 255) {
				return syscall.EINVAL
			}
			s.ownIP().ttl = int16(v)
			return nil
		},
	},
	socket.IP_PKTINFO.ID:              flag(func(o *ipOptions) *bool { return &o.pktInfo4 }),
	socket.IP_RECVERR.ID:              flag(func(o *ipOptions) *bool { return &o.recvErr4 }),
	socket.IP_RECVTTL.ID:              flag(func(o *ipOptions) *bool { return &o.recvTTL4 }),
	socket.IP_RECVTOS.ID:              flag(func(o *ipOptions) *bool { return &o.recvTOS4 }),
	socket.IP_RECVOPTS.ID:             headerFlag(func(o *headerOptions) *bool { return &o.recvOpts }),
	socket.IP_RETOPTS.ID:              headerFlag(func(o *headerOptions) *bool { return &o.retOpts }),
	socket.IP_FREEBIND.ID:             flag(func(o *ipOptions) *bool { return &o.freebind }),
	socket.IP_TRANSPARENT.ID:          flag(func(o *ipOptions) *bool { return &o.transparent }),
	socket.IP_BIND_ADDRESS_NO_PORT.ID: reuse(func(o *ipOptions) *bool { return &o.bindNoPort }),
	socket.IP_MULTICAST_LOOP.ID:       flag(func(o *ipOptions) *bool { return &o.loop4 }),
	socket.IP_MULTICAST_ALL.ID:        strictFlag(func(o *ipOptions) *bool { return &o.multicastAll }),
	socket.IP_MULTICAST_TTL.ID: {
		get: func(s *sock) int { return int(s.ip.multicastTTL) },
		set: func(s *sock, v int) error {
			switch {
			case s.typ == socket.STREAM:
				return syscall.EINVAL
			case v == -1:
				v = 1
			case v < 0 || v > 255:
				return syscall.EINVAL
			}
			s.ownIP().multicastTTL = uint8(v)
			return nil
		},
	},
	socket.IP_MTU_DISCOVER.ID: {
		min: socket.IP_PMTUDISC_DONT, max: 5,
		get: func(s *sock) int { return int(s.ip.mtuDiscover4) },
		set: func(s *sock, v int) error { s.ownIP().mtuDiscover4 = uint8(v); return nil },
	},
}

// options6 are those that only INET6 sockets have.
var options6 = map[socket.OptionID]intOption{
	socket.IPV6_TCLASS.ID: {
		min: -1, max: 255,
		get: func(s *sock) int { return int(s.ip.tclass) },
		set: func(s *sock, v int) error { s.ownIP().tclass = s.withoutECN(max(v, 0)); return nil },
	},
	socket.IPV6_UNICAST_HOPS.ID: {
		min: -1, max: 255,
		get: func(s *sock) int { return orDefault(s.ip.hops, int(s.host.defaultTTL())) },
		set: func(s *sock, v int) error { s.ownIP().hops = int16(v); return nil },
	},
	socket.IPV6_MULTICAST_HOPS.ID: {
		min: -1, max: 255,
		get: func(s *sock) int { return orDefault(s.ip.multicastHops, 1) },
		set: func(s *sock, v int) error {
			if s.typ == socket.STREAM {
				return syscall.ENOPROTOOPT
			}
			s.ownIP().multicastHops = int16(v)
			return nil
		},
	},
	socket.IPV6_MULTICAST_LOOP.ID: strictFlag(func(o *ipOptions) *bool { return &o.loop6 }),
	socket.IPV6_RECVPKTINFO.ID:    flag(func(o *ipOptions) *bool { return &o.pktInfo6 }),
	socket.IPV6_RECVHOPLIMIT.ID:   flag(func(o *ipOptions) *bool { return &o.recvHops6 }),
	socket.IPV6_RECVTCLASS.ID:     flag(func(o *ipOptions) *bool { return &o.recvTClass6 }),
	socket.IPV6_RECVERR.ID:        flag(func(o *ipOptions) *bool { return &o.recvErr6 }),
	socket.IPV6_DONTFRAG.ID:       flag(func(o *ipOptions) *bool { return &o.dontFrag6 }),
	socket.IPV6_MTU_DISCOVER.ID: {
		min: socket.IP_PMTUDISC_DONT, max: 5,
		get: func(s *sock) int { return int(s.ip.mtuDiscover6) },
		set: func(s *sock, v int) error { s.ownIP().mtuDiscover6 = uint8(v); return nil },
	},
	socket.IPV6_MTU.ID: {
		get: func(s *sock) int { return int(s.ip.mtu6) },
		set: func(s *sock, v int) error {
			if v != 0 && (v < header.MinMTU6 || v > header.MaxPacket) {
				return syscall.EINVAL
			}
			s.ownIP().mtu6 = uint16(v)
			return nil
		},
	},
	socket.IPV6_V6ONLY.ID: {
		get: flag(func(o *ipOptions) *bool { return &o.v6only }).get,
		set: func(s *sock, v int) error {
			if s.bound {
				return syscall.EINVAL
			}
			s.ownIP().v6only = v != 0
			return nil
		},
	},
	socket.IPV6_MULTICAST_IF.ID: {
		get: func(s *sock) int { return s.ip.multicastDevice(false) },
		set: func(s *sock, v int) error {
			switch {
			case s.typ == socket.STREAM:
				return syscall.ENOPROTOOPT
			case v != 0 && s.host.interfaceByIndex(v) == nil:
				return syscall.ENODEV
			case s.ip.device != 0 && s.ip.device != v:
				return syscall.EINVAL
			}
			s.group().multicastIf6 = v
			return nil
		},
	},
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

// strictFlag is a switch that takes 0 and 1 only.
func strictFlag(field func(*ipOptions) *bool) intOption {
	o := flag(field)
	o.min, o.max = 0, 1
	return o
}

// reuse is a switch that the table of ports has to know about.
func reuse(field func(*ipOptions) *bool) intOption {
	o := flag(field)
	set := o.set
	o.set = func(s *sock, v int) error {
		err := set(s, v)
		s.host.ports.update(s)
		return err
	}
	return o
}

// lookupOption finds an option that has a number as value.
func (s *sock) lookupOption(id socket.OptionID) (intOption, bool) {
	if o, ok := commonOptions[id]; ok {
		return o, true
	}
	if s.domain == socket.INET6 {
		o, ok := options6[id]
		return o, ok
	}
	return intOption{}, false
}

// setOption sets an option that all types of socket have. The lock is held.
func (s *sock) setOption(id socket.OptionID, value any) error {
	if set, ok := structOptions[id]; ok {
		return set(s, value)
	}
	o, known := s.lookupOption(id)
	v, isInt := value.(int)
	switch {
	case !known:
		return syscall.ENOPROTOOPT
	case !isInt:
		return syscall.EINVAL
	case o.set == nil:
		return syscall.ENOPROTOOPT
	case (o.min != 0 || o.max != 0) && (v < o.min || v > o.max):
		return syscall.EINVAL
	}
	return o.set(s, v)
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
	if o, ok := s.lookupOption(id); ok {
		return o.get(s), nil
	}
	if s.domain == socket.INET && foreign(id) {
		return nil, syscall.EOPNOTSUPP // as on Linux
	}
	return nil, syscall.ENOPROTOOPT
}

// foreign tells whether an option is one of IPv6 or of TCP.
func foreign(id socket.OptionID) bool {
	_, six := options6[id]
	_, tcp := tcpOptions[id]
	return six || tcp && id.Level == socket.SOL_TCP
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

// structOptions are the options whose value is not a number.
var structOptions = map[socket.OptionID]func(*sock, any) error{
	socket.SO_LINGER.ID: func(s *sock, v any) error {
		l, ok := v.(socket.Linger)
		if !ok || l.Seconds < 0 {
			return syscall.EINVAL
		}
		s.ownIP().linger = l
		return nil
	},
	socket.SO_BINDTODEVICE.ID: func(s *sock, v any) error {
		name, ok := v.(string)
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
	},
	socket.IP_MULTICAST_IF.ID: func(s *sock, v any) error {
		g, ok := v.(socket.Group)
		if !ok || s.typ == socket.STREAM {
			return syscall.EINVAL
		}
		return s.setMulticastIf(g)
	},
	socket.IP_OPTIONS.ID:                func(s *sock, v any) error { return s.setSent(v) },
	socket.IP_ADD_MEMBERSHIP.ID:         group(joinAny, only4),
	socket.IPV6_JOIN_GROUP.ID:           group(joinAny, only6),
	socket.IP_DROP_MEMBERSHIP.ID:        group(leaveAny, only4),
	socket.IPV6_LEAVE_GROUP.ID:          group(leaveAny, only6),
	socket.IP_ADD_SOURCE_MEMBERSHIP.ID:  group(joinSource, only4),
	socket.MCAST_JOIN_SOURCE_GROUP.ID:   group(joinSource, nil),
	socket.IP_DROP_SOURCE_MEMBERSHIP.ID: group(leaveSource, only4),
	socket.MCAST_LEAVE_SOURCE_GROUP.ID:  group(leaveSource, nil),
	socket.IP_BLOCK_SOURCE.ID:           group(blockSource, only4),
	socket.MCAST_BLOCK_SOURCE.ID:        group(blockSource, nil),
	socket.IP_UNBLOCK_SOURCE.ID:         group(unblockSource, only4),
	socket.MCAST_UNBLOCK_SOURCE.ID:      group(unblockSource, nil),
}
