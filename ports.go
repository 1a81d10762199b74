package berth

import (
	"net/netip"
	"sync"

	"example.com/berth/internal/port"
	"example.com/berth/socket"
)

// ports is the table of local ports under a lock, which guards the table and
// the bindings in it. It is taken while a socket's lock is held, and takes no
// other.
type ports struct {
	mu    sync.Mutex
	table *port.Table

	// fresh and spare are remnants to be used: those of a block that nobody has had
	// yet, and a list of some that are over.
	fresh  []remnant
	spare  *remnant
	spares int
}

func (p *ports) init(h *Host, cfg Config) {
	p.table = port.New(func() uint32 { return uint32(h.random.Uint64()) })
	if r := cfg.EphemeralPorts; r.First != 0 || r.Last != 0 {
		if err := p.table.SetRange(r.First, r.Last); err != nil {
			panic("berth: Config.EphemeralPorts: the range is empty")
		}
	}
}

// prepare brings the binding up to date with the socket's options.
func (s *sock) prepareBinding() {
	b := &s.binding
	b.Protocol = port.Protocol(s.protocol)
	if s.protocol == socket.IPPROTO_ICMPV6 {
		b.Protocol = port.ICMP
	}
	b.V6Only = s.ip.v6only
	b.Device = int32(s.ip.device)
	b.ReuseAddr, b.ReusePort, b.NoPort = s.ip.reuseAddr, s.ip.reusePort, s.ip.bindNoPort
	if !b.Addr.IsValid() {
		b.Addr = s.anyAddr()
	}
}

// update tells the table that an option has changed.
func (p *ports) update(s *sock) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.prepareBinding()
	p.table.Update(&s.binding)
}

// bind gives the socket the address and port, and sets the port chosen.
func (p *ports) bind(s *sock, local *netip.AddrPort) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.prepareBinding()
	b := &s.binding
	before := b.Addr
	b.Addr, b.Port = s.show(*local).Addr(), local.Port()
	if err := p.table.Bind(b); err != nil {
		b.Addr, b.Port = before, 0
		return err
	}
	*local = netip.AddrPortFrom(local.Addr(), b.Port)
	return nil
}

// autobind gives a datagram socket a port to send from.
func (p *ports) autobind(s *sock) (uint16, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.prepareBinding()
	err := p.table.Autobind(&s.binding)
	return s.binding.Port, err
}

// listen makes the socket a listener, with a port of its own if it has none.
func (p *ports) listen(s *stream) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.prepareBinding()
	if err := p.table.Listen(&s.binding); err != nil {
		return err
	}
	s.local = netip.AddrPortFrom(s.local.Addr(), s.binding.Port)
	return nil
}

// connect gives the socket a peer, and sets the port chosen. A connection in
// TIME-WAIT that has the same ends is in the way until its time is over.
func (p *ports) connect(s *stream, local *netip.AddrPort, remote netip.AddrPort) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.prepareBinding()
	if err := p.table.Connect(&s.binding, s.show(*local).Addr(), s.show(remote), nil); err != nil {
		return err
	}
	*local = netip.AddrPortFrom(local.Addr(), s.binding.Port)
	return nil
}

// disconnect takes the peer away after a connect that failed. It tells whether
// the socket still has a port.
func (p *ports) disconnect(s *sock) (bound bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.table.Disconnect(&s.binding)
	return s.binding.State() != port.Unbound
}

// local returns the address and port that the socket has.
func (p *ports) local(s *sock) netip.AddrPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := s.binding.Local()
	return netip.AddrPortFrom(l.Addr().Unmap(), l.Port())
}

// accept gives a child its listener's port.
func (p *ports) accept(listener, child *stream) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	child.prepareBinding()
	child.binding.Addr = child.show(child.local).Addr()
	child.binding.Remote = child.show(child.remote)
	return p.table.Inherit(&child.binding, &listener.binding)
}

// wait says that the connection is in TIME-WAIT.
func (p *ports) wait(s *sock) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.table.Wait(&s.binding)
}

// remnantBlock is how many remnants are made at once, maxSpareRemnants how many that
// are over are kept for others.
const (
	remnantBlock     = 32
	maxSpareRemnants = 32 * remnantBlock
)

// rest says that the connection is in TIME-WAIT, and gives what it has to a remnant.
func (p *ports) rest(s *sock) *remnant {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.spare
	if r != nil {
		p.spare, r.next = r.next, nil
		p.spares--
	} else {
		if len(p.fresh) == 0 {
			p.fresh = make([]remnant, remnantBlock)
		}
		r, p.fresh = &p.fresh[0], p.fresh[1:]
	}
	p.table.Wait(&s.binding)
	p.table.Move(&s.binding, &r.binding)
	return r
}

// revive gives what a remnant has to a connection. The remnant is over.
func (p *ports) revive(r *remnant, s *sock) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.table.Move(&r.binding, &s.binding)
	p.keep(r)
}

// end gives the port of a remnant back. The remnant is over.
func (p *ports) end(r *remnant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.table.Release(&r.binding)
	p.keep(r)
}

// keep keeps the memory of a remnant for another one. The lock is held.
func (p *ports) keep(r *remnant) {
	*r = remnant{}
	if p.spares < maxSpareRemnants {
		r.next, p.spare = p.spare, r
		p.spares++
	}
}

// release gives the port back.
func (p *ports) release(s *sock) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.table.Release(&s.binding)
}
