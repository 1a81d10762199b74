package nat

import (
	"encoding/binary"

	"example.com/berth/internal/header"
)

// An ICMP error is translated by the packet that it quotes. It neither refreshes
// nor ends anything (RFC 4787 REQ-12, RFC 5382 REQ-10, RFC 5508 REQ-6), and may
// come from anyone: it is routers on the way that send them (RFC 4787 REQ-12a).

// quoted verifies an ICMP error and reads the packet that it quotes. The error
// must be sent to whom that packet came from.
func (p *packet) quoted(q *packet) Reason {
	var h header.ICMP
	rest, err := h.Parse(p.body)
	if err != nil || p.more || header.Fold(header.Sum(p.body, 0)) != 0 {
		return BadError
	}
	if r := q.parseQuoted(h.Quoted4(rest)); r != None {
		return r
	}
	if q.src.addr() != p.dst.addr() {
		return BadError
	}
	return None
}

// errorIn translates an error about a packet that Out had translated (RFC 5508
// REQ-4).
func (t *Table) errorIn(p *packet) Verdict {
	var q packet
	if r := p.quoted(&q); r != None {
		return drop(r)
	}
	m := t.byOutside[q.src]
	if m == nil {
		return local(NoMapping) // about a packet of the router
	}
	if !t.passes(m, q.dst) {
		return drop(Filtered)
	}
	m.in.add(p)
	q.setSrc(m.inside)
	p.setDst(m.inside)
	p.sumError()
	return Verdict{Action: Pass}
}

// errorOut translates an error about a packet that In, or a hairpin, had
// translated (RFC 5508 REQ-5, REQ-7). Whoever inside sends it, outside it comes
// from the address that the packet was sent to.
func (t *Table) errorOut(p *packet) Verdict {
	own := t.own(p.src.addr())
	var q packet
	if r := p.quoted(&q); r != None {
		if own {
			return local(r)
		}
		return drop(r)
	}
	var to *mapping
	if t.own(p.dst.addr()) {
		if to = t.byOutside[q.src]; to == nil {
			return local(NoMapping) // about a packet of the router
		}
	}
	m := t.find(q.dst, q.src)
	switch {
	case m == nil && own:
		return local(Own) // about a packet to the router
	case m == nil:
		return drop(NoMapping)
	case !t.passes(m, q.src):
		return drop(Filtered)
	case to != nil && !t.cfg.Hairpin:
		return drop(NoHairpin)
	case to != nil && !t.passes(to, m.outside):
		return drop(Filtered)
	}
	m.out.add(p)
	q.setDst(m.outside)
	p.setSrc(m.outside)
	v := Verdict{Action: Pass}
	if to != nil {
		to.in.add(p)
		q.setSrc(to.inside)
		p.setDst(to.inside)
		v.Action = Hairpin
	}
	p.sumError()
	return v
}

// sumError computes the checksum of an error whose quoted packet has changed.
func (p *packet) sumError() {
	p.body[2], p.body[3] = 0, 0
	binary.BigEndian.PutUint16(p.body[2:], header.Fold(header.Sum(p.body, 0)))
}
