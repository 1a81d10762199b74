package sockettest

import (
	"net/netip"

	"example.com/berth/socket"
)

// Env is two hosts that reach one another, and what is known of them.
//
// A and B may be one and the same host; then the addresses are addresses of its
// loopback interface, and cases that need a link between two hosts are skipped.
// Neither host has a default route, unless they are the same. Each has its
// loopback interface up, called lo, with 127.0.0.1 and ::1.
type Env struct {
	// They send ICMP errors without a limit that a test reaches: Linux's own is
	// switched off with net.ipv4.icmp_ratelimit and net.ipv6.icmp.ratelimit,
	// except on loopback, where it does not hold.
	A, B socket.Provider

	// AddrA4 is A's IPv4 address on the link to B, and so on. The IPv6 ones are
	// global. Cases that need an address that is not set are skipped.
	AddrA4, AddrB4 netip.Addr
	AddrA6, AddrB6 netip.Addr

	// LinkLocalA and LinkLocalB are the hosts' link-local addresses on the
	// link, each with its own host's name of the interface as its zone.
	LinkLocalA, LinkLocalB netip.Addr

	// Broadcast4 is the directed broadcast address of the link's IPv4 network.
	Broadcast4 netip.Addr

	// InterfaceA and InterfaceB name the interfaces, IndexA and IndexB are
	// their indexes.
	InterfaceA, InterfaceB string
	IndexA, IndexB         int

	// MTU is that of the link.
	MTU int

	// Raw tells that raw sockets may be made (on Linux, CAP_NET_RAW), Admin
	// that IP_TRANSPARENT may be set (CAP_NET_ADMIN), Ping that ping sockets
	// may be made (on Linux, net.ipv4.ping_group_range).
	Raw, Admin, Ping bool

	// Differences names the cases in which the provider differs from Linux,
	// with the reason. They are skipped, and the reason is shown. A name that
	// is no case's fails the run.
	Differences map[string]string
}

// oneHost tells whether A and B are the same.
func (e *Env) oneHost() bool { return e.A == e.B }

// family is what a case needs to know to run over IPv4 or IPv6 alike.
type family struct {
	name     string
	domain   socket.Domain
	a, b     netip.Addr // the hosts
	any      netip.Addr
	loopback netip.Addr
	foreign  netip.Addr // of no host (RFC 5737, RFC 3849)
	icmp     socket.Protocol
	overhead int // bytes of the IP header
}

func (e *Env) ipv4() family {
	return family{
		name: "v4", domain: socket.INET, a: e.AddrA4, b: e.AddrB4,
		any: netip.IPv4Unspecified(), loopback: netip.MustParseAddr("127.0.0.1"),
		foreign: netip.MustParseAddr("203.0.113.99"), icmp: socket.IPPROTO_ICMP, overhead: 20,
	}
}

func (e *Env) ipv6() family {
	return family{
		name: "v6", domain: socket.INET6, a: e.AddrA6, b: e.AddrB6,
		any: netip.IPv6Unspecified(), loopback: netip.IPv6Loopback(),
		foreign: netip.MustParseAddr("2001:db8:ffff::99"), icmp: socket.IPPROTO_ICMPV6, overhead: 40,
	}
}

func at(a netip.Addr, port uint16) netip.AddrPort { return netip.AddrPortFrom(a, port) }

// mapped is an IPv4 address as an INET6 socket writes it.
func mapped(a netip.Addr) netip.Addr { return netip.AddrFrom16(a.As16()) }
