package port

import (
	"net/netip"
	"slices"
	"syscall"
)

// Connect gives b a peer. The local address becomes local where b has none;
// local must be b.Addr where it has. A port is chosen where b has none.
//
// With TCP, no two connections have the same two ends. If the only one that
// has them is in TIME-WAIT, takeOver is asked (nil says no) and, if it agrees,
// that binding is released: its state is to be dropped with it (RFC 6191,
// Linux: tcp_tw_reuse). On failure nothing has changed.
//
// EADDRNOTAVAIL if the ends are taken, or with TCP no port is to be had; EAGAIN
// in that case with other protocols; EINVAL if b listens or the addresses make
// no sense.
func (t *Table) Connect(b *Binding, local netip.Addr, remote netip.AddrPort, takeOver func(*Binding) bool) error {
	s := t.space(b.Protocol)
	if s == nil || !b.Addr.IsValid() || !local.IsValid() || !remote.IsValid() ||
		b.state == Listening || b.state == TimeWait || b.state == Connected && b.Protocol == TCP {
		return syscall.EINVAL
	}
	if b.Protocol != TCP {
		return t.connectDatagram(s, b, local, remote)
	}
	before := *b
	b.connectTo(local, remote)
	if b.state == Unbound {
		ok := false
		if b.Port, ok = t.choose(s, func(port uint16) bool {
			if s.ports[port].claimed() {
				return false
			}
			b.Port = port
			return s.vacate(b, takeOver)
		}); !ok {
			*b = before
			return syscall.EADDRNOTAVAIL
		}
		b.chosen = true
		s.add(b, b.classNow(Connected))
		s.remember(b)
		return nil
	}
	if !s.vacate(b, takeOver) {
		*b = before
		return syscall.EADDRNOTAVAIL
	}
	s.move(b, Connected)
	return nil
}

// connectDatagram only notes the peer: datagram sockets may have the same one.
func (t *Table) connectDatagram(s *space, b *Binding, local netip.Addr, remote netip.AddrPort) error {
	if b.state == Unbound {
		if err := t.Autobind(b); err != nil {
			return err
		}
	}
	b.connectTo(local, remote)
	s.move(b, Connected)
	return nil
}

func (b *Binding) connectTo(local netip.Addr, remote netip.AddrPort) {
	if b.Addr.Unmap().IsUnspecified() {
		b.any = uint8(slices.Index(wildcards[:], b.Addr))
		b.Addr = local
	}
	b.Remote = remote
}

// Disconnect takes b's peer away, after a connection that failed or by wish of
// the caller. As on Linux the address is again what Bind gave it, and the port
// stays only if Bind asked for that very one.
func (t *Table) Disconnect(b *Binding) {
	if b.state == Unbound {
		return
	}
	s := t.space(b.Protocol)
	s.forget(b)
	b.Remote = netip.AddrPort{}
	if b.any != 0 {
		b.Addr, b.any = wildcards[b.any], 0
	}
	if b.keepPort {
		s.move(b, Bound)
		return
	}
	s.release(b)
}

// Inherit makes b, whose Addr and Remote the caller has set, a connection that
// came to the listener's port. EADDRINUSE if there is one with the same ends.
func (t *Table) Inherit(b, listener *Binding) error {
	if listener.state != Listening || b.state != Unbound || !b.Addr.IsValid() || !b.Remote.IsValid() {
		return syscall.EINVAL
	}
	b.Protocol, b.Port = TCP, listener.Port
	b.bound6 = listener.bound6
	if t.tcp.taken(b) != nil {
		b.Port = 0
		return syscall.EADDRINUSE
	}
	b.keepPort, b.chosen = listener.keepPort, false
	t.tcp.add(b, b.classNow(Connected))
	t.tcp.remember(b)
	return nil
}

// Wait says that the connection b is in TIME-WAIT from now on.
func (t *Table) Wait(b *Binding) {
	if b.state == Connected {
		s := t.space(b.Protocol)
		s.remove(b)
		s.add(b, b.classNow(TimeWait)) // the ends are the same
	}
}

// Move puts to, which the table does not know, in the place of from, which it does
// not know any more then.
func (t *Table) Move(from, to *Binding) {
	*to = *from
	if s := t.space(from.Protocol); s != nil && s.ends != nil && from.state >= Connected {
		k := from.hash(s.seed)
		if o := s.ends[k]; o == from {
			s.ends[k] = to
		} else {
			for o.next != from {
				o = o.next
			}
			o.next = to
		}
	}
	from.Port, from.state, from.class, from.next = 0, Unbound, nil, nil
	from.chosen, from.keepPort = false, false
}

// taken returns the connection that has the ends of b, in a way that b cannot
// have them too. One that is bound to another device can.
func (s *space) taken(b *Binding) *Binding {
	ends := b.tuple()
	for o := s.ends[b.hash(s.seed)]; o != nil; o = o.next {
		if o != b && o.tuple() == ends && (o.Device == 0 || o.Device == b.Device) {
			return o
		}
	}
	return nil
}

// vacate tells whether b may have its ends, taking them from a TIME-WAIT.
func (s *space) vacate(b *Binding, takeOver func(*Binding) bool) bool {
	o := s.taken(b)
	if o == nil {
		return true
	}
	if o.state != TimeWait || takeOver == nil || !takeOver(o) {
		return false
	}
	s.release(o)
	return s.taken(b) == nil
}

// remember enters the ends of a connection, forget takes them out.
func (s *space) remember(b *Binding) {
	if s.ends != nil && b.state >= Connected {
		k := b.hash(s.seed)
		b.next = s.ends[k]
		s.ends[k] = b
	}
}

func (s *space) forget(b *Binding) {
	if s.ends == nil || b.state < Connected {
		return
	}
	k := b.hash(s.seed)
	if o := s.ends[k]; o == b {
		if b.next == nil {
			delete(s.ends, k)
		} else {
			s.ends[k] = b.next
		}
	} else {
		for ; o != nil; o = o.next {
			if o.next == b {
				o.next = b.next
				break
			}
		}
	}
	b.next = nil
}
