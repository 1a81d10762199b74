package policy

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// A Config is what a policy is made of. The zero value allows everything that is
// not guarded.
type Config struct {
	// Rules are asked in order; the first that matches decides. If one of them
	// allows, what none matches is refused.
	Rules []*Rule
	// Networks are those that the machine outside is on, its addresses among
	// them. Like loopback, link-local and metadata addresses they are reached
	// only by a rule that names them.
	Networks []netip.Prefix
	// Hosts are names that berth itself gives addresses: answered without asking
	// anyone, and trusted for any address.
	Hosts map[string][]netip.Addr
	// Ask, if not nil, is asked about a flow that no rule decides, neither to allow
	// nor to refuse it. It returns a rule that allows the flow, for this once, or
	// nil and why it is refused. It may block, and is called from many goroutines.
	Ask func(f Flow, v Verdict) (allow *Rule, reason string)
}

// A Policy judges flows, questions and what is said. Its methods may be called
// from many goroutines.
type Policy struct {
	rules atomic.Pointer[rules]
	hosts map[string][]netip.Addr
	ask   func(Flow, Verdict) (*Rule, string)

	mu      sync.Mutex // guards what follows
	pins    pins
	flows   map[Flow]string // that hold a pin, and its name; bounded by who carries them
	budgets budgets
	stats   Stats
}

// Stats are counters of what a policy has done since it was made.
type Stats struct {
	Allowed, Denied uint64 // flows
	Asked, Refused  uint64 // questions that went on, and that did not
	Removed         uint64 // addresses that were left out of answers
	Evicted         uint64 // pins that made room for others
	Pins            int    // that there are now
}

// New makes a policy.
func New(cfg Config) *Policy {
	p := &Policy{hosts: make(map[string][]netip.Addr), flows: make(map[Flow]string), ask: cfg.Ask}
	for name, addrs := range cfg.Hosts {
		name, ok := canonical(name)
		if !ok {
			continue
		}
		for _, a := range addrs {
			p.hosts[name] = append(p.hosts[name], a.Unmap())
			p.pins.add(time.Time{}, a.Unmap(), name, time.Time{})
		}
	}
	p.rules.Store(newRules(cfg.Rules, newTable(cfg.Networks), cfg.Ask != nil))
	return p
}

// Reload puts other rules in place of all that there are. What names mean stays;
// flows that were judged are not judged again.
func (p *Policy) Reload(list []*Rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.rules.Load()
	p.rules.Store(newRules(list, before.special, before.ask))
	p.budgets.keep(append([]*Rule{unruled}, list...))
}

// SetNetworks puts other networks in place of Config.Networks, for flows that begin from
// now on.
func (p *Policy) SetNetworks(networks []netip.Prefix) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.rules.Load()
	p.rules.Store(newRules(before.list, newTable(networks), before.ask))
}

// Stats returns the counters.
func (p *Policy) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Evicted, s.Pins = p.pins.evicted, p.pins.count
	return s
}

// Decide judges a flow that is about to begin. If the address has several names,
// the flow may be if one of them may: where the protocol says which it is about,
// Inspect has a Hello see to it, and where it does not, all of them are the same
// server. Where no rule decides it asks Config.Ask, and waits.
func (p *Policy) Decide(now time.Time, f Flow) Verdict {
	f.Dst = netip.AddrPortFrom(f.Dst.Addr().Unmap().WithZone(""), f.Dst.Port())
	v, ask := p.judge(now, f)
	if ask {
		v = p.inquire(f, v)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if v.Allow {
		p.stats.Allowed++
	} else {
		p.stats.Denied++
	}
	return v
}

// judge is what the rules say about a flow, and whether to ask about it.
func (p *Policy) judge(now time.Time, f Flow) (v Verdict, ask bool) {
	r := p.rules.Load()
	p.mu.Lock()
	defer p.mu.Unlock()
	names := p.pins.names(now, f.Dst.Addr())
	v = Verdict{names: namesOf(names)}
	if len(names) == 0 {
		o := r.judge(f, "", claimed)
		v.put(r, f, "", o)
		return v, o.ask
	}
	for i, n := range names {
		o := r.judge(f, n.name, n.trust())
		if i == 0 || o.allow || o.ask && !ask {
			v.put(r, f, n.name, o)
			ask = o.ask
		}
		if o.allow {
			break
		}
	}
	return v, ask
}

func (p *pin) trust() trust {
	if p.until.IsZero() {
		return given
	}
	return pinned
}

// put makes an outcome the verdict.
func (v *Verdict) put(r *rules, f Flow, name string, o outcome) {
	v.Allow, v.Name, v.Reason, v.Rule = o.allow, name, o.reason, ""
	if o.rule != nil {
		v.Rule = o.rule.text
	}
	v.Inspect = o.allow && r.mustHear(f, o)
}

// Begin says that a flow has begun that was allowed: until its End, its
// destination keeps the name of the verdict.
func (p *Policy) Begin(f Flow, v Verdict) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.flows[f]; !ok && p.pins.hold(f.Dst.Addr().Unmap(), v.Name) {
		p.flows[f] = v.Name
	}
}

// End says that a flow is over. Begin need not have been called.
func (p *Policy) End(now time.Time, f Flow) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if name, ok := p.flows[f]; ok {
		delete(p.flows, f)
		p.pins.release(now, f.Dst.Addr().Unmap(), name)
	}
}

// known are the names that an address had when a flow was judged, and how well
// each is known: a list, mostly of one. It is immutable.
type known struct {
	name  string
	trust trust
	next  *known
}

func namesOf(all []*pin) (k *known) {
	for _, p := range all {
		k = &known{p.name, p.trust(), k}
	}
	return k
}

// of is how well a name is known; nil knows none.
func (k *known) of(name string) trust {
	for ; k != nil; k = k.next {
		if k.name == name {
			return k.trust
		}
	}
	return claimed
}
