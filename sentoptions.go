package berth

import (
	"net/netip"
	"syscall"

	"example.com/berth/internal/ipoptions"
)

// headerOptions are what few sockets have: IP_OPTIONS, and whether those that
// come are told. Like ipOptions they are replaced, never changed.
type headerOptions struct {
	sent     *ipoptions.Options // nil: none
	recvOpts bool               // IP_RECVOPTS
	retOpts  bool               // IP_RETOPTS
}

// noHeaderOptions are those of a socket that has set none.
var noHeaderOptions headerOptions

// inHeader returns the options that concern options of the header, to read.
func (o *ipOptions) inHeader() *headerOptions {
	if o.header == nil {
		return &noHeaderOptions
	}
	return o.header
}

// ownHeader gives the socket a copy of them, so that one of them can be set. The
// lock is held.
func (s *sock) ownHeader() *headerOptions {
	h := *s.ip.inHeader()
	s.ownIP().header = &h
	return &h
}

// sentTo are the options that the header of packets to dst has. IPv6 has none.
func (o *ipOptions) sentTo(dst netip.Addr) *ipoptions.Options {
	if o.header == nil || !dst.Is4() {
		return nil
	}
	return o.header.sent
}

// setSent is IP_OPTIONS. The lock is held.
func (s *sock) setSent(value any) error {
	text, ok := value.(string)
	if !ok {
		return syscall.EINVAL
	}
	o, err := ipoptions.Compile(text)
	if err != nil {
		return err
	}
	s.ownHeader().sent = o
	return nil
}

// setSent is IP_OPTIONS of a stream socket: what is sent from now on has them,
// and as much less data. The lock is held.
func (s *stream) setSent(value any) error {
	if err := s.sock.setSent(value); err != nil {
		return err
	}
	if s.opened {
		s.sentChanged()
	}
	return nil
}

// sentChanged is called when the options have changed during a connection.
func (s *stream) sentChanged() {
	s.conn.SetIPOptions(s.ip.sentTo(s.remote.Addr()).Len())
	s.reroute()
}

// routeBy is route for packets with options, whose source route says where they
// go first. The path MTU is that of all the way, as far as it is known. In
// addition to the errors of route there is EHOSTUNREACH: the first hop of a strict
// source route is not on a link of the host.
func (h *Host) routeBy(o *ipoptions.Options, dst, from netip.Addr, device int) (path, error) {
	if !o.HasRoute() {
		return h.route(dst, from, device)
	}
	first := o.FirstHop(dst)
	p, err := h.route(first, from, device)
	switch {
	case err != nil:
		return p, err
	case o.Strict() && !p.direct(first):
		return p, syscall.EHOSTUNREACH
	}
	p.mtu = h.mtus.lookup(dst, p.mtu)
	return p, nil
}

// withOptions gives a packet its options.
func (t *transport) withOptions(h *Host, o *ipoptions.Options) {
	if o == nil {
		return
	}
	t.options = o.Append(make([]byte, 0, ipoptions.MaxLen), t.dst, t.src, h.dayClock())
	if o.HasRoute() {
		t.via = o.FirstHop(t.dst)
	}
}

// dayClock is the time in milliseconds since midnight of universal time, as
// options have it.
func (h *Host) dayClock() uint32 {
	const day = 24 * 60 * 60 * 1000
	ms := h.clock().UnixMilli() % day
	return uint32((ms + day) % day) // a clock may be before 1970
}
