package autoconf

import (
	"net/netip"
	"time"

	"example.com/berth/internal/lean"
)

// Op says what an [Action] asks for.
type Op uint8

// The operations. Those that send something say what with the fields named.
const (
	// SendNS: a neighbor solicitation for Addr from :: to its solicited-node
	// group, with Nonce if HasNonce, and without a link-layer address: is
	// anybody using the address?
	SendNS Op = 1 + iota
	// SendNA: an unsolicited neighbor advertisement of Addr to all routers,
	// ff02::2, without the Override flag (RFC 9131 section 6.1.1).
	SendNA
	// SendRS: a router solicitation to ff02::2 from Addr, which is link-local,
	// with the link-layer address of the interface.
	SendRS
	// SendProbe: an ARP request for Addr from 0.0.0.0 (RFC 5227 section 2.1.1).
	SendProbe
	// SendAnnouncement: an ARP request for Addr from Addr (RFC 5227 section 2.3).
	SendAnnouncement
	// JoinGroup and LeaveGroup: the solicited-node group Addr. The report of
	// the join is to wait for Delay.
	JoinGroup
	LeaveGroup
	// AddAddress: Prefix, the address with its prefix length, is new, in State.
	AddAddress
	// SetAddress: Prefix is now in State.
	SetAddress
	// RemoveAddress: Prefix is gone.
	RemoveAddress
	// Disable: the hardware address seems to be used twice: send and take no
	// IPv6 on the interface (RFC 4862 section 5.4.5).
	Disable
	// AddRoute: packets to Prefix go to the router Addr with Preference (1 high,
	// 0, -1 low), or are on the link if Addr is the zero Addr. If there is such
	// a route already, its preference changes.
	AddRoute
	// RemoveRoute: the route to Prefix through Addr is gone.
	RemoveRoute
	// SetMTU: the link's MTU for IPv6 is Value.
	SetMTU
	// SetHopLimit: packets begin with the hop limit Value.
	SetHopLimit
	// SetTimers: Reachable and Retrans, each unless 0, for the neighbor cache.
	SetTimers
	// SetDNS: [Interface.DNS] gives another answer.
	SetDNS
)

var opNames = [...]string{
	"", "SendNS", "SendNA", "SendRS", "SendProbe", "SendAnnouncement", "JoinGroup", "LeaveGroup",
	"AddAddress", "SetAddress", "RemoveAddress", "Disable", "AddRoute", "RemoveRoute",
	"SetMTU", "SetHopLimit", "SetTimers", "SetDNS",
}

func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return "Op(?)"
}

// Action is something that the host is to do; see the operations for the fields
// that each uses.
type Action struct {
	_ lean.Incomparable

	Op                 Op
	Prefix             netip.Prefix
	Addr               netip.Addr
	State              State
	Temporary          bool // AddAddress: RFC 8981
	HasNonce           bool
	Nonce              [6]byte
	Delay              time.Duration
	Preference         int8
	Value              int
	Reachable, Retrans time.Duration
}

// outbox holds the actions that a call leaves.
type outbox struct{ actions []Action }

// Take appends the actions that wait to buf, in order, and forgets them.
func (o *outbox) Take(buf []Action) []Action {
	buf = append(buf, o.actions...)
	o.actions = o.actions[:0]
	return buf
}

// emit adds an action. It is called in many places, seldom, so that it is not to have a
// copy in each.
//
//go:noinline
func (o *outbox) emit(a Action) { o.actions = append(o.actions, a) }
