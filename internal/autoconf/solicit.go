package autoconf

import (
	"net/netip"
	"time"

	"example.com/berth/internal/lean"
)

// solicitor sends router solicitations until there is a default router.
type solicitor struct {
	_ lean.Incomparable

	next     time.Duration // when to send; 0 if there is no need
	interval time.Duration // RT of RFC 3315 section 14; 0 before the first
	begun    bool
}

// startSoliciting follows the assignment of the link-local address. The delay
// that RFC 4861 section 6.3.7 asks for was part of the detection.
func (i *Interface) startSoliciting(now time.Duration) {
	if i.cfg.IgnoreRouters || i.rs.begun {
		return
	}
	i.rs = solicitor{next: now, begun: true}
	i.solicit(now)
}

// solicit sends a solicitation when it is time. The intervals double up to an
// hour, each changed at random by a tenth (RFC 7559 section 2).
func (i *Interface) solicit(now time.Duration) {
	rs := &i.rs
	if rs.next == 0 || now < rs.next {
		return
	}
	src := i.source()
	if !src.IsValid() { // it was taken away; the next one begins anew
		*rs = solicitor{}
		return
	}
	i.emit(Action{Op: SendRS, Addr: src})
	switch rs.interval {
	case 0:
		rs.interval = i.spread(rsInterval, rsInterval)
	default:
		rs.interval = i.spread(2*rs.interval, rs.interval)
	}
	if rs.interval > rsMaxInterval {
		rs.interval = i.spread(rsMaxInterval, rsMaxInterval)
	}
	rs.next = now + rs.interval
	if i.hasDefaultRouter() { // one is enough (RFC 4861 section 6.3.7)
		rs.next = 0
	}
}

// spread gives d plus or minus a tenth of unit.
func (i *Interface) spread(d, unit time.Duration) time.Duration {
	if i.cfg.Rand == nil {
		return d
	}
	return d - unit/10 + i.random(unit/5)
}

// routerFound ends the solicitations (RFC 7559 section 2.1).
func (i *Interface) routerFound() {
	if i.rs.interval != 0 {
		i.rs.next = 0
	}
}

// source gives the link-local address to solicit from, or the zero Addr.
func (i *Interface) source() netip.Addr {
	for _, a := range i.addresses {
		if a.State.Assigned() && a.Prefix.Addr().IsLinkLocalUnicast() {
			return a.Prefix.Addr()
		}
	}
	return netip.Addr{}
}
