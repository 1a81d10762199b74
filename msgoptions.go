package berth

import (
	"syscall"

	"example.com/berth/socket"
)

// SetOption is setsockopt(2) of a datagram socket.
func (s *datagram) SetOption(id socket.OptionID, value any) error {
	defer s.applyChanges()
	return s.withLock(func() error {
		s.changed()
		if err, ok := s.setMessageOption(id, value); ok {
			return err
		}
		err := s.setOption(id, value)
		if err == nil && id == socket.SO_BINDTODEVICE.ID && s.bound && s.local.Port() != 0 && !s.foreign {
			insertBound(s.table(), s.local.Port(), s)
		}
		return err
	})
}

// Option is getsockopt(2) of a datagram socket.
func (s *datagram) Option(id socket.OptionID) (v any, err error) {
	err = s.withLock(func() error {
		v, err = s.messageOption(id)
		return err
	})
	return v, err
}

// SetOption is setsockopt(2) of a raw socket.
func (s *raw) SetOption(id socket.OptionID, value any) error {
	defer s.applyChanges()
	return s.withLock(func() error {
		switch id {
		case socket.ICMP_FILTER.ID:
			v, ok := value.(uint32)
			if s.protocol != socket.IPPROTO_ICMP || s.domain != socket.INET {
				return syscall.EOPNOTSUPP
			}
			if !ok {
				return syscall.EINVAL
			}
			s.filter4 = v
			return nil
		case socket.ICMPV6_FILTER.ID:
			v, ok := value.([8]uint32)
			if s.protocol != socket.IPPROTO_ICMPV6 || s.domain != socket.INET6 {
				return syscall.EOPNOTSUPP
			}
			if !ok {
				return syscall.EINVAL
			}
			s.filter6 = v
			return nil
		case socket.IP_HDRINCL.ID:
			v, ok := value.(int)
			if !ok {
				return syscall.EINVAL
			}
			s.ownIP().hdrincl = v != 0
			return nil
		case socket.IPV6_CHECKSUM.ID:
			return s.setChecksum(value)
		}
		if err, ok := s.setMessageOption(id, value); ok {
			return err
		}
		return s.setOption(id, value)
	})
}

// setChecksum is IPV6_CHECKSUM (RFC 3542 section 3.1): ICMPv6 has a place of its
// own for it, which stays.
func (s *raw) setChecksum(value any) error {
	v, ok := value.(int)
	switch {
	case s.domain != socket.INET6:
		return syscall.ENOPROTOOPT
	case s.protocol == socket.IPPROTO_ICMPV6:
		return syscall.EINVAL
	case !ok || v > 0 && v&1 != 0:
		return syscall.EINVAL
	}
	s.ownIP().checksumAt = max(v, -1)
	return nil
}

// Option is getsockopt(2) of a raw socket.
func (s *raw) Option(id socket.OptionID) (v any, err error) {
	err = s.withLock(func() error {
		switch {
		case id == socket.ICMP_FILTER.ID && s.protocol == socket.IPPROTO_ICMP:
			v = s.filter4
		case id == socket.ICMPV6_FILTER.ID && s.protocol == socket.IPPROTO_ICMPV6:
			v = s.filter6
		case id == socket.IP_HDRINCL.ID:
			v = 0
			if s.ip.hdrincl {
				v = 1
			}
		case id == socket.IPV6_CHECKSUM.ID && s.domain == socket.INET6:
			v = s.ip.checksumAt
		default:
			v, err = s.messageOption(id)
		}
		return err
	})
	return v, err
}

// setMessageOption sets an option that datagram and raw sockets have, and tells
// whether id is one.
func (s *messageSock) setMessageOption(id socket.OptionID, value any) (error, bool) {
	v, isInt := value.(int)
	switch id {
	case socket.SO_RCVBUF.ID:
		if !isInt {
			return syscall.EINVAL, true
		}
		s.queue.limit = bufferSize(v, minRcvBuf)
		return nil, true
	case socket.SO_SNDBUF.ID:
		if !isInt {
			return syscall.EINVAL, true
		}
		s.sndbuf = bufferSize(v, minSndBuf)
		return nil, true
	case socket.SO_ERROR.ID, socket.SO_ACCEPTCONN.ID:
		if !isInt {
			return syscall.EINVAL, true
		}
		return syscall.ENOPROTOOPT, true
	case socket.IP_RECVERR.ID, socket.IPV6_RECVERR.ID:
		if isInt && v == 0 {
			s.errors.clear()
		}
	case socket.IP_OPTIONS.ID:
		s.path = path{} // a source route may lead elsewhere
	case socket.SO_RCVLOWAT.ID:
		if !isInt || v < 0 {
			return syscall.EINVAL, true
		}
		s.lowat = max(v, 1)
		return nil, true
	case socket.SO_KEEPALIVE.ID:
		if !isInt {
			return syscall.EINVAL, true
		}
		s.ownIP().keepAlive = v != 0
		return nil, true
	}
	return nil, false
}

// bufferSize is what a buffer becomes when somebody asks for n bytes: as on
// Linux twice that, for what the kernel keeps beside the data.
func bufferSize(n, least int) int {
	if n < 0 || n > maxBuffer {
		n = maxBuffer
	}
	return max(2*n, least)
}

// messageOption reads an option of a datagram or raw socket.
func (s *messageSock) messageOption(id socket.OptionID) (any, error) {
	switch id {
	case socket.SO_RCVBUF.ID:
		return s.queue.limit, nil
	case socket.SO_SNDBUF.ID:
		return s.sndbuf, nil
	case socket.SO_RCVLOWAT.ID:
		return s.lowat, nil
	case socket.SO_ACCEPTCONN.ID:
		return 0, nil
	case socket.SO_KEEPALIVE.ID:
		if s.ip.keepAlive {
			return 1, nil
		}
		return 0, nil
	case socket.SO_ERROR.ID:
		err, _ := s.takeError().(syscall.Errno)
		return int(err), nil
	}
	return s.option(id)
}
