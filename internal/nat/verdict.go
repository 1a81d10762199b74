package nat

// Action is what the router is to do with a packet.
type Action uint8

// The actions.
const (
	// Drop: nothing. The packet is as it was.
	Drop Action = iota
	// Pass: the packet was rewritten, and is to be sent on across the router.
	Pass
	// Hairpin: the packet came from inside, was rewritten, and goes back there.
	Hairpin
	// Local: the packet is not the translator's, and as it was. It is the
	// router's own to take or to send.
	Local
)

// String returns the name in small letters.
func (a Action) String() string {
	switch a {
	case Drop:
		return "drop"
	case Pass:
		return "pass"
	case Hairpin:
		return "hairpin"
	case Local:
		return "local"
	}
	return "Action(?)"
}

// Reason is why a packet was dropped, or left to the router.
type Reason uint8

// The reasons.
const (
	None Reason = iota // it was translated
	// BadHeader: not IPv4, truncated, or with a wrong header checksum.
	BadHeader
	// Truncated: a first fragment or a packet without the whole header of its
	// transport, or a fragment that would overlay one (RFC 1858).
	Truncated
	// Unsupported: neither TCP, UDP nor ICMP, or an ICMP message that is neither
	// query nor error.
	Unsupported
	// Martian: an address that no host beyond a link has, or from outside the
	// translator's own.
	Martian
	// NotExternal: from outside, and to none of the addresses of the outside.
	NotExternal
	// Own: from inside, with the translator's own address as its source.
	Own
	// NoMapping: nothing is known of it, and it does not begin anything.
	NoMapping
	// Filtered: the mapping does not let the sender in.
	Filtered
	// NoHairpin: to another inside host's outside, and Hairpin is off.
	NoHairpin
	// BadError: an ICMP error that is damaged, is itself in fragments, or does
	// not quote a packet of whom it is sent to (RFC 5508 REQ-3).
	BadError
	// Orphan: a later fragment, whose first one was not seen to be translated.
	Orphan
	// PortsExhausted: no port is left on the outside address. This reason and
	// the next three are what RFC 5508 REQ-8 answers with ICMP: destination
	// unreachable, communication administratively prohibited.
	PortsExhausted
	// MappingLimit: Limits.Mappings, and all have established connections.
	MappingLimit
	// HostLimit: Limits.PerHost.
	HostLimit
	// SessionLimit: Limits.Sessions or Limits.PerMapping, and all are
	// established connections.
	SessionLimit

	// Reasons is their number.
	Reasons = iota
)

var reasonNames = [Reasons]string{
	None: "none", BadHeader: "bad header", Truncated: "truncated", Unsupported: "unsupported protocol",
	Martian: "martian address", NotExternal: "not an outside address", Own: "own address",
	NoMapping: "no mapping", Filtered: "filtered", NoHairpin: "no hairpinning", BadError: "bad ICMP error",
	Orphan: "fragment without its first", PortsExhausted: "ports exhausted",
	MappingLimit: "too many mappings", HostLimit: "too many mappings of the host", SessionLimit: "too many sessions",
}

// String returns a few words.
func (r Reason) String() string {
	if r < Reasons {
		return reasonNames[r]
	}
	return "Reason(?)"
}

// Refused tells whether a limit is the reason: the sender is to be told that
// its packet is prohibited (RFC 5508 REQ-8).
func (r Reason) Refused() bool { return r >= PortsExhausted && r < Reasons }

// Verdict is what becomes of a packet.
type Verdict struct {
	Action Action
	Reason Reason // of Drop and Local
}

// String returns the action, and the reason if there is one.
func (v Verdict) String() string {
	if v.Reason == None {
		return v.Action.String()
	}
	return v.Action.String() + ": " + v.Reason.String()
}

func drop(r Reason) Verdict  { return Verdict{Drop, r} }
func local(r Reason) Verdict { return Verdict{Local, r} }

// Counters count packets and what was kept for them since the table was made.
type Counters struct {
	Out, In, Hairpins uint64          // translated
	Local             [Reasons]uint64 // left to the router, by reason
	Dropped           [Reasons]uint64 // by reason

	MappingsCreated, MappingsEvicted, MappingsEnded    uint64 // Ended counts all that ended
	SessionsCreated, SessionsEvicted, SessionsTimedOut uint64
	FragmentsEvicted, FragmentsTimedOut                uint64
}

// count adds a verdict to the counters, and returns it.
func (t *Table) count(v Verdict, passed *uint64) Verdict {
	c := &t.counters
	switch v.Action {
	case Pass:
		*passed++
	case Hairpin:
		c.Hairpins++
	case Local:
		c.Local[v.Reason]++
	case Drop:
		c.Dropped[v.Reason]++
	}
	return v
}

// Counters returns what has been counted.
func (t *Table) Counters() Counters { return t.counters }
