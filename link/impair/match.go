package impair

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"example.com/berth/internal/header"
)

// A Match picks packets, for [Drop], [Delay] and [Change].
//
// Those that count ([Nth], [First], [Every]) count what they are asked about:
// behind a Match of [All] that says no, they are not asked. They begin to count
// when they are made, and belong to one direction of one link.
type Match func(p *Packet) bool

// TCP, UDP and ICMP match what IP carries, ICMP that of either version.
func TCP(p *Packet) bool { return p.Version != 0 && p.Protocol == header.ProtocolTCP }

// UDP matches UDP over IPv4 and IPv6.
func UDP(p *Packet) bool { return p.Version != 0 && p.Protocol == header.ProtocolUDP }

// ICMP matches ICMP over IPv4 and ICMPv6 over IPv6.
func ICMP(p *Packet) bool {
	return p.Version == 4 && p.Protocol == header.ProtocolICMP || p.Version == 6 && p.Protocol == header.ProtocolICMPv6
}

// Data matches segments and datagrams that carry something.
func Data(p *Packet) bool { return p.DataLen > 0 }

// Fragment matches parts of larger packets.
func Fragment(p *Packet) bool { return p.Fragment }

// Protocol matches what IP carries, past extension headers.
func Protocol(number uint8) Match {
	return func(p *Packet) bool { return p.Version != 0 && p.Protocol == number }
}

// Port matches TCP and UDP from or to a port.
func Port(port uint16) Match { return Any(SrcPort(port), DstPort(port)) }

// SrcPort matches TCP and UDP from a port.
func SrcPort(port uint16) Match {
	return func(p *Packet) bool { return p.SrcPort == port && p.at.ports }
}

// DstPort matches TCP and UDP to a port.
func DstPort(port uint16) Match {
	return func(p *Packet) bool { return p.DstPort == port && p.at.ports }
}

// From matches packets from an address, "192.0.2.1", or a prefix,
// "2001:db8::/32". It panics if that is neither.
func From(where string) Match {
	prefix := mustPrefix(where)
	return func(p *Packet) bool { return prefix.Contains(p.Src) }
}

// To is From for the destination.
func To(where string) Match {
	prefix := mustPrefix(where)
	return func(p *Packet) bool { return prefix.Contains(p.Dst) }
}

func mustPrefix(s string) netip.Prefix {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen())
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		panic(fmt.Sprintf("impair: %q is neither an address nor a prefix", s))
	}
	return prefix
}

// The letters of TCP flags, from the lowest bit.
const flagLetters = "FSRPAUEWN"

// decisive are the flags that say what a segment is for: FIN, SYN, RST, ACK.
const decisive = 1 | 2 | 4 | 16

// TCPFlags matches TCP segments by the letters of their flags: F is FIN, S SYN,
// R RST, P PSH, A ACK, U URG, E ECE, W CWR, N AE. Of F, S, R and A those named
// are set and the others are not; the rest are set if named. So "S" is the
// first segment of a connection, "SA" the answer, "A" any segment within.
// Another letter panics.
func TCPFlags(letters string) Match {
	var want uint16
	for _, c := range strings.ToUpper(letters) {
		i := strings.IndexRune(flagLetters, c)
		if i < 0 {
			panic(fmt.Sprintf("impair: %q has a letter that is none of %q", letters, flagLetters))
		}
		want |= 1 << i
	}
	return func(p *Packet) bool {
		return TCP(p) && p.at.ports && p.Flags&want == want && p.Flags&decisive == want&decisive
	}
}

// Longer matches frames of more than n bytes, the link's header included: with
// Drop it makes a black hole for large packets.
func Longer(n int) Match { return func(p *Packet) bool { return p.Frame.Len() > n } }

// Between matches from one time until another.
func Between(from, until time.Duration) Match {
	return func(p *Packet) bool { return p.Now >= from && p.Now < until }
}

// All matches if all do. It asks in order, and ends at the first that says no.
func All(m ...Match) Match {
	return func(p *Packet) bool {
		for _, match := range m {
			if !match(p) {
				return false
			}
		}
		return true
	}
}

// Any matches if one does. It asks in order, and ends at the first that says
// yes.
func Any(m ...Match) Match {
	return func(p *Packet) bool {
		for _, match := range m {
			if match(p) {
				return true
			}
		}
		return false
	}
}

// Not matches if m does not.
func Not(m Match) Match { return func(p *Packet) bool { return !m(p) } }

// Nth matches the n-th packet, from 1, that m matches, and no other.
func Nth(n int, m Match) Match { return counted(m, func(i int) bool { return i == n }) }

// First matches the first n packets that m matches.
func First(n int, m Match) Match { return counted(m, func(i int) bool { return i <= n }) }

// Every matches every n-th packet that m matches: the n-th, the 2n-th, and so
// on. It panics if n is not above 0.
func Every(n int, m Match) Match {
	if n <= 0 {
		panic("impair: Every of a number that is not above 0")
	}
	return counted(m, func(i int) bool { return i%n == 0 })
}

// counted asks about the number of each packet that m matches.
func counted(m Match, number func(i int) bool) Match {
	i := 0
	return func(p *Packet) bool {
		if !m(p) {
			return false
		}
		i++
		return number(i)
	}
}
