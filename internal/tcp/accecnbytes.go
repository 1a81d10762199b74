package tcp

import "example.com/berth/internal/header"

// ecnBytes are the counters of payload bytes by the codepoint with which they
// arrived (RFC 9768 3.2), without what they begin at on the wire: received are
// r.e1b, r.e0b and r.ceb, and told is s.*, what the peer says that it received.
type ecnBytes struct {
	received, told [4]uint32
	// seen: the peer has sent an option with counters; zeroed: something on the
	// way makes zeroes of them.
	seen, zeroed bool
}

// ecnBytesInitial is what the counters begin at on the wire: those that are not
// zero show whether something on the way zeroes them (RFC 9768 3.2.1).
var ecnBytesInitial = [4]uint32{ecnECT0: 1, ecnECT1: 1}

// ecnBytesMask is the part of a counter that an option has.
const ecnBytesMask = 1<<24 - 1

// write fills in the counters of an option.
func (e *ecnBytes) write(o *header.AccECN) {
	wire := func(codepoint int) uint32 { return (e.received[codepoint] + ecnBytesInitial[codepoint]) & ecnBytesMask }
	o.ECT0, o.ECT1, o.CE = wire(ecnECT0), wire(ecnECT1), wire(ecnCE)
}

// look is for the first option with counters: one of those that cannot be zero is
// none that the peer has sent (RFC 9768 3.2.3.2.4).
func (e *ecnBytes) look(o *header.AccECN) {
	if !e.seen && o.Fields > 0 {
		e.seen = true
		e.zeroed = o.HasECT0() && o.ECT0 == 0 || o.HasECT1() && o.ECT1 == 0
	}
}

// take takes an option that no later one has superseded, and returns by how much
// the counter of marked bytes grew; false if it is not told, or makes no sense.
func (e *ecnBytes) take(o *header.AccECN) (marked int, known bool) {
	if e.look(o); e.zeroed {
		return 0, false
	}
	if o.HasECT0() {
		e.advance(ecnECT0, o.ECT0)
	}
	if o.HasECT1() {
		e.advance(ecnECT1, o.ECT1)
	}
	if !o.HasCE() {
		return 0, false
	}
	marked = e.advance(ecnCE, o.CE)
	return max(marked, 0), marked >= 0
}

// advance sets a counter to what the wire says, and returns by how much it grew:
// the least that there can have been, and less than zero where it seems to have
// gone back.
func (e *ecnBytes) advance(codepoint int, wire uint32) int {
	told := &e.told[codepoint]
	delta := int32((wire-ecnBytesInitial[codepoint]-*told)<<8) >> 8
	*told += uint32(delta)
	return int(delta)
}
