package autoconf

import (
	"net/netip"
	"time"

	"example.com/berth/internal/lean"
)

// State is what an address may be used for.
type State uint8

// The states.
const (
	// Tentative: it is being checked, and may not be used (RFC 4862 section 2).
	Tentative State = 1 + iota
	// Preferred: it may be used.
	Preferred
	// Deprecated means that only what uses it already should.
	Deprecated
	// Duplicate: somebody else has it; it may not be used.
	Duplicate
)

var stateNames = [...]string{"", "tentative", "preferred", "deprecated", "duplicate"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "State(?)"
}

// Assigned tells whether the interface has the address: packets to it are taken
// and solicitations for it are answered.
func (s State) Assigned() bool { return s == Preferred || s == Deprecated }

// Origin is where an address comes from.
type Origin uint8

// The origins.
const (
	Manual    Origin = 1 + iota // the host's owner, or DHCP
	LinkLocal                   // made by the interface
	Stateless                   // made of an advertised prefix
	Temporary                   // the same, for a while (RFC 8981)
)

var originNames = [...]string{"", "manual", "link-local", "stateless", "temporary"}

func (o Origin) String() string {
	if int(o) < len(originNames) {
		return originNames[o]
	}
	return "Origin(?)"
}

// Address shows an address of an interface.
type Address struct {
	Prefix    netip.Prefix // the address with its prefix length
	State     State
	Origin    Origin
	Valid     time.Duration // until when, or Never
	Preferred time.Duration // until when, or Never
}

// address is an address and what is to happen to it.
type address struct {
	_ lean.Incomparable

	Address
	deadline time.Duration // when expire is next to look at it; Never

	// Duplicate address detection.
	probes   int           // solicitations still to send
	probeAt  time.Duration // when to send the next one, or to be content
	nonce    [6]byte       // of the last one
	attempts uint8         // DAD_Counter: identifiers given up before
	skipDAD  bool
	joined   bool // in the solicited-node group

	// Temporary addresses.
	created   time.Duration
	desync    time.Duration
	succeeded bool // another one has been made to take its place
}

func (i *Interface) lookup(addr netip.Addr) *address {
	addr = addr.WithZone("")
	for _, a := range i.addresses {
		if a.Prefix.Addr() == addr {
			return a
		}
	}
	return nil
}

// learned counts the addresses that are not set by hand.
func (i *Interface) learned() (n int) {
	for _, a := range i.addresses {
		if a.Origin == Stateless || a.Origin == Temporary {
			n++
		}
	}
	return n
}

// add begins with an address. Detection starts after delay.
func (i *Interface) add(now time.Duration, a *address, delay time.Duration) {
	a.State = Tentative
	a.deadline = a.Valid
	i.addresses = append(i.addresses, a)
	i.emit(Action{Op: AddAddress, Prefix: a.Prefix, State: Tentative, Temporary: a.Origin == Temporary})
	if i.up {
		i.detect(now, a, delay)
	}
}

// remove ends an address.
func (i *Interface) remove(a *address) {
	i.leave(a)
	i.addresses = lean.Drop(i.addresses, func(b **address) bool { return a == *b })
	i.emit(Action{Op: RemoveAddress, Prefix: a.Prefix})
}

func (i *Interface) setState(a *address, s State) {
	if a.State != s {
		a.State = s
		i.emit(Action{Op: SetAddress, Prefix: a.Prefix, State: s})
	}
}

// expire does what is due with an address, and decides when to look again. It
// is called whenever something about the address has changed.
func (i *Interface) expire(now time.Duration, a *address) {
	if now >= a.Valid {
		i.remove(a)
		return
	}
	next := a.Valid
	switch a.State {
	case Tentative:
		if i.up && now >= a.probeAt {
			i.probe(now, a)
		}
		if a.State == Tentative && i.up {
			next = min(next, a.probeAt)
		}
	case Preferred, Deprecated:
		if now >= a.Preferred {
			i.setState(a, Deprecated)
		} else {
			i.setState(a, Preferred)
		}
	}
	if a.State == Preferred {
		next = min(next, a.Preferred)
		if a.Origin == Temporary {
			next = min(next, i.regenerate(now, a))
		}
	}
	a.deadline = next
}
