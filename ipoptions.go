package berth

import (
	"net/netip"

	"example.com/berth/internal/lean"
	"example.com/berth/internal/multicast"
	"example.com/berth/socket"
)

// defaultTTL is the hop limit of packets when nobody says otherwise, Config.TTL
// included.
const defaultTTL = 64

// ipOptions are the options of a socket that concern IP and the socket layer;
// options.go names them. Sockets that set none share the default ones, and the
// children of a listener share the listener's: they are never changed, but
// replaced.
type ipOptions struct {
	_ lean.Incomparable

	tos, tclass           uint8
	ttl, hops             int16 // -1: the default
	multicastTTL          uint8
	multicastHops         int16 // -1: the default, 1
	mtuDiscover4          uint8 // IP_PMTUDISC_*
	mtuDiscover6          uint8
	mtu6                  uint16 // IPV6_MTU: a bound for packets to IPv6; 0: none
	device                int    // SO_BINDTODEVICE: an interface's index; 0 any
	linger                socket.Linger
	checksumAt            int             // IPV6_CHECKSUM
	groups                *groupOptions   // nil while nothing is set
	fast                  *fastOpenSocket // of a stream socket; nil without Fast Open
	header                *headerOptions  // nil while nothing is set
	reuseAddr, reusePort  bool
	broadcast, dontRoute  bool
	v6only                bool
	hdrincl               bool
	freebind, transparent bool
	bindNoPort            bool
	loop4, loop6          bool
	multicastAll          bool
	recvErr4, recvErr6    bool
	pktInfo4, pktInfo6    bool
	recvTTL4, recvHops6   bool
	recvTOS4, recvTClass6 bool
	dontFrag6             bool
	oobInline             bool
	keepAlive             bool
	zeroCopy, inq         bool // of a stream socket
}

// groupOptions are what few sockets have: memberships, and the way out of
// multicasts.
type groupOptions struct {
	filter       multicast.Filter
	joined       bool               // filter is in use
	changes      []multicast.Change // of memberships, not yet told to the interfaces
	multicastIf  int
	multicastIf6 int
	addr         netip.Addr // IP_MULTICAST_IF by address
}

// ownIP gives the socket a copy of its options, which nobody else has yet, so
// that one of them can be set. The lock is held.
// It is called seldom, and too much to have a copy at every call.
//
//go:noinline
func (s *sock) ownIP() *ipOptions {
	o := *s.ip
	s.ip = &o
	return s.ip
}

// group gives the options for multicasts, made on first use.
func (s *sock) group() *groupOptions {
	if s.ip.groups == nil {
		s.ownIP().groups = new(groupOptions)
	}
	return s.ip.groups
}

// multicastDevice is the interface that IP_MULTICAST_IF or IPV6_MULTICAST_IF
// names; 0: none.
func (o *ipOptions) multicastDevice(v4 bool) int {
	switch {
	case o.groups == nil:
		return 0
	case v4:
		return o.groups.multicastIf
	}
	return o.groups.multicastIf6
}

var defaultIPOptions = ipOptions{
	ttl: -1, hops: -1, multicastTTL: 1, multicastHops: -1,
	mtuDiscover4: socket.IP_PMTUDISC_WANT, mtuDiscover6: socket.IP_PMTUDISC_WANT,
	loop4: true, loop6: true, multicastAll: true, checksumAt: -1,
}

// trafficClass is the TOS or traffic class of packets to dst.
func (o *ipOptions) trafficClass(dst netip.Addr) uint8 {
	if dst.Is4() {
		return o.tos
	}
	return o.tclass
}

// hopLimit is the TTL or hop limit of packets to dst over ifc.
func (o *ipOptions) hopLimit(dst netip.Addr, ifc *Interface) uint8 {
	switch {
	case dst.Is4() && dst.IsMulticast():
		return o.multicastTTL
	case dst.IsMulticast():
		if o.multicastHops >= 0 {
			return uint8(o.multicastHops)
		}
		return 1
	case dst.Is4() && o.ttl >= 0:
		return uint8(o.ttl)
	case dst.Is6() && o.hops >= 0:
		return uint8(o.hops)
	}
	return ifc.defaultHopLimit(dst)
}

// defaultHopLimit is the hop limit of packets to dst: for IPv6 what routers say
// (RFC 4861 section 6.3.4), else what the host was configured with.
func (ifc *Interface) defaultHopLimit(dst netip.Addr) uint8 {
	if n := ifc.hopLimit.Load(); n > 0 && dst.Is6() {
		return uint8(n)
	}
	return ifc.host.defaultTTL()
}

// defaultTTL is the hop limit that the host was configured with.
func (h *Host) defaultTTL() uint8 {
	if h.config.TTL > 0 {
		return h.config.TTL
	}
	return defaultTTL
}

// mtuDiscover is IP_MTU_DISCOVER, or its counterpart for IPv6.
//
//go:noinline
func (o *ipOptions) mtuDiscover(dst netip.Addr) uint8 {
	if dst.Is4() {
		return o.mtuDiscover4
	}
	return o.mtuDiscover6
}
