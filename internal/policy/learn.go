package policy

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// maxLearned is how many different ends of flows are learned; what comes beyond
// is counted.
const maxLearned = 65536

// everywhere is what is special wherever one is.
var everywhere = newTable(nil)

// A Learner writes the policy that would have allowed what it has seen. The zero
// value has seen nothing. Its methods are called by one goroutine at a time.
type Learner struct {
	seen  map[learned]struct{}
	asked map[string]struct{}
	never []*Rule
	more  int
}

// learned is what a rule could be about.
type learned struct {
	proto Proto
	host  string // a name, or an address
	addr  netip.Addr
	port  uint16
}

// Flow learns from a flow that was allowed. The name of the verdict, if there is one, stands for
// the address.
func (l *Learner) Flow(f Flow, v Verdict) {
	if !v.Allow {
		return
	}
	one := learned{proto: f.Proto, host: v.Name, addr: f.Dst.Addr().Unmap(), port: f.Dst.Port()}
	if f.Proto == ICMP {
		one.port = 0
	}
	special := everywhere.look(one.addr)
	switch {
	case special.class == never || f.Proto != ICMP && one.port == 0:
		return
	case special.class == public && v.Name != "":
		one.addr = netip.Addr{} // any public one
	}
	if l.seen == nil {
		l.seen = make(map[learned]struct{})
	}
	if _, ok := l.seen[one]; !ok && len(l.seen) == maxLearned {
		l.more++
		return
	}
	l.seen[one] = struct{}{}
}

// Question learns that a name was asked for.
func (l *Learner) Question(q *Query) {
	if l.asked == nil {
		l.asked = make(map[string]struct{})
	}
	if _, ok := canonical(q.Name); ok && len(l.asked) < maxLearned {
		l.asked[q.Name] = struct{}{}
	}
}

// Never learns a rule that a person made to deny something for good.
func (l *Learner) Never(r *Rule) { l.never = append(l.never, r) }

// Policy is a file for --policy: what is denied for good, and a rule for each host and protocol, in order of
// names, then of addresses. It is the same whatever order things were seen in.
func (l *Learner) Policy() []byte {
	ports := make(map[learned][]uint16)
	hosts := make(map[string]bool)
	for one := range l.seen {
		target := one
		target.port = 0
		ports[target] = append(ports[target], one.port)
		hosts[one.host] = true
	}
	targets := make([]learned, 0, len(ports))
	for t := range ports {
		targets = append(targets, t)
	}
	slices.SortFunc(targets, learned.compare)
	out := []byte("# What berth run has seen. The first rule that matches decides; what none\n# matches is refused.\nrules:\n")
	for _, r := range l.never {
		out = fmt.Appendf(out, "  - deny: %q\n", r)
	}
	for _, t := range targets {
		out = fmt.Appendf(out, "  - allow: %q\n", t.rule(ports[t]))
	}
	if len(targets) == 0 {
		out = append(out, "  - deny: \"*\"\n"...)
	}
	var unused []string
	for name := range l.asked {
		if !hosts[name] {
			unused = append(unused, name)
		}
	}
	slices.Sort(unused)
	for i, name := range unused {
		if i == 0 {
			out = append(out, "# Asked for, and never connected to:\n"...)
		}
		out = fmt.Appendf(out, "#   %s\n", name)
	}
	if l.more > 0 {
		out = fmt.Appendf(out, "# There was more: %d flows are not in this file.\n", l.more)
	}
	return out
}

// compare orders names as their owners do, from the right, and before addresses.
func (a learned) compare(b learned) int {
	return cmp.Or(
		cmp.Compare(truth(a.host == ""), truth(b.host == "")),
		slices.Compare(labels(a.host), labels(b.host)),
		a.addr.Compare(b.addr),
		cmp.Compare(a.proto, b.proto),
	)
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

func labels(name string) []string {
	all := strings.Split(name, ".")
	slices.Reverse(all)
	return all
}

// rule is the text of the rule about some ports of a target.
func (a learned) rule(seen []uint16) string {
	text := a.proto.String() + "/"
	switch {
	case a.host != "" && a.addr.IsValid():
		text += a.host + "@" + bracketed(a.addr)
	case a.host != "":
		text += a.host
	default:
		text += bracketed(a.addr)
	}
	if a.proto == ICMP {
		return text
	}
	return text + ":" + portList(seen)
}

func bracketed(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// portList is the shortest list of ranges that are just these ports. A list that
// a rule would be too long for is one range.
func portList(seen []uint16) string {
	slices.Sort(seen)
	var parts []string
	for i := 0; i < len(seen); {
		j := i
		for j+1 < len(seen) && seen[j+1] == seen[j]+1 {
			j++
		}
		parts = append(parts, portRange(seen[i], seen[j]))
		i = j + 1
	}
	list := strings.Join(parts, ",")
	if len(list) > maxRule/2 {
		return portRange(seen[0], seen[len(seen)-1])
	}
	return list
}

func portRange(from, to uint16) string {
	if from == to {
		return strconv.Itoa(int(from))
	}
	return fmt.Sprintf("%d-%d", from, to)
}
