package report

import (
	"fmt"

	"example.com/berth/internal/header"
)

func (r *reading) icmpName() string {
	if r.kind == icmp6 {
		return "ICMPv6"
	}
	return "ICMP"
}

func (r *reading) isEcho() bool {
	t := r.icmp.Type
	if r.kind == icmp6 {
		return t == header.ICMPv6EchoRequest || t == header.ICMPv6EchoReply
	}
	return r.kind == icmp4 && (t == header.ICMPv4EchoRequest || t == header.ICMPv4EchoReply)
}

// isND tells whether the message is one of neighbor discovery, and isMLD
// whether it is about groups: the network's own talk.
func (r *reading) isND() bool {
	return r.kind == icmp6 && r.icmp.Type >= header.ICMPv6RouterSolicit && r.icmp.Type <= header.ICMPv6Redirect
}

func (r *reading) isMLD() bool {
	t := r.icmp.Type
	return r.kind == icmp6 && (t >= header.ICMPv6MLDQuery && t <= header.ICMPv6MLDDone || t == header.ICMPv6MLDv2Report)
}

func (r *reading) icmpLabel() string {
	text := r.icmpName() + " " + r.icmpMeaning()
	switch {
	case r.isEcho():
		return fmt.Sprintf("%s  id %d  seq %d  len %d", text, r.icmp.ID(), r.icmp.Seq(), len(r.body))
	case r.isND():
		return "ND " + r.icmpMeaning() + r.neighborLabel()
	case r.isMLD():
		return "MLD " + r.icmpMeaning()
	}
	if src, dst, protocol, ok := r.quoted(); ok {
		text += fmt.Sprintf("  about %s %s → %s", protocolName(protocol), endpoint(src), endpoint(dst))
	}
	return text
}

// neighborLabel says what a message of neighbor discovery is about.
func (r *reading) neighborLabel() string {
	switch r.icmp.Type {
	case header.ICMPv6NeighborSolicit:
		var m header.NeighborSolicit
		if _, err := m.Parse(r.body); err == nil {
			if r.src.Addr().IsUnspecified() {
				return fmt.Sprintf("  is %v free?", m.Target)
			}
			return fmt.Sprintf("  who has %v?", m.Target)
		}
	case header.ICMPv6NeighborAdvert:
		var m header.NeighborAdvert
		if _, err := m.Parse(r.body); err == nil {
			if m.HasTargetHW {
				return fmt.Sprintf("  %v is at %v", m.Target, m.TargetHW)
			}
			return fmt.Sprintf("  %v is here", m.Target)
		}
	case header.ICMPv6RouterAdvert:
		var m header.RouterAdvert
		if _, err := m.Parse(r.body); err == nil {
			text := fmt.Sprintf("  lifetime %v", m.RouterLifetime)
			for _, p := range m.Prefixes {
				text += fmt.Sprintf("  prefix %v", p.Prefix)
			}
			return text
		}
	}
	return ""
}

// icmpMeaning says what a type and code mean.
func (r *reading) icmpMeaning() string {
	t, c := r.icmp.Type, r.icmp.Code
	names := icmp4Names
	if r.kind == icmp6 {
		names = icmp6Names
	}
	if r.kind == icmp4 && t == header.ICMPv4Unreachable && c == header.ICMPv4FragmentationNeeded {
		return fmt.Sprintf("fragmentation needed  mtu %d", r.icmp.MTU4())
	}
	if r.kind == icmp6 && t == header.ICMPv6PacketTooBig {
		return fmt.Sprintf("packet too big  mtu %d", r.icmp.MTU())
	}
	if name, ok := names[[2]uint8{t, c}]; ok {
		return name
	}
	if name, ok := names[[2]uint8{t, anyCode}]; ok {
		return name
	}
	return fmt.Sprintf("type %d code %d", t, c)
}

// anyCode stands for the codes of a type that have no name of their own.
const anyCode = 255

var icmp4Names = map[[2]uint8]string{
	{header.ICMPv4EchoRequest, anyCode}:                          "echo request",
	{header.ICMPv4EchoReply, anyCode}:                            "echo reply",
	{header.ICMPv4Unreachable, header.ICMPv4NetUnreachable}:      "network unreachable",
	{header.ICMPv4Unreachable, header.ICMPv4HostUnreachable}:     "host unreachable",
	{header.ICMPv4Unreachable, header.ICMPv4ProtocolUnreachable}: "protocol unreachable",
	{header.ICMPv4Unreachable, header.ICMPv4PortUnreachable}:     "port unreachable",
	{header.ICMPv4Unreachable, header.ICMPv4Filtered}:            "administratively prohibited",
	{header.ICMPv4Unreachable, anyCode}:                          "unreachable",
	{header.ICMPv4SourceQuench, anyCode}:                         "source quench",
	{header.ICMPv4Redirect, anyCode}:                             "redirect",
	{header.ICMPv4TimeExceeded, header.ICMPHopLimitExceeded}:     "time to live exceeded",
	{header.ICMPv4TimeExceeded, header.ICMPReassemblyExceeded}:   "reassembly time exceeded",
	{header.ICMPv4ParameterProblem, anyCode}:                     "parameter problem",
	{header.ICMPv4RouterSolicit, anyCode}:                        "router solicitation",
	{header.ICMPv4RouterAdvert, anyCode}:                         "router advertisement",
	{header.ICMPv4Timestamp, anyCode}:                            "timestamp request",
	{header.ICMPv4TimestampReply, anyCode}:                       "timestamp reply",
}

var icmp6Names = map[[2]uint8]string{
	{header.ICMPv6EchoRequest, anyCode}:                         "echo request",
	{header.ICMPv6EchoReply, anyCode}:                           "echo reply",
	{header.ICMPv6Unreachable, header.ICMPv6NoRoute}:            "no route",
	{header.ICMPv6Unreachable, header.ICMPv6Prohibited}:         "administratively prohibited",
	{header.ICMPv6Unreachable, header.ICMPv6AddressUnreachable}: "address unreachable",
	{header.ICMPv6Unreachable, header.ICMPv6PortUnreachable}:    "port unreachable",
	{header.ICMPv6Unreachable, anyCode}:                         "unreachable",
	{header.ICMPv6TimeExceeded, header.ICMPHopLimitExceeded}:    "hop limit exceeded",
	{header.ICMPv6TimeExceeded, header.ICMPReassemblyExceeded}:  "reassembly time exceeded",
	{header.ICMPv6ParameterProblem, anyCode}:                    "parameter problem",
	{header.ICMPv6MLDQuery, anyCode}:                            "query",
	{header.ICMPv6MLDReport, anyCode}:                           "report",
	{header.ICMPv6MLDDone, anyCode}:                             "done",
	{header.ICMPv6MLDv2Report, anyCode}:                         "report",
	{header.ICMPv6RouterSolicit, anyCode}:                       "router solicitation",
	{header.ICMPv6RouterAdvert, anyCode}:                        "router advertisement",
	{header.ICMPv6NeighborSolicit, anyCode}:                     "neighbor solicitation",
	{header.ICMPv6NeighborAdvert, anyCode}:                      "neighbor advertisement",
	{header.ICMPv6Redirect, anyCode}:                            "redirect",
}
