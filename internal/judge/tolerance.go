package judge

import "slices"

// What hosts may do sooner or later than each other, and so is not compared step
// by step.

// spoken are the packets of a step that have to be the same: those that say
// something. Acknowledgments alone are looked at apart, and what is sent again
// comes when a timer says so.
func (o *Observation) spoken(out leave) []string {
	var s []string
	for i := range o.Sent {
		if k := &o.Sent[i]; !k.pure() && !k.Again {
			s = append(s, k.text(out))
		}
	}
	return s
}

// duplicates are the acknowledgments of a step that acknowledge nothing new: each
// answers something. Was is what was acknowledged before.
func (o *Observation) duplicates(was int, out leave) []string {
	var s []string
	for i := range o.Sent {
		k := &o.Sent[i]
		if !k.pure() || k.Ack > was && (len(k.SACK) == 0 || out.sack || len(k.SACK) == 1 && k.SACK[0][1] <= k.Ack) || k.probe(o) {
			continue
		}
		if text := k.text(out); !slices.Contains(s, text) {
			s = append(s, text)
		}
	}
	return s
}

// probe tells whether a packet asks for an answer: of a keepalive or of a closed
// window, which a timer sends.
func (p *Packet) probe(o *Observation) bool {
	for i := range o.Sent {
		if k := &o.Sent[i]; k.Seq > p.Seq && k != p && k.pure() {
			return true
		}
	}
	return false
}

// late tells whether the two steps differ only because one of the hosts, or both,
// had not acknowledged yet what it may acknowledge later (RFC 9293 3.8.6.3): it
// does now, and that is its answer.
func late(x, y *Observation, wasX, wasY int, out leave) bool {
	return wasX != wasY && fresh(x, wasX) != fresh(y, wasY) && answer(x, out) == answer(y, out)
}

// fresh tells whether something new is acknowledged.
func fresh(o *Observation, was int) bool {
	for i := range o.Sent {
		if o.Sent[i].Ack > was {
			return true
		}
	}
	return false
}

// answer is the last acknowledgment of a step.
func answer(o *Observation, out leave) string {
	for i := len(o.Sent) - 1; i >= 0; i-- {
		if o.Sent[i].pure() {
			return o.Sent[i].text(out)
		}
	}
	return ""
}

// old tells whether a step is a segment that begins before what comes next, while
// one host has acknowledged more than the other: where the window begins follows
// from that.
func old(step Step, apart bool) bool {
	s, ok := step.(*segment)
	return ok && apart && (s.off < 0 || s.seq != next)
}

// readsOn tells whether a step makes room in the window, or says that no
// acknowledgment is to wait: when the window is offered anew follows from how a
// host counts memory.
func readsOn(s Step) bool {
	_, ok := s.(onSocket)
	return ok
}
