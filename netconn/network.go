package netconn

import (
	"net"
	"strconv"
	"strings"

	"example.com/berth/socket"
)

// network is the meaning of a network's name: "tcp", "udp6", "ip4:icmp".
type network struct {
	name     string
	kind     kind
	family   byte // '4', '6', or 0 for both
	typ      socket.Type
	protocol socket.Protocol
}

// parseNetwork reads a network's name. The errors are those of package net.
func parseNetwork(name string) (network, error) {
	n := network{name: name}
	word, protocol, named := strings.Cut(name, ":")
	switch word {
	case "tcp", "tcp4", "tcp6":
		n.kind, n.typ = "tcp", socket.STREAM
	case "udp", "udp4", "udp6":
		n.kind, n.typ = "udp", socket.DGRAM
	case "ip", "ip4", "ip6":
		n.kind, n.typ = "ip", socket.RAW
	default:
		return n, net.UnknownNetworkError(name)
	}
	if named != (n.kind == "ip") {
		return n, net.UnknownNetworkError(name)
	}
	if len(word) > len(n.kind) {
		n.family = word[len(word)-1]
	}
	if named {
		var err error
		n.protocol, err = parseProtocol(protocol)
		return n, err
	}
	return n, nil
}

// protocols are the names that package net knows without asking the system.
var protocols = map[string]socket.Protocol{
	"icmp":      socket.IPPROTO_ICMP,
	"igmp":      socket.IPPROTO_IGMP,
	"tcp":       socket.IPPROTO_TCP,
	"udp":       socket.IPPROTO_UDP,
	"ipv6-icmp": socket.IPPROTO_ICMPV6,
	"sctp":      socket.IPPROTO_SCTP,
}

func parseProtocol(s string) (socket.Protocol, error) {
	if n, err := strconv.ParseUint(s, 10, 8); err == nil {
		return socket.Protocol(n), nil
	}
	if p, ok := protocols[strings.ToLower(s)]; ok {
		return p, nil
	}
	return 0, &net.AddrError{Err: "unknown IP protocol specified", Addr: s}
}

// control is the name of the network once the family is known, which package
// net gives to Control functions.
func (n *network) control(d socket.Domain) string {
	word, _, _ := strings.Cut(n.name, ":")
	switch {
	case n.family != 0:
		return word
	case d == socket.INET:
		return word + "4"
	}
	return word + "6"
}
