package requirements

import (
	"fmt"
	"slices"
	"strings"
)

// State says what became of a requirement.
type State string

// The states of a requirement.
const (
	// Shown: it is met, and a test shows it.
	Shown State = "shown"
	// Partly: a part of it is met, and a test shows that part; the note says
	// what is missing.
	Partly State = "partly"
	// NotYet: it is not met; the note says what happens instead.
	NotYet State = "not yet"
	// Declined: it is not met on purpose; the note gives the reason.
	Declined State = "declined"
	// Void: it binds somebody else, or its condition does not arise; the note
	// says which.
	Void State = "void"
)

var states = []State{Shown, Partly, NotYet, Declined, Void}

// needsTest tells whether a requirement in the state is shown by a test, in
// whole or in part.
func (s State) needsTest() bool { return s == Shown || s == Partly }

// levels are those of RFC 2119, and how they are counted.
var levels = map[string]string{
	"MUST": "MUST", "MUST NOT": "MUST", "SHOULD": "SHOULD", "SHOULD NOT": "SHOULD",
	"RECOMMENDED": "SHOULD", "MAY": "MAY",
}

// A Requirement is one line of a table. In a table of attacks Level is the
// attack, and Section where it is known from.
type Requirement struct {
	Label, Level, Section string
	State                 State
	Text                  string // in our own words
	Note                  string // what is missing, or the reason
}

// A Table is the requirements of an RFC, in chapters.
type Table struct {
	Chapters []Chapter
}

// A Chapter is a part of a table with a heading.
type Chapter struct {
	Heading      string
	Requirements []Requirement
}

// ParseTable reads a table: a heading behind "# ", or the tab-separated label,
// level, section, state, text and note on each line.
func ParseTable(s string) (*Table, error) {
	t := new(Table)
	seen := make(map[string]bool)
	for i, line := range strings.Split(strings.TrimSuffix(s, "\n"), "\n") {
		if heading, ok := strings.CutPrefix(line, "# "); ok {
			t.Chapters = append(t.Chapters, Chapter{Heading: heading})
			continue
		}
		r, err := parseRequirement(line)
		switch {
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		case seen[r.Label]:
			return nil, fmt.Errorf("line %d: a second %s", i+1, r.Label)
		case len(t.Chapters) == 0:
			return nil, fmt.Errorf("line %d: no heading", i+1)
		}
		seen[r.Label] = true
		c := &t.Chapters[len(t.Chapters)-1]
		c.Requirements = append(c.Requirements, r)
	}
	return t, nil
}

// isDefence tells whether the requirement is to stand an attack.
func (r *Requirement) isDefence() bool { return strings.HasPrefix(r.Label, "DEF-") }

func parseRequirement(line string) (Requirement, error) {
	f := strings.Split(line, "\t")
	if len(f) == 5 {
		f = append(f, "")
	}
	if len(f) != 6 {
		return Requirement{}, fmt.Errorf("%d columns in %q", len(f), line)
	}
	r := Requirement{Label: f[0], Level: f[1], Section: f[2], State: State(f[3]), Text: f[4], Note: f[5]}
	switch {
	case label.FindString(r.Label) != r.Label:
		return r, fmt.Errorf("%q is not a label", r.Label)
	case levels[r.Level] == "" && !r.isDefence(), r.Level == "":
		return r, fmt.Errorf("%s: level %q", r.Label, r.Level)
	case !slices.Contains(states, r.State):
		return r, fmt.Errorf("%s: state %q", r.Label, r.State)
	case r.Text == "":
		return r, fmt.Errorf("%s: no text", r.Label)
	case r.State != Shown && r.Note == "":
		return r, fmt.Errorf("%s: %s, and no note says why", r.Label, r.State)
	}
	return r, nil
}

// All returns the requirements in order.
func (t *Table) All() []Requirement {
	var all []Requirement
	for _, c := range t.Chapters {
		all = append(all, c.Requirements...)
	}
	return all
}
