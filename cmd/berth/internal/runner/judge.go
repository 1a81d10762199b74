package runner

import (
	"net/netip"
	"slices"
	"time"

	"example.com/berth/internal/gateway"
	"example.com/berth/internal/policy"
)

// judge asks a policy, after what the kind of network and the flags say.
type judge struct {
	*policy.Policy
	net      Net
	loopback []netip.Addr
}

// Decide implements gateway.Judge.
func (j *judge) Decide(now time.Time, f policy.Flow) policy.Verdict {
	v := j.Policy.Decide(now, f)
	ours := slices.Contains(j.loopback, f.Dst.Addr().Unmap())
	switch {
	case j.net == HostOnly && !ours:
		return policy.Verdict{Name: v.Name, Reason: "--net host-only ends at this machine"}
	case !v.Allow && v.Rule == "" && ours:
		// The flag that made the alias opened it; a rule may close it again.
		return policy.Verdict{Allow: true, Name: LoopbackName}
	}
	return v
}

// askUnless asks about all flows but those to the aliases, which the flag that made
// them opened.
func askUnless(loopback []netip.Addr, ask askFunc) askFunc {
	return func(f policy.Flow, v policy.Verdict) (*policy.Rule, string) {
		if slices.Contains(loopback, f.Dst.Addr().Unmap()) {
			return nil, "" // and Decide allows it
		}
		return ask(f, v)
	}
}

// askFunc is a policy.Config's Ask.
type askFunc = func(policy.Flow, policy.Verdict) (*policy.Rule, string)

// NewHello implements gateway.Judge.
func (j *judge) NewHello(f policy.Flow, v policy.Verdict) gateway.Hello {
	return j.Policy.NewHello(f, v)
}
