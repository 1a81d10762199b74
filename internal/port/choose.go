package port

// tries is how often chance alone is asked for a free port. With nine of ten
// ports in use, six of ten choices are made that way.
const tries = 8

// choose returns an ephemeral port: a random free one, or else, from a random
// place on, the first that fits. False if there is none.
func (t *Table) choose(s *space, fits func(port uint16) bool) (uint16, bool) {
	for range tries {
		if p := t.draw(s); !s.used.has(p) {
			return p, true
		}
	}
	start := t.draw(s)
	if p, ok := s.used.nextClear(start, s.last); ok {
		return p, true
	}
	if p, ok := s.used.nextClear(s.first, start); ok {
		return p, true
	}
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
