package neighbor

// State is what is known of a neighbor (RFC 4861 section 7.3.2).
type State uint8

// The states.
const (
	// None: there is no entry.
	None State = iota
	// Incomplete: the link-layer address is being asked for.
	Incomplete
	// Reachable: it was confirmed of late that packets get there.
	Reachable
	// Stale: the link-layer address is known, and nothing is done about it
	// until a packet is sent.
	Stale
	// Delay: a packet was sent; a transport is given time to confirm.
	Delay
	// Probe: the neighbor is being asked by unicast.
	Probe
	// Unreachable: it did not answer, and is being asked by multicast, while
	// packets are still sent to the link-layer address (RFC 7048 section 3).
	Unreachable
	// Failed: nobody answers. It is kept to be shown, and counts as no entry.
	Failed
	// Permanent: set by hand; nothing from the wire changes it.
	Permanent
)

var stateNames = [...]string{
	"NONE", "INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "UNREACHABLE", "FAILED", "PERMANENT",
}

// String gives the name that the RFCs and ip-neighbour(8) use.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "State(?)"
}

// Resolved tells whether there is a link-layer address to send to.
func (s State) Resolved() bool { return s != None && s != Incomplete && s != Failed }

// InUse tells whether packets were sent to the neighbor of late and nothing
// speaks against its being there: a table that is full keeps such an entry.
func (s State) InUse() bool { return s == Reachable || s == Delay || s == Probe || s == Permanent }

// asking tells whether a solicitation may be on its way.
func (s State) asking() bool { return s == Incomplete || s == Probe || s == Unreachable }
