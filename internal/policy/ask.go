package policy

import "net/netip"

// unruled stands for the rule that names have which no rule is about, where flows
// to them are asked about: what such names carry is limited as below a wildcard.
var unruled = &Rule{allow: true, text: "--ask", target: byName, name: "*."}

// inquire asks about a flow that no rule decides, and judges it by the answer.
func (p *Policy) inquire(f Flow, v Verdict) Verdict {
	rule, reason := p.ask(f, v)
	r := p.rules.Load()
	if rule != nil {
		r = newRules(append(r.list[:len(r.list):len(r.list)], rule), r.special, r.ask)
	}
	// The name means what it meant when the question was asked.
	o := r.judge(f, v.Name, v.names.of(v.Name))
	if o.ask {
		o = outcome{reason: reason}
	}
	v.put(r, f, v.Name, o)
	v.rules = r
	return v
}

// An Inquiry is what a person is asked about a flow that no rule decides.
type Inquiry struct {
	// What is the flow as a terminal may show it: "tcp ssh.example.net:22", and
	// where a name leads into a private network, to which address.
	What string
	// Rule is the text of the rule that is about what goes to the same port of the
	// same name, or address if it has none.
	Rule string
}

// NewInquiry makes the inquiry about a flow and the verdict on it so far.
func NewInquiry(f Flow, v Verdict) Inquiry {
	one := learned{proto: f.Proto, host: v.Name, addr: f.Dst.Addr().Unmap()}
	what := f.describe(v.Name)
	switch {
	case v.Name == "":
	case everywhere.look(one.addr).class == public:
		one.addr = netip.Addr{} // any public one
	default:
		what += " at " + one.addr.String()
	}
	return Inquiry{What: clean(what), Rule: one.rule([]uint16{f.Dst.Port()})}
}
