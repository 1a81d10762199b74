package port

// tries is how often chance alone is asked for a free port. With nine of ten
// ports in use, six of ten choices are made that way.
const tries = 8

// choose returns an ephemeral port: a random free one, or else, from a random
// place on, the first that fits. False if there is none.
func (t *Table) choose(s *space, fits func(port uint16) bool) (uint16, bool) {
	if s.free > 0 {
		return t.chooseFree(s), true
	}
	start := t.draw(s)
	for p := start; ; {
		if fits(p) {
			return p, true
		}
		if p++; p > s.last || p == 0 {
			p = s.first
		}
		if p == start {
			return 0, false
		}
	}
}

// draw returns a port of the range, each as likely as the others but for 1 in
// 2^32 / 65536 (RFC 6056 section 3.3.1).
func (t *Table) draw(s *space) uint16 {
	n := uint64(s.last) - uint64(s.first) + 1
	return s.first + uint16(uint64(t.random())*n>>32)
}

// chooseFree returns a random port of those that are free, if any is.
func (t *Table) chooseFree(s *space) uint16 {
	for range tries {
		if p := t.draw(s); !s.used.has(p) {
			return p
		}
	}
	start := t.draw(s)
	p, ok := s.used.nextClear(start, s.last)
	if !ok {
		p, _ = s.used.nextClear(s.first, start)
	}
	return p
}
