package berth

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
	"example.com/berth/socket"
)

// raw is a RAW socket: packets of one IP protocol, as they are.
type raw struct {
	messageSock
	filter4 uint32    // ICMP_FILTER
	filter6 [8]uint32 // ICMPV6_FILTER
}

func newRaw(h *Host, domain socket.Domain, protocol socket.Protocol) *raw {
	s := &raw{}
	s.messageSock.init(h, domain, socket.RAW, protocol)
	s.ownIP().reuseAddr = true // as on Linux
	s.ownIP().hdrincl = protocol == socket.IPPROTO_RAW
	if domain == socket.INET6 && protocol == socket.IPPROTO_ICMPV6 {
		s.ownIP().checksumAt = icmpChecksumAt
	}
	h.raws.insert(s)
	return s
}

// rawTable has the raw sockets by protocol. Each packet looks into it and sockets
// come and go seldom: the map is replaced, never changed, and read without a lock.
type rawTable struct {
	mu sync.Mutex // guards the replacement
	m  atomic.Pointer[map[socket.Protocol][]*raw]
}

func (t *rawTable) insert(s *raw) {
	t.change(s.protocol, func(all []*raw) []*raw { return append(slices.Clip(all), s) })
}

func (t *rawTable) remove(s *raw) {
	t.change(s.protocol, func(all []*raw) []*raw {
		return lean.Drop(slices.Clone(all), func(x **raw) bool { return *x == s })
	})
}

// change replaces the sockets of a protocol.
func (t *rawTable) change(p socket.Protocol, f func([]*raw) []*raw) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := make(map[socket.Protocol][]*raw)
	if old := t.m.Load(); old != nil {
		maps.Copy(m, *old)
	}
	if m[p] = f(m[p]); len(m[p]) == 0 {
		delete(m, p)
	}
	if len(m) == 0 {
		t.m.Store(nil)
		return
	}
	t.m.Store(&m)
}

func (t *rawTable) of(p socket.Protocol) []*raw {
	m := t.m.Load()
	if m == nil {
		return nil
	}
	return (*m)[p]
}

// rawInput gives a copy of a packet to each raw socket that wants it, and tells
// whether there was one.
func (h *Host) rawInput(in *inPacket) (taken bool) {
	all := h.raws.of(socket.Protocol(in.protocol))
	if len(all) == 0 || in.protocol == header.ProtocolTCP && in.segSize > 0 {
		return false
	}
	if in.checksum == 0 && in.protocol == header.ProtocolICMPv6 && !in.valid() {
		return false // it is counted where ICMPv6 looks at it
	}
	for _, s := range all {
		if (s.domain == socket.INET) == in.dst.Is4() {
			taken = s.input(in) || taken
		}
	}
	return taken
}

// input takes a packet that fits the socket: an IPv4 one with its header, an
// IPv6 one without.
func (s *raw) input(in *inPacket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	local := s.local.Addr()
	switch {
	case s.bound && !local.IsUnspecified() && local != in.dst,
		s.remote.IsValid() && s.remote.Addr() != in.src,
		s.ip.device != 0 && s.ip.device != in.ifc.index,
		in.group && in.dst.IsMulticast() && !s.inGroup(in):
		return false
	}
	c := &s.host.count.Raw
	c.In.Add(1)
	if s.filtered(in) {
		c.Filtered.Add(1)
		return true
	}
	if s.ip.checksumAt >= 0 && in.dst.Is6() && !in.valid() { // IPV6_CHECKSUM
		c.BadChecksum.Add(1)
		return true
	}
	data := in.linear()
	if in.dst.Is4() {
		data = in.packet(header.MaxPacket)
	}
	copied := *in
	copied.buf = nil
	if full, noMemory := s.enqueue(&copied, netip.AddrPortFrom(in.src, 0), data); full || noMemory {
		c.QueueFull.Add(1)
	}
	return true
}

// filtered tells whether ICMP_FILTER or ICMPV6_FILTER keeps a message out.
func (s *raw) filtered(in *inPacket) bool {
	b := in.first()
	if len(b) == 0 {
		return false
	}
	switch socket.Protocol(in.protocol) {
	case socket.IPPROTO_ICMP:
		return b[0] < 32 && s.filter4&(1<<b[0]) != 0
	case socket.IPPROTO_ICMPV6:
		return s.filter6[b[0]>>5]&(1<<(b[0]&31)) != 0
	}
	return false
}

// Bind makes the socket take packets to one address only, and send from it.
func (s *raw) Bind(addr netip.AddrPort) error {
	return s.withLock(func() error {
		if s.domain == socket.INET6 && s.bound {
			return syscall.EINVAL
		}
		local, err := s.takeBind(addr)
		if err != nil {
			return err
		}
		s.local, s.bound = netip.AddrPortFrom(local.Addr(), 0), true
		return nil
	})
}

// Connect fixes the peer.
func (s *raw) Connect(_ context.Context, addr netip.AddrPort) error {
	return s.withLock(func() error {
		if !addr.IsValid() {
			s.remote, s.path = netip.AddrPort{}, path{}
			return nil
		}
		if s.lacksZone(addr.Addr()) {
			return syscall.EINVAL
		}
		d, err := s.aim(addr, &socket.Control{})
		if err != nil {
			return err
		}
		s.remote, s.path = netip.AddrPortFrom(d.to.Addr(), 0), d.path
		if !s.bound {
			s.local = netip.AddrPortFrom(d.path.src, 0)
		}
		return nil
	})
}

// Send sends to the peer.
func (s *raw) Send(b []byte, flags socket.Flags) (int, error) {
	return s.SendTo(b, flags, netip.AddrPort{})
}

// SendTo sends to an address.
func (s *raw) SendTo(b []byte, flags socket.Flags, to netip.AddrPort) (int, error) {
	m := socket.Message{Buffers: [][]byte{b}, Addr: to}
	return s.SendMsg(&m, flags)
}

// SendMsg sends one packet.
func (s *raw) SendMsg(m *socket.Message, flags socket.Flags) (int, error) {
	b := gather(m.Buffers)
	s.mu.Lock()
	d, err := s.prepare(b, flags, m)
	options := s.ip
	s.mu.Unlock()
	if err != nil {
		return 0, err
	}
	send := func(b []byte) error {
		if options.hdrincl {
			return s.host.emitPacket(&d, b)
		}
		return s.output(&d, b, options)
	}
	if s.host.waitsForTurn() {
		if err = s.fitsRaw(&d, len(b), options.hdrincl); err == nil {
			err = s.later(b, flags, send)
		}
	} else {
		err = send(b)
	}
	if err != nil {
		return 0, s.refuse(&d, err)
	}
	return len(b), nil
}

// fitsRaw is the check of a packet's length ahead of its turn.
func (s *raw) fitsRaw(d *destination, length int, hdrincl bool) error {
	if hdrincl {
		if length > d.path.ifc.MTU() {
			return syscall.EMSGSIZE
		}
		return nil
	}
	df, probe := s.fragmentation(d.to.Addr())
	return d.path.fits(d.to.Addr(), d.options.Len()+length, df, probe)
}

func (s *raw) prepare(b []byte, flags socket.Flags, m *socket.Message) (d destination, err error) {
	if err := s.over(context.Background(), &s.writers); err != nil {
		return d, err
	}
	switch {
	case flags&socket.MSG_OOB != 0:
		return d, syscall.EOPNOTSUPP
	case s.sendEnd:
		return d, syscall.EPIPE
	case len(b) > header.MaxPacket:
		return d, syscall.EMSGSIZE
	case s.err != nil:
		return d, s.takeError()
	}
	if d, err = s.aim(m.Addr, &m.Control); err != nil {
		return d, err
	}
	if s.ip.hdrincl && d.options != nil {
		return d, syscall.EINVAL // the caller writes the header
	}
	return d, s.mayRoute(&d, flags)
}

// output sends a packet behind a header that the host writes.
func (s *raw) output(d *destination, b []byte, o *ipOptions) error {
	out := datagramOut{
		transport: transport{
			protocol: uint8(s.protocol), src: d.path.src, dst: d.to.Addr(), tos: d.tos, ttl: d.ttl,
			id: uint16(s.host.fragmentID()),
		},
		checksumAt: -1,
		loop:       o.loop4,
	}
	if d.to.Addr().Is6() {
		out.loop = o.loop6
		if o.checksumAt >= 0 {
			if o.checksumAt+2 > len(b) {
				return syscall.EINVAL
			}
			out.checksumAt = o.checksumAt
		}
	}
	out.withOptions(s.host, d.options)
	out.df, out.probe = s.fragmentation(d.to.Addr())
	// The checksum's place must be in the head; a raw packet is copied anyway.
	headLen := min(len(b), max(out.checksumAt+2, 0))
	if headLen > headSize-header.EthernetLen-header.IPv6Len {
		headLen = 0
		full := lean.Bytes(b)
		clear(full[out.checksumAt : out.checksumAt+2])
		out.sum(full)
		out.checksumAt = -1
		b = full
	}
	out.head = lean.Bytes(b[:headLen])
	if out.checksumAt >= 0 {
		clear(out.head[out.checksumAt:])
	}
	out.buf = buffer.Get(len(b) - headLen)
	out.payload = out.buf.Bytes()[:copy(out.buf.Bytes(), b[headLen:])]
	err := s.host.emit(&d.path, &out)
	out.buf.Release()
	return err
}

// Close closes the socket.
func (s *raw) Close() error {
	defer s.applyChanges()
	return s.withLock(func() error {
		s.release()
		return nil
	})
}

func (s *raw) abort(error) {
	defer s.applyChanges()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.release()
	}
}

func (s *raw) release() {
	s.host.raws.remove(s)
	s.host.forget(&s.sock)
	s.leaveGroups()
	s.finish()
}
