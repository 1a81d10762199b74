package autoconf

import (
	"net/netip"
	"time"

	"example.com/berth/internal/header"
)

// RouterAdvert takes a valid router advertisement from the router src (RFC 4861
// section 6.3.4). The router's link-layer address is for the neighbor cache, and
// none of this package's.
func (i *Interface) RouterAdvert(now time.Duration, src netip.Addr, ra *header.RouterAdvert) {
	if !i.up || i.cfg.IgnoreRouters {
		return
	}
	i.stats.Adverts++
	src = src.WithZone("")
	i.parameters(ra)
	i.managed, i.also = ra.Managed, ra.Other
	i.setRoute(now, &i.routes, i.cfg.MaxRoutes, Route{Prefix: defaultRoute, Gateway: src, Preference: ra.Preference}, ra.RouterLifetime)
	for _, r := range ra.RouteInfos { // these prevail (RFC 4191 section 3.1)
		if r.Prefix == defaultRoute || isPrefix(r.Prefix) {
			i.setRoute(now, &i.routes, i.cfg.MaxRoutes, Route{Prefix: r.Prefix, Gateway: src, Preference: r.Preference}, r.Lifetime)
		} else {
			i.stats.Ignored++
		}
	}
	if i.hasDefaultRouter() {
		i.routerFound()
	}
	for k := range ra.Prefixes {
		i.prefix(now, &ra.Prefixes[k])
	}
	i.dns(now, ra)
}

// parameters takes the parameters of the link; zero leaves each as it is.
func (i *Interface) parameters(ra *header.RouterAdvert) {
	if ra.CurHopLimit != 0 && ra.CurHopLimit != i.hopLimit {
		i.hopLimit = ra.CurHopLimit
		i.emit(Action{Op: SetHopLimit, Value: int(ra.CurHopLimit)})
	}
	if ra.MTU != 0 && ra.MTU != i.mtu {
		if ra.MTU >= minMTU && ra.MTU <= 65535 && (i.cfg.MTU == 0 || int(ra.MTU) <= i.cfg.MTU) {
			i.mtu = ra.MTU
			i.emit(Action{Op: SetMTU, Value: int(ra.MTU)})
		} else {
			i.stats.Ignored++
		}
	}
	if ra.ReachableTime != 0 && ra.ReachableTime != i.reachable || ra.RetransTimer != 0 && ra.RetransTimer != i.retransSaid {
		if ra.RetransTimer != 0 {
			i.retransSaid = ra.RetransTimer
			i.retrans = min(max(ra.RetransTimer, minRetransTimer), maxRetransTimer)
		}
		if ra.ReachableTime != 0 {
			i.reachable = ra.ReachableTime
		}
		i.emit(Action{Op: SetTimers, Reachable: ra.ReachableTime, Retrans: ra.RetransTimer})
	}
}

// Managed and Other are the flags of the last advertisement: there is DHCPv6 for
// addresses, and for other things.
func (i *Interface) Managed() bool { return i.managed }
func (i *Interface) Other() bool   { return i.also }

// prefix takes a prefix information option: what is on the link (RFC 4861
// section 6.3.4), and what to make addresses of (RFC 4862 section 5.5.3).
func (i *Interface) prefix(now time.Duration, p *header.PrefixInfo) {
	if !isPrefix(p.Prefix) || p.Preferred > p.Valid {
		i.stats.Ignored++
		return
	}
	if p.OnLink {
		i.setRoute(now, &i.prefixes, i.cfg.MaxPrefixes, Route{Prefix: p.Prefix}, p.Valid)
	}
	if !p.Autonomous {
		return
	}
	if p.Prefix.Bits() != 64 { // the length of our identifiers
		i.stats.Ignored++
		return
	}
	if a := i.stateless(p.Prefix); a != nil {
		i.extend(now, a, p)
	} else if p.Valid != 0 {
		i.configure(now, p)
	}
	i.temporaries(now, p)
}

// stateless finds the address that was made of a prefix.
func (i *Interface) stateless(prefix netip.Prefix) *address {
	for _, a := range i.addresses {
		if a.Origin == Stateless && a.Prefix.Masked() == prefix {
			return a
		}
	}
	return nil
}

// configure makes an address of a prefix (RFC 4862 section 5.5.3 d).
func (i *Interface) configure(now time.Duration, p *header.PrefixInfo) {
	if i.learned() >= i.cfg.MaxAddresses {
		i.stats.Refused++
		return
	}
	a := &address{Address: Address{Origin: Stateless, Valid: until(now, p.Valid), Preferred: until(now, p.Preferred)}}
	if i.form(a, p.Prefix) { // else it is set by hand
		// The advertisement went to all hosts of the link at once.
		i.add(now, a, i.random(i.cfg.MaxDelay))
	}
}

// extend sets the lifetimes of an address anew (RFC 4862 section 5.5.3 e).
func (i *Interface) extend(now time.Duration, a *address, p *header.PrefixInfo) {
	a.Preferred = until(now, p.Preferred)
	a.Valid = validUntil(now, a.Valid, p.Valid)
	i.expire(now, a)
}

// validUntil is the rule of two hours: nobody on the link can end an address
// sooner than that.
func validUntil(now, valid, advertised time.Duration) time.Duration {
	switch remaining := valid - now; {
	case advertised > twoHours || advertised > remaining:
		return until(now, advertised)
	case remaining <= twoHours:
		return valid
	}
	return now + twoHours
}

// isPrefix tells whether a prefix can be one of hosts elsewhere, or of this link
// beside the link-local one. That everything is on the link is not believed.
func isPrefix(p netip.Prefix) bool {
	a := p.Addr()
	return p.IsValid() && p.Bits() > 0 && !a.IsLinkLocalUnicast() && !a.IsMulticast() &&
		!a.IsUnspecified() && !a.IsLoopback() && !a.Is4In6()
}
