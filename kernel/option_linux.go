package kernel

import (
	"sync"
	"syscall"
	"unsafe"

	"example.com/berth/socket"
	"golang.org/x/sys/unix"
)

func (s *sock) SetOption(id socket.OptionID, value any) error {
	o, ok := options()[id]
	if !ok {
		return syscall.ENOPROTOOPT
	}
	at, b, err := o.encode(s, id, value)
	if err != nil {
		return err
	}
	if err := s.setsockopt(at, b); err != nil {
		return err
	}
	switch id {
	case socket.TCP_INQ.ID:
		v, _ := value.(int)
		s.inq.Store(v != 0)
	case socket.SO_RCVLOWAT.ID:
		// The kernel has its own opinion (0 becomes 1, what is over the receive
		// buffer is cut).
		if v, err := socket.Get(s, socket.SO_RCVLOWAT); err == nil {
			s.lowat.Store(int32(v))
		}
	}
	return nil
}

func (s *sock) Option(id socket.OptionID) (any, error) {
	o, ok := options()[id]
	if !ok || o.decode == nil {
		return nil, syscall.ENOPROTOOPT
	}
	b := make([]byte, o.size)
	n, err := s.getsockopt(id, b)
	if err != nil {
		return nil, err
	}
	return o.decode(b[:n]), nil
}

func (s *sock) setsockopt(id socket.OptionID, b []byte) error {
	return s.control(func(fd uintptr) error {
		_, _, e := unix.Syscall6(unix.SYS_SETSOCKOPT, fd, uintptr(id.Level), uintptr(id.Name),
			uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0)
		return result(e)
	})
}

func (s *sock) getsockopt(id socket.OptionID, b []byte) (int, error) {
	size := uint32(len(b))
	err := s.control(func(fd uintptr) error {
		_, _, e := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, uintptr(id.Level), uintptr(id.Name),
			uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(unsafe.Pointer(&size)), 0)
		return result(e)
	})
	return int(size), err
}

// option is how the value of one option passes between Go and the kernel.
type option struct {
	// encode gives the bytes for setsockopt(2), and the option to set with
	// them, which for the multicast options depends on the value.
	encode func(s *sock, id socket.OptionID, value any) (at socket.OptionID, b []byte, err error)
	// decode reads the bytes of getsockopt(2), of which there are at most size.
	// It is nil where the option cannot be read.
	decode func(b []byte) any
	size   int
}

// plain makes an option out of the two conversions of a type T.
func plain[T any](size int, encode func(T) []byte, decode func([]byte) T) option {
	return option{
		encode: func(_ *sock, id socket.OptionID, value any) (socket.OptionID, []byte, error) {
			v, ok := value.(T)
			if !ok {
				return id, nil, syscall.EINVAL
			}
			return id, encode(v), nil
		},
		decode: func(b []byte) any { return decode(b) },
		size:   size,
	}
}

// bytesOf is the encoding of a value that lies in memory as the kernel has it.
func bytesOf[T any](v T) []byte {
	b := make([]byte, unsafe.Sizeof(v))
	put(b, v)
	return b
}

var (
	intOption = plain(4,
		func(v int) []byte { return bytesOf(int32(v)) },
		func(b []byte) int { return int(take[int32](b)) })

	stringOption = plain(64,
		func(v string) []byte { return append([]byte(v), 0) },
		func(b []byte) string { return unix.ByteSliceToString(b) })

	lingerOption = plain(unix.SizeofLinger,
		func(v socket.Linger) []byte {
			l := unix.Linger{Linger: int32(v.Seconds)}
			if v.On {
				l.Onoff = 1
			}
			return bytesOf(l)
		},
		func(b []byte) socket.Linger {
			l := take[unix.Linger](b)
			return socket.Linger{On: l.Onoff != 0, Seconds: int(l.Linger)}
		})

	icmpFilter  = plain(4, bytesOf[uint32], take[uint32])
	icmp6Filter = plain(32, bytesOf[[8]uint32], take[[8]uint32])

	// headerOption is IP_OPTIONS.
	headerOption = plain(40,
		func(v string) []byte { return []byte(v) },
		func(b []byte) string { return string(b) })

	bytesOption = plain(32,
		func(v []byte) []byte { return v },
		func(b []byte) []byte { return b })

	tcpInfo = option{
		encode: func(_ *sock, id socket.OptionID, value any) (socket.OptionID, []byte, error) {
			if _, ok := value.(socket.TCPInfo); !ok {
				return id, nil, syscall.EINVAL
			}
			return id, make([]byte, 4), nil // for the kernel to refuse
		},
		decode: func(b []byte) any { return parseTCPInfo(b) },
		size:   unix.SizeofTCPInfo,
	}

	tcpCCInfo = option{
		encode: func(_ *sock, id socket.OptionID, value any) (socket.OptionID, []byte, error) {
			if _, ok := value.(socket.TCPCCInfo); !ok {
				return id, nil, syscall.EINVAL
			}
			return id, make([]byte, 4), nil // for the kernel to refuse
		},
		decode: func(b []byte) any { return parseTCPCCInfo(b) },
		size:   sizeofBBRInfo,
	}
)

// options is the table of all options that package socket declares.
var options = sync.OnceValue(func() map[socket.OptionID]option {
	table := map[socket.OptionID]option{
		socket.SO_LINGER.ID:        lingerOption,
		socket.SO_BINDTODEVICE.ID:  stringOption,
		socket.TCP_CONGESTION.ID:   stringOption,
		socket.IP_OPTIONS.ID:       headerOption,
		socket.TCP_FASTOPEN_KEY.ID: bytesOption,
		socket.TCP_INFO.ID:         tcpInfo,
		socket.TCP_CC_INFO.ID:      tcpCCInfo,
		socket.TCP_MD5SIG.ID:       {encode: encodeMD5Sig},
		socket.TCP_MD5SIG_EXT.ID:   {encode: encodeMD5Sig},
		socket.ICMP_FILTER.ID:      icmpFilter,
		socket.ICMPV6_FILTER.ID:    icmp6Filter,

		socket.IP_MULTICAST_IF.ID:           multicastInterface,
		socket.IP_ADD_MEMBERSHIP.ID:         {encode: encodeMembership4},
		socket.IP_DROP_MEMBERSHIP.ID:        {encode: encodeMembership4},
		socket.IP_BLOCK_SOURCE.ID:           sourceOption4(unix.MCAST_BLOCK_SOURCE),
		socket.IP_UNBLOCK_SOURCE.ID:         sourceOption4(unix.MCAST_UNBLOCK_SOURCE),
		socket.IP_ADD_SOURCE_MEMBERSHIP.ID:  sourceOption4(unix.MCAST_JOIN_SOURCE_GROUP),
		socket.IP_DROP_SOURCE_MEMBERSHIP.ID: sourceOption4(unix.MCAST_LEAVE_SOURCE_GROUP),
		socket.IPV6_JOIN_GROUP.ID:           {encode: encodeMembership6},
		socket.IPV6_LEAVE_GROUP.ID:          {encode: encodeMembership6},
		socket.MCAST_BLOCK_SOURCE.ID:        {encode: encodeSource},
		socket.MCAST_UNBLOCK_SOURCE.ID:      {encode: encodeSource},
		socket.MCAST_JOIN_SOURCE_GROUP.ID:   {encode: encodeSource},
		socket.MCAST_LEAVE_SOURCE_GROUP.ID:  {encode: encodeSource},
	}
	for _, o := range intOptions {
		table[o.ID] = intOption
	}
	return table
})

var intOptions = []socket.Option[int]{
	socket.SO_REUSEADDR, socket.SO_TYPE, socket.SO_ERROR, socket.SO_DONTROUTE, socket.SO_BROADCAST,
	socket.SO_SNDBUF, socket.SO_RCVBUF, socket.SO_KEEPALIVE, socket.SO_OOBINLINE, socket.SO_REUSEPORT,
	socket.SO_RCVLOWAT, socket.SO_ACCEPTCONN, socket.SO_PROTOCOL, socket.SO_DOMAIN,
	socket.SO_MAX_PACING_RATE, socket.SO_ZEROCOPY,

	socket.IP_TOS, socket.IP_TTL, socket.IP_HDRINCL, socket.IP_RECVOPTS, socket.IP_RETOPTS, socket.IP_PKTINFO, socket.IP_MTU_DISCOVER,
	socket.IP_RECVERR, socket.IP_RECVTTL, socket.IP_RECVTOS, socket.IP_MTU, socket.IP_FREEBIND,
	socket.IP_TRANSPARENT, socket.IP_BIND_ADDRESS_NO_PORT, socket.IP_MULTICAST_TTL,
	socket.IP_MULTICAST_LOOP, socket.IP_MULTICAST_ALL,

	socket.IPV6_CHECKSUM, socket.IPV6_UNICAST_HOPS, socket.IPV6_MULTICAST_IF, socket.IPV6_MULTICAST_HOPS,
	socket.IPV6_MULTICAST_LOOP, socket.IPV6_MTU_DISCOVER, socket.IPV6_MTU, socket.IPV6_RECVERR,
	socket.IPV6_V6ONLY, socket.IPV6_RECVPKTINFO, socket.IPV6_RECVHOPLIMIT, socket.IPV6_DONTFRAG,
	socket.IPV6_RECVTCLASS, socket.IPV6_TCLASS,

	socket.TCP_NODELAY, socket.TCP_MAXSEG, socket.TCP_CORK, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL,
	socket.TCP_KEEPCNT, socket.TCP_SYNCNT, socket.TCP_LINGER2, socket.TCP_DEFER_ACCEPT,
	socket.TCP_WINDOW_CLAMP, socket.TCP_QUICKACK, socket.TCP_USER_TIMEOUT, socket.TCP_NOTSENT_LOWAT,
	socket.TCP_FASTOPEN, socket.TCP_FASTOPEN_CONNECT, socket.TCP_FASTOPEN_NO_COOKIE,
	socket.TCP_INQ,
}
