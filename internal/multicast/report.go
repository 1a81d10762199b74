package multicast

import (
	"net/netip"
	"slices"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
)

// report tells of a change of a group's state, at once or after delay (RFC 3810
// section 6.1; RFC 3376 section 5.1).
func (i *Interface) report(now time.Duration, g *group, before Sources, delay time.Duration) {
	if g.silent {
		return
	}
	if i.speaks != newest {
		i.reportOlder(now, g, before, delay)
		return
	}
	if before.Exclude != g.state.Exclude {
		g.modeLeft, g.changed = i.robustness, nil
	} else {
		for _, a := range append(minus(before.List, g.state.List), minus(g.state.List, before.List)...) {
			g.retain(a, i.robustness)
		}
	}
	if g.modeLeft == 0 && len(g.changed) == 0 {
		return
	}
	g.resendAt = now + delay
	if delay == 0 {
		i.emitRecords(i.resend(now, g))
	}
}

// reportAnew tells of a group as if it had just been joined.
func (i *Interface) reportAnew(now time.Duration, g *group) {
	switch {
	case g.silent:
	case i.speaks != newest:
		g.olderLeft = i.robustness
		g.answerAt = now
	case g.state.Exclude:
		g.modeLeft, g.resendAt = i.robustness, now
	default:
		for _, a := range g.state.List {
			g.retain(a, i.robustness)
		}
		g.resendAt = now
	}
}

// retain puts a source in so many reports to come.
func (g *group) retain(a netip.Addr, times int) {
	for k := range g.changed {
		if g.changed[k].addr == a {
			g.changed[k].left = times
			return
		}
	}
	g.changed = append(g.changed, resend{a, times})
}

// resend gives the records that tell of a group's changes, and decides when they
// are next to be sent. A filter mode record tells the whole state, the sources
// that have changed with it.
func (i *Interface) resend(now time.Duration, g *group) (records []header.GroupRecord) {
	switch {
	case g.modeLeft > 0 && g.state.Exclude:
		g.modeLeft--
		records = g.append(records, header.ChangeToExclude, g.state.List)
	case g.modeLeft > 0:
		g.modeLeft--
		records = g.append(records, header.ChangeToInclude, g.state.List)
	default:
		var allow, block []netip.Addr
		for _, r := range g.changed {
			if g.state.Allows(r.addr) {
				allow = append(allow, r.addr)
			} else {
				block = append(block, r.addr)
			}
		}
		if len(allow) > 0 {
			records = g.append(records, header.AllowNewSources, allow)
		}
		if len(block) > 0 {
			records = g.append(records, header.BlockOldSources, block)
		}
	}
	for k := range g.changed {
		g.changed[k].left--
	}
	g.changed = lean.Drop(g.changed, func(r *resend) bool { return r.left <= 0 })
	g.resendAt = 0
	if g.modeLeft > 0 || len(g.changed) > 0 {
		g.resendAt = now + i.random(unsolicitedInterval)
	}
	return records
}

// append appends a record of the group.
// It is called seldom, and too much to have a copy at every call.
//
//go:noinline
func (g *group) append(records []header.GroupRecord, typ uint8, list []netip.Addr) []header.GroupRecord {
	return append(records, header.GroupRecord{Type: typ, Group: g.addr, Sources: list})
}

// current gives the record of a group's state: all of it, or only as far as it
// concerns the sources asked for (RFC 3810 section 6.3).
func (g *group) current(asked []netip.Addr) []header.GroupRecord {
	r := header.GroupRecord{Type: header.ModeIsInclude, Group: g.addr, Sources: g.state.List}
	switch {
	case g.silent || g.state.None():
		return nil
	case len(asked) > 0 && g.state.Exclude:
		r.Sources = minus(asked, g.state.List)
	case len(asked) > 0:
		r.Sources = both(g.state.List, asked)
	case g.state.Exclude:
		r.Type = header.ModeIsExclude
	}
	if r.Type == header.ModeIsInclude && len(r.Sources) == 0 {
		return nil
	}
	return []header.GroupRecord{r}
}

// Deadline is when Timer is to be called next; 0 is never.
func (i *Interface) Deadline() (next time.Duration) {
	sooner := func(at time.Duration) {
		if at != 0 && (next == 0 || at < next) {
			next = at
		}
	}
	sooner(i.generalAt)
	for _, g := range i.groups {
		sooner(g.resendAt)
		sooner(g.answerAt)
	}
	return next
}

// Timer sends what is due.
func (i *Interface) Timer(now time.Duration) {
	i.settle(now)
	var records []header.GroupRecord
	due := func(at *time.Duration) bool {
		if *at == 0 || now < *at {
			return false
		}
		*at = 0
		return true
	}
	if due(&i.generalAt) {
		for _, g := range i.groups {
			records = append(records, g.current(nil)...)
		}
	}
	for _, g := range slices.Clone(i.groups) {
		if due(&g.answerAt) {
			if i.speaks == newest {
				records = append(records, g.current(g.queried)...)
				g.queried = nil
			} else {
				i.answerOlder(now, g)
			}
		}
		if due(&g.resendAt) {
			records = append(records, i.resend(now, g)...)
			i.forget(g)
		}
	}
	i.emitRecords(records)
}
