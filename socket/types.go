package socket

import "strconv"

// Domain is an address family, the first argument of socket(2).
type Domain int

// The domains.
const (
	INET  Domain = 2  // IPv4
	INET6 Domain = 10 // IPv6, and IPv4 too unless IPV6_V6ONLY is set
)

func (d Domain) String() string {
	switch d {
	case INET:
		return "INET"
	case INET6:
		return "INET6"
	}
	return "Domain(" + strconv.Itoa(int(d)) + ")"
}

// Type is what a socket carries, the second argument of socket(2).
type Type int

// The types.
const (
	STREAM Type = 1 // bytes in order, connected: TCP
	DGRAM  Type = 2 // datagrams: UDP, and ICMP echo ("ping" sockets)
	RAW    Type = 3 // IP packets of one protocol
)

func (t Type) String() string {
	switch t {
	case STREAM:
		return "STREAM"
	case DGRAM:
		return "DGRAM"
	case RAW:
		return "RAW"
	}
	return "Type(" + strconv.Itoa(int(t)) + ")"
}

// Protocol is an IP protocol number, the third argument of socket(2).
type Protocol int

// The protocols that have a name here; a raw socket takes any from 1 to 255.
const (
	IPPROTO_ICMP   Protocol = 1
	IPPROTO_IGMP   Protocol = 2
	IPPROTO_TCP    Protocol = 6
	IPPROTO_UDP    Protocol = 17
	IPPROTO_ICMPV6 Protocol = 58
	IPPROTO_SCTP   Protocol = 132
	IPPROTO_RAW    Protocol = 255 // send only, the caller writes the IP header
)

// Flags change one call of Send or Recv, and come back in [Message].Flags.
type Flags int

// The flags.
const (
	MSG_OOB       Flags = 0x1       // urgent data
	MSG_PEEK      Flags = 0x2       // leave the data in the queue
	MSG_DONTROUTE Flags = 0x4       // only to hosts on a directly connected network
	MSG_CTRUNC    Flags = 0x8       // returned: control data was cut
	MSG_TRUNC     Flags = 0x20      // Recv: return the datagram's real length; returned: it was cut
	MSG_DONTWAIT  Flags = 0x40      // this call does not block
	MSG_EOR       Flags = 0x80      // end of a record
	MSG_WAITALL   Flags = 0x100     // wait until the buffer is full
	MSG_CONFIRM   Flags = 0x800     // the neighbor is reachable
	MSG_ERRQUEUE  Flags = 0x2000    // receive from the error queue; returned: this came from it
	MSG_NOSIGNAL  Flags = 0x4000    // accepted; berth never raises SIGPIPE
	MSG_MORE      Flags = 0x8000    // more follows: hold a partial segment or datagram
	MSG_ZEROCOPY  Flags = 0x4000000 // the buffer may be used until the error queue says otherwise: see SO_ZEROCOPY
	MSG_FASTOPEN  Flags = 0x20000000
)

// How is the argument of Shutdown.
type How int

// The halves that Shutdown ends.
const (
	SHUT_RD   How = 0
	SHUT_WR   How = 1
	SHUT_RDWR How = 2
)

// SOMAXCONN is the backlog to ask for when any will do (Linux's default limit).
const SOMAXCONN = 4096
