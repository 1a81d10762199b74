package labfile

import (
	"fmt"
	"net/netip"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxLinks is how many links a file may have: those that the lab has addresses
// for.
const maxLinks = 1 << 15

// link reads one link.
func (p *parser) link(n *yaml.Node) {
	l := Link{Pos: at(n)}
	if n.Kind != yaml.MappingNode {
		p.fail(n, "a link reads {between: [a, b], delay: 20ms}", "a link is a mapping, not %s", kind(n))
		return
	}
	pairs := p.pairs(n, "a link")
	ends, found := p.ends(n, pairs, &l)
	c := conditions{parser: p, mtu: &l.MTU, up: &l.Up, down: &l.Down}
	fields := []field{
		{"between", func(_, _ *yaml.Node) {}},
		p.text("name", &l.Name),
		{"addresses", func(_, v *yaml.Node) {
			if found {
				p.addressesOf(v, &l)
			}
		}},
	}
	fields = append(fields, c.fields()...)
	if found {
		fields = append(fields, c.way(l.A+"-to-"+l.B, &l.Up), c.way(l.B+"-to-"+l.A, &l.Down))
	}
	for _, one := range pairs {
		if found || !strings.Contains(one.key.Value, "-to-") {
			p.field(one, "a link", fields)
		}
	}
	c.finish()
	if l.Name != "" {
		if _, twice := p.named[l.Name]; twice {
			p.fail(ends, "give one of them another name", "there is a link called %q already", l.Name)
		}
		p.named[l.Name] = len(p.file.Links)
	}
	if len(p.file.Links) == maxLinks {
		p.fail(n, "", "there are more than %d links", maxLinks)
	}
	if found && len(p.file.Links) < maxLinks {
		p.file.Links = append(p.file.Links, l)
	}
}

// ends reads what is between, the two ends of a link.
func (p *parser) ends(n *yaml.Node, pairs []pair, l *Link) (at *yaml.Node, ok bool) {
	const hint = "a link is between: [a, b]"
	for _, one := range pairs {
		if one.key.Value != "between" {
			continue
		}
		v := p.resolve(one.value)
		if v.Kind != yaml.SequenceNode || len(v.Content) != 2 {
			p.fail(v, hint, "between is a list of two hosts, not %s", kind(v))
			return v, false
		}
		a, okA := p.node(p.resolve(v.Content[0]))
		b, okB := p.node(p.resolve(v.Content[1]))
		if okA && okB && a == b {
			p.fail(v.Content[1], "a link joins two different hosts", "both ends of the link are %s", a)
			return v, false
		}
		l.A, l.B = a, b
		return v, okA && okB
	}
	p.fail(n, hint, "the link does not say what it is between")
	return n, false
}

// given is an address that the file gives, for finding those that clash.
type given struct {
	at    *yaml.Node
	addr  netip.Addr
	owner string
}

// addressesOf reads the addresses of a link's ends, by name.
func (p *parser) addressesOf(n *yaml.Node, l *Link) {
	end := func(name string, to *[]netip.Prefix) field {
		return field{name, func(k, v *yaml.Node) {
			if h := p.file.Hosts[p.nodes[strings.ToLower(name)]]; h.Kind == KindSwitch {
				p.fail(k, "give addresses to the hosts at it", "%s is a switch: it has no address", name)
				return
			}
			p.list(v, func(v *yaml.Node) {
				if a, ok := p.address(v); ok {
					*to = append(*to, a)
					p.given = append(p.given, given{v, a.Addr(), name})
				}
			})
		}}
	}
	p.mapping(n, fmt.Sprintf("the addresses of the link %s - %s", l.A, l.B), []field{end(l.A, &l.AddrsA), end(l.B, &l.AddrsB)})
}

// address reads an address with the length of its prefix.
func (p *parser) address(v *yaml.Node) (netip.Prefix, bool) {
	const hint = "an address has the length of its network's prefix, as in 192.0.2.1/24 or 2001:db8::1/64"
	s, ok := p.scalar(v, hint)
	if !ok {
		return netip.Prefix{}, false
	}
	a, err := netip.ParsePrefix(s)
	addr := a.Addr()
	switch {
	case err != nil:
		if _, bare := netip.ParseAddr(s); bare == nil {
			p.fail(v, hint, "the length of the prefix is missing after %q", s)
		} else {
			p.fail(v, hint, "%q is no address", s)
		}
		return a, false
	case addr.IsMulticast() || addr.IsUnspecified() || addr.IsLoopback() || addr.Is4In6(),
		addr.Is4() && addr.As4()[0] >= 240:
		p.fail(v, "", "%q cannot be the address of an interface", s)
		return a, false
	}
	return a, true
}

// addresses finds those that are given twice.
func (p *parser) addresses() {
	first := make(map[netip.Addr]given)
	for _, g := range p.given {
		if other, twice := first[g.addr]; twice {
			p.fail(g.at, "give one of them another address", "address %v of %s is that of %s already (line %d)",
				g.addr, g.owner, other.owner, other.at.Line)
			continue
		}
		first[g.addr] = g
	}
}

// linkRef reads which link is meant: [a, b], or its name.
func (p *parser) linkRef(v *yaml.Node) (int, bool) {
	const hint = "a link is meant by its ends, [a, b], or by its name"
	if v.Kind != yaml.SequenceNode {
		name, ok := p.scalar(v, hint)
		if !ok {
			return 0, false
		}
		i, ok := p.named[name]
		if !ok {
			p.fail(v, hint, "there is no link called %q", name)
		}
		return i, ok
	}
	if len(v.Content) != 2 {
		p.fail(v, hint, "a link has two ends")
		return 0, false
	}
	a, okA := p.node(p.resolve(v.Content[0]))
	b, okB := p.node(p.resolve(v.Content[1]))
	if !okA || !okB {
		return 0, false
	}
	found, n := 0, 0
	for i, l := range p.file.Links {
		if l.A == a && l.B == b || l.A == b && l.B == a {
			if n++; n == 1 {
				found = i
			}
		}
	}
	switch n {
	case 0:
		p.fail(v, p.neighbors(a), "there is no link between %s and %s", a, b)
	case 1:
	default:
		p.fail(v, "give the link a name, and use that", "there are %d links between %s and %s", n, a, b)
	}
	return found, n == 1
}

// neighbors is the hint about where links lead.
func (p *parser) neighbors(of string) string {
	var names []string
	for _, l := range p.file.Links {
		switch of {
		case l.A:
			names = append(names, l.B)
		case l.B:
			names = append(names, l.A)
		}
	}
	if len(names) == 0 {
		return of + " has no links"
	}
	return fmt.Sprintf("%s has links to %s", of, strings.Join(names, ", "))
}
