package nat

import "math/bits"

// A portSet is the ports in use of one protocol on one outside address. No port
// is given twice (RFC 4787 REQ-3, RFC 5382 REQ-7).
type portSet struct {
	used [1 << 16 / 64]uint64
	next uint16 // where a choice in sequence goes on
}

func (s *portSet) has(port uint16) bool { return s.used[port/64]>>(port%64)&1 != 0 }
func (s *portSet) set(port uint16)      { s.used[port/64] |= 1 << (port % 64) }
func (s *portSet) clear(port uint16)    { s.used[port/64] &^= 1 << (port % 64) }

// Which ports of each 64 are meant.
const (
	anyPorts  = ^uint64(0)
	evenPorts = anyPorts / 3
	oddPorts  = evenPorts << 1
)

// free returns the first port of a range that is free, from start on and around.
func (s *portSet) free(r PortRange, start uint16, among uint64) (uint16, bool) {
	if p, ok := s.scan(int(start), int(r.Last), among); ok {
		return p, true
	}
	return s.scan(int(r.First), int(start)-1, among)
}

func (s *portSet) scan(from, to int, among uint64) (uint16, bool) {
	for from <= to {
		if free := ^s.used[from/64] & among &^ (1<<(from%64) - 1); free != 0 {
			p := from&^63 + bits.TrailingZeros64(free)
			return uint16(p), p <= to
		}
		from = from&^63 + 64
	}
	return 0, false
}

func (t *Table) portsOf(outside endpoint) *portSet {
	k := outside.with(0)
	s := t.ports[k]
	if s == nil {
		s = new(portSet)
		t.ports[k] = s
	}
	return s
}

// choose returns the outside endpoint of a new mapping: its own port, or else
// one of its parity, or else any. It is not ok if all are in use.
func (t *Table) choose(inside endpoint) (outside endpoint, ok bool) {
	outside = join(inside.protocol(), t.paired(inside.addr()), inside.port())
	s := t.portsOf(outside)
	port := inside.port()
	if t.cfg.PortPreservation && t.cfg.Ports.has(port) && !s.has(port) {
		return outside, true
	}
	r := t.rangeFor(port)
	start := max(r.First, s.next)
	if t.cfg.Random != nil {
		size := uint64(r.Last) - uint64(r.First) + 1
		start = r.First + uint16(uint64(uint32(t.cfg.Random()))*size>>32)
	}
	if !r.has(start) {
		start = r.First
	}
	if t.cfg.PortParity {
		among := evenPorts
		if port%2 != 0 {
			among = oddPorts
		}
		port, ok = s.free(r, start, among)
	}
	if !ok {
		port, ok = s.free(r, start, anyPorts)
	}
	s.next = port + 1
	return outside.with(port), ok
}

// rangeFor returns the part of the range for an inside port: well-known ports
// for well-known ones and others for others (RFC 4787 REQ-3a), if the range has
// both.
func (t *Table) rangeFor(port uint16) PortRange {
	r := t.cfg.Ports
	if r.First < 1024 && r.Last >= 1024 {
		if port < 1024 {
			r.Last = 1023
		} else {
			r.First = 1024
		}
	}
	return r
}
