package multicast

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"example.com/berth/internal/header"
)

// Query is a membership query of any version.
type Query struct {
	Version int           // of IGMP (1 to 3) or MLD (1 to 2)
	MaxResp time.Duration // answer within
	Group   netip.Addr    // unspecified for a general query
	Sources []netip.Addr  // asked for; none for all
	QRV     uint8         // the querier's robustness; 0 if it does not say
	QQI     time.Duration // the querier's query interval; 0 if it does not say
}

// FromIGMP and FromMLD give the query that a message is.

func FromIGMP(q *header.IGMPQuery) Query {
	return Query{Version: q.Version, MaxResp: q.MaxResp, Group: q.Group, Sources: q.Sources, QRV: q.QRV, QQI: q.QQI}
}

// FromMLD is FromIGMP for MLD.
func FromMLD(q *header.MLDQuery) Query {
	return Query{Version: q.Version, MaxResp: q.MaxResp, Group: q.Group, Sources: q.Sources, QRV: q.QRV, QQI: q.QQI}
}

// Query takes a query whose packet was found valid ([Packet.CheckQuery]).
func (i *Interface) Query(now time.Duration, q Query) {
	addr := q.Group.WithZone("")
	if !addr.IsUnspecified() && !addr.IsMulticast() || addr.Is6() != i.cfg.IPv6 {
		i.stats.Ignored++
		return
	}
	i.stats.Queries++
	i.learn(now, q)
	switch {
	case i.speaks != newest:
		for _, g := range i.groups {
			if addr.IsUnspecified() || addr == g.addr {
				i.scheduleOlder(now, g, q.MaxResp)
			}
		}
	case addr.IsUnspecified():
		if len(i.groups) > 0 {
			i.scheduleGeneral(now + i.random(q.MaxResp))
		}
	default:
		if g := i.find(addr); g != nil && !g.state.None() {
			i.schedule(now+i.random(q.MaxResp), g, q.Sources)
		}
	}
	i.Timer(now) // a response time of 0 wants an answer at once
}

// learn takes what a query says of the querier: its version, its robustness and
// its interval (RFC 3376 sections 4.1.6, 4.1.7 and 7.2.1).
func (i *Interface) learn(now time.Duration, q Query) {
	version := q.Version
	if i.cfg.IPv6 {
		version++ // MLDv1 is as IGMPv2
	}
	present := now + time.Duration(i.robustness)*i.interval + q.MaxResp
	switch version {
	case 1:
		i.oldestUntil = present
	case 2:
		i.olderUntil = present
	default:
		i.robustness = i.cfg.Robustness
		if q.QRV != 0 {
			i.robustness = int(q.QRV)
		}
		i.interval = min(cmp.Or(q.QQI, defaultQueryInterval), maxInterval)
	}
	i.settle(now)
}

// scheduleGeneral plans the answer to a general query, unless one will be sent
// sooner (RFC 3810 section 6.2, rules 1 and 2).
func (i *Interface) scheduleGeneral(at time.Duration) {
	if i.generalAt == 0 || at < i.generalAt {
		i.generalAt = at
	}
}

// schedule plans the answer to a query for a group (rules 1 and 3 to 5).
func (i *Interface) schedule(at time.Duration, g *group, sources []netip.Addr) {
	if len(sources) > maxQueried {
		sources = nil
	}
	switch {
	case i.generalAt != 0 && i.generalAt < at:
		return
	case g.answerAt == 0:
		g.answerAt, g.queried = at, slices.Clone(sources)
	case len(sources) == 0 || len(g.queried) == 0:
		g.answerAt, g.queried = min(g.answerAt, at), nil
	default:
		g.answerAt = min(g.answerAt, at)
		if g.queried = append(g.queried, minus(sources, g.queried)...); len(g.queried) > maxQueried {
			g.queried = nil
		}
	}
}

// scheduleOlder plans a report, unless one will be sent sooner than the query
// wants it (RFC 2236 section 3).
func (i *Interface) scheduleOlder(now time.Duration, g *group, limit time.Duration) {
	if g.silent || g.state.None() {
		return
	}
	if g.answerAt == 0 || now+limit < g.answerAt {
		g.answerAt = now + i.random(limit)
	}
}
