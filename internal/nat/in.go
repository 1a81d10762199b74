package nat

import "time"

// In translates a packet that came from outside. It is one whole IPv4 packet,
// checksums complete, and is rewritten in place if the verdict is Pass.
//
//   - Pass: route it by its new destination.
//   - Local: it is for the router itself, if its destination is the router's.
//   - Drop: nobody is to be told.
func (t *Table) In(now time.Duration, b []byte) Verdict {
	t.Expire(now)
	return t.count(t.inbound(now, b), &t.counters.In)
}

func (t *Table) inbound(now time.Duration, b []byte) Verdict {
	var p packet
	if r := p.parseIP(b); r != None {
		return drop(r)
	}
	if !t.own(p.dst.addr()) {
		return local(NotExternal)
	}
	if !translatable(p.src.addr()) || t.own(p.src.addr()) {
		return drop(Martian)
	}
	switch r := p.parseTransport(); {
	case r == Unsupported:
		return local(r)
	case r != None:
		return drop(r)
	case p.isError:
		return t.errorIn(&p)
	case p.offset > 0:
		return t.follow(&p, inward)
	}
	key := keyOf(&p, inward)
	v := t.flowIn(now, &p)
	if p.more {
		t.noteFragment(now, key, &p, v)
	}
	return v
}

// flowIn translates a packet by its ports. It never makes a mapping.
func (t *Table) flowIn(now time.Duration, p *packet) Verdict {
	m := t.byOutside[p.dst]
	if m == nil {
		return t.unmapped(p)
	}
	if r := t.trackIn(now, m, p.src, p); r != None {
		return drop(r) // silently (RFC 5382 REQ-4a)
	}
	m.in.add(p)
	p.setDst(m.inside)
	return Verdict{Action: Pass}
}

// unmapped is the verdict on a packet to an outside endpoint that nothing is
// mapped to: the router's own, unless the port cannot be.
func (t *Table) unmapped(p *packet) Verdict {
	if t.cfg.Exclusive && hasPorts(p.protocol) && t.cfg.Ports.has(p.dst.port()) {
		return drop(NoMapping)
	}
	return local(NoMapping)
}
