package header

import "net/netip"

// IP protocol numbers, the extension headers of IPv6 among them.
const (
	ProtocolHopByHop    = 0
	ProtocolICMP        = 1
	ProtocolIGMP        = 2
	ProtocolIPv4        = 4
	ProtocolTCP         = 6
	ProtocolUDP         = 17
	ProtocolIPv6        = 41
	ProtocolRouting     = 43
	ProtocolFragment    = 44
	ProtocolICMPv6      = 58
	ProtocolNoNext      = 59
	ProtocolDestination = 60
)

// as4 is a.As4 with the zero Addr as 0.0.0.0. An IPv6 address where IPv4 is
// meant is a mistake of the caller, and panics.
func as4(a netip.Addr) [4]byte {
	if !a.IsValid() {
		return [4]byte{}
	}
	return a.As4()
}

func addr4(b []byte) netip.Addr { return netip.AddrFrom4([4]byte(b)) }

func addr16(b []byte) netip.Addr { return netip.AddrFrom16([16]byte(b)) }

func append4(b []byte, a netip.Addr) []byte {
	x := as4(a)
	return append(b, x[:]...)
}

func append16(b []byte, a netip.Addr) []byte {
	x := a.As16()
	return append(b, x[:]...)
}
