package policy

import (
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/berth/internal/badline"
)

func TestFiles(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"rules", "rules:\n  - allow: a.example:443\n  - deny: 10.0.0.0/8\n", "a.example:443 -10.0.0.0/8"},
		{"in JSON", `{"rules": [{"allow": ["*", ":22"]}]}`, "* :22"},
		{"lists", "rules:\n- deny: [a, b]\n- allow: [\"*.c\"]\n- allow: []\n", "-a -b *.c"},
		{"anchors", "x-mine: &m [a, b]\nx-rule: &r {deny: c}\nrules:\n- allow: *m\n- *r\n", "a b -c"},
		{"numbers are text", "rules:\n- allow: 10.0.0.0/8\n- allow: 192.0.2.1\n", "10.0.0.0/8 192.0.2.1"},
		{"no rules", "rules:\n", ""},
		{"comments", "# hello\nrules: # here\n- allow: a # there\n", "a"},
	} {
		file, err := ParseFile("p.yaml", []byte(tt.in))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		for _, r := range file.Rules {
			text := r.String()
			if !r.Allows() {
				text = "-" + text
			}
			got = append(got, text)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}

func TestFilesWithMistakes(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", "1:1: the file is empty"},
		{"null", "~\n", "1:1: the file is empty"},
		{"an unknown key", "rules:\n- allow: a\nrulez: 1\n", `3:1: unknown key "rulez" in the file`},
		{"an unknown key of a rule", "rules:\n  - allow: a\n  - alow: a\n", `3:5: unknown key "alow" in a rule`},
		{"no rules", "x-a: 1\n", "1:1: the file has no rules"},
		{"a list", "- a\n", "1:1: the file is a mapping"},
		{"twice", "rules: []\nrules: []\n", `2:1: the key "rules" is there twice`},
		{"a mapping for a key", "? {a: b}\n: c\nrules: []\n", "1:3: a key of the file is a word"},
		{"rules as text", "rules: a\n", "1:8: the rules are a list"},
		{"a rule as text", "rules: [a]\n", "1:9: a rule is a mapping"},
		{"an empty rule", "rules: [{}]\n", "1:9: the rule is empty"},
		{"both", "rules: [{allow: a, deny: b}]\n", "1:9: the rule allows and denies"},
		{"a rule that is nothing", "rules:\n- allow:\n", "2:9: a rule is text"},
		{"a rule that is a mapping", "rules:\n- allow: {a: b}\n", "2:10: a rule is text"},
		{"a list in a list", "rules:\n- allow: [[a]]\n", "2:11: a rule is text"},
		{"a mistake in a rule", "rules:\n- allow: a.example:99999\n", `2:20: this is not a port: "99999"`},
		{"in quotes", "rules:\n- allow: \"a.example:99999\"\n", `2:21: this is not a port: "99999"`},
		{"several", "rules:\n- allow: [a b, c d]\n- deny: e f\n", "2:12: there is a space in the rule|2:17: there is a space in the rule|3:10: there is a space in the rule"},
		{"an alias by mistake", "rules:\n- allow: *.example.com\n", "2:10: this is not YAML"},
		{"two documents", "rules: []\n---\nrules: []\n", "2:1: a second document begins here"},
		{"a second that is none", "rules: []\n---\n{\n", "this is not YAML"},
		{"not YAML", "rules: [\n", "this is not YAML"},
		{"too long", "#" + strings.Repeat("x", maxFile), "1:1: the file has 1048577 bytes; it may have 1048576"},
		{"too many", "rules:\n- allow: [" + strings.Repeat("a,", maxRules) + "a]\n", "2:20011: the file has more than 10000 rules"},
	} {
		_, err := ParseFile("p.yaml", []byte(tt.in))
		var errs FileErrors
		if !errors.As(err, &errs) {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		want := strings.Split(tt.want, "|")
		if len(errs) != len(want) {
			t.Errorf("%s: %v", tt.name, err)
		}
		for i, e := range errs {
			if i < len(want) && !strings.Contains(e.Error(), want[i]) {
				t.Errorf("%s: %v, want %s", tt.name, e, want[i])
			}
		}
		errs.Print(&strings.Builder{}, "berth run")
	}
	_, err := ParseFile("p.yaml", []byte("rules:\n"+strings.Repeat("- x: 1\n", 50)))
	if errs := err.(FileErrors); len(errs) != 20 {
		t.Errorf("%d mistakes", len(errs))
	}
}

func TestMistakesAreShownAtTheirPlace(t *testing.T) {
	_, err := ParseFile("policy.yaml", []byte("rules:\n  - alow: example.com\n  - allow: \"exä.com:99999\"\n"))
	var out strings.Builder
	err.(FileErrors).Print(&out, "berth run")
	const want = `berth run: policy.yaml:2:5: unknown key "alow" in a rule

    2 |   - alow: example.com
      |     ^^^^
Hint:  it is allow or deny

berth run: policy.yaml:3:15: 'ä' cannot be in a name

    3 |   - allow: "exä.com:99999"
      |               ^
Hint:  write the name as DNS has it: xn--...
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
	_, err = ParseFile("policy.yaml", []byte("rules:\n- allow: *.example.com\n"))
	if hint := err.(FileErrors)[0].Hint; !strings.Contains(hint, "in quotes") {
		t.Error(hint)
	}
}

// The schema has the keys that the parser has, and its pattern takes what
// ParseRule takes.
func TestSchema(t *testing.T) {
	var s struct {
		Properties map[string]struct {
			MaxItems int
			Items    struct{ Properties map[string]any }
		}
		Defs map[string]struct {
			Pattern    string
			MaxLength  int
			Properties map[string]any
		} `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(Schema), &s); err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(s.Properties)); !slices.Equal(got, []string{"lines", "rules"}) {
		t.Error(got)
	}
	rules := s.Properties["rules"]
	if got := slices.Sorted(maps.Keys(rules.Items.Properties)); !slices.Equal(got, []string{"allow", "deny"}) || rules.MaxItems != maxRules {
		t.Error(got)
	}
	for key := range rules.Items.Properties {
		if _, err := ParseFile("", []byte("rules: [{"+key+": a}]")); err != nil {
			t.Error(err)
		}
	}
	keys := append(badline.Keys(), "to")
	slices.Sort(keys)
	if got := slices.Sorted(maps.Keys(s.Defs["line"].Properties)); !slices.Equal(got, keys) || s.Properties["lines"].MaxItems != maxLines {
		t.Error(got)
	}
	rule := s.Defs["rule"]
	pattern := regexp.MustCompile(rule.Pattern)
	if rule.MaxLength != maxRule {
		t.Error(rule.MaxLength)
	}
	for _, text := range []string{
		"*", "any", "tcp", "icmp", ":22", "*:22", "udp/:22", "udp/*", ":8000-8999,22", "203.0.113.5", "203.0.113.0/24:22",
		"::1", "2001:db8::/32", "::ffff:203.0.113.0/120", "[2001:db8::/32]:443", "icmp/[2001:db8::1]", "tcp/a.example", "A.Example.:443", "*.a.example",
		"_srv.a.example", "db:5432", "a.example@10.0.0.0/8:443", "a.example@[2001:db8::/32]:443", "a.example@2001:db8::/32", "*.a.example@203.0.113.0/24", "tcp/10.0.0.0/8",
	} {
		if _, err := ParseRule(true, text); err != nil || !pattern.MatchString(text) {
			t.Errorf("%s: %v, the schema says %v", text, err, pattern.MatchString(text))
		}
	}
	for _, text := range []string{"", "a b", "https://a.example/", "sctp/a.example", "tcp/", "a.example:https", "a.example:", "[2001:db8::1", "a.example@", "a.example@b.example"} {
		if _, err := ParseRule(true, text); err == nil || pattern.MatchString(text) {
			t.Errorf("%s: %v, the schema says %v", text, err, pattern.MatchString(text))
		}
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add([]byte("x-a: &a [b]\nrules:\n- allow: *a\n- deny: \"x y\"\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := ParseFile("p.yaml", text); err != nil {
			err.(FileErrors).Print(&strings.Builder{}, "berth run")
		}
	})
}
