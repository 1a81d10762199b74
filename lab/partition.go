package lab

import "slices"

// Partition cuts every link between a node in the set and one that is not in it,
// and returns what heals them again. Links that are cut already stay cut after
// that. On a switch or router only those links are cut that lead to the set.
func (n *Network) Partition(set ...Node) (heal func()) {
	inside := func(v node) bool {
		return slices.ContainsFunc(set, func(s Node) bool { return s.base() == v.base() })
	}
	var cut []*Link
	n.sched.do(func() {
		for _, l := range n.Links() {
			if inside(l.a.node) == inside(l.b.node) || l.isCut() {
				continue
			}
			l.switchTo(true, false)
			cut = append(cut, l)
		}
	})
	return func() {
		n.sched.do(func() {
			for _, l := range cut {
				l.switchTo(false, false)
			}
		})
	}
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
