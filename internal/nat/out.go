package nat

import "time"

// Out translates a packet from inside that the router is about to send on
// outside, or that is for one of External, before the router takes it for its
// own. It is one whole IPv4 packet, checksums complete, and is rewritten in place
// if the verdict is Pass or Hairpin. A router calls it, too, for the ICMP errors
// that it sends itself about packets that In had translated; those about a hop
// limit are better sent before, since what they quote is then as it came.
//
//   - Pass: send it on outside.
//   - Hairpin: it is for another inside host; route it again by its new
//     destination.
//   - Local: it is for the router (to one of External where nothing is mapped),
//     or from it.
//   - Drop: if [Reason.Refused], the sender is to be told.
func (t *Table) Out(now time.Duration, b []byte) Verdict {
	t.Expire(now)
	return t.count(t.outbound(now, b), &t.counters.Out)
}

func (t *Table) outbound(now time.Duration, b []byte) Verdict {
	var p packet
	if r := p.parseIP(b); r != None {
		return drop(r)
	}
	if !translatable(p.src.addr()) || !translatable(p.dst.addr()) {
		return drop(Martian)
	}
	if r := p.parseTransport(); r != None {
		if t.own(p.src.addr()) || r == Unsupported && t.own(p.dst.addr()) {
			return local(r)
		}
		return drop(r)
	}
	switch {
	case p.isError:
		return t.errorOut(&p)
	case t.own(p.src.addr()):
		return local(Own)
	case p.offset > 0:
		return t.follow(&p, outward)
	}
	key := keyOf(&p, outward)
	v := t.flowOut(now, &p)
	if p.more {
		t.noteFragment(now, key, &p, v)
	}
	return v
}

// flowOut translates a packet by its ports, and makes what is missing.
func (t *Table) flowOut(now time.Duration, p *packet) Verdict {
	back := t.own(p.dst.addr())
	switch {
	case back && t.byOutside[p.dst] == nil:
		return t.unmapped(p)
	case back && !t.cfg.Hairpin:
		return drop(NoHairpin)
	case p.isReply():
		return drop(NoMapping) // no query was ever let in
	}
	m := t.find(p.src, p.dst)
	if m == nil {
		if !p.opens() {
			return drop(NoMapping)
		}
		var r Reason
		if m, r = t.newMapping(p.src, p.dst); r != None {
			return drop(r)
		}
	}
	if r := t.trackOut(now, m, p.dst, p); r != None {
		if m.empty() {
			t.remove(m)
		}
		return drop(r)
	}
	if !back {
		m.out.add(p)
		p.setSrc(m.outside)
		return Verdict{Action: Pass}
	}
	return t.hairpin(now, m, p)
}

// hairpin sends a packet back inside, to another mapping that sees its outside
// source (RFC 4787 REQ-9a).
func (t *Table) hairpin(now time.Duration, m *mapping, p *packet) Verdict {
	to := t.byOutside[p.dst] // still there, unless it had to make room
	if to == nil {
		return drop(NoMapping)
	}
	if r := t.trackIn(now, to, m.outside, p); r != None {
		return drop(r)
	}
	m.out.add(p)
	to.in.add(p)
	p.setSrc(m.outside)
	p.setDst(to.inside)
	return Verdict{Action: Hairpin}
}

func (t *Table) noteFragment(now time.Duration, k fragmentKey, p *packet, v Verdict) {
	n := t.fragments.note(now, k, p, v.Action, t.cfg.Limits.Fragments)
	t.counters.FragmentsEvicted += uint64(n)
}
