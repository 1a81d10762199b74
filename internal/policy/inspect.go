package policy

import (
	"fmt"
	"net/netip"

	"example.com/berth/internal/hello"
)

// MaxHello is how many bytes of a stream a Hello wants at most before it judges.
// Of datagrams it wants four times that at most, one at a time.
const MaxHello = hello.MaxHello

// A Hello checks that what a client says agrees with what it was let through for.
// Its methods are called by one goroutine at a time.
//
// # Streams
//
// What the client sends is fed as it comes, and held back until Feed says that it
// is done; then all of it goes on, or the connection is reset. As long as the verdict
// has Inspect, what follows is treated likewise: it may be another request. What the
// server sends passes meanwhile. If the client is silent for long while something is
// held back, or closes its side, End has the verdict.
//
// # Datagrams
//
// Each datagram of the client is fed, for as long as the flow lives, since it may
// begin a new connection of QUIC at any time. If Feed is done and allows, the
// datagram goes on, after those that were held back; if it is not done, the
// datagram is held back too; if it is done and refuses, none goes on ever after.
type Hello struct {
	policy    *Policy
	rules     *rules
	flow      Flow
	verdict   Verdict
	judged    bool
	stream    hello.Stream
	datagrams hello.Datagrams
}

// NewHello makes the Hello of a flow whose verdict has Inspect.
func (p *Policy) NewHello(f Flow, v Verdict) *Hello {
	v.Inspect = false
	f.Dst = netip.AddrPortFrom(f.Dst.Addr().Unmap().WithZone(""), f.Dst.Port())
	rules := v.rules
	if rules == nil {
		rules = p.rules.Load()
	}
	return &Hello{policy: p, rules: rules, flow: f, verdict: v}
}

// Feed takes what the client sends next: bytes of a stream, or one datagram. The
// verdict counts if done is true; if it has Inspect, what comes next is to be fed,
// too.
func (h *Hello) Feed(b []byte) (done bool, v Verdict) {
	if h.judged {
		return true, h.verdict
	}
	var said []hello.Said
	var wait, over bool
	if h.flow.Proto == UDP {
		said, wait = h.datagrams.Feed(b)
	} else {
		said, wait = h.stream.Feed(b)
		over = h.stream.Over()
	}
	for _, one := range said {
		h.hear(one)
	}
	// A flow that was refused stays so.
	h.judged = over || !h.verdict.Allow
	v = h.verdict
	v.Inspect = !h.judged && h.flow.Proto != UDP // each datagram is fed anyway
	return !wait || h.judged, v
}

// End is the verdict where the client says no more. What it began to say and did
// not end is refused.
func (h *Hello) End() Verdict {
	if h.judged {
		return h.verdict
	}
	h.judged = true
	if h.flow.Proto == UDP {
		h.hear(hello.Said{Kind: hello.QUIC, Problem: "what the client says first is cut off"})
	}
	for _, one := range h.stream.End() {
		h.hear(one)
	}
	return h.verdict
}

// hear judges what was said. What was refused stays so.
func (h *Hello) hear(said hello.Said) {
	if !h.verdict.Allow || said.Kind == hello.Unknown && said.Problem == "" {
		return
	}
	silent := h.rules.judge(h.flow, "", claimed)
	switch {
	case said.Problem != "":
		if !silent.allow || h.rules.mustHear(h.flow, silent) {
			h.refuse("", said.Kind.String()+": "+said.Problem)
		}
	case len(said.Names) == 0:
		if !silent.allow {
			h.refuse("", fmt.Sprintf("%v says no %s, and no rule allows the address itself", said.Kind, field(said.Kind)))
		}
	}
	for _, name := range said.Names {
		if h.verdict.Allow {
			h.name(said.Kind, name)
		}
	}
}

// field is what a protocol's name of the server is called.
func field(k hello.Kind) string {
	if k == hello.HTTP || k == hello.HTTP2 {
		return "Host"
	}
	return "server name"
}

// name judges a name that was said.
func (h *Hello) name(kind hello.Kind, said string) {
	name, ok := canonical(said)
	if a, err := netip.ParseAddr(said); err == nil && a.Unmap() == h.flow.Dst.Addr() {
		name, ok = "", true
	}
	if !ok {
		h.refuse("", fmt.Sprintf("the %s is %q, which is no name", field(kind), said))
		return
	}
	t := h.verdict.names.of(name)
	o := h.rules.judge(h.flow, name, t)
	if o.ask && t != claimed {
		asked := h.verdict
		asked.Name = name
		if v := h.policy.inquire(h.flow, asked); v.Allow {
			h.rules, h.verdict = v.rules, v
			o = h.rules.judge(h.flow, name, t)
		} else {
			o.reason = v.Reason
		}
	}
	if !o.allow {
		reason := fmt.Sprintf("the %s is %s: %s", field(kind), said, o.reason)
		if t == claimed && name != "" && h.rules.judge(h.flow, name, pinned).allow {
			reason = fmt.Sprintf("the %s is %s, which berth's resolver did not give %v for", field(kind), name, h.flow.Dst.Addr())
		}
		h.refuse(name, reason)
		if o.rule != nil {
			h.verdict.Rule = o.rule.text
		}
		return
	}
	h.verdict.put(h.rules, h.flow, name, o)
	h.verdict.Inspect = false
}

func (h *Hello) refuse(name, reason string) {
	h.verdict = Verdict{Name: name, Reason: reason}
	h.policy.mu.Lock()
	defer h.policy.mu.Unlock()
	h.policy.stats.Denied++
}
