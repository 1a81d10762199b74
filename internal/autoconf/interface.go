package autoconf

import (
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// Interface configures the IPv6 side of one interface. It has no lock: the
// host's guards it.
type Interface struct {
	outbox
	cfg      Config
	up       bool
	disabled bool // by Disable, until Stop
	retrans  time.Duration

	addresses []*address
	prefixes  []*route // on-link
	routes    []*route // through routers
	servers   []dnsEntry
	domains   []dnsEntry
	rs        solicitor

	// What the last advertisements said, so that only changes are told.
	hopLimit      uint8
	mtu           uint32
	reachable     time.Duration
	retransSaid   time.Duration
	managed, also bool

	stats Stats
}

// Stats counts what an interface saw and refused.
type Stats struct {
	Duplicates uint64 // addresses that somebody else had
	Conflicts  uint64 // claims of others to addresses in use
	LoopedBack uint64 // our own solicitations, come back
	Adverts    uint64 // router advertisements taken
	Refused    uint64 // what advertisements said beyond the limits
	Ignored    uint64 // options that are not valid here
}

// New returns an interface that is down and has no addresses.
func New(cfg Config) *Interface {
	cfg = cfg.withDefaults()
	return &Interface{cfg: cfg, retrans: cfg.RetransTimer}
}

// Stats gives the counters.
func (i *Interface) Stats() Stats { return i.stats }

// Start says that the link is up: the link-local address is made, and what is
// set by hand is checked for duplicates.
func (i *Interface) Start(now time.Duration) {
	if i.up || i.disabled {
		return
	}
	i.up = true
	delay := i.random(i.cfg.MaxDelay)
	ll := &address{Address: Address{Origin: LinkLocal, Valid: Never, Preferred: Never}}
	manual := slices.Clone(i.addresses)
	if !i.cfg.NoLinkLocal && i.form(ll, linkLocalPrefix) { // else it is set by hand
		i.add(now, ll, delay)
	}
	for _, a := range manual {
		i.detect(now, a, delay)
	}
}

// Stop says that the link is down. What was learned is forgotten, since the link
// may be another one when it comes back; what is set by hand waits for Start.
func (i *Interface) Stop() {
	i.up, i.disabled = false, false
	i.forget()
	i.hopLimit, i.mtu, i.reachable, i.retransSaid = 0, 0, 0, 0
	i.managed, i.also = false, false
	i.retrans = i.cfg.RetransTimer
}

// forget removes what is not set by hand.
func (i *Interface) forget() {
	i.rs = solicitor{}
	for _, a := range slices.Clone(i.addresses) {
		if a.Origin != Manual {
			i.remove(a)
			continue
		}
		i.leave(a)
		i.setState(a, Tentative)
		a.deadline = a.Valid
	}
	for _, list := range []*[]*route{&i.prefixes, &i.routes} {
		for _, r := range *list {
			i.emit(Action{Op: RemoveRoute, Prefix: r.Prefix, Addr: r.Gateway})
		}
		*list = nil
	}
	if len(i.servers)+len(i.domains) > 0 {
		i.servers, i.domains = nil, nil
		i.emit(Action{Op: SetDNS})
	}
}

// disable ends IPv6 on the interface until Stop and Start (RFC 4862 section
// 5.4.5).
func (i *Interface) disable() {
	i.up, i.disabled = false, true
	i.forget()
	i.emit(Action{Op: Disable})
}

// Disabled tells whether a duplicate of the hardware's address ended IPv6.
func (i *Interface) Disabled() bool { return i.disabled }

// Lifetimes says how long an address is valid and preferred; zero is for ever,
// and a negative Preferred not at all.
type Lifetimes struct{ Valid, Preferred time.Duration }

// Add sets an address by hand, with its prefix length. SkipDAD uses it at once,
// without looking for a duplicate. The address of a prefix that was learned may
// be given too, which makes it the owner's. Errors: EINVAL for an address that
// an interface cannot have, EEXIST for one that it has.
func (i *Interface) Add(now time.Duration, p netip.Prefix, life Lifetimes, skipDAD bool) error {
	addr := p.Addr()
	if !p.IsValid() || !addr.Is6() || addr.Is4In6() || addr.IsUnspecified() || addr.IsMulticast() || addr.IsLoopback() {
		return syscall.EINVAL
	}
	p = netip.PrefixFrom(addr.WithZone(""), p.Bits())
	if a := i.lookup(addr); a != nil {
		if a.Origin == Manual {
			return syscall.EEXIST
		}
		i.remove(a)
	}
	a := &address{Address: Address{Prefix: p, Origin: Manual, Valid: Never, Preferred: Never}, skipDAD: skipDAD}
	if life.Valid > 0 {
		a.Valid = until(now, life.Valid)
	}
	if life.Preferred != 0 {
		a.Preferred = until(now, max(life.Preferred, 0))
	}
	i.add(now, a, 0)
	return nil
}

// Remove takes an address away, whatever its origin, and tells whether there was
// one.
func (i *Interface) Remove(addr netip.Addr) bool {
	a := i.lookup(addr)
	if a == nil {
		return false
	}
	i.remove(a)
	return true
}

// State tells what an address may be used for; 0 if the interface has it not.
func (i *Interface) State(addr netip.Addr) State {
	if a := i.lookup(addr); a != nil {
		return a.State
	}
	return 0
}

// Addresses appends all addresses to buf.
func (i *Interface) Addresses(buf []Address) []Address {
	for _, a := range i.addresses {
		buf = append(buf, a.Address)
	}
	return buf
}

// Deadline is when Timer is to be called next; 0 is never.
func (i *Interface) Deadline() time.Duration {
	next := Never
	for _, a := range i.addresses {
		next = min(next, a.deadline)
	}
	for _, r := range i.prefixes {
		next = min(next, r.Until)
	}
	for _, r := range i.routes {
		next = min(next, r.Until)
	}
	for _, list := range [][]dnsEntry{i.servers, i.domains} {
		for _, d := range list {
			next = min(next, d.until)
		}
	}
	if i.rs.next != 0 {
		next = min(next, i.rs.next)
	}
	if next == Never {
		return 0
	}
	return next
}

// Timer does what is due.
func (i *Interface) Timer(now time.Duration) {
	for again := true; again; { // expire may remove or add addresses
		again = false
		for _, a := range i.addresses {
			if a.deadline <= now {
				i.expire(now, a)
				again = true
				break
			}
		}
	}
	i.prefixes = i.expireRoutes(now, i.prefixes)
	i.routes = i.expireRoutes(now, i.routes)
	i.expireDNS(now)
	i.solicit(now)
}
