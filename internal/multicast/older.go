package multicast

import (
	"net/netip"
	"time"

	"example.com/berth/internal/header"
)

// version is what an interface speaks, for the sake of the querier.
type version uint8

const (
	newest version = iota // IGMPv3, MLDv2
	older                 // IGMPv2, MLDv1
	oldest                // IGMPv1
)

// settle looks which version is to be spoken now. A change cancels all answers
// and retransmissions that wait (RFC 3376 section 7.2.1, RFC 3810 section 8.2.1).
func (i *Interface) settle(now time.Duration) {
	v := newest
	switch {
	case now < i.oldestUntil:
		v = oldest
	case now < i.olderUntil:
		v = older
	}
	if v == i.speaks {
		return
	}
	i.speaks = v
	i.generalAt = 0
	for k := len(i.groups) - 1; k >= 0; k-- {
		g := i.groups[k]
		g.answerAt, g.queried, g.olderLeft = 0, nil, 0
		g.resendAt, g.modeLeft, g.changed = 0, 0, nil
		g.lastReports = true // nobody else's report was heard
		i.forget(g)
	}
}

// Version is the version of IGMP (1 to 3) or MLD (1 to 2) that is spoken.
func (i *Interface) Version(now time.Duration) int {
	i.settle(now)
	v := 3 - int(i.speaks)
	if i.cfg.IPv6 {
		v--
	}
	return v
}

// reportOlder tells of a join, and of a leave if nobody else may be in the group
// (RFC 2236 section 3, RFC 2710 section 4). These versions know no sources.
func (i *Interface) reportOlder(now time.Duration, g *group, before Sources, delay time.Duration) {
	switch {
	case before.None() && !g.state.None():
		g.olderLeft = i.robustness
		g.answerAt = now + delay
		if delay == 0 {
			i.answerOlder(now, g)
		}
	case !before.None() && g.state.None():
		g.answerAt, g.olderLeft = 0, 0
		if g.lastReports && i.speaks == older {
			m := Message{Type: header.IGMPTypeV2Leave, Group: g.addr, Dst: allRouters4}
			if i.cfg.IPv6 {
				m.Type, m.Dst = header.ICMPv6MLDDone, allRouters6
			}
			i.emit(m)
		}
	}
}

// answerOlder sends the report of a group, and if it tells of a join, decides
// when to send it again.
func (i *Interface) answerOlder(now time.Duration, g *group) {
	g.answerAt = 0
	if g.silent || g.state.None() {
		return
	}
	m := Message{Type: header.IGMPTypeV2Report, Group: g.addr, Dst: g.addr}
	switch {
	case i.cfg.IPv6:
		m.Type = header.ICMPv6MLDReport
	case i.speaks == oldest:
		m.Type = header.IGMPTypeV1Report
	}
	i.emit(m)
	g.lastReports = true
	if g.olderLeft--; g.olderLeft > 0 {
		g.answerAt = now + i.random(olderUnsolicited)
	} else {
		g.olderLeft = 0
	}
}

// Reported takes a report of another host, of IGMPv1, IGMPv2 or MLDv1. Where
// those are spoken, one host in a group is enough.
func (i *Interface) Reported(now time.Duration, group netip.Addr) {
	i.settle(now)
	g := i.find(group.WithZone(""))
	if g == nil || i.speaks == newest {
		return
	}
	if g.answerAt != 0 {
		i.stats.Suppressed++
		g.answerAt, g.olderLeft = 0, 0
		g.lastReports = false
	}
}
