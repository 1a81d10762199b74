package requirements

import (
	"slices"
	"strings"
	"testing"
)

const sampleTest = `package p

import "testing"

// No test, no label.
const x = 1

// MUST-1, SHLD-2: above the function.
func TestA(t *testing.T) {
	for _, tt := range []struct{ name, in string }{
		{"row (MAY-3)", "x"},
		// MUST-4.
		{"below", "y"},
		{"beside", "z"}, // MUST-5
		{name: "named", in: "MUST-6"},
	} {
		_ = tt
	}
	t.Run("sub", func(t *testing.T) {
		t.Log() // REC-1
		for name := range map[string]int{
			"key": 7, // HOST-12
		} {
			_ = name
		}
	})
	t.Log() // UDP-3
}

func FuzzB(f *testing.F) { f.Log("MUST-7") }
`

func TestLabelsBelongToWhatTheyAreWrittenIn(t *testing.T) {
	claims, err := claimsOf("p_test.go", "p/p_test.go", sampleTest)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range claims {
		got = append(got, c.Label+" "+c.Test)
	}
	slices.Sort(got)
	want := []string{
		"HOST-12 TestA/sub/key",
		"MAY-3 TestA/row (MAY-3)",
		"MUST-1 TestA",
		"MUST-4 TestA/below",
		"MUST-5 TestA/beside",
		"MUST-6 TestA/named",
		"MUST-7 FuzzB",
		"REC-1 TestA/sub",
		"SHLD-2 TestA",
		"UDP-3 TestA",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestLabelsOfTheSuiteAreThoseOfItsCases(t *testing.T) {
	claims, err := claimsOf("x.go", suite+"/x.go", `package p
var cases = []rows{
	// MUST-1.
	both("a/b", "a rule", f),
	on4("a/c", "a rule (MUST-2)", f),
}
var options = []option{
	{name: "TTL", set: 1}, // MUST-3
}`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range claims {
		got = append(got, c.Label+" "+c.Test)
	}
	slices.Sort(got)
	want := []string{"MUST-1 TestConformance/a/b", "MUST-2 TestConformance/a/c", "MUST-3 TestConformance/TTL"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLabelsOfScriptsAreInTheirComments(t *testing.T) {
	got := claimsOfScript(scripts+"/reset/a.pkt", "// DEF-1 and\n// DEF-2.\n0 < . 1:1(0) // DEF-3\n+0 `MUST-1`\n")
	for i, want := range []Claim{
		{"DEF-1", scripts + "/reset/a.pkt", 1, "TestScripts/reset/a.pkt"},
		{"DEF-2", scripts + "/reset/a.pkt", 2, "TestScripts/reset/a.pkt"},
		{"DEF-3", scripts + "/reset/a.pkt", 3, "TestScripts/reset/a.pkt"},
	} {
		if i >= len(got) || got[i] != want {
			t.Fatalf("got %v, want %v as number %d", got, want, i)
		}
	}
	if len(got) != 3 {
		t.Errorf("also %v", got[3:])
	}
}

// A label that no test has is a mistake, and not passed over.
func TestALabelOutsideOfATest(t *testing.T) {
	for _, src := range []string{
		"package p\n// MUST-1\nvar x int\n",
		"package p\n// MUST-1\nfunc helper() {}\n",
		"package p\nvar x = \"MUST-1\"\n",
	} {
		if claims, err := claimsOf("p_test.go", "p/p_test.go", src); err == nil {
			t.Errorf("%q: %v", src, claims)
		}
	}
}

const sampleTable = "# One\n" +
	"MUST-1\tMUST\t3.1\tshown\ta text\n" +
	"SHLD-2\tSHOULD NOT\t3.1\tpartly\ta | text\ta reason\n" +
	"# Two\n" +
	"MAY-3\tMAY\t3.2\tdeclined\ta text\ta reason\n"

func TestCheck(t *testing.T) {
	table, err := ParseTable(sampleTable)
	if err != nil {
		t.Fatal(err)
	}
	claim := func(labels ...string) (all []Claim) {
		for _, l := range labels {
			all = append(all, Claim{Label: l, File: "f_test.go", Line: 3, Test: "TestF"})
		}
		return all
	}
	for _, tt := range []struct {
		name   string
		claims []Claim
		want   []string
	}{
		{"all is well", claim("MUST-1", "SHLD-2"), nil},
		{"also what is declined may have a test", claim("MUST-1", "SHLD-2", "MAY-3"), nil},
		{"a requirement without a test", claim("SHLD-2"), []string{"MUST-1"}},
		{"a part without a test", claim("MUST-1"), []string{"SHLD-2"}},
		{"a label of no table", claim("MUST-1", "SHLD-2", "MUST-99"), []string{"f_test.go:3: MUST-99"}},
	} {
		faults := Check([]*Table{table}, tt.claims)
		same := slices.EqualFunc(faults, tt.want, strings.HasPrefix)
		if !same {
			t.Errorf("%s: %q, want %q", tt.name, faults, tt.want)
		}
	}
}

func TestTablesThatAreNone(t *testing.T) {
	for name, s := range map[string]string{
		"empty":             "",
		"no heading":        "MUST-1\tMUST\t3.1\tshown\ta text\n",
		"few columns":       "# One\nMUST-1\tMUST\t3.1\tshown\n",
		"many columns":      "# One\nMUST-1\tMUST\t3.1\tshown\ta\tb\tc\n",
		"an attack's level": "# One\nMUST-1\tBlind RST\tRFC 5961\tshown\ta text\n",
		"label":             "# One\nMUST-x\tMUST\t3.1\tshown\ta text\n",
		"level":             "# One\nMUST-1\tmust\t3.1\tshown\ta text\n",
		"state":             "# One\nMUST-1\tMUST\t3.1\tdone\ta text\n",
		"no text":           "# One\nMUST-1\tMUST\t3.1\tshown\t\n",
		"twice":             sampleTable + "MUST-1\tMUST\t3.1\tshown\ta text\n",
		"no reason":         "# One\nMUST-1\tMUST\t3.1\tdeclined\ta text\n",
		"an empty reason":   "# One\nMUST-1\tMUST\t3.1\tnot yet\ta text\t\n",
	} {
		if _, err := ParseTable(s); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A table of attacks has the attack where others have the level.
func TestPageOfAttacks(t *testing.T) {
	table, err := ParseTable("# One\nDEF-1\tBlind RST\tRFC 5961 3\tshown\ta text\nDEF-2\tOld\t\tvoid\ta text\ta reason\n")
	if err != nil {
		t.Fatal(err)
	}
	page := Page(Spec{Title: "A title", Name: "d", Attacks: true}, table, []Claim{
		{Label: "DEF-1", File: "p/a_test.go", Test: "TestA"},
	})
	for _, want := range []string{
		"| shown | partly | not yet | declined | void | all |\n|--:|--:|--:|--:|--:|--:|\n| 1 | 0 | 0 | 0 | 1 | 2 |",
		"| | attack | known from | defence | | shown by |",
		"| DEF-1 | Blind RST | RFC 5961 3 | a text | shown | [TestA](../p/a_test.go) |",
		"| DEF-2 | Old |  | a text<br>*a reason* | void |  |",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in:\n%s", want, page)
		}
	}
}

func TestPage(t *testing.T) {
	table, err := ParseTable(sampleTable)
	if err != nil {
		t.Fatal(err)
	}
	page := Page(Spec{Title: "A title", Name: "rfc1"}, table, []Claim{
		{Label: "MUST-1", File: "p/a_test.go", Test: "TestA_b/c"},
		{Label: "MUST-1", File: "p/a_test.go", Test: "TestA_b/c"},
		{Label: "SHLD-2", File: "b_test.go", Test: "TestB/some (SHLD-2, MUST-1)"},
	})
	for _, want := range []string{
		"# A title\n", "## Two\n",
		"| MUST | 1 | 0 | 0 | 0 | 0 | 1 |",
		"| SHOULD | 0 | 1 | 0 | 0 | 0 | 1 |",
		`| MUST-1 | MUST | 3.1 | a text | shown | [TestA\_b/c](../p/a_test.go) |`,
		`| SHLD-2 | SHOULD NOT | 3.1 | a \| text<br>*a reason* | partly | [TestB/some](../b_test.go) |`,
		"| MAY-3 | MAY | 3.2 | a text<br>*a reason* | declined |  |",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in:\n%s", want, page)
		}
	}
}
