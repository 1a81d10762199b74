package policy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestAsk: what no rule decides is asked about, and nothing else is.
func TestAsk(t *testing.T) {
	for _, tt := range []struct {
		rules string // those with a - deny
		dst   string
		asked bool
	}{
		{"", "203.0.113.1:22", true},
		{"203.0.113.1:80", "203.0.113.1:22", true},
		{"203.0.113.1", "203.0.113.1:22", false},
		{"-203.0.113.1", "203.0.113.1:22", false},
		{"-:22 203.0.113.1", "203.0.113.1:22", false},
		{"", "10.9.9.9:22", true},
		{"", "169.254.169.254:80", false}, // guarded: only a rule that names it opens it
		{"", "127.0.0.1:80", false},
		{"", "224.0.0.1:80", false},
		{"", "203.0.113.1:53", false}, // another resolver
	} {
		for _, yes := range []bool{true, false} {
			asked := ""
			p := New(Config{Rules: askRules(t, tt.rules), Ask: func(f Flow, v Verdict) (*Rule, string) {
				asked = NewInquiry(f, v).Rule
				if !yes {
					return nil, "said so"
				}
				return askRules(t, asked)[0], ""
			}})
			f := Flow{Proto: TCP, Dst: netip.MustParseAddrPort(tt.dst)}
			v := p.Decide(time.Unix(1, 0), f)
			if (asked != "") != tt.asked {
				t.Errorf("rules %q, %s: asked about %q", tt.rules, tt.dst, asked)
			}
			if tt.asked && (v.Allow != yes || !yes && v.Reason != "said so" || yes && v.Rule != "tcp/"+tt.dst) {
				t.Errorf("rules %q, %s: %+v after %v", tt.rules, tt.dst, v, yes)
			}
		}
	}
}

func askRules(t *testing.T, texts string) (all []*Rule) {
	t.Helper()
	for _, text := range strings.Fields(texts) {
		text, deny := strings.CutPrefix(text, "-")
		r, err := ParseRule(!deny, text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// TestAskOfNames: one is asked about by name, and for what is said another name
// once more.
func TestAskOfNames(t *testing.T) {
	a := netip.MustParseAddr("203.0.113.1")
	var asked []string
	p := New(Config{
		Hosts: map[string][]netip.Addr{"one.example": {a}, "two.example": {a}, "three.example": {a}, "in.example": {netip.MustParseAddr("10.0.0.5")}},
		Ask: func(f Flow, v Verdict) (*Rule, string) {
			q := NewInquiry(f, v)
			asked = append(asked, q.What)
			if strings.Contains(q.What, "three") {
				return nil, "not three"
			}
			return askRules(t, q.Rule)[0], ""
		},
	})
	for _, name := range []string{"one.example", "two.example", "three.example", "else.example"} {
		asked = nil
		p.Reload(askRules(t, "tcp/one.example:80"))
		f := Flow{Proto: TCP, Dst: netip.AddrPortFrom(a, 80)}
		v := p.Decide(time.Unix(1, 0), f)
		if !v.Allow || !v.Inspect || len(asked) > 0 {
			t.Fatalf("%+v, asked %q", v, asked)
		}
		_, v = p.NewHello(f, v).Feed(fmt.Appendf(nil, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", name))
		wantAsked := name == "two.example" || name == "three.example"
		if v.Allow != (name == "one.example" || name == "two.example") || wantAsked != (len(asked) == 1 && asked[0] == "tcp "+name+":80") {
			t.Errorf("%s: %+v, asked %q", name, v, asked)
		}
		if name == "three.example" && !strings.Contains(v.Reason, "not three") {
			t.Errorf("the reason is %q", v.Reason)
		}
	}
	asked = nil
	v := p.Decide(time.Unix(1, 0), Flow{Proto: TCP, Dst: netip.MustParseAddrPort("10.0.0.5:22")})
	if !v.Allow || len(asked) != 1 || asked[0] != "tcp in.example:22 at 10.0.0.5" || v.Rule != "tcp/in.example@10.0.0.5:22" {
		t.Errorf("%+v, asked %q", v, asked)
	}
}

// TestAskResolves: names are looked up that could be asked about, as many as below
// a wildcard.
func TestAskResolves(t *testing.T) {
	p := New(Config{Rules: askRules(t, "-no.example allowed.example"), Ask: func(Flow, Verdict) (*Rule, string) { return nil, "" }})
	r := p.rules.Load()
	if r.asks("no.example") == nil || r.asks("other.example") != nil {
		t.Error("what is denied, and only that, does not exist")
	}
	if !r.reaches(netip.MustParseAddr("203.0.113.1"), "other.example", pinned) || r.reaches(netip.MustParseAddr("169.254.169.254"), "other.example", pinned) {
		t.Error("a name leads to what can be asked about")
	}
	now := time.Unix(1, 0)
	for i := range freshNames {
		if !p.budgets.take(now, unruled, fmt.Sprintf("n%d.example", i)) {
			t.Fatalf("%d names are too many", i)
		}
	}
	p.Reload(askRules(t, "allowed.example"))
	if p.budgets.take(now, unruled, "more.example") {
		t.Error("there is no limit, or other rules lift it")
	}
}

func TestLearnNever(t *testing.T) {
	var l Learner
	l.Never(askRules(t, "-tcp/b.example:22")[0])
	l.Flow(Flow{Proto: TCP, Dst: netip.MustParseAddrPort("203.0.113.1:22")}, Verdict{Allow: true, Name: "a.example"})
	if got := string(l.Policy()); !strings.HasSuffix(got, "  - deny: \"tcp/b.example:22\"\n  - allow: \"tcp/a.example:22\"\n") {
		t.Errorf("it wrote %q", got)
	}
}
