package nat

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// Dependence says how much of a remote matters (RFC 4787 4.1, 5).
type Dependence uint8

// The dependences.
const (
	// EndpointIndependent: one mapping, or one permission, for all remotes.
	EndpointIndependent Dependence = iota
	// AddressDependent: one for each remote address.
	AddressDependent
	// AddressAndPortDependent: one for each remote address and port.
	AddressAndPortDependent
)

// String returns the name as in RFC 4787.
func (d Dependence) String() string {
	switch d {
	case EndpointIndependent:
		return "endpoint-independent"
	case AddressDependent:
		return "address-dependent"
	case AddressAndPortDependent:
		return "address and port-dependent"
	}
	return "Dependence(?)"
}

// Behavior is how a translator treats remotes, the same for UDP and TCP (RFC
// 5382 REQ-3). The zero value is [FullCone].
type Behavior struct {
	// Mapping says for which remotes an inside endpoint keeps its outside one.
	// Queries of ICMP always keep theirs (RFC 5508 REQ-1a).
	Mapping Dependence
	// Filtering says which remotes may send to a mapping: anybody, the
	// addresses that it has sent to, or the endpoints that it has sent to.
	Filtering Dependence
}

// The behaviors that have a name in RFC 3489 section 5.
var (
	FullCone          = Behavior{EndpointIndependent, EndpointIndependent}
	AddressRestricted = Behavior{EndpointIndependent, AddressDependent}
	PortRestricted    = Behavior{EndpointIndependent, AddressAndPortDependent}
	Symmetric         = Behavior{AddressAndPortDependent, AddressAndPortDependent}
)

// String returns the name of RFC 3489, or what RFC 4787 calls the two parts.
func (b Behavior) String() string {
	switch b {
	case Behavior{EndpointIndependent, EndpointIndependent}:
		return "full cone"
	case Behavior{EndpointIndependent, AddressDependent}:
		return "address restricted"
	case Behavior{EndpointIndependent, AddressAndPortDependent}:
		return "port restricted"
	case Behavior{AddressAndPortDependent, AddressAndPortDependent}:
		return "symmetric"
	}
	return fmt.Sprintf("%v mapping, %v filtering", b.Mapping, b.Filtering)
}

// PortRange is a range of ports, both ends included.
type PortRange struct{ First, Last uint16 }

func (r PortRange) has(port uint16) bool { return r.First <= port && port <= r.Last }

// Timeouts are how long things are kept that nobody uses. A zero field stands
// for its default.
type Timeouts struct {
	// UDP is from the last packet out. Default 5 min (RFC 4787 REQ-5c; REQ-5
	// forbids less than 2 min, which many devices have).
	UDP time.Duration
	// TCPEstablished is from the last packet of a connection that both sides
	// have opened. Default 2 h 4 min (RFC 5382 REQ-5).
	TCPEstablished time.Duration
	// TCPTransitory is the same while it is opened or closed, and after a reset.
	// Default 4 min (RFC 5382 REQ-5).
	TCPTransitory time.Duration
	// ICMP is from the last query. Default 60 s (RFC 5508 REQ-2).
	ICMP time.Duration
	// Fragment is from the first fragment of a packet to the last that follows
	// it. Default 30 s, as long as hosts wait for them.
	Fragment time.Duration
}

func (t Timeouts) withDefaults() Timeouts {
	for _, f := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.UDP, 5 * time.Minute},
		{&t.TCPEstablished, 2*time.Hour + 4*time.Minute},
		{&t.TCPTransitory, 4 * time.Minute},
		{&t.ICMP, time.Minute},
		{&t.Fragment, 30 * time.Second},
	} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return t
}

// Limits bound what a table holds. A zero field stands for its default.
type Limits struct {
	// Mappings is the most mappings, configured ones included. For a new one the
	// mapping goes that was idle longest, but none with an established
	// connection: if all have one, the new one is refused. Default 16384.
	Mappings int
	// PerHost is the most mappings of one inside address; one more is refused,
	// so that a host that scans costs the others nothing. Default a quarter of
	// Mappings.
	PerHost int
	// Sessions is the most sessions of all mappings. For a new one the session
	// goes that was idle longest and is no established connection; if all are,
	// the new one is refused. Default twice Mappings.
	Sessions int
	// PerMapping is the same for the sessions of one mapping. Default an eighth
	// of Sessions.
	PerMapping int
	// Fragments is the most fragmented packets whose later fragments are
	// awaited; the oldest goes. Default 256.
	Fragments int
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int
		value func() int
	}{
		{&l.Mappings, func() int { return 16384 }},
		{&l.PerHost, func() int { return max(1, l.Mappings/4) }},
		{&l.Sessions, func() int { return 2 * l.Mappings }},
		{&l.PerMapping, func() int { return max(1, l.Sessions/8) }},
		{&l.Fragments, func() int { return 256 }},
	} {
		if *f.field == 0 {
			*f.field = f.value()
		}
	}
	return l
}

// Config is how a table translates. [Recommended] returns one that keeps to the
// RFCs; the zero value lacks only External and, for that, Hairpin.
type Config struct {
	Behavior
	// External are the addresses of the outside, IPv4, at least one. An inside
	// address has always the same of them (RFC 4787 REQ-2, "paired").
	External []netip.Addr
	// Ports are those that mappings are given, and the identifiers of ICMP
	// queries. Zero is 1024 to 65535. They should be apart from the ports of the
	// router's own sockets on External, ephemeral ones included: a packet that
	// matches a mapping never gets to the router itself.
	Ports PortRange
	// Exclusive says that they are: what comes to one of Ports that is not
	// mapped is dropped, and not left to the router, which would refuse a SYN
	// that only comes too early (RFC 5382 REQ-4).
	Exclusive bool
	// PortPreservation gives a mapping the port of the inside if it is free.
	PortPreservation bool
	// PortParity gives an even port for an even one if there is one (RFC 4787
	// REQ-4).
	PortParity bool
	// Hairpin lets inside hosts talk through their outside endpoints (RFC 4787
	// REQ-9). Without it such packets are dropped.
	Hairpin bool
	// InboundRefresh has packets from outside keep a mapping of UDP or ICMP
	// alive, too (RFC 4787 REQ-6a).
	InboundRefresh bool
	Timeouts       Timeouts
	Limits         Limits
	// Random chooses ports. Without it they are given in sequence, as by many
	// devices, and can be guessed (RFC 6056).
	Random func() uint64
}

// Recommended returns a configuration that keeps to RFC 4787, RFC 5382 and RFC
// 5508 where they leave a choice, for the outside addresses given: mapping and
// filtering independent of the endpoint, hairpinning.
func Recommended(external ...netip.Addr) Config {
	return Config{Behavior: FullCone, External: external, PortPreservation: true, PortParity: true, Hairpin: true}
}

// complete fills in defaults, and gives EINVAL if a value makes no sense.
func (c Config) complete() (Config, error) {
	if c.Ports == (PortRange{}) {
		c.Ports = PortRange{1024, 65535}
	}
	c.Timeouts, c.Limits = c.Timeouts.withDefaults(), c.Limits.withDefaults()
	c.External = slices.Clone(c.External)
	for _, a := range c.External {
		if !a.Is4() || !translatable(word(a)) {
			return c, syscall.EINVAL
		}
	}
	shortest := min(c.Timeouts.UDP, c.Timeouts.TCPEstablished, c.Timeouts.TCPTransitory, c.Timeouts.ICMP, c.Timeouts.Fragment)
	least := min(c.Limits.Mappings, c.Limits.PerHost, c.Limits.Sessions, c.Limits.PerMapping, c.Limits.Fragments)
	switch {
	case len(c.External) == 0,
		c.Mapping > AddressAndPortDependent, c.Filtering > AddressAndPortDependent,
		c.Ports.First == 0, c.Ports.Last < c.Ports.First,
		shortest < 0, least < 0:
		return c, syscall.EINVAL
	}
	return c, nil
}
