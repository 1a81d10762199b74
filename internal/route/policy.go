package route

import "net/netip"

// A Policy is a policy table (RFC 6724 section 2.1). The entry with the longest
// prefix that contains an address gives its label and precedence; IPv4
// addresses are looked up as ::ffff:a.b.c.d.
type Policy []PolicyEntry

// A PolicyEntry is one row.
type PolicyEntry struct {
	Prefix     netip.Prefix
	Precedence int // the higher, the sooner a destination is tried
	Label      int // a source whose label is the destination's is preferred
}

// DefaultPolicy is the table that RFC 6724 section 2.1 gives.
var DefaultPolicy = Policy{
	{netip.MustParsePrefix("::1/128"), 50, 0},
	{netip.MustParsePrefix("::/0"), 40, 1},
	{netip.MustParsePrefix("::ffff:0:0/96"), 35, 4},
	{netip.MustParsePrefix("2002::/16"), 30, 2},
	{netip.MustParsePrefix("2001::/32"), 5, 5},
	{netip.MustParsePrefix("fc00::/7"), 3, 13},
	{netip.MustParsePrefix("::/96"), 1, 3},
	{netip.MustParsePrefix("fec0::/10"), 1, 11},
	{netip.MustParsePrefix("3ffe::/16"), 1, 12},
}

// lookup returns the entry for a; without one, the zero entry.
func (p Policy) lookup(a netip.Addr) PolicyEntry {
	if p == nil {
		p = DefaultPolicy
	}
	k := keyOf(netip.AddrFrom16(a.As16()))
	var best PolicyEntry
	longest := -1
	for _, e := range p {
		if e.Prefix.Bits() > longest && keyOf(e.Prefix.Addr()).common(k) >= e.Prefix.Bits() {
			best, longest = e, e.Prefix.Bits()
		}
	}
	return best
}

// scope is how far an address has a meaning, with the numbers of multicast
// scopes (RFC 4291 section 2.7).
type scope uint8

const (
	scopeLinkLocal scope = 0x2
	scopeSiteLocal scope = 0x5
	scopeGlobal    scope = 0xe
)

var siteLocal = netip.MustParsePrefix("fec0::/10")

// scopeOf maps addresses to scopes as RFC 6724 sections 3.1 to 3.4 say.
func scopeOf(a netip.Addr) scope {
	a = a.Unmap()
	switch {
	case a.Is6() && a.IsMulticast():
		b := a.As16()
		return scope(b[1] & 0xf)
	case a.IsLoopback(), a.IsLinkLocalUnicast():
		return scopeLinkLocal
	case siteLocal.Contains(a.WithZone("")):
		return scopeSiteLocal
	}
	return scopeGlobal
}
