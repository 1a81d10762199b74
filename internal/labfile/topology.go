package labfile

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// topologies are the shorthands, and how many nodes each may have.
var topologies = []string{"pair", "chain", "star", "lan", "dumbbell"}

const maxTopology = 1000

// topology reads a shorthand: its kind with a number, the conditions of its
// links, and those of a dumbbell's edges.
//
//	topology: {dumbbell: 2, link: {rate: 10 Mbit/s, delay: 20ms}}
func (p *parser) topology(n *yaml.Node) {
	var kind string
	var number int
	var key, link, edge, edgeKey *yaml.Node
	var fields []field
	for _, name := range topologies {
		fields = append(fields, field{name, func(k, v *yaml.Node) {
			if kind != "" {
				p.fail(k, "choose one; other nodes and links go to hosts and links", "there is a %s already", kind)
				return
			}
			kind, key, number = name, k, 0
			if name != "pair" {
				p.count(name, 1, maxTopology, &number).read(k, v)
			} else if !empty(v) {
				p.fail(v, "write pair: and nothing behind it", "a pair has two hosts, a and b, and no number")
			}
		}})
	}
	fields = append(fields,
		field{"link", func(_, v *yaml.Node) { link = v }},
		field{"edge", func(k, v *yaml.Node) { edgeKey, edge = k, v }})
	before := p.Count()
	p.mapping(n, "topology", fields)
	switch {
	case kind == "" && p.Count() == before:
		p.fail(n, "there are "+strings.Join(topologies, ", "), "the topology has no kind")
	case edgeKey != nil && kind != "dumbbell":
		p.fail(edgeKey, "link is about the links of all others", "only a dumbbell has edges")
	}
	if kind == "" || kind != "pair" && number == 0 {
		return
	}
	t := shorthand{p: p, at: key, link: p.loose(link, "link"), edge: p.loose(edge, "edge")}
	t.make(kind, number)
}

// loose reads conditions that stand apart from a link.
func (p *parser) loose(n *yaml.Node, what string) *Link {
	l := &Link{}
	if n != nil {
		c := conditions{parser: p, mtu: &l.MTU, up: &l.Up, down: &l.Down}
		p.mapping(n, what, c.fields())
		c.finish()
	}
	return l
}

// A shorthand makes the nodes and links of a topology, in the order and with the
// names that package lab gives them.
type shorthand struct {
	p          *parser
	at         *yaml.Node
	link, edge *Link
}

func (t *shorthand) make(kind string, number int) {
	switch kind {
	case "pair":
		t.host("a", KindHost)
		t.host("b", KindHost)
		t.join("a", "b", t.link)
	case "chain":
		t.chain(number)
	case "star":
		t.host("hub", KindRouter)
		t.spokes(number, "hub")
	case "lan":
		t.host("switch", KindSwitch)
		t.spokes(number, "switch")
	case "dumbbell":
		t.dumbbell(number)
	}
}

func (t *shorthand) chain(routers int) {
	t.host("a", KindHost)
	t.host("b", KindHost)
	last := "a"
	for i := range routers {
		name := fmt.Sprintf("router%d", i+1)
		t.host(name, KindRouter)
		t.join(last, name, t.link)
		last = name
	}
	t.join(last, "b", t.link)
}

func (t *shorthand) spokes(hosts int, middle string) {
	for i := range hosts {
		name := fmt.Sprintf("host%d", i+1)
		t.host(name, KindHost)
		t.join(name, middle, t.link)
	}
}

func (t *shorthand) dumbbell(hosts int) {
	t.host("left", KindRouter)
	t.host("right", KindRouter)
	t.join("left", "right", t.link)
	for i := range hosts {
		a, b := fmt.Sprintf("left%d", i+1), fmt.Sprintf("right%d", i+1)
		t.host(a, KindHost)
		t.host(b, KindHost)
		t.join(a, "left", t.edge)
		t.join(b, "right", t.edge)
	}
}

func (t *shorthand) host(name string, kind Kind) {
	t.p.addHost(t.at, Host{Name: name, Kind: kind})
}

func (t *shorthand) join(a, b string, like *Link) {
	l := *like
	l.Pos, l.A, l.B = at(t.at), a, b
	t.p.file.Links = append(t.p.file.Links, l)
}
