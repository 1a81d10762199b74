package policy

import (
	"net/netip"
	"slices"
)

// A Rule is one line of a policy. ParseRule makes them; the zero value matches
// nothing.
type Rule struct {
	allow  bool
	text   string
	proto  Proto // 0 for each of TCP, UDP and ICMP
	target target
	name   pattern      // byName
	prefix netip.Prefix // byAddress; byName: where the name may be, invalid for any public address
	ports  []ports      // nil for all
}

// target is what a rule tells destinations apart by.
type target uint8

const (
	anything target = iota + 1
	byName
	byAddress
)

// ports is a range, both ends included.
type ports struct{ from, to uint16 }

// String is the rule as it was written.
func (r *Rule) String() string { return r.text }

// Allows tells whether the rule lets through what it matches.
func (r *Rule) Allows() bool { return r.allow }

// takes tells whether the rule is about the protocol.
func (r *Rule) takes(p Proto) bool {
	return r.proto == p || r.proto == 0 && (p == TCP || p == UDP || p == ICMP)
}

// has tells whether the rule is about a port. ICMP has none, and a rule with
// ports is not about it.
func (r *Rule) has(p Proto, port uint16) bool {
	if r.ports == nil {
		return true
	}
	return p != ICMP && slices.ContainsFunc(r.ports, func(one ports) bool { return one.from <= port && port <= one.to })
}

// whole tells whether the rule is about all that goes to its target.
func (r *Rule) whole() bool { return r.proto == 0 && r.ports == nil }
