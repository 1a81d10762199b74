package lab

import (
	"fmt"
	"net/netip"
	"sync"

	"example.com/berth/link"
	"example.com/berth/link/impair"
)

// A Link joins two nodes. Each of its two directions has impairments of its own.
type Link struct {
	net    *Network
	index  int
	medium link.Medium
	a, b   *port
	ab, ba *pipe

	mu   sync.Mutex // guards what follows, and the lines of both pipes
	size int        // MTU
	cut  bool
	down bool
	only []*within // what partitions let pass

	spared []*within // partitions whose multicasts and broadcasts are not for the node here
}

// Link joins two nodes: hosts, routers, NATs or switches, by themselves or by
// name. Where both are hosts or routers the link is a network of its own with a
// prefix of each family; at a switch it is part of the switch's network.
// Interfaces are called eth0, eth1, ... in the order of a node's links.
//
// Without options the link is perfect: nothing is lost, everything arrives at
// once, and the MTU is 1500.
func (n *Network) Link(a, b Node, opts ...LinkOption) *Link {
	if n.tb != nil {
		n.tb.Helper()
	}
	if a == nil || b == nil {
		n.misuse("link", "one of the nodes is nil")
		return nil
	}
	what := fmt.Sprintf("link %s with %s", a.Name(), b.Name())
	switch {
	case a.base().net != n || b.base().net != n:
		n.misuse(what, "a node belongs to another network")
	case a == b:
		n.misuse(what, "both ends are the same node")
	case n.isClosed():
		n.misuse(what, "the network is closed")
	}
	c := newLinkConfig()
	for _, o := range opts {
		o(c, a, b)
	}
	if c.err != nil {
		n.misuse(what, "%v", c.err)
	}
	l, err := n.join(a, b, c)
	if err != nil {
		n.misuse(what, "%v", err)
		return nil
	}
	return l
}

func (n *Network) join(a, b node, c *linkConfig) (*Link, error) {
	l := &Link{net: n, medium: medium(a, b), size: c.mtu}
	l.a, l.b = newPort(a, l), newPort(b, l)
	var err error
	if l.ab, err = newPipe(l, l.a, l.b, c.ab); err != nil {
		return nil, err
	}
	if l.ba, err = newPipe(l, l.b, l.a, c.ba); err != nil {
		return nil, err
	}
	n.mu.Lock()
	l.index = len(n.links)
	n.nameWays(l)
	l.a.mac, l.b.mac = mac(l.index, 0), mac(l.index, 1)
	err = n.place(l, c)
	if err == nil {
		n.links = append(n.links, l)
	}
	n.mu.Unlock()
	if err != nil {
		return nil, err
	}
	for _, p := range []*port{l.a, l.b} {
		p.node.base().ports = append(p.node.base().ports, p)
		if h := hostOf(p.node); h != nil {
			if err := h.attach(p); err != nil {
				return nil, err
			}
		}
	}
	n.dirty.Store(true)
	return l, nil
}

// nameWays tells several links between two nodes apart. The network's lock is
// held.
func (n *Network) nameWays(l *Link) {
	pair := [2]int{l.a.node.base().index, l.b.node.base().index}
	if pair[0] > pair[1] {
		pair[0], pair[1] = pair[1], pair[0]
	}
	n.between[pair]++
	same := n.between[pair]
	if same > 1 {
		l.ab.name = fmt.Sprintf("%s#%d", l.ab.name, same)
		l.ba.name = fmt.Sprintf("%s#%d", l.ba.name, same)
	}
}

// place puts the ends of a link into a segment, and gives them addresses. The
// network's lock is held.
func (n *Network) place(l *Link, c *linkConfig) error {
	sa, aIsSwitch := l.a.node.(*Switch)
	sb, bIsSwitch := l.b.node.(*Switch)
	var seg *segment
	var err error
	switch {
	case aIsSwitch && bIsSwitch:
		return sa.merge(sb)
	case aIsSwitch:
		seg = sa.segment
	case bIsSwitch:
		seg = sb.segment
	default:
		if seg, err = n.plan.segment(false); err != nil {
			return err
		}
	}
	for i, p := range []*port{l.a, l.b} {
		if _, ok := p.node.(*Switch); ok {
			p.seg = seg
			continue
		}
		if err := n.settleIn(p, seg, c.addrs[i]); err != nil {
			return err
		}
		if v, ok := p.node.(*NAT); ok && len(v.ports) == 0 {
			if err := v.open(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// settleIn makes a port a member of a segment, with addresses given or chosen.
func (n *Network) settleIn(p *port, seg *segment, given []netip.Prefix) error {
	p.seg = seg
	seg.members = append(seg.members, p)
	if len(given) == 0 {
		p.addrs = n.plan.address(seg, p)
		return nil
	}
	for _, a := range given {
		if other := n.plan.used[a.Addr()]; other != nil {
			return fmt.Errorf("address %v is that of %v already", a.Addr(), other)
		}
		n.plan.used[a.Addr()] = p
	}
	p.addrs = given
	return nil
}

func newPort(v node, l *Link) *port {
	return &port{node: v, link: l, name: fmt.Sprintf("eth%d", len(v.base().ports))}
}

// mac is a locally administered address that nobody else has.
func mac(link, end int) [6]byte {
	return [6]byte{0x02, 0, byte(link >> 16), byte(link >> 8), byte(link), byte(end + 1)}
}

// Ends returns the two nodes.
func (l *Link) Ends() (a, b Node) { return l.a.node, l.b.node }

// Addr returns the first address of a node on this link; the zero Addr if it has
// none, as a switch.
func (l *Link) Addr(of Node) netip.Addr {
	for _, p := range []*port{l.a, l.b} {
		if p.node == of && len(p.addrs) > 0 {
			return p.addrs[0].Addr()
		}
	}
	return netip.Addr{}
}

// Set changes both directions, or those that the options name, from now on.
// What is on its way stays as it is. What the options do not speak of stays, too.
func (l *Link) Set(opts ...LinkOption) {
	if l.net.tb != nil {
		l.net.tb.Helper()
	}
	var err error
	l.net.sched.do(func() {
		l.mu.Lock()
		c := &linkConfig{mtu: l.size, ab: l.ab.line.Config(), ba: l.ba.line.Config()}
		c.ab.Observe, c.ba.Observe = l.ab.user, l.ba.user
		for _, o := range opts {
			o(c, l.a.node, l.b.node)
		}
		if err = c.err; err == nil {
			if err = l.ab.configure(c.ab); err == nil {
				err = l.ba.configure(c.ba)
			}
		}
		changed := err == nil && l.size != c.mtu
		if changed {
			l.size = c.mtu
		}
		l.mu.Unlock()
		if changed {
			l.a.changed()
			l.b.changed()
		}
		l.net.trace.note(-1, "link", fmt.Sprintf("%v: %s", l, l.describe()))
	})
	if err != nil {
		l.net.misuse(fmt.Sprintf("set %v", l), "%v", err)
	}
}

// Cut cuts the link without anybody noticing, as when a cable far away breaks:
// what is on its way is lost, and so is what is sent from now on.
func (l *Link) Cut() { l.setCut(true) }

// Heal undoes Cut and Down.
func (l *Link) Heal() { l.setCut(false) }

func (l *Link) setCut(cut bool) {
	l.net.sched.do(func() { l.switchTo(cut, false) })
}

// Down unplugs the cable: as Cut, and both ends see that they have no carrier.
func (l *Link) Down() { l.net.sched.do(func() { l.switchTo(true, true) }) }

// switchTo is done in a turn.
func (l *Link) switchTo(cut, down bool) {
	l.mu.Lock()
	was, wasDown := l.cut, l.down
	l.cut, l.down = cut, down
	l.mu.Unlock()
	if cut {
		l.clear()
		l.net.trace.lostOnTheWay(l)
	}
	if wasDown != down {
		l.a.changed()
		l.b.changed()
	}
	if was != cut || wasDown != down {
		word := "heal"
		if down {
			word = "down"
		} else if cut {
			word = "cut"
		}
		l.net.trace.note(-1, word, l.String())
	}
}

// clear loses what is on its way.
func (l *Link) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ab.line.Clear()
	l.ba.line.Clear()
}

// Stats are the counters of what the given node has sent into the link.
func (l *Link) Stats(from Node) impair.Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	if from == l.b.node {
		return l.ba.line.Stats()
	}
	return l.ab.line.Stats()
}

func (l *Link) up() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.down
}

func (l *Link) mtu() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.size
}

func (l *Link) String() string { return l.a.node.Name() + " - " + l.b.node.Name() }
