package port

import (
	"hash/maphash"
	"net/netip"
)

// A Binding is what a socket has of a port. The caller sets the first group of
// fields, and calls [Table.Update] when it changes one of them in the table;
// the others are the table's. A Binding must not be copied while it is in a
// table.
type Binding struct {
	_ [0]func() // nobody compares two

	// Protocol is TCP, UDP or ICMP. It does not change.
	Protocol Protocol
	// V6Only is IPV6_V6ONLY. It does not change once the socket has a port.
	V6Only bool
	// ReuseAddr and ReusePort are SO_REUSEADDR and SO_REUSEPORT.
	ReuseAddr, ReusePort bool
	// NoPort is IP_BIND_ADDRESS_NO_PORT: Bind to port 0 leaves the choice to
	// Connect, which can share ports.
	NoPort bool
	// Port is the local port. The caller sets it before Bind, 0 for any.
	Port uint16
	// Device is the index of the interface that the socket is bound to, by
	// SO_BINDTODEVICE or by the zone of its address; 0 is none.
	Device int32
	// UID is the user who made the socket.
	UID int32

	// Addr is the local address, set by the caller before Bind, and by
	// Connect: 0.0.0.0 for any of an INET socket, :: for any of an INET6 one,
	// whose IPv4 addresses are mapped (::ffff:10.0.0.1). Zones are ignored.
	Addr netip.Addr
	// Remote is the peer, set by Connect and by the caller before Inherit.
	Remote netip.AddrPort

	class    *sharedClass // as the table has counted it
	next     *Binding     // with the same hash of its ends: see space.ends
	state    State
	any      uint8 // Addr before Connect set it, if that was unspecified: of wildcards
	bound6   bool  // Bind gave it an IPv6 address, which makes it V6Only
	keepPort bool  // Bind asked for this very port: Disconnect keeps it
	chosen   bool  // Connect chose the port
}

// wildcards are the unspecified addresses that a binding can have, from index 1
// on.
var wildcards = [...]netip.Addr{
	1: netip.IPv4Unspecified(),
	2: netip.IPv6Unspecified(),
	3: netip.AddrFrom16(netip.IPv4Unspecified().As16()),
}

// Protocol is the protocol whose ports are meant, by its IP number.
type Protocol uint8

// The protocols. The ports of ICMP are the identifiers of echo requests, which
// IPv4 and IPv6 share.
const (
	ICMP Protocol = 1
	TCP  Protocol = 6
	UDP  Protocol = 17
)

// State is what a binding's socket does with its port.
type State uint8

// The states.
const (
	Unbound   State = iota // has no port
	Bound                  // has a port, and no peer
	Listening              // accepts connections
	Connected              // has a peer
	TimeWait               // had one: RFC 9293's TIME-WAIT
)

func (s State) String() string {
	switch s {
	case Unbound:
		return "unbound"
	case Bound:
		return "bound"
	case Listening:
		return "listening"
	case Connected:
		return "connected"
	case TimeWait:
		return "time-wait"
	}
	return "State(?)"
}

// State returns what the socket does with its port.
func (b *Binding) State() State { return b.state }

// Local returns the local address and port.
func (b *Binding) Local() netip.AddrPort { return netip.AddrPortFrom(b.Addr, b.Port) }

// hash is the hash of the two ends.
func (b *Binding) hash(seed maphash.Seed) uint64 { return maphash.Comparable(seed, b.tuple()) }

// tuple is the two ends of a connection. IPv4 addresses are not mapped: a
// connection of an INET6 socket is the same as one of an INET socket.
type tuple struct {
	local, remote         [16]byte
	localPort, remotePort uint16
}

func (b *Binding) tuple() tuple {
	return tuple{b.Addr.As16(), b.Remote.Addr().As16(), b.Port, b.Remote.Port()}
}
