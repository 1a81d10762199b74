package autoconf

import (
	"encoding/binary"
	"net/netip"
	"time"

	"example.com/berth/internal/header"
)

// detect begins duplicate address detection: the solicited-node group is joined
// and, after delay, the address is asked for (RFC 4862 section 5.4.2).
func (i *Interface) detect(now time.Duration, a *address, delay time.Duration) {
	i.setState(a, Tentative)
	a.probes = i.cfg.Transmits
	if a.skipDAD {
		a.probes = 0
	}
	if a.probes == 0 {
		delay = 0
	}
	a.probeAt = now + delay
	i.join(a, delay)
	i.expire(now, a)
}

// probe sends the next solicitation, or, RetransTimer after the last, finds the
// address to be nobody else's.
func (i *Interface) probe(now time.Duration, a *address) {
	if a.probes == 0 {
		i.assign(now, a)
		return
	}
	a.probes--
	a.probeAt = now + i.retrans
	act := Action{Op: SendNS, Addr: a.Prefix.Addr()}
	if i.cfg.Rand != nil {
		var bits [8]byte
		binary.BigEndian.PutUint64(bits[:], i.cfg.Rand())
		a.nonce = [6]byte(bits[:6])
		act.HasNonce, act.Nonce = true, a.nonce
	}
	i.emit(act)
}

// assign makes a tentative address the interface's own.
func (i *Interface) assign(now time.Duration, a *address) {
	a.State = Preferred
	if now >= a.Preferred {
		a.State = Deprecated
	}
	i.emit(Action{Op: SetAddress, Prefix: a.Prefix, State: a.State})
	if i.cfg.Transmits > 0 {
		i.emit(Action{Op: SendNA, Addr: a.Prefix.Addr()})
	}
	if a.Prefix.Addr().IsLinkLocalUnicast() {
		i.startSoliciting(now)
	}
}

// Solicited takes a valid neighbor solicitation from src, and tells whether it is
// to be answered: its target is assigned to the interface (RFC 4862 section
// 5.4.3).
func (i *Interface) Solicited(now time.Duration, src netip.Addr, ns *header.NeighborSolicit) (answer bool) {
	a := i.lookup(ns.Target)
	if a == nil {
		return false
	}
	if a.State == Tentative && src.IsUnspecified() {
		if ns.HasNonce && i.cfg.Rand != nil && ns.Nonce == a.nonce {
			i.stats.LoopedBack++ // our own (RFC 7527 section 4.2)
			return false
		}
		i.duplicate(now, a)
		return false
	}
	return a.State.Assigned()
}

// Advertised takes a valid neighbor advertisement, and tells whether it concerns
// an address of this interface, so that it is not for the neighbor cache
// (RFC 4862 section 5.4.4).
func (i *Interface) Advertised(now time.Duration, na *header.NeighborAdvert) (own bool) {
	a := i.lookup(na.Target)
	if a == nil {
		return false
	}
	switch a.State {
	case Tentative:
		i.duplicate(now, a)
	case Preferred, Deprecated:
		i.stats.Conflicts++
	}
	return true
}

// duplicate is the failure of detection (RFC 4862 section 5.4.5). An address
// with an identifier of RFC 7217 or 8981 is replaced by another one, some times.
func (i *Interface) duplicate(now time.Duration, a *address) {
	i.stats.Duplicates++
	switch {
	case a.Origin == Manual:
	case i.cfg.EUI64 && a.Origin == LinkLocal:
		i.disable()
		return
	case i.cfg.EUI64 && a.Origin == Stateless:
	case a.attempts < idgenRetries:
		i.retry(now, a)
		return
	}
	// It is kept, so that the next advertisement does not begin anew.
	i.leave(a)
	i.setState(a, Duplicate)
	i.expire(now, a)
}

// retry makes another address in place of a duplicate one (RFC 7217 section 6).
func (i *Interface) retry(now time.Duration, a *address) {
	i.remove(a)
	next := *a
	next.attempts++
	if i.form(&next, a.Prefix.Masked()) {
		i.add(now, &next, i.random(idgenDelay))
	}
}

// join and leave keep the interface in the solicited-node group as long as one
// of its addresses has it (RFC 4861 section 7.2.1).
func (i *Interface) join(a *address, delay time.Duration) {
	if a.joined {
		return
	}
	group := solicitedNode(a.Prefix.Addr())
	first := !i.inGroup(group)
	a.joined = true
	if first {
		i.emit(Action{Op: JoinGroup, Addr: group, Delay: delay})
	}
}

func (i *Interface) leave(a *address) {
	if !a.joined {
		return
	}
	a.joined = false
	if group := solicitedNode(a.Prefix.Addr()); !i.inGroup(group) {
		i.emit(Action{Op: LeaveGroup, Addr: group})
	}
}

func (i *Interface) inGroup(group netip.Addr) bool {
	for _, a := range i.addresses {
		if a.joined && solicitedNode(a.Prefix.Addr()) == group {
			return true
		}
	}
	return false
}

// solicitedNode is ff02::1:ffXX:XXXX (RFC 4291 section 2.7.1).
func solicitedNode(addr netip.Addr) netip.Addr {
	a := addr.As16()
	return netip.AddrFrom16([16]byte{0: 0xff, 1: 2, 11: 1, 12: 0xff, 13: a[13], 14: a[14], 15: a[15]})
}
