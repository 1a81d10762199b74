package socket

import (
	"net/netip"
	"syscall"
)

// Message is the argument of SendMsg and RecvMsg, as struct msghdr.
type Message struct {
	// Buffers hold the data, one after the other.
	Buffers [][]byte
	// Addr is the destination to send to, or the source received from.
	Addr netip.AddrPort
	// Control is the ancillary data.
	Control Control
	// Flags are set by RecvMsg: MSG_TRUNC, MSG_CTRUNC, MSG_ERRQUEUE, MSG_OOB.
	Flags Flags
}

// Control is ancillary data. Only the fields whose bit stands in Present have a
// meaning. RecvMsg gives those that an option asked for (IP_PKTINFO, IP_RECVTTL,
// IP_RECVTOS, IP_RECVOPTS, IP_RETOPTS, and the IPv6 counterparts of the first).
type Control struct {
	Present ControlField
	// PktInfo is IP_PKTINFO or IPV6_PKTINFO.
	PktInfo PktInfo
	// TTL is IP_TTL or IPV6_HOPLIMIT; to send, 1 to 255, or for IPv6 0 to 255
	// and -1 for the default.
	TTL int
	// TOS is IP_TOS or IPV6_TCLASS, the ECN bits included.
	TOS int
	// Err is an entry of the error queue (IP_RECVERR, IPV6_RECVERR, MSG_ZEROCOPY).
	Err ExtendedError
	// Inq is TCP_CM_INQ: how many bytes are left to read. The end of the stream
	// counts for one.
	Inq int
	// RecvOpts is IP_RECVOPTS: the options of the IPv4 header as they came, to
	// receive only.
	RecvOpts string
	// RetOpts is IP_RETOPTS. Received it is the options that an answer is to have:
	// the source route reversed, and what was recorded on the way. Sent it takes
	// the place of IP_OPTIONS for this message.
	RetOpts string
}

// ControlField names fields of [Control].
type ControlField uint8

// The fields.
const (
	ControlPktInfo ControlField = 1 << iota
	ControlTTL
	ControlTOS
	ControlErr
	ControlInq
	ControlRecvOpts
	ControlRetOpts
)

// Has tells whether all of f are present.
func (c *Control) Has(f ControlField) bool { return c.Present&f == f }

// PktInfo tells where a packet came in, or says where one is to go out.
type PktInfo struct {
	// Interface is the interface's index; 0 on sending lets the routes decide.
	Interface int
	// Dst is the destination address in the received packet's header; on
	// sending it is not used.
	Dst netip.Addr
	// Local is the local address: on receiving the one that took the packet
	// (ipi_spec_dst; for IPv6 the same as Dst), on sending the source address
	// to use, or the zero Addr.
	Local netip.Addr
}

// ExtendedError is struct sock_extended_err with the offender's address: why,
// and by whose word, an earlier packet was not delivered. The message's data
// are the bytes that were sent, its Addr the address that they were sent to.
type ExtendedError struct {
	Errno  syscall.Errno
	Origin ErrorOrigin
	Type   uint8 // ICMP type
	Code   uint8 // ICMP code
	// Info is the next hop's MTU for EMSGSIZE. Info and Data are the first and the
	// last number of the sends that SO_EE_ORIGIN_ZEROCOPY says are complete.
	Info, Data uint32
	// Offender is the host that sent the ICMP message.
	Offender netip.Addr
}

// ErrorOrigin says where an error comes from.
type ErrorOrigin uint8

// The origins.
const (
	SO_EE_ORIGIN_NONE  ErrorOrigin = 0
	SO_EE_ORIGIN_LOCAL ErrorOrigin = 1
	SO_EE_ORIGIN_ICMP  ErrorOrigin = 2
	SO_EE_ORIGIN_ICMP6 ErrorOrigin = 3
	// SO_EE_ORIGIN_ZEROCOPY is no error, but the completion of sends with
	// MSG_ZEROCOPY: see SO_ZEROCOPY.
	SO_EE_ORIGIN_ZEROCOPY ErrorOrigin = 5
)

// SO_EE_CODE_ZEROCOPY_COPIED is the Code of a completion of sends whose data was
// copied after all.
const SO_EE_CODE_ZEROCOPY_COPIED = 1
