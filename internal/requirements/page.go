package requirements

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A Spec is an RFC or a list of attacks, and the files that are about it.
type Spec struct {
	Title string
	Name  string // docs/Name.tsv and docs/Name.md
	Intro string
	// Attacks: it is no RFC but a list of attacks, whose requirements are the
	// defences.
	Attacks bool
}

// Specs are the RFCs that the project keeps an account of.
var Specs = []Spec{
	{
		Title: "RFC 9293 (TCP), requirement by requirement", Name: "rfc9293",
		Intro: "The requirements are those that RFC 9293 numbers, in our own words; where its\n" +
			"appendix B and its body disagree about the level, the body counts.",
	},
	{
		Title: "RFC 1122 (hosts): the internet layer and UDP, requirement by requirement", Name: "rfc1122",
		Intro: "RFC 1122 does not number its requirements. HOST-n is row n of the list in its\n" +
			"section 3.5, UDP-n of the list in 4.1.5. Its chapter about TCP is superseded by\n" +
			"[RFC 9293](rfc9293.md).",
	},
	{
		Title: "Attacks, and what stands against them", Name: "defences",
		Intro: "Attacks on TCP/IP stacks that are known from RFCs, from papers and from the\n" +
			"weaknesses of other stacks. The tests play them: packet scripts, adversarial\n" +
			"peers in memory, statistics over many connections, fuzzing, tools of others.",
		Attacks: true,
	},
}

// Check returns what is wrong with the claims to the requirements of all tables.
func Check(tables []*Table, claims []Claim) (faults []string) {
	known := make(map[string]bool)
	claimed := make(map[string]bool)
	for _, c := range claims {
		claimed[c.Label] = true
	}
	for _, t := range tables {
		for _, r := range t.All() {
			known[r.Label] = true
			if r.State.needsTest() && !claimed[r.Label] {
				faults = append(faults, fmt.Sprintf("%s (%s, %s) is %s, and no test has its label: %s",
					r.Label, r.Level, r.Section, r.State, r.Text))
			}
		}
	}
	for _, c := range claims {
		if !known[c.Label] {
			faults = append(faults, fmt.Sprintf("%s:%d: %s is in no table", c.File, c.Line, c.Label))
		}
	}
	return faults
}

// Page writes the document of a table.
func Page(s Spec, t *Table, claims []Claim) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- Written by: go test ./internal/requirements -update\n"+
		"     from %s.tsv and the labels in the tests. -->\n\n", s.Name)
	fmt.Fprintf(&b, "# %s\n\n%s\n\n", s.Title, s.Intro)
	what, heads := "requirement", "| | | section | requirement | | shown by |"
	if s.Attacks {
		what, heads = "defence", "| | attack | known from | defence | | shown by |"
	}
	fmt.Fprintf(&b, "Each %s is *shown* by the tests that name it, and would fail without it;\n"+
		"or *partly*, with a note of what is missing; or is *not yet* met; or *declined*\n"+
		"on purpose, with the reason; or *void*: it binds somebody else, or its condition\n"+
		"does not arise.\n\n", what)
	if s.Attacks {
		summaryOfAll(&b, t)
	} else {
		summary(&b, t)
	}
	tests := make(map[string][]string)
	for _, c := range claims {
		link := fmt.Sprintf("[%s](../%s)", escape(inName.ReplaceAllString(c.Test, "")), c.File)
		if !slices.Contains(tests[c.Label], link) {
			tests[c.Label] = append(tests[c.Label], link)
		}
	}
	for _, c := range t.Chapters {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n|---|---|---|---|---|---|\n", c.Heading, heads)
		for _, r := range c.Requirements {
			what := escape(r.Text)
			if r.Note != "" {
				what += "<br>*" + escape(r.Note) + "*"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n",
				r.Label, escape(r.Level), escape(r.Section), what, r.State, strings.Join(tests[r.Label], "<br>"))
		}
	}
	return b.String()
}

// inName are labels in the name of a subtest or row, which need not be told twice.
var inName = regexp.MustCompile(` \((?:, |` + label.String() + `)+\)`)

// summary writes how many requirements of each level are in each state.
func summary(b *strings.Builder, t *Table) {
	count := make(map[string]map[State]int)
	for _, r := range t.All() {
		l := levels[r.Level]
		if count[l] == nil {
			count[l] = make(map[State]int)
		}
		count[l][r.State]++
	}
	b.WriteString("| |")
	for _, s := range states {
		fmt.Fprintf(b, " %s |", s)
	}
	b.WriteString(" all |\n|---|" + strings.Repeat("--:|", len(states)+1) + "\n")
	for _, l := range []string{"MUST", "SHOULD", "MAY"} {
		fmt.Fprintf(b, "| %s |", l)
		all := 0
		for _, s := range states {
			fmt.Fprintf(b, " %d |", count[l][s])
			all += count[l][s]
		}
		fmt.Fprintf(b, " %d |\n", all)
	}
}

// summaryOfAll writes how many are in each state, whatever their level.
func summaryOfAll(b *strings.Builder, t *Table) {
	all := t.All()
	head, rule, row := "|", "|", "|"
	for _, s := range states {
		n := 0
		for _, r := range all {
			if r.State == s {
				n++
			}
		}
		head += fmt.Sprintf(" %s |", s)
		rule += "--:|"
		row += fmt.Sprintf(" %d |", n)
	}
	fmt.Fprintf(b, "%s all |\n%s--:|\n%s %d |\n", head, rule, row, len(all))
}

// escape keeps text within a cell of a table.
var escaper = strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "[", `\[`, "]", `\]`, "_", `\_`)

func escape(s string) string { return escaper.Replace(s) }
