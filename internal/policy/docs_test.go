package policy

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// What the documentation shows is what there is.
func TestDocumentation(t *testing.T) {
	b, err := os.ReadFile("../../docs/run-policy.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(doc, -1) {
		if _, err := ParseRule(true, m[1]); err != nil {
			t.Error(err)
		}
	}
	for _, m := range regexp.MustCompile("--(?:allow|deny) '?([^' `]+)").FindAllStringSubmatch(doc, -1) {
		if _, err := ParseRule(true, m[1]); err != nil {
			t.Error(err)
		}
	}
	_, rest, _ := strings.Cut(doc, "```yaml\n")
	yaml, _, _ := strings.Cut(rest, "```")
	if file, err := ParseFile("docs", []byte(yaml)); err != nil || len(file.Rules) != 4 || len(file.Lines) != 2 {
		t.Errorf("%v, %v", file, err)
	}
	_, err = ParseRule(true, "tcp/example.com:99999")
	var out strings.Builder
	err.(*RuleError).Print(&out, "berth run")
	if !strings.Contains(doc, out.String()) {
		t.Errorf("the documentation does not have\n%s", out.String())
	}
	for _, s := range specials {
		if s.what == "a cloud metadata address" && !strings.Contains(doc, s.prefix.Addr().String()) {
			t.Errorf("the documentation does not have %v", s.prefix)
		}
	}
	code, err := os.ReadFile("parse.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ = strings.Cut(doc, "```text\n")
	grammar, _, _ := strings.Cut(rest, "```")
	for line := range strings.Lines(grammar) {
		if !strings.Contains(string(code), "//\t"+line) {
			t.Errorf("ParseRule does not have %s", line)
		}
	}
}
