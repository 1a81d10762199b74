package policy

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// A class says how much a rule must say to let something reach an address.
type class uint8

const (
	// public addresses are reached by any rule.
	public class = iota
	// private addresses are not reached because of a name alone: the name's owner
	// must not choose among the machines of somebody else's network (DNS
	// rebinding).
	private
	// guarded addresses are reached only by a rule that names them.
	guarded
	// never is what no flow goes to.
	never
)

// A special is a range of addresses that is not like others.
type special struct {
	prefix netip.Prefix
	class  class
	// within is the widest network that a rule may give to name a guarded one.
	within netip.Prefix
	what   string // "a cloud metadata address"
}

func ranges(c class, what string, prefixes ...string) []special {
	var all []special
	for _, s := range prefixes {
		p := netip.MustParsePrefix(s)
		all = append(all, special{prefix: p, class: c, within: p, what: what})
	}
	return all
}

// specials are the ranges of the special-purpose registries (RFC 6890 and those
// that IANA added) that are not globally reachable, and the addresses at which
// clouds give credentials to whoever asks. Ranges for documentation are nobody's,
// and are left as public.
var specials = slices.Concat(
	ranges(never, "no destination",
		"0.0.0.0/8", // this host, RFC 1122 3.2.1.3; connect(2) to it is loopback
		"::/128",    // unspecified
		"240.0.0.0/4" /* reserved, broadcast */),
	ranges(never, "multicast", "224.0.0.0/4", "ff00::/8"),
	ranges(guarded, "the loopback of the machine", "127.0.0.0/8", "::1/128"),
	ranges(guarded, "a link-local address", "169.254.0.0/16", "fe80::/10"),
	ranges(guarded, "a cloud metadata address",
		"169.254.169.254/32",     // EC2, Google, Azure, OpenStack, DigitalOcean, Hetzner, Oracle: "instance metadata"
		"fd00:ec2::254/128",      // EC2 User Guide, "Access instance metadata", IPv6
		"169.254.170.2/32",       // ECS Developer Guide, "task metadata endpoint": credentials
		"169.254.170.23/32",      // EKS User Guide, "Pod Identity": credentials
		"fd00:ec2::23/128",       // the same over IPv6
		"fd20:ce::254/128",       // Google Compute Engine, "View and query VM metadata", IPv6
		"168.63.129.16/32",       // Azure, "What is IP address 168.63.129.16": the wire server
		"100.100.100.200/32",     // Alibaba Cloud ECS, "Instance metadata"
		"192.0.0.192/32",         // Oracle Cloud Classic, "Retrieving instance metadata"
		"fd00:c1::a9fe:a9fe/128", // Oracle Cloud, "Getting instance metadata", IPv6
		"fe80::a9fe:a9fe/128",    // OpenStack Nova, "Metadata service", IPv6
		"169.254.0.23/32",        // Tencent Cloud, metadata.tencentyun.com
		"169.254.42.42/32",       // Scaleway, "Instance metadata"
		"fd00:42::42/128" /* Scaleway, IPv6 */),
	ranges(private, "a private address",
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // RFC 1918
		"100.64.0.0/10",  // carrier-grade NAT, RFC 6598
		"192.0.0.0/24",   // protocol assignments, RFC 6890
		"198.18.0.0/15",  // benchmarks, RFC 2544: in use behind proxies
		"192.88.99.0/24", // 6to4 relays, RFC 7526: whose is nobody's business
		"fc00::/7",       // unique local, RFC 4193
		"fec0::/10",      // site-local, RFC 3879
		"64:ff9b:1::/48", // a network's own translators, RFC 8215
		"100::/64",       // discard, RFC 6666
		"5f00::/16",      // segment routing, RFC 9602
	),
)

// home are the blocks that a private network is in.
var home = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fc00::/7"),
}

// own is the entry of a network that the machine outside is on. A rule names it
// by any network that is private as a whole, 10.0.0.0/8 for 10.1.2.0/24; a public
// one only by no more than itself.
func own(network netip.Prefix) special {
	network = network.Masked()
	s := special{prefix: network, class: guarded, within: network, what: "in a network of this machine"}
	for _, h := range home {
		if h.Overlaps(network) && h.Bits() <= network.Bits() {
			s.within = h
		}
	}
	return s
}

// A table is all special ranges, the longest prefix first, and of two that are
// equal the one that guards more.
type table []special

func newTable(networks []netip.Prefix) table {
	t := slices.Clone(specials)
	for _, n := range networks {
		if n.IsValid() && n.Bits() > 0 {
			t = append(t, own(n))
		}
	}
	slices.SortStableFunc(t, func(a, b special) int {
		if a.prefix.Bits() != b.prefix.Bits() {
			return b.prefix.Bits() - a.prefix.Bits()
		}
		return int(b.class) - int(a.class)
	})
	return t
}

// look finds what an address is. One that has another in it, as translators and
// tunnels read it, is the worse of both.
func (t table) look(a netip.Addr) special {
	found, inner := t.lookOne(a), embedded(a)
	for _, one := range inner {
		s := t.lookOne(one)
		if s.class == never && len(inner) > 1 {
			continue // one reading of several that makes no sense is not the one
		}
		if s.class > found.class {
			found = s
			// Only the address itself names it.
			found.within = netip.PrefixFrom(a, a.BitLen())
		}
	}
	return found
}

func (t table) lookOne(a netip.Addr) special {
	for _, s := range t {
		if s.prefix.Contains(a) {
			return s
		}
	}
	return special{}
}

// embedded are the IPv4 addresses that an IPv6 address may lead to: through a
// translator (RFC 6052, RFC 8215, RFC 2765), 6to4 (RFC 3056), Teredo (RFC 4380:
// the server, and the client with its bits inverted), ISATAP (RFC 5214), or as an
// IPv4-compatible one (RFC 4291 2.5.5.1).
func embedded(a netip.Addr) []netip.Addr {
	if !a.Is6() {
		return nil
	}
	b := a.As16()
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte(b[i : i+4])) }
	head := binary.BigEndian.Uint64(b[:8])
	middle := binary.BigEndian.Uint32(b[8:12])
	switch {
	case head == 0x0064_ff9b<<32 && middle == 0:
		return []netip.Addr{at(12)}
	case head>>16 == 0x0064_ff9b_0001:
		// Prefixes of 48, 56, 64 and 96 bits; bits 64 to 71 are skipped.
		return []netip.Addr{
			netip.AddrFrom4([4]byte{b[6], b[7], b[9], b[10]}),
			netip.AddrFrom4([4]byte{b[7], b[9], b[10], b[11]}), at(9), at(12),
		}
	case head>>48 == 0x2002:
		return []netip.Addr{at(2)}
	case head>>32 == 0x2001_0000:
		return []netip.Addr{at(4), netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]})}
	case head == 0 && (middle == 0 && binary.BigEndian.Uint32(b[12:]) > 1 || middle == 0xffff_0000 || middle == 0xffff):
		return []netip.Addr{at(12)}
	case middle&^0x0300_0000 == 0x0000_5efe:
		return []netip.Addr{at(12)}
	}
	return nil
}
