package policy

import (
	"fmt"
	"net/netip"
	"slices"
)

// rules are a policy's rules with what they are held against. They are immutable.
type rules struct {
	list    []*Rule
	special table
	// closed is what is not matched by any rule refused.
	closed bool
	// named is that some rule is by name.
	named bool
	// ask is that what is not matched by any rule is asked about.
	ask bool
}

func newRules(list []*Rule, special table, ask bool) *rules {
	return &rules{
		ask:     ask,
		list:    slices.Clone(list),
		special: special,
		closed:  slices.ContainsFunc(list, (*Rule).Allows),
		named:   slices.ContainsFunc(list, func(r *Rule) bool { return r.target == byName }),
	}
}

// trust is how well it is known that an address has a name.
type trust uint8

const (
	claimed trust = iota // the program says so
	pinned               // the name's owner says so, by DNS
	given                // the person who runs berth says so
)

// An outcome is what rules say about one flow.
type outcome struct {
	allow  bool
	rule   *Rule // nil if none matched
	ask    bool  // no rule decides; the reason is that for refusing it
	reason string
}

// dns is the port that is berth's own.
const dns = 53

// judge goes through the rules. The flow's addresses are unmapped. Name is
// canonical, or empty.
func (r *rules) judge(f Flow, name string, t trust) outcome {
	s := r.special.look(f.Dst.Addr())
	switch {
	case f.Proto < TCP || f.Proto > ICMP:
		return outcome{reason: fmt.Sprintf("berth does not carry protocol %d", f.Number)}
	case s.class == never:
		return outcome{reason: fmt.Sprintf("%v is %s", f.Dst.Addr(), s.what)}
	}
	near := nearness(0)
	for _, one := range r.list {
		if !one.at(f.Dst.Addr(), name, t, s) {
			continue
		}
		near = max(near, one.near(f))
		switch {
		case !one.takes(f.Proto) || !one.has(f.Proto, f.Dst.Port()):
		case !one.allow:
			return outcome{rule: one, reason: "denied by the rule " + one.text}
		case f.toResolver() && one.ports == nil:
			// Only a rule with the port opens another way to ask for names.
		default:
			return outcome{allow: true, rule: one}
		}
	}
	return r.unmatched(f, name, s, near)
}

func (f Flow) toResolver() bool {
	return f.Dst.Port() == dns && (f.Proto == TCP || f.Proto == UDP)
}

// nearness is how much of an allowing rule agreed with a flow that it did not
// allow.
type nearness uint8

const (
	rightTarget nearness = iota + 1
	rightPort
	rightProto
)

func (r *Rule) near(f Flow) nearness {
	switch {
	case !r.allow:
		return 0
	case r.takes(f.Proto):
		return rightProto
	case r.has(f.Proto, f.Dst.Port()):
		return rightPort
	}
	return rightTarget
}

// unmatched is the outcome where no rule decides.
func (r *rules) unmatched(f Flow, name string, s special, near nearness) outcome {
	switch {
	case s.class == guarded:
		return outcome{reason: fmt.Sprintf("%v is %s, which only a rule that names it opens", f.Dst.Addr(), s.what)}
	case f.toResolver():
		return outcome{reason: "names are asked of berth's own resolver; a rule with port 53 opens another"}
	case !r.closed && !r.ask:
		return outcome{allow: true}
	}
	return outcome{ask: r.ask, reason: r.missing(f, name, s, near)}
}

// missing is why no rule allows a flow.
func (r *rules) missing(f Flow, name string, s special, near nearness) string {
	who := name
	if who == "" {
		who = f.Dst.Addr().String()
	}
	switch {
	case near == rightProto && f.Proto != ICMP:
		return fmt.Sprintf("no rule allows port %d", f.Dst.Port())
	case near > 0:
		return "no rule allows " + f.Proto.String()
	case name != "" && s.class == private && r.asks(name) == nil:
		return fmt.Sprintf("%v is %s: %s@%v would allow it", f.Dst.Addr(), s.what, name, f.Dst.Addr())
	case name == "" && r.named:
		return "no rule allows " + who + ", and berth's resolver gave it for no name"
	}
	return "no rule allows " + who
}

// at tells whether the rule is about a destination.
func (r *Rule) at(a netip.Addr, name string, t trust, s special) bool {
	if !r.allow {
		return r.deniesAt(a, name)
	}
	switch r.target {
	case anything:
		return s.class < guarded
	case byAddress:
		return r.prefix.Contains(a) && (s.class < guarded || inside(s.within, r.prefix))
	case byName:
		if t == claimed || !r.name.match(name) {
			return false
		}
		if r.prefix.IsValid() {
			return r.prefix.Contains(a) && (s.class < guarded || inside(s.within, r.prefix))
		}
		return s.class == public || t == given
	}
	return false
}

// deniesAt is at for a rule that denies: it holds for an address in whatever form
// it comes, and for a name that is only claimed.
func (r *Rule) deniesAt(a netip.Addr, name string) bool {
	in := r.prefix.Contains(a) || r.prefix.IsValid() && slices.ContainsFunc(embedded(a), r.prefix.Contains)
	switch r.target {
	case anything:
		return true
	case byAddress:
		return in
	case byName:
		return name != "" && r.name.match(name) && (in || !r.prefix.IsValid())
	}
	return false
}

// inside tells whether all of a network lies in another.
func inside(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

// mustHear tells whether what the client says can change the outcome.
func (r *rules) mustHear(f Flow, o outcome) bool {
	if !r.named || f.Proto != TCP && f.Proto != UDP {
		return false
	}
	for _, one := range r.list {
		if one == o.rule {
			return one.target == byName
		}
		if one.target == byName && !one.allow && one.takes(f.Proto) && one.has(f.Proto, f.Dst.Port()) {
			return true
		}
	}
	return false
}

// A refusal is why a name must not be asked for.
type refusal struct {
	rule   string
	reason string
}

// asks tells whether a name may be asked for: nil if some flow to it could be
// allowed. A rule by address does not open the resolver, which carries data of
// its own.
func (r *rules) asks(name string) *refusal {
	for _, one := range r.list {
		switch {
		case one.target == byAddress, one.target == byName && !one.name.match(name):
		case one.allow:
			return nil
		case one.whole() && !one.prefix.IsValid():
			return &refusal{one.text, "denied by the rule " + one.text}
		}
	}
	if r.closed && !r.ask {
		return &refusal{"", "no rule allows " + name}
	}
	return nil
}

// opener is the rule that opens the resolver for a name, nil if that is none.
func (r *rules) opener(name string) *Rule {
	for _, one := range r.list {
		if one.allow && (one.target == anything || one.target == byName && one.name.match(name)) {
			return one
		}
	}
	return nil
}

// refusesAlias tells whether a name must not be known because of another that it
// is an alias of: nil unless a rule refuses that before any allows the name. What
// allows a name does not ask what it is an alias of, since who owns it says that.
func (r *rules) refusesAlias(name, alias string) *refusal {
	for _, one := range r.list {
		switch {
		case one.allow && (one.target == anything || one.target == byName && one.name.match(name)):
			return nil
		case !one.allow && one.target == byName && one.whole() && !one.prefix.IsValid() && one.name.match(alias):
			return &refusal{one.text, "denied by the rule " + one.text}
		}
	}
	return nil
}

// reaches tells whether a name may lead to an address: some flow to it could be
// allowed. An answer without it is safer, and no poorer.
func (r *rules) reaches(a netip.Addr, name string, t trust) bool {
	s := r.special.look(a)
	if s.class == never {
		return false
	}
	for _, one := range r.list {
		switch {
		case !one.at(a, name, t, s):
		case one.allow:
			return true
		case one.whole():
			return false
		}
	}
	return (r.ask || !r.closed) && s.class < guarded
}
