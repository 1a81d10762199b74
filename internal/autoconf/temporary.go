package autoconf

import (
	"net/netip"
	"slices"
	"time"

	"example.com/berth/internal/header"
)

// temporaries takes a prefix for the temporary addresses: those that there are
// get its lifetimes, as far as their own permit, and there is one at least
// (RFC 8981 section 3.4).
func (i *Interface) temporaries(now time.Duration, p *header.PrefixInfo) {
	if !i.cfg.Temporary || i.cfg.Rand == nil {
		return
	}
	have := false
	for _, a := range slices.Clone(i.addresses) {
		if a.Origin == Temporary && a.Prefix.Masked() == p.Prefix {
			a.Valid = min(validUntil(now, a.Valid, p.Valid), a.created+tempValid)
			a.Preferred = min(until(now, p.Preferred), a.created+tempPreferred-a.desync)
			i.expire(now, a)
			have = have || a.State != Deprecated
		}
	}
	if !have {
		i.newTemporary(now, p.Prefix, until(now, p.Valid), until(now, p.Preferred), i.random(i.cfg.MaxDelay))
	}
}

// newTemporary makes a temporary address of a prefix with these lifetimes, if it
// would be preferred for long enough (RFC 8981 section 3.4, steps 4 to 6).
func (i *Interface) newTemporary(now time.Duration, prefix netip.Prefix, valid, preferred, delay time.Duration) {
	desync := i.random(tempMaxDesync)
	a := &address{
		Address: Address{
			Origin:    Temporary,
			Valid:     min(valid, now+tempValid),
			Preferred: min(preferred, now+tempPreferred-desync),
		},
		created: now,
		desync:  desync,
	}
	if a.Preferred <= now+i.regenAdvance() {
		return
	}
	if i.learned() >= i.cfg.MaxAddresses {
		i.stats.Refused++
		return
	}
	if i.form(a, prefix) {
		i.add(now, a, delay)
	}
}

// regenerate makes the successor of a temporary address shortly before it is
// deprecated (RFC 8981 section 3.5), and tells when that is.
func (i *Interface) regenerate(now time.Duration, a *address) (at time.Duration) {
	at = a.Preferred - i.regenAdvance()
	switch {
	case a.succeeded:
		return Never
	case now < at:
		return at
	}
	a.succeeded = true
	if s := i.stateless(a.Prefix.Masked()); s != nil { // it has the prefix's lifetimes
		i.newTemporary(now, a.Prefix.Masked(), s.Valid, s.Preferred, 0)
	}
	return Never
}

// regenAdvance is REGEN_ADVANCE: the time that detection takes at worst.
func (i *Interface) regenAdvance() time.Duration {
	return regenAdvance + time.Duration(tempIDGenRetry*i.cfg.Transmits)*i.retrans
}
