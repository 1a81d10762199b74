package lab

import "fmt"

// Pair makes two hosts, "a" and "b", and a link between them.
func (n *Network) Pair(opts ...LinkOption) (a, b *Host, l *Link) {
	a, b = n.Host("a"), n.Host("b")
	return a, b, n.Link(a, b, opts...)
}

// Star makes a router, "hub", with so many hosts, "host1" and so on, each on a
// link of its own.
func (n *Network) Star(hosts int, opts ...LinkOption) (hub *Router, leaves []*Host) {
	hub = n.Router("hub")
	for i := range hosts {
		h := n.Host(fmt.Sprintf("host%d", i+1))
		n.Link(h, hub, opts...)
		leaves = append(leaves, h)
	}
	return hub, leaves
}

// LAN makes a switch, "switch", with so many hosts, "host1" and so on.
func (n *Network) LAN(hosts int, opts ...LinkOption) (s *Switch, all []*Host) {
	s = n.Switch("switch")
	for i := range hosts {
		h := n.Host(fmt.Sprintf("host%d", i+1))
		n.Link(h, s, opts...)
		all = append(all, h)
	}
	return s, all
}

// Chain makes two hosts, "a" and "b", with so many routers, "router1" and so on,
// between them. The links are in the order from a to b.
func (n *Network) Chain(routers int, opts ...LinkOption) (a, b *Host, links []*Link) {
	a, b = n.Host("a"), n.Host("b")
	last := Node(a)
	for i := range routers {
		r := n.Router(fmt.Sprintf("router%d", i+1))
		links = append(links, n.Link(last, r, opts...))
		last = r
	}
	return a, b, append(links, n.Link(last, b, opts...))
}

// Dumbbell makes two routers, "left" and "right", with so many hosts on each
// side, "left1" and so on. The options are those of the link between the routers,
// the bottleneck; the others are perfect.
func (n *Network) Dumbbell(hosts int, opts ...LinkOption) (left, right []*Host, bottleneck *Link) {
	l, r := n.Router("left"), n.Router("right")
	bottleneck = n.Link(l, r, opts...)
	for i := range hosts {
		a, b := n.Host(fmt.Sprintf("left%d", i+1)), n.Host(fmt.Sprintf("right%d", i+1))
		n.Link(a, l)
		n.Link(b, r)
		left, right = append(left, a), append(right, b)
	}
	return left, right, bottleneck
}
