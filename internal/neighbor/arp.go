package neighbor

import (
	"time"

	"example.com/berth/internal/header"
)

// ARP takes a valid ARP packet (RFC 826, with the choices that Linux makes).
// ForUs tells whether its target is an address of this host, and direct whether
// the frame was sent to this host alone.
//
//   - The sender is looked up in every packet, and what the table has of it is
//     brought up to date: the merge of RFC 826.
//   - An entry is made only for one who asks for us, since we are going to answer.
//     Announcements (gratuitous ARP) make none, except for LearnUnsolicited.
//   - Only the reply to a request of ours confirms that the neighbor is reachable.
//   - Of several replies the first counts: for a second (lockTime) afterwards,
//     another link-layer address is ignored unless it is announced.
func (t *Table[P]) ARP(now time.Duration, a *header.ARP, forUs, direct bool) {
	if !a.Sender.Is4() || !unicast(a.Sender, a.SenderHW) {
		t.stats.Ignored++
		return
	}
	announced := a.Sender == a.Target
	e := t.find(a.Sender)
	switch {
	case e == nil:
		if a.Op == header.ARPRequest && forUs || announced && t.cfg.LearnUnsolicited {
			t.introduce(now, a.Sender, a.SenderHW)
		}
	case e.state == Permanent:
	default:
		answer := a.Op == header.ARPReply && forUs && direct && e.state.asking()
		t.merge(now, e, a.SenderHW, answer, announced)
	}
}

func (t *Table[P]) merge(now time.Duration, e *entry[P], hw header.MAC, answer, announced bool) {
	t.age(now, e)
	incomplete := e.state == Incomplete
	if !incomplete && hw != e.hw && !announced && now-e.changed < lockTime {
		t.stats.Conflicts++
		return
	}
	changed := t.record(now, e, hw)
	switch {
	case answer:
		t.reach(now, e)
	case changed || incomplete:
		t.enter(e, Stale)
	}
	t.resolved(now, e)
}
