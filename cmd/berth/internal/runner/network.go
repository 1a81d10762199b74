package runner

import "net/netip"

// The program's network. Of IPv4 it is the block that was set aside for the inside
// of a translator (RFC 7335), so that it hides nothing that the program may want to
// reach. Of IPv6 it is a unique local one: a program that has both families then
// begins with IPv4 (RFC 6724 2.1), which the outside is more likely to have. Nothing
// but the gateway is on the program's link: on Ethernet, nobody else would answer.
var (
	programAddrs = []netip.Prefix{netip.MustParsePrefix("192.0.0.2/32"), netip.MustParsePrefix("fd62:6572:7468::2/128")}
	gatewayAddrs = []netip.Prefix{netip.MustParsePrefix("192.0.0.1/29"), netip.MustParsePrefix("fd62:6572:7468::1/64")}
)

// LoopbackAliases are the addresses for the loopback of the machine, unless the
// person chooses others.
var LoopbackAliases = []netip.Addr{netip.MustParseAddr("192.0.0.3"), netip.MustParseAddr("fd62:6572:7468::3")}

// LoopbackName is the name of those addresses.
const LoopbackName = "host.berth.internal"

// gateways are the gateway's addresses without their prefixes.
func gateways() (all []netip.Addr) {
	for _, p := range gatewayAddrs {
		all = append(all, p.Addr())
	}
	return all
}

// aliases are the addresses with the loopback address that each stands for.
func (o *Options) aliases() map[netip.Addr]netip.Addr {
	all := make(map[netip.Addr]netip.Addr)
	for _, a := range o.Loopback {
		all[a] = netip.IPv6Loopback()
		if a.Is4() {
			all[a] = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
	}
	return all
}
