package port

import (
	"hash/maphash"
	"net/netip"
	"syscall"
)

// A Table has the ports of one host. It is not safe for concurrent use: the
// host's lock for making and ending sockets guards it.
type Table struct {
	random func() uint32
	tcp    space
	udp    space
	icmp   space
}

// space is the ports of one protocol.
type space struct {
	judge       rules // of a port that was asked for
	judgeChoice rules // of a port that the table chooses for Bind
	first, last uint16
	ports       map[uint16]owners
	classes     map[class]*sharedClass // those that bindings have
	spare       *sharedClass           // nobody's; may be nil
	used        *bitmap
	// ends are the connections, with TCP only, by a hash of their two ends:
	// lists of those that have one in common. The seed is one that nobody knows,
	// as with a map; nothing that can be seen depends on it.
	ends map[uint64]*Binding
	seed maphash.Seed
}

// New returns an empty table. It draws ports with random, whose bits are to be
// unpredictable unless a run is to be repeated. Ephemeral ports are 32768 to
// 60999, as on Linux.
func New(random func() uint32) *Table {
	t := &Table{
		random: random,
		tcp:    space{judge: judgeTCP, judgeChoice: judgeStrict, ends: make(map[uint64]*Binding), seed: maphash.MakeSeed()},
		udp:    space{judge: judgeUDP, judgeChoice: judgeUDP},
		icmp:   space{judge: judgeICMP, judgeChoice: judgeAny, first: 1, last: 65535},
	}
	for _, s := range []*space{&t.tcp, &t.udp, &t.icmp} {
		s.ports, s.classes = make(map[uint16]owners), make(map[class]*sharedClass)
		s.used = new(bitmap)
	}
	_ = t.SetRange(32768, 60999)
	return t
}

// SetRange sets the ephemeral ports of TCP and UDP, both ends included (Linux:
// ip_local_port_range). EINVAL if there are none.
func (t *Table) SetRange(first, last uint16) error {
	if first == 0 || last < first {
		return syscall.EINVAL
	}
	t.tcp.first, t.tcp.last = first, last
	t.udp.first, t.udp.last = first, last
	return nil
}

// Range returns the ephemeral ports of TCP and UDP.
func (t *Table) Range() (first, last uint16) { return t.tcp.first, t.tcp.last }

func (t *Table) space(p Protocol) *space {
	switch p {
	case TCP:
		return &t.tcp
	case UDP:
		return &t.udp
	case ICMP:
		return &t.icmp
	}
	return nil
}

// Bind gives b the port b.Port on b.Addr, or one of the ephemeral ports if
// b.Port is 0. With b.NoPort and port 0 it only keeps the address in mind for
// Connect.
//
// EINVAL if b has a port already, or its address or protocol are none;
// EADDRINUSE if others have the port and do not share it, or no ephemeral port
// is to be had.
func (t *Table) Bind(b *Binding) error {
	s := t.space(b.Protocol)
	if s == nil || b.state != Unbound || !b.Addr.IsValid() {
		return syscall.EINVAL
	}
	asked := b.Port
	b.chosen = false
	b.bound6 = specific6(b.Addr)
	if asked == 0 && b.NoPort {
		return nil
	}
	if err := t.claim(s, b, asked); err != nil {
		b.bound6 = false
		return err
	}
	b.keepPort = asked != 0
	return nil
}

// specific6 tells whether a can only be an IPv6 address: binding a socket to it
// makes it V6Only.
func specific6(a netip.Addr) bool { return !a.Unmap().Is4() && !a.IsUnspecified() }

// Autobind gives b an ephemeral port on the address it has, for a datagram to
// be sent from. EAGAIN if there is none to be had.
func (t *Table) Autobind(b *Binding) error {
	s := t.space(b.Protocol)
	if s == nil || b.state != Unbound || !b.Addr.IsValid() {
		return syscall.EINVAL
	}
	if t.claim(s, b, 0) != nil {
		return syscall.EAGAIN
	}
	return nil
}

// claim makes b an owner of a port, or with 0 of one that it chooses.
func (t *Table) claim(s *space, b *Binding, port uint16) error {
	c := b.classNow(Bound)
	if port == 0 {
		var ok bool
		if port, ok = t.choose(s, func(port uint16) bool { return !s.ports[port].refuse(&c, s.judgeChoice) }); !ok {
			return syscall.EADDRINUSE
		}
	} else if s.ports[port].refuse(&c, s.judge) {
		return syscall.EADDRINUSE
	}
	b.Port = port
	s.add(b, c)
	return nil
}

// Listen makes b a listener, giving it an ephemeral port if it has none.
// EADDRINUSE if another listener has the port and does not share it, or no
// port is to be had; EINVAL with a peer, or another protocol than TCP.
func (t *Table) Listen(b *Binding) error {
	if b.Protocol != TCP || !b.Addr.IsValid() || b.state > Listening {
		return syscall.EINVAL
	}
	s := &t.tcp
	if b.state == Unbound {
		if err := t.claim(s, b, 0); err != nil {
			return err
		}
	}
	if b.state == Listening {
		return nil
	}
	s.remove(b)
	c := b.classNow(Listening)
	if s.ports[b.Port].refuse(&c, s.judge) {
		s.add(b, b.classNow(Bound))
		return syscall.EADDRINUSE
	}
	s.add(b, c)
	return nil
}

// Update takes note of changed options. It never fails: what was granted stays
// granted.
func (t *Table) Update(b *Binding) {
	if b.state == Unbound {
		return
	}
	s := t.space(b.Protocol)
	s.move(b, b.state)
}

// Release takes b out of the table: its socket is closed. It does nothing if b
// has no port.
func (t *Table) Release(b *Binding) {
	if b.state == Unbound {
		return
	}
	t.space(b.Protocol).release(b)
	b.bound6, b.any = false, 0
}

// release takes b out, and leaves it the address.
func (s *space) release(b *Binding) {
	s.forget(b)
	s.remove(b)
	b.Port, b.state, b.class = 0, Unbound, nil
	b.chosen, b.keepPort = false, false
}

// Owners tells how many bindings have a port, or with port 0 how many ports
// have bindings.
func (t *Table) Owners(p Protocol, port uint16) int {
	s := t.space(p)
	if s == nil {
		return 0
	}
	if port == 0 {
		return len(s.ports)
	}
	n := 0
	for o := s.ports[port]; o.count > 0; o = o.rest() {
		n += o.count
	}
	return n
}

// add counts b among the owners of its port.
func (s *space) add(b *Binding, c class) {
	b.class, b.state = s.share(c), c.state
	s.ports[b.Port] = s.ports[b.Port].add(b.class)
	s.used.set(b.Port)
}

// remove is the reverse of add.
func (s *space) remove(b *Binding) {
	rest := s.ports[b.Port].remove(b.class)
	s.unshare(b.class)
	if rest.count > 0 {
		s.ports[b.Port] = rest
		return
	}
	delete(s.ports, b.Port)
	s.used.clear(b.Port)
}

// move counts b anew, after a change.
func (s *space) move(b *Binding, state State) {
	s.forget(b)
	c := b.classNow(state)
	s.remove(b)
	s.add(b, c)
	s.remember(b)
}
