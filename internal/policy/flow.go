package policy

import (
	"fmt"
	"net/netip"
	"strconv"
)

// A Proto is what a flow is made of, as far as rules tell flows apart.
type Proto uint8

// The protocols. The zero value is none of them.
const (
	TCP   Proto = iota + 1
	UDP         // each pair of addresses and ports is one flow
	ICMP        // echo, of either version
	Other       // anything else: Flow.Number says what
)

// String is the name that rules, messages and events use: "tcp".
func (p Proto) String() string {
	switch p {
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case ICMP:
		return "icmp"
	case Other:
		return "other"
	}
	return "none"
}

// A Flow is what the program wants to send to, or has begun to send to.
type Flow struct {
	Proto  Proto
	Number uint8          // the protocol of IP, if Proto is Other
	Src    netip.AddrPort // the program's end
	Dst    netip.AddrPort // the far end as the program sees it; port 0 where there are no ports
}

// String is "tcp 203.0.113.5:443", "icmp 203.0.113.5", "protocol 132 203.0.113.5".
func (f Flow) String() string { return f.describe("") }

// describe is String with a name in place of the address.
func (f Flow) describe(name string) string {
	dst := f.Dst.Addr().Unmap()
	switch f.Proto {
	case TCP, UDP:
		if name == "" {
			return f.Proto.String() + " " + netip.AddrPortFrom(dst, f.Dst.Port()).String()
		}
		return f.Proto.String() + " " + name + ":" + strconv.Itoa(int(f.Dst.Port()))
	case Other:
		if name == "" {
			return fmt.Sprintf("protocol %d %v", f.Number, dst)
		}
		return fmt.Sprintf("protocol %d %s", f.Number, name)
	}
	if name == "" {
		return f.Proto.String() + " " + dst.String()
	}
	return f.Proto.String() + " " + name
}

// A Verdict says whether a flow may be, and why. The zero value refuses.
type Verdict struct {
	Allow bool
	// Rule is the text of the rule that decided, as it was written; empty if none
	// did.
	Rule string
	// Name is the name that the destination has for the program: one that berth's
	// DNS gave it this address for, or one that the program itself said (SNI,
	// Host). Empty if there is none.
	Name string
	// Reason is for people, why a flow is refused: "no rule allows port 22".
	Reason string
	// Inspect demands that what the client says is given to a Hello, and is held back
	// until that has judged it, up to a verdict without Inspect. What the server says
	// may pass.
	Inspect bool

	// names are those of the destination when the flow was judged.
	names *known
	// rules are those that judged it, if there was one for this flow alone.
	rules *rules
}
