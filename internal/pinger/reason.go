package pinger

import (
	"fmt"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

var unreachable4 = map[uint8]string{
	header.ICMPv4NetUnreachable:      "Destination Net Unreachable",
	header.ICMPv4HostUnreachable:     "Destination Host Unreachable",
	header.ICMPv4ProtocolUnreachable: "Destination Protocol Unreachable",
	header.ICMPv4PortUnreachable:     "Destination Port Unreachable",
	header.ICMPv4SourceRouteFailed:   "Source Route Failed",
	header.ICMPv4NetUnknown:          "Destination Net Unknown",
	header.ICMPv4HostUnknown:         "Destination Host Unknown",
	header.ICMPv4NetProhibited:       "Destination Net Prohibited",
	header.ICMPv4HostProhibited:      "Destination Host Prohibited",
	header.ICMPv4Filtered:            "Packet filtered",
}

var unreachable6 = map[uint8]string{
	header.ICMPv6NoRoute:            "No route",
	header.ICMPv6Prohibited:         "Administratively prohibited",
	header.ICMPv6BeyondScope:        "Beyond scope of source address",
	header.ICMPv6AddressUnreachable: "Address unreachable",
	header.ICMPv6PortUnreachable:    "Port unreachable",
	header.ICMPv6PolicyFail:         "Source address failed ingress policy",
	header.ICMPv6RejectRoute:        "Reject route",
}

// reason says what an entry of the error queue means, in the words of ping.
func reason(e *socket.ExtendedError) string {
	switch e.Origin {
	case socket.SO_EE_ORIGIN_ICMP:
		return reason4(e)
	case socket.SO_EE_ORIGIN_ICMP6:
		return reason6(e)
	}
	if e.Info != 0 {
		return fmt.Sprintf("local error: %v, mtu=%d", e.Errno, e.Info)
	}
	return fmt.Sprintf("local error: %v", e.Errno)
}

func reason4(e *socket.ExtendedError) string {
	switch e.Type {
	case header.ICMPv4Unreachable:
		if e.Code == header.ICMPv4FragmentationNeeded {
			return fmt.Sprintf("Frag needed and DF set (mtu = %d)", e.Info)
		}
		if s := unreachable4[e.Code]; s != "" {
			return s
		}
		return fmt.Sprintf("Dest Unreachable, code %d", e.Code)
	case header.ICMPv4TimeExceeded:
		if e.Code == header.ICMPReassemblyExceeded {
			return "Frag reassembly time exceeded"
		}
		return "Time to live exceeded"
	case header.ICMPv4ParameterProblem:
		return "Parameter problem"
	}
	return fmt.Sprintf("ICMP type %d code %d", e.Type, e.Code)
}

func reason6(e *socket.ExtendedError) string {
	switch e.Type {
	case header.ICMPv6Unreachable:
		if s := unreachable6[e.Code]; s != "" {
			return "Destination unreachable: " + s
		}
		return fmt.Sprintf("Destination unreachable: code %d", e.Code)
	case header.ICMPv6PacketTooBig:
		return fmt.Sprintf("Packet too big: mtu=%d", e.Info)
	case header.ICMPv6TimeExceeded:
		if e.Code == header.ICMPReassemblyExceeded {
			return "Time exceeded: Defragmentation failure"
		}
		return "Time exceeded: Hop limit"
	case header.ICMPv6ParameterProblem:
		return "Parameter problem"
	}
	return fmt.Sprintf("ICMPv6 type %d code %d", e.Type, e.Code)
}
