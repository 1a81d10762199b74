package sockets

import (
	"net/netip"
	"strconv"

	"example.com/berth/socket"
)

// Row is one socket.
type Row struct {
	// Netid is the kind: tcp, udp, icmp and icmp6 (ping sockets), raw.
	Netid string `json:"netid"`
	// Family is 4 or 6.
	Family int `json:"family"`
	// State is as ss names it: ESTAB, LISTEN, UNCONN.
	State string `json:"state"`
	// RecvQ and SendQ are bytes; of a listener the connections that wait, and
	// the backlog.
	RecvQ int `json:"recv_q"`
	SendQ int `json:"send_q"`
	// Local and Peer are the ends; an address without a peer is unspecified.
	Local netip.AddrPort `json:"local"`
	Peer  netip.AddrPort `json:"peer"`
	// Protocol is the IP protocol's number.
	Protocol  int    `json:"protocol"`
	Interface string `json:"interface,omitempty"`

	Timer  *Timer `json:"timer,omitempty"`
	Orphan bool   `json:"orphan,omitempty"`
	// Memory is what the queues hold in bytes.
	Memory int `json:"memory,omitempty"`

	// UID, Inode and Users are known of the kernel's sockets.
	UID   int    `json:"uid,omitempty"`
	Inode uint32 `json:"inode,omitempty"`
	Users []User `json:"users,omitempty"`

	TCP *TCPInfo `json:"tcp,omitempty"`
}

// Timer is a socket's next one.
type Timer struct {
	// Kind is on (retransmission and others), keepalive, timewait, persist.
	Kind string `json:"kind"`
	// Milliseconds are left.
	Milliseconds int64 `json:"ms"`
	// Retries is how often it has run out in vain.
	Retries int `json:"retries"`
}

// User is a process that has the socket open.
type User struct {
	Name string `json:"name"`
	PID  int    `json:"pid"`
	// FD is the descriptor; nil for a socket of a berth, which is none.
	FD *int `json:"fd,omitempty"`
}

// states are the names that ss gives to TCP's states.
var states = [...]string{
	"UNKNOWN", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT",
	"UNCONN", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING", "SYN-RECV",
}

func stateName(s socket.TCPState) string {
	if int(s) < len(states) {
		return states[s]
	}
	return states[0]
}

// port is the port as the table shows it: that of a raw socket is its protocol.
func (r *Row) port(a netip.AddrPort, local bool) string {
	switch {
	case r.Netid == "raw" && local:
		return protocolName(r.Protocol)
	case a.Port() == 0:
		return "*"
	}
	return strconv.Itoa(int(a.Port()))
}

func protocolName(n int) string {
	switch socket.Protocol(n) {
	case socket.IPPROTO_ICMP:
		return "icmp"
	case socket.IPPROTO_IGMP:
		return "igmp"
	case socket.IPPROTO_TCP:
		return "tcp"
	case socket.IPPROTO_UDP:
		return "udp"
	case socket.IPPROTO_ICMPV6:
		return "ipv6-icmp"
	case socket.IPPROTO_RAW:
		return "raw"
	}
	return strconv.Itoa(n)
}

// host is the address as the table shows it, without its port.
func (r *Row) host(a netip.AddrPort, local bool) string {
	addr := a.Addr()
	var s string
	switch {
	case !addr.IsValid() && r.Family == 4:
		s = "0.0.0.0"
	case !addr.IsValid():
		s = "[::]"
	case addr.Is6():
		s = "[" + addr.WithZone("").String() + "]"
	default:
		s = addr.String()
	}
	if zone := addr.Zone(); zone != "" {
		return s + "%" + zone
	}
	if local && r.Interface != "" {
		return s + "%" + r.Interface
	}
	return s
}
