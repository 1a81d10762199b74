package neighbor

import (
	"net/netip"

	"example.com/berth/internal/header"
)

// Op says what an [Action] asks for.
type Op uint8

// The operations.
const (
	// Solicit: send a neighbor solicitation or an ARP request for Addr, to MAC
	// if Unicast, else to the solicited-node group or to the broadcast address.
	// Source is the source of the packet that prompted it, and is to be the
	// solicitation's own if it is an address of the interface (RFC 4861 section
	// 7.2.2); it may be the zero Addr.
	Solicit Op = 1 + iota
	// Send: Packet has waited and goes to MAC.
	Send
	// Report: Packet has waited, and Addr does not answer: release it, and tell
	// its sender that the host is unreachable.
	Report
	// Free: Packet was dropped at a limit: release it.
	Free
	// Lost: Addr stopped answering; if it is a router, choose another one.
	Lost
	// Found: Addr, which was Lost or doubted, answers.
	Found
	// NotRouter: Addr says that it is a router no more: forget it as a default
	// router (RFC 4861 section 7.2.5).
	NotRouter
)

var opNames = [...]string{"", "Solicit", "Send", "Report", "Free", "Lost", "Found", "NotRouter"}

func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return "Op(?)"
}

// Action is something that a table asks the host to do. A call leaves its
// actions in the table; [Table.Take] gets them.
type Action[P any] struct {
	_ [0]func() // nobody compares two

	Op      Op
	Addr    netip.Addr // the neighbor
	MAC     header.MAC // Send, and Solicit if Unicast
	Unicast bool       // Solicit
	Source  netip.Addr // Solicit
	Packet  P          // Send, Report, Free
}

// Take appends the actions that wait to buf, in order, and forgets them. The
// host takes them under its lock after each call, and carries them out after
// unlocking; with a buf that it keeps, that allocates nothing.
func (t *Table[P]) Take(buf []Action[P]) []Action[P] {
	if len(t.out) == 0 {
		return buf
	}
	buf = append(buf, t.out...)
	clear(t.out)
	t.out = t.out[:0]
	return buf
}

// emit adds an action. It is called in many places, seldom, so that it is not to have a
// copy in each.
//
//go:noinline
func (t *Table[P]) emit(a Action[P]) { t.out = append(t.out, a) }
