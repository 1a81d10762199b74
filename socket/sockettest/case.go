package sockettest

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// Case is one rule, and the test that holds a provider to it.
type Case struct {
	// Name is subject/what, and /v4 or /v6 where the case runs over each.
	Name string
	// Rule is what a provider does, in a sentence.
	Rule string

	needs need
	run   func(*T)
}

// need is a set of things that a case cannot do without.
type need uint

const (
	ipv4      need = 1 << iota
	ipv6           // global addresses
	link           // two hosts and a link between them
	linkLocal      // link-local addresses
	broadcast
	raw
	admin
	ping
)

// missing names the first thing that the environment lacks; "" if none.
func (n need) missing(e *Env) string {
	for _, m := range []struct {
		need need
		has  bool
		what string
	}{
		{ipv4, e.AddrA4.IsValid() && e.AddrB4.IsValid(), "IPv4 addresses"},
		{ipv6, e.AddrA6.IsValid() && e.AddrB6.IsValid(), "IPv6 addresses"},
		{link, !e.oneHost(), "two hosts on a link"},
		{linkLocal, e.LinkLocalA.IsValid() && e.LinkLocalB.IsValid(), "link-local addresses"},
		{broadcast, e.Broadcast4.IsValid(), "a broadcast address"},
		{raw, e.Raw, "the privilege of raw sockets"},
		{admin, e.Admin, "the privilege of network administration"},
		{ping, e.Ping, "the privilege of ping sockets"},
	} {
		if n&m.need != 0 && !m.has {
			return m.what
		}
	}
	return ""
}

// rows are some cases of a table.
type rows []Case

// on4 is a case of IPv4, on6 one of IPv6, both one of each with the same test.
func on4(name, rule string, run func(*T, family)) rows {
	return rows{{name, rule, ipv4, func(t *T) { run(t, t.Env.ipv4()) }}}
}

func on6(name, rule string, run func(*T, family)) rows {
	return rows{{name, rule, ipv6, func(t *T) { run(t, t.Env.ipv6()) }}}
}

func both(name, rule string, run func(*T, family)) rows {
	return slices.Concat(on4(name+"/v4", rule, run), on6(name+"/v6", rule, run))
}

// on46 is a case that needs both families at once.
func on46(name, rule string, run func(*T)) rows {
	return rows{{name, rule, ipv4 | ipv6, run}}
}

// needing adds to what the cases need.
func (r rows) needing(n need) rows {
	r = slices.Clone(r)
	for i := range r {
		r[i].needs |= n
	}
	return r
}

// Cases returns all cases in the order in which Run runs them.
func Cases() []Case {
	var all []Case
	for _, table := range [][]rows{
		createCases, bindCases, listenCases, connectCases, streamCases, urgentCases, shutdownCases,
		closeCases, lingerCases, nonblockCases, pollCases, deadlineCases,
		datagramCases, connectedUDPCases, errqueueCases, icmpErrorCases, rawCases, pingCases, dualStackCases, socketOptionCases,
		ipOptionCases, ipv6OptionCases, tcpOptionCases, keyCases, tcpInfoCases, pktinfoCases, headerOptionCases, multicastCases,
		reuseCases, flagsCases, zeroCopyCases, concurrencyCases, pmtuCases,
	} {
		all = append(all, slices.Concat(table...)...)
	}
	return all
}

// List writes the names and rules of all cases, one on a line.
func List(w io.Writer) error {
	for _, c := range Cases() {
		if _, err := fmt.Fprintf(w, "%-44s %s\n", c.Name, c.Rule); err != nil {
			return err
		}
	}
	return nil
}

// Run runs all cases as subtests of t.
func Run(t *testing.T, env Env) {
	cases := Cases()
	for name := range env.Differences {
		if !slices.ContainsFunc(cases, func(c Case) bool { return c.Name == name }) {
			t.Errorf("Differences names %q, which is no case", name)
		}
	}
	bySubject := func(c Case) string { subject, _, _ := strings.Cut(c.Name, "/"); return subject }
	for len(cases) > 0 {
		subject := bySubject(cases[0])
		n := slices.IndexFunc(cases, func(c Case) bool { return bySubject(c) != subject })
		if n < 0 {
			n = len(cases)
		}
		t.Run(subject, func(t *testing.T) {
			for _, c := range cases[:n] {
				t.Run(strings.TrimPrefix(c.Name, subject+"/"), func(t *testing.T) { c.Run(t, &env) })
			}
		})
		cases = cases[n:]
	}
}

// Run runs the case, or skips it with the reason.
func (c Case) Run(t *testing.T, env *Env) {
	if reason, ok := env.Differences[c.Name]; ok {
		t.Skip("differs from Linux: " + reason)
	}
	if what := c.needs.missing(env); what != "" {
		t.Skip("needs " + what)
	}
	c.run(&T{T: t, Env: env})
	if t.Failed() {
		t.Log("rule: " + c.Rule)
	}
}
