package autoconf

import (
	"net/netip"
	"syscall"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
)

// Constants of RFC 5227 section 1.1.
const (
	probeWait        = time.Second
	probeCount       = 3
	probeMin         = time.Second
	probeMax         = 2 * time.Second
	announceWait     = 2 * time.Second
	announceCount    = 2
	announceInterval = 2 * time.Second
	defendInterval   = 10 * time.Second
)

// ACDConfig says how conflicts of IPv4 addresses are looked for.
type ACDConfig struct {
	// MAC is the interface's link-layer address.
	MAC header.MAC
	// Probes is how often an address is asked for before it is used: 3;
	// negative to use it at once.
	Probes int
	// Announcements is how often a new address is announced: 2; negative for
	// none.
	Announcements int
	// Rand gives random bits; without it probes are 1 s apart and not delayed.
	Rand func() uint64
}

// ACD looks for conflicts of the IPv4 addresses of one interface: it probes for
// each before it is used, announces it, and defends it (RFC 5227). Addresses
// are set by hand or by DHCP, and are few; there is no limit of their number.
type ACD struct {
	outbox
	cfg       ACDConfig
	addresses []*acdAddress
	conflicts uint64
}

type acdAddress struct {
	_ lean.Incomparable

	prefix   netip.Prefix
	state    State
	probes   int // still to send
	announce int // still to send
	defended time.Duration
	deadline time.Duration // 0 for none
}

// NewACD returns the detection for an interface without addresses.
func NewACD(cfg ACDConfig) *ACD {
	cfg.Probes = max(lean.Or(cfg.Probes, probeCount), 0)
	cfg.Announcements = max(lean.Or(cfg.Announcements, announceCount), 0)
	return &ACD{cfg: cfg}
}

// Add takes a new address with its prefix length, and begins to probe. Errors:
// EINVAL for an address that an interface cannot have, EEXIST for one that it
// has.
func (c *ACD) Add(now time.Duration, p netip.Prefix) error {
	addr := p.Addr()
	if !p.IsValid() || !addr.Is4() || addr.IsUnspecified() || addr.IsMulticast() {
		return syscall.EINVAL
	}
	if c.lookup(addr) != nil {
		return syscall.EEXIST
	}
	a := &acdAddress{prefix: p, state: Tentative, probes: c.cfg.Probes, announce: c.cfg.Announcements, deadline: now}
	if a.probes > 0 {
		a.deadline += c.random(probeWait)
	}
	c.addresses = append(c.addresses, a)
	c.emit(Action{Op: AddAddress, Prefix: p, State: Tentative})
	c.Timer(now)
	return nil
}

// Remove takes an address away, and tells whether there was one.
func (c *ACD) Remove(addr netip.Addr) bool {
	a := c.lookup(addr)
	if a == nil {
		return false
	}
	c.addresses = lean.Drop(c.addresses, func(b **acdAddress) bool { return a == *b })
	c.emit(Action{Op: RemoveAddress, Prefix: a.prefix})
	return true
}

// State tells what an address may be used for; 0 if there is none.
func (c *ACD) State(addr netip.Addr) State {
	if a := c.lookup(addr); a != nil {
		return a.state
	}
	return 0
}

// Conflicts counts the claims of others to addresses of the interface.
func (c *ACD) Conflicts() uint64 { return c.conflicts }

func (c *ACD) lookup(addr netip.Addr) *acdAddress {
	for _, a := range c.addresses {
		if a.prefix.Addr() == addr {
			return a
		}
	}
	return nil
}

// ARP takes every valid ARP packet that comes in, and tells whether it is a
// claim of another host to an address of this interface, which is not for the
// neighbor cache.
func (c *ACD) ARP(now time.Duration, p *header.ARP) (conflict bool) {
	if p.SenderHW == c.cfg.MAC {
		return false // our own, come back
	}
	if a := c.lookup(p.Sender); a != nil {
		c.conflict(now, a)
		return true
	}
	// Another host that probes for the same address (RFC 5227 section 2.1.1).
	if a := c.lookup(p.Target); a != nil && a.state == Tentative && p.Op == header.ARPRequest && p.Sender.IsUnspecified() {
		c.conflict(now, a)
		return true
	}
	return false
}

// conflict is another host with our address. One that is in use is defended, but
// not more than every ten seconds, so that two hosts do not do so for ever
// (RFC 5227 section 2.4 c); giving it up would break what uses it.
func (c *ACD) conflict(now time.Duration, a *acdAddress) {
	c.conflicts++
	switch {
	case a.state == Tentative:
		a.state, a.deadline = Duplicate, 0
		c.emit(Action{Op: SetAddress, Prefix: a.prefix, State: Duplicate})
	case a.state == Preferred && (a.defended == 0 || now-a.defended >= defendInterval):
		a.defended = now
		c.emit(Action{Op: SendAnnouncement, Addr: a.prefix.Addr()})
	}
}

// Deadline is when Timer is to be called next; 0 is never.
func (c *ACD) Deadline() (next time.Duration) {
	for _, a := range c.addresses {
		if a.deadline != 0 && (next == 0 || a.deadline < next) {
			next = a.deadline
		}
	}
	return next
}

// Timer does what is due.
func (c *ACD) Timer(now time.Duration) {
	for _, a := range c.addresses {
		if a.deadline != 0 && a.deadline <= now {
			c.step(now, a)
		}
	}
}

// step sends the next probe or announcement. The address is used from the first
// announcement on.
func (c *ACD) step(now time.Duration, a *acdAddress) {
	if a.probes > 0 {
		a.probes--
		c.emit(Action{Op: SendProbe, Addr: a.prefix.Addr()})
		a.deadline = now + announceWait
		if a.probes > 0 {
			a.deadline = now + probeMin + c.random(probeMax-probeMin)
		}
		return
	}
	if a.state == Tentative {
		a.state = Preferred
		c.emit(Action{Op: SetAddress, Prefix: a.prefix, State: Preferred})
	}
	a.deadline = 0
	if a.announce > 0 {
		a.announce--
		c.emit(Action{Op: SendAnnouncement, Addr: a.prefix.Addr()})
		if a.announce > 0 {
			a.deadline = now + announceInterval
		}
	}
}

func (c *ACD) random(limit time.Duration) time.Duration {
	if c.cfg.Rand == nil {
		return 0
	}
	return time.Duration(c.cfg.Rand() % uint64(limit+1))
}
