package socket

import (
	"net/netip"
	"reflect"
	"strconv"
	"syscall"
)

// OptionID identifies an option by its level and number, with Linux's values.
type OptionID struct {
	Level int
	Name  int
}

// The levels.
const (
	SOL_SOCKET = 1
	SOL_IP     = 0
	SOL_TCP    = 6
	SOL_IPV6   = 41
	SOL_ICMPV6 = 58
	SOL_RAW    = 255
)

// An Option is the name of a socket option with the type of its value. Numbers
// are int with Linux's units (seconds for TCP_KEEPIDLE, milliseconds for
// TCP_USER_TIMEOUT), switches are int with 0 for off.
type Option[T any] struct{ ID OptionID }

// Set sets an option, as setsockopt(2).
func Set[T any](s Socket, o Option[T], value T) error { return s.SetOption(o.ID, value) }

// Get reads an option, as getsockopt(2).
func Get[T any](s Socket, o Option[T]) (T, error) {
	var zero T
	v, err := s.Option(o.ID)
	if err != nil {
		return zero, err
	}
	t, ok := v.(T)
	if !ok {
		return zero, &typeError{o.ID, reflect.TypeOf(v), reflect.TypeFor[T]()}
	}
	return t, nil
}

// A typeError says that a provider's option is not of the type that it has here.
type typeError struct {
	id        OptionID
	has, want reflect.Type
}

func (e *typeError) Error() string {
	return "socket: option " + e.id.String() + " is a " +
		e.has.String() + ", not a " + e.want.String() + ": " + syscall.EINVAL.Error()
}

func (e *typeError) Unwrap() error { return syscall.EINVAL }

func opt[T any](level, name int) Option[T] { return Option[T]{OptionID{level, name}} }

// Options of every socket.
var (
	SO_REUSEADDR    = opt[int](SOL_SOCKET, 2)
	SO_TYPE         = opt[int](SOL_SOCKET, 3)  // read only: a Type
	SO_ERROR        = opt[int](SOL_SOCKET, 4)  // read only: the pending errno, and clears it
	SO_DONTROUTE    = opt[int](SOL_SOCKET, 5)  // send only to directly connected networks
	SO_BROADCAST    = opt[int](SOL_SOCKET, 6)  // allow sending to broadcast addresses
	SO_SNDBUF       = opt[int](SOL_SOCKET, 7)  // bytes; doubled when set, as on Linux
	SO_RCVBUF       = opt[int](SOL_SOCKET, 8)  // bytes; doubled when set, as on Linux
	SO_KEEPALIVE    = opt[int](SOL_SOCKET, 9)  // probe an idle connection
	SO_OOBINLINE    = opt[int](SOL_SOCKET, 10) // urgent data stays in the stream
	SO_LINGER       = opt[Linger](SOL_SOCKET, 13)
	SO_REUSEPORT    = opt[int](SOL_SOCKET, 15)
	SO_RCVLOWAT     = opt[int](SOL_SOCKET, 18) // bytes before Recv and POLLIN answer
	SO_BINDTODEVICE = opt[string](SOL_SOCKET, 25)
	SO_ACCEPTCONN   = opt[int](SOL_SOCKET, 30) // read only: the socket listens
	SO_PROTOCOL     = opt[int](SOL_SOCKET, 38) // read only: a Protocol
	SO_DOMAIN       = opt[int](SOL_SOCKET, 39) // read only: a Domain

	// SO_MAX_PACING_RATE bounds how fast a stream socket sends, in bytes a
	// second, and spreads out what it sends; -1 is no bound.
	SO_MAX_PACING_RATE = opt[int](SOL_SOCKET, 47)

	// SO_ZEROCOPY allows MSG_ZEROCOPY on a stream socket, and has no effect before
	// that flag is used: a send with it keeps the caller's buffer until it is said
	// to be complete. The sends of a socket that took anything are numbered from 0.
	// POLLERR says that some are complete, and RecvMsg with MSG_ERRQUEUE which: its
	// Control.Err has SO_EE_ORIGIN_ZEROCOPY, the first and the last of them, and a
	// Code that tells whether their data was copied. Hosts of berth always copy, so
	// that a send is complete when it returns. A listener hands the option on.
	SO_ZEROCOPY = opt[int](SOL_SOCKET, 60)
)

// Options of IPv4 (and of what an INET6 socket does with IPv4).
var (
	IP_TOS                    = opt[int](SOL_IP, 1)
	IP_TTL                    = opt[int](SOL_IP, 2)    // 1 to 255, -1 for the default
	IP_HDRINCL                = opt[int](SOL_IP, 3)    // the caller writes the IP header
	IP_OPTIONS                = opt[string](SOL_IP, 4) // what the header has behind its 20 bytes, at most 40
	IP_RECVOPTS               = opt[int](SOL_IP, 6)    // deliver Control.RecvOpts
	IP_RETOPTS                = opt[int](SOL_IP, 7)    // deliver Control.RetOpts
	IP_PKTINFO                = opt[int](SOL_IP, 8)    // deliver PktInfo
	IP_MTU_DISCOVER           = opt[int](SOL_IP, 10)
	IP_RECVERR                = opt[int](SOL_IP, 11) // keep an error queue
	IP_RECVTTL                = opt[int](SOL_IP, 12)
	IP_RECVTOS                = opt[int](SOL_IP, 13)
	IP_MTU                    = opt[int](SOL_IP, 14) // read only: path MTU of a connected socket
	IP_FREEBIND               = opt[int](SOL_IP, 15)
	IP_TRANSPARENT            = opt[int](SOL_IP, 19)
	IP_BIND_ADDRESS_NO_PORT   = opt[int](SOL_IP, 24)
	IP_MULTICAST_IF           = opt[Group](SOL_IP, 32) // Group.Interface, or Group.Local
	IP_MULTICAST_TTL          = opt[int](SOL_IP, 33)
	IP_MULTICAST_LOOP         = opt[int](SOL_IP, 34)
	IP_ADD_MEMBERSHIP         = opt[Group](SOL_IP, 35)
	IP_DROP_MEMBERSHIP        = opt[Group](SOL_IP, 36)
	IP_UNBLOCK_SOURCE         = opt[Group](SOL_IP, 37)
	IP_BLOCK_SOURCE           = opt[Group](SOL_IP, 38)
	IP_ADD_SOURCE_MEMBERSHIP  = opt[Group](SOL_IP, 39)
	IP_DROP_SOURCE_MEMBERSHIP = opt[Group](SOL_IP, 40)
	IP_MULTICAST_ALL          = opt[int](SOL_IP, 49)
)

// Options of IPv6.
var (
	IPV6_CHECKSUM            = opt[int](SOL_IPV6, 7)  // raw: where the checksum is, -1 for none
	IPV6_UNICAST_HOPS        = opt[int](SOL_IPV6, 16) // 0 to 255, -1 for the default
	IPV6_MULTICAST_IF        = opt[int](SOL_IPV6, 17) // an interface's index
	IPV6_MULTICAST_HOPS      = opt[int](SOL_IPV6, 18)
	IPV6_MULTICAST_LOOP      = opt[int](SOL_IPV6, 19)
	IPV6_JOIN_GROUP          = opt[Group](SOL_IPV6, 20)
	IPV6_LEAVE_GROUP         = opt[Group](SOL_IPV6, 21)
	IPV6_MTU_DISCOVER        = opt[int](SOL_IPV6, 23)
	IPV6_MTU                 = opt[int](SOL_IPV6, 24)
	IPV6_RECVERR             = opt[int](SOL_IPV6, 25)
	IPV6_V6ONLY              = opt[int](SOL_IPV6, 26) // only before Bind
	MCAST_BLOCK_SOURCE       = opt[Group](SOL_IPV6, 43)
	MCAST_UNBLOCK_SOURCE     = opt[Group](SOL_IPV6, 44)
	MCAST_JOIN_SOURCE_GROUP  = opt[Group](SOL_IPV6, 46)
	MCAST_LEAVE_SOURCE_GROUP = opt[Group](SOL_IPV6, 47)
	IPV6_RECVPKTINFO         = opt[int](SOL_IPV6, 49)
	IPV6_RECVHOPLIMIT        = opt[int](SOL_IPV6, 51)
	IPV6_DONTFRAG            = opt[int](SOL_IPV6, 62)
	IPV6_RECVTCLASS          = opt[int](SOL_IPV6, 66)
	IPV6_TCLASS              = opt[int](SOL_IPV6, 67)
)

// Options of TCP.
var (
	TCP_NODELAY       = opt[int](SOL_TCP, 1)
	TCP_MAXSEG        = opt[int](SOL_TCP, 2)
	TCP_CORK          = opt[int](SOL_TCP, 3)
	TCP_KEEPIDLE      = opt[int](SOL_TCP, 4) // seconds, 1 to 32767
	TCP_KEEPINTVL     = opt[int](SOL_TCP, 5) // seconds, 1 to 32767
	TCP_KEEPCNT       = opt[int](SOL_TCP, 6) // probes, 1 to 127
	TCP_SYNCNT        = opt[int](SOL_TCP, 7) // SYN retransmissions, 1 to 127
	TCP_LINGER2       = opt[int](SOL_TCP, 8) // seconds in FIN-WAIT-2 after Close
	TCP_DEFER_ACCEPT  = opt[int](SOL_TCP, 9)
	TCP_WINDOW_CLAMP  = opt[int](SOL_TCP, 10)
	TCP_INFO          = opt[TCPInfo](SOL_TCP, 11) // read only
	TCP_QUICKACK      = opt[int](SOL_TCP, 12)
	TCP_CONGESTION    = opt[string](SOL_TCP, 13)
	TCP_USER_TIMEOUT  = opt[int](SOL_TCP, 18) // milliseconds, 0 for the default
	TCP_FASTOPEN      = opt[int](SOL_TCP, 23) // of a listener: handshakes under way that brought data
	TCP_NOTSENT_LOWAT = opt[int](SOL_TCP, 25)
	TCP_CC_INFO       = opt[TCPCCInfo](SOL_TCP, 26) // read only

	TCP_INQ = opt[int](SOL_TCP, 36) // RecvMsg gives Control.Inq

	TCP_FASTOPEN_CONNECT   = opt[int](SOL_TCP, 30)    // Connect waits for the first data, if there is a cookie
	TCP_FASTOPEN_KEY       = opt[[]byte](SOL_TCP, 33) // of a server's cookies: 16 bytes, or 32 for two; none: the host's
	TCP_FASTOPEN_NO_COOKIE = opt[int](SOL_TCP, 34)    // neither send nor ask for cookies
)

// Options of raw ICMP sockets: a set bit keeps messages of that type out.
var (
	ICMP_FILTER   = opt[uint32](SOL_RAW, 1)
	ICMPV6_FILTER = opt[[8]uint32](SOL_ICMPV6, 1)
)

// Values of IP_MTU_DISCOVER and IPV6_MTU_DISCOVER.
const (
	IP_PMTUDISC_DONT  = 0 // never set DF; fragment
	IP_PMTUDISC_WANT  = 1 // stream sockets set DF, datagrams are fragmented to the path MTU
	IP_PMTUDISC_DO    = 2 // always set DF; EMSGSIZE if too long for the path
	IP_PMTUDISC_PROBE = 3 // set DF, ignore the path MTU
)

// Linger is the value of SO_LINGER. On with zero Seconds makes Close reset the
// connection; with more, Close waits that long until all is acknowledged.
type Linger struct {
	On      bool
	Seconds int
}

// Group is the argument of the multicast options: join Group on Interface (0
// lets the routes decide), for IPv4 possibly named by its Local address, and
// for source-specific ones only what Source sends.
type Group struct {
	Group     netip.Addr
	Source    netip.Addr
	Interface int
	Local     netip.Addr
}

func (o OptionID) String() string {
	return strconv.Itoa(o.Level) + ":" + strconv.Itoa(o.Name)
}
