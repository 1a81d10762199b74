package labfile

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// kinds and behaviors are the words for them.
var (
	kinds     = []string{"host", "router", "switch", "nat"}
	behaviors = []string{"full-cone", "address-restricted", "port-restricted", "symmetric"}
)

// defaultBehavior is that of most NATs in homes.
const defaultBehavior = "port-restricted"

// maxHosts is how many nodes a file may have.
const maxHosts = 10_000

// hosts reads the nodes: a list of names, or a mapping from names to kinds.
func (p *parser) hosts(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		p.list(n, func(v *yaml.Node) {
			if name, ok := p.scalar(v, "hosts is a list of names, or a mapping from names to kinds"); ok {
				p.addHost(v, Host{Name: name, Kind: KindHost})
			}
		})
		return
	}
	for _, one := range p.pairs(n, "hosts") {
		h := Host{Name: one.key.Value, Kind: KindHost}
		v := p.resolve(one.value)
		switch {
		case empty(v):
		case v.Kind == yaml.ScalarNode:
			p.word("kind", kinds, func(s string) { h.Kind = Kind(s) }).read(nil, v)
		default:
			p.host(v, &h)
		}
		p.addHost(one.key, h)
	}
}

// host reads a node in full.
func (p *parser) host(n *yaml.Node, h *Host) {
	var natOnly []*yaml.Node
	nat := func(f field) field {
		return field{f.name, func(k, v *yaml.Node) {
			natOnly = append(natOnly, k)
			f.read(k, v)
		}}
	}
	name := h.Name
	p.mapping(n, "a host", []field{
		p.word("kind", kinds, func(s string) { h.Kind = Kind(s) }),
		nat(p.word("behavior", behaviors, func(s string) { h.Behavior = s })),
		nat(field{"forward", func(_, v *yaml.Node) {
			p.deferred = append(p.deferred, func() {
				p.list(v, func(v *yaml.Node) { p.forward(v, name) })
			})
		}}),
	})
	for _, k := range natOnly {
		if h.Kind != KindNAT {
			p.fail(k, "kind: nat makes one", "%s belongs to a NAT, and %s is a %s", k.Value, name, h.Kind)
		}
	}
}

// addHost enters a node.
func (p *parser) addHost(n *yaml.Node, h Host) {
	h.Pos = at(n)
	if h.Kind == KindNAT && h.Behavior == "" {
		h.Behavior = defaultBehavior
	}
	_, twice := p.nodes[strings.ToLower(h.Name)]
	switch {
	case !validName(h.Name):
		p.fail(n, "a name has letters, digits, hyphens and dots, as in DNS", "%q is no name for a host", h.Name)
	case twice:
		p.fail(n, "give one of them another name", "there is a %s called %q already", p.file.Hosts[p.nodes[strings.ToLower(h.Name)]].Kind, h.Name)
	case len(p.file.Hosts) == maxHosts:
		p.fail(n, "", "there are more than %d hosts", maxHosts)
	default:
		p.nodes[strings.ToLower(h.Name)] = len(p.file.Hosts)
		p.file.Hosts = append(p.file.Hosts, h)
	}
}

// validName tells whether a host can have that name.
func validName(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return s != "" && len(s) <= 63 && strings.Trim(s, letters+"-._") == "" &&
		strings.ContainsRune(letters, rune(s[0])) && !strings.EqualFold(s, "localhost")
}

// forward reads "tcp 80 to web:8080".
func (p *parser) forward(v *yaml.Node, nat string) {
	const hint = "a port that is forwarded reads tcp 80 to web:8080"
	s, ok := p.scalar(v, hint)
	if !ok {
		return
	}
	words := strings.Fields(s)
	if len(words) != 4 || words[0] != "tcp" && words[0] != "udp" || words[2] != "to" {
		p.fail(v, hint, "%q is not how a port is forwarded", s)
		return
	}
	port, err := strconv.ParseUint(words[1], 10, 16)
	if err != nil || port == 0 {
		p.fail(v, "a port is a number from 1 to 65535", "%q is no port", words[1])
		return
	}
	f := Forward{Pos: at(v), Network: words[0], Port: uint16(port)}
	if f.To, ok = p.targetIn(v, words[3], needsPort); !ok {
		return
	}
	h := &p.file.Hosts[p.nodes[strings.ToLower(nat)]]
	h.Forwards = append(h.Forwards, f)
}

// hostNames are those of all nodes, or of those that have a TCP/IP stack.
func (p *parser) hostNames(switches bool) (names []string) {
	for _, h := range p.file.Hosts {
		if switches || h.Kind != KindSwitch {
			names = append(names, h.Name)
		}
	}
	return names
}

// node reads the name of a node.
func (p *parser) node(v *yaml.Node) (string, bool) {
	s, ok := p.scalar(v, "the name of a host")
	if !ok {
		return "", false
	}
	i, ok := p.nodes[strings.ToLower(s)]
	if !ok {
		p.fail(v, meant(s, p.hostNames(true)), "there is no host %q", s)
		return "", false
	}
	return p.file.Hosts[i].Name, true
}

// stack reads the name of a node that has a TCP/IP stack.
func (p *parser) stack(v *yaml.Node) (string, bool) {
	name, ok := p.node(v)
	if ok && p.file.Hosts[p.nodes[strings.ToLower(name)]].Kind == KindSwitch {
		p.fail(v, meant("", p.hostNames(false)), "%s is a switch: it has no address, and runs nothing", name)
		return "", false
	}
	return name, ok
}

// on is a field that is the name of a host.
func (p *parser) on(name string, to *string) field {
	return field{name, func(_, v *yaml.Node) { *to, _ = p.stack(v) }}
}

// Whether a target has a port.
const (
	noPort = iota
	mayHavePort
	needsPort
)

// target is a field that is a host, and perhaps a port.
func (p *parser) target(name string, port int, to *Target) field {
	return field{name, func(_, v *yaml.Node) {
		if s, ok := p.scalar(v, "a host of the file, such as web:80"); ok {
			*to, _ = p.targetIn(v, s, port)
		}
	}}
}

// targetIn reads a target that is a part of a value.
func (p *parser) targetIn(v *yaml.Node, s string, port int) (t Target, ok bool) {
	name, digits, has := strings.Cut(s, ":")
	switch {
	case has && port == noPort:
		p.fail(v, "", "%q has a port, which does not belong here", s)
		return t, false
	case !has && port == needsPort:
		p.fail(v, "add one, as in web:80", "the port is missing after %q", s)
		return t, false
	}
	name, ok = p.stack(&yaml.Node{Kind: yaml.ScalarNode, Value: name, Line: v.Line, Column: v.Column})
	if !ok || !has {
		return Target{Host: name}, ok
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n == 0 {
		p.fail(v, "a port is a number from 1 to 65535", "%q is no port", digits)
		return t, false
	}
	return Target{name, uint16(n)}, true
}
