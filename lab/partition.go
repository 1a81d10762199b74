package lab

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"example.com/berth/link"
)

// Partition separates the nodes of a set from all others, and returns what heals
// that. What is on its way between them is lost. Nodes of the set reach each other
// as before, also over a switch or router that is not in the set, if they did; so do
// their multicasts and broadcasts over a switch, but over no router that is not in the
// set. Several partitions may be in force at once.
func (n *Network) Partition(set ...Node) (heal func()) {
	inside := func(v node) bool {
		return slices.ContainsFunc(set, func(s Node) bool { return s.base() == v.base() })
	}
	among := make(within)
	for _, v := range set {
		for _, p := range v.base().ports {
			for _, a := range p.addrs {
				among[a.Addr()] = true
			}
		}
	}
	var cut, narrowed, spared []*Link
	n.sched.do(func() {
		for _, l := range n.Links() {
			a, b := l.a.node, l.b.node
			if inside(a) == inside(b) {
				_, switchA := a.(*Switch)
				_, switchB := b.(*Switch)
				if !inside(a) && switchA != switchB {
					l.spare(&among, true)
					spared = append(spared, l)
				}
				continue
			}
			if inside(b) {
				a, b = b, a
			}
			_, isHost := a.(*Host)
			_, toHost := b.(*Host)
			switch {
			case isHost && !toHost && len(set) > 1:
				l.narrow(&among, true)
				narrowed = append(narrowed, l)
			case !l.isCut():
				l.switchTo(true, false)
				cut = append(cut, l)
			}
		}
	})
	return func() {
		n.sched.do(func() {
			for _, l := range cut {
				l.switchTo(false, false)
			}
			for _, l := range narrowed {
				l.narrow(&among, false)
			}
			for _, l := range spared {
				l.spare(&among, false)
			}
		})
	}
}

// within are the addresses of the nodes of a partition, which may talk to each
// other.
type within map[netip.Addr]bool

// narrow lets only what is within a partition pass, or everything again.
func (l *Link) narrow(w *within, on bool) {
	l.mu.Lock()
	l.only = w.in(l.only, on)
	l.mu.Unlock()
	word := "heal"
	if on {
		word = "partition"
	}
	l.net.trace.note(-1, word, l.String())
}

// spare keeps from the node on a switch's link what the nodes of a partition send to
// all or to a group, which the switch floods, or no longer.
func (l *Link) spare(w *within, on bool) {
	l.mu.Lock()
	l.spared = w.in(l.spared, on)
	l.mu.Unlock()
}

// in returns a list of partitions with this one, or without.
func (w *within) in(list []*within, on bool) []*within {
	if on {
		return append(list, w)
	}
	return slices.DeleteFunc(list, func(o *within) bool { return o == w })
}

// passes tells whether a frame is within all partitions that the link is narrowed
// to, and not to a group within one that the node there is spared. The lock is held.
func (l *Link) passes(f *link.Frame) bool {
	src, dst, group, ok := parties(l.medium, f)
	for _, w := range l.only {
		if !ok || !(*w)[src] || !group && !(*w)[dst] {
			return false
		}
	}
	for _, w := range l.spared {
		if group && (*w)[src] {
			return false
		}
	}
	return true
}

// parties are those that a packet is from and to: of ARP and neighbor discovery
// who asks and who is asked for. Another that Ethernet has for several is to a group.
func parties(m link.Medium, f *link.Frame) (src, dst netip.Addr, group, ok bool) {
	var room [14 + 40 + 24]byte
	b := room[:f.Peek(room[:])]
	if m == link.Ethernet {
		if len(b) < 14+28 {
			return src, dst, false, false
		}
		group = b[0]&1 != 0
		kind := binary.BigEndian.Uint16(b[12:])
		b = b[14:]
		if kind == 0x0806 {
			return netip.AddrFrom4([4]byte(b[14:])), netip.AddrFrom4([4]byte(b[24:])), false, true
		}
	}
	switch {
	case len(b) >= 20 && b[0]>>4 == 4:
		return netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:])), group, true
	case len(b) >= 40 && b[0]>>4 == 6:
		src, dst = netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
		if b[6] == 58 && len(b) >= 64 && b[40] == 135 { // a solicitation goes to a multicast address
			dst, group = netip.AddrFrom16([16]byte(b[48:])), false
		}
		return src, dst, group, true
	}
	return src, dst, false, false
}

// Links returns all links, in the order in which they were made.
func (n *Network) Links() []*Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.links)
}

// Nodes returns all nodes, in the order in which they were made.
func (n *Network) Nodes() []Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.nodes)
}

// Node returns the node of that name, and ends the test if there is none.
func (n *Network) Node(name string) Node {
	if n.tb != nil {
		n.tb.Helper()
	}
	n.mu.Lock()
	v, ok := n.names[name]
	n.mu.Unlock()
	if !ok {
		n.misuse("node", "there is no %q%s", name, n.suggest(name))
	}
	return v
}

func (l *Link) isCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

func (n *Network) isClosed() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.closed
}
