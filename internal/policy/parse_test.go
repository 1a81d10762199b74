package policy

import (
	"errors"
	"strings"
	"testing"
)

// rulesOf reads rules: one that begins with "-" denies.
func rulesOf(t testing.TB, texts ...string) (list []*Rule) {
	t.Helper()
	for _, text := range texts {
		text, denies := strings.CutPrefix(text, "-")
		r, err := ParseRule(!denies, text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

func TestRulesThatAreRead(t *testing.T) {
	for _, tt := range []struct {
		text  string
		match string // what the rule is about
		not   string // what it is not about
	}{
		{"*", "tcp 203.0.113.5:22, udp [2001:db8::1]:9, icmp 203.0.113.5", ""},
		{"any", "tcp 203.0.113.5:22, icmp 203.0.113.5", ""},
		{"tcp", "tcp 203.0.113.5:22", "udp 203.0.113.5:22, icmp 203.0.113.5"},
		{"icmp", "icmp 203.0.113.5", "tcp 203.0.113.5:22"},
		{":22", "tcp 203.0.113.5:22, udp 203.0.113.5:22", "tcp 203.0.113.5:23, icmp 203.0.113.5"},
		{"*:22", "tcp 203.0.113.5:22", "tcp 203.0.113.5:23"},
		{"udp/:22", "udp 203.0.113.5:22", "tcp 203.0.113.5:22"},
		{"udp/*", "udp 203.0.113.5:22", "tcp 203.0.113.5:22"},
		{":8000-8999,22", "tcp 203.0.113.5:8000, tcp 203.0.113.5:8999, tcp 203.0.113.5:22", "tcp 203.0.113.5:7999, tcp 203.0.113.5:9000"},
		{"203.0.113.5", "tcp 203.0.113.5:1, icmp 203.0.113.5", "tcp 203.0.113.6:1"},
		{"203.0.113.0/24:22", "tcp 203.0.113.77:22", "tcp 203.0.113.77:23, tcp 203.0.114.77:22, icmp 203.0.113.77"},
		{"::ffff:203.0.113.0/120", "tcp 203.0.113.77:22", "tcp 203.0.114.1:22"},
		{"::ffff:203.0.113.5", "tcp 203.0.113.5:22", ""},
		{"2001:db8::1", "tcp [2001:db8::1]:22", "tcp [2001:db8::2]:22"},
		{"2001:db8::/32", "tcp [2001:db8:1::1]:22", "tcp [2001:db9::2]:22"},
		{"[2001:db8::/32]:443", "tcp [2001:db8:1::1]:443", "tcp [2001:db8:1::1]:22"},
		{"icmp/[2001:db8::1]", "icmp 2001:db8::1", "tcp [2001:db8::1]:443"},
		{"tcp/a.example", "tcp a.example:1", "udp a.example:1"},
		{"A.Example.:443", "tcp a.example:443", "tcp a.example:80, tcp b.a.example:443"},
		{"*.a.example", "tcp b.a.example:443, tcp c.b.a.example:443", "tcp a.example:443, tcp ba.example:443, tcp a.example.b:443"},
		{"xn--bcher-kva.example", "tcp xn--bcher-kva.example:1", "tcp b.example:1"},
		{"_srv.a.example", "tcp _srv.a.example:1", ""},
		{"db:5432", "tcp db:5432", "tcp db.example:5432"},
		{"a.example@10.0.0.0/8:443", "", "tcp a.example:443"},
		{"a.example@[2001:db8::/32]:443", "", "tcp a.example:443"},
		{"a.example@2001:db8::/32", "", "tcp a.example:443"},
		{"*.a.example@203.0.113.0/24", "tcp b.a.example:443", ""},
	} {
		r, err := ParseRule(true, tt.text)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if r.String() != tt.text || !r.Allows() {
			t.Errorf("%q is %q", tt.text, r)
		}
		rules := newRules([]*Rule{r}, newTable(nil), false)
		for flow, want := range flows(t, tt.match, tt.not) {
			f, name := flowOf(t, flow)
			if o := rules.judge(f, name, pinned); o.allow != want {
				t.Errorf("%q and %s: %+v", tt.text, flow, o)
			}
		}
	}
}

// flows are lists with commas, and whether each is to be allowed.
func flows(t *testing.T, yes, no string) map[string]bool {
	t.Helper()
	all := make(map[string]bool)
	for _, f := range strings.Split(yes, ", ") {
		all[f] = true
	}
	for _, f := range strings.Split(no, ", ") {
		all[f] = false
	}
	delete(all, "")
	return all
}

func TestRulesWithMistakes(t *testing.T) {
	for _, tt := range []struct {
		text, place, problem string
	}{
		{"", "^", "the rule is empty"},
		{"a b", " ^", "there is a space"},
		{"https://example.com/", "     ^^^", "this is a URL"},
		{"sctp/example.com", "^^^^", `unknown protocol "sctp"`},
		{"tcp/", "    ^", "nothing behind the protocol"},
		{"example.com:99999", "            ^^^^^", `this is not a port: "99999"`},
		{"example.com:0", "            ^", "not a port"},
		{"example.com:https", "            ^^^^^", "not a port"},
		{"example.com:", "            ^", "not a port"},
		{"example.com:80,,81", "               ^", "not a port"},
		{"example.com:90-80", "            ^^^^^", "the range ends before it begins"},
		{"example.com:80-x", "               ^", "not a port"},
		{"icmp/example.com:80", "                 ^^", "icmp has no ports"},
		{"exa$mple.com", "   ^", `'$' cannot be in a name`},
		{"bücher.example", " ^", `'ü' cannot be in a name`},
		{"b\xff.example", " ^", `cannot be in a name`},
		{"*example.com", "^", `'*' cannot be in a name`},
		{"a.*.example.com", "  ^", `'*' cannot be in a name`},
		{"a..example.com", " ^", "nothing between two dots"},
		{".example.com", "^", "nothing between two dots"},
		{"*.", "  ^", "there is no name"},
		{"1.2.3", "    ^", "does not end in a number"},
		{"256.1.1.1", "        ^", "does not end in a number"},
		{"0x7f.0x1", "     ^^^", "does not end in a number"},
		{strings.Repeat("a", 64) + ".example", strings.Repeat("^", 64), "a part of a name has at most 63"},
		{strings.Repeat("a.", 130) + "example", strings.Repeat(" ", 253) + strings.Repeat("^", 14), "a name has at most 253"},
		{strings.Repeat("a", 1025), "^", "longer than 1024 bytes"},
		{"10.0.0.0/33", "         ^^", "not the length of a prefix"},
		{"10.1.0.0/8", "^^^^^^^^^^", "bits set behind its length"},
		{"::ffff:10.0.0.0/90", "^^^^^^^^^^^^^^^^^^", "bits set behind its length"},
		{"2001:db8::/32:443", "           ^^^^^^", "not the length of a prefix"},
		{"2001:db8::zz:443", "^^^^^^^^^^^^^^^^", "not an address"},
		{"fe80::1%eth0", "^^^^^^^^^^^^", "no zone"},
		{"[2001:db8::1", "^", "the bracket is not closed"},
		{"[2001:db8::1]443", "             ^^^", "does not belong"},
		{"[192.0.2.1]:443", " ^^^^^^^^^", "only IPv6 stands in brackets"},
		{"[a.example]:443", " ^^^^^^^^^", "not an address"},
		{"a.example@", "          ^", "no network behind the @"},
		{"a.example@b.example", "          ^^^^^^^^^", "not an address"},
		{"10.0.0.0/8/9", "         ^^^", "not the length"},
	} {
		_, err := ParseRule(true, tt.text)
		var e *RuleError
		if !errors.As(err, &e) {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		if !strings.Contains(err.Error(), tt.problem) {
			t.Errorf("%q: %v", tt.text, err)
		}
		if got := strings.Repeat(" ", e.Column()-1) + strings.Repeat("^", e.Characters()); got != tt.place {
			t.Errorf("%s\n%s, want\n%s", tt.text, got, tt.place)
		}
	}
}

func TestAMistakeIsShownAtItsPlace(t *testing.T) {
	_, err := ParseRule(true, "tcp/exämple.com:99999")
	var out strings.Builder
	err.(*RuleError).Print(&out, "berth run")
	const want = `berth run: rule "tcp/exämple.com:99999", column 7: 'ä' cannot be in a name

    tcp/exämple.com:99999
          ^
Hint:  write the name as DNS has it: xn--...
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
}

func FuzzParseRule(f *testing.F) {
	for _, s := range []string{"*.example.com:443", "tcp/[2001:db8::/32]:1-2,3", "a@10.0.0.0/8", "icmp", ":22"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRule(true, s)
		if err != nil {
			err.(*RuleError).Print(&strings.Builder{}, "x")
			return
		}
		if r.target == 0 {
			t.Errorf("%q is about nothing", s)
		}
		if r.target == byName {
			if _, _, problem := badName(strings.TrimPrefix(string(r.name), "*.")); problem != "" {
				t.Errorf("%q: %s", s, problem)
			}
		}
	})
}
