package mistake

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
)

// most is how many mistakes of a file are told.
const most = 20

// breaks are what ends a line for YAML.
var breaks = regexp.MustCompile("\r\n|[\n\r\u0085\u2028\u2029]")

// A Gatherer gathers the mistakes in one file.
type Gatherer struct {
	File  string   // its name, for messages
	Lines []string // of its text
	found InFiles
}

// In returns a Gatherer of mistakes in a text that is the content of a file.
func In(file string, text []byte) *Gatherer {
	return &Gatherer{File: file, Lines: breaks.Split(string(text), -1)}
}

// Add enters a mistake that is width characters long. Once there are 20, it enters
// no more.
func (g *Gatherer) Add(at Pos, width int, hint, format string, args ...any) {
	if g.Full() {
		return
	}
	at = Pos{max(at.Line, 1), max(at.Col, 1)}
	e := &InFile{File: g.File, Pos: at, Problem: fmt.Sprintf(format, args...), Hint: hint, width: width}
	if at.Line <= len(g.Lines) {
		e.text = g.Lines[at.Line-1]
	}
	g.found = append(g.found, e)
}

// Count is how many mistakes there are.
func (g *Gatherer) Count() int { return len(g.found) }

// Full tells whether no more mistakes are entered, so that looking for them is of no
// use.
func (g *Gatherer) Full() bool { return len(g.found) >= most }

// Err is nil if there are no mistakes, or else an InFiles: in the order of the file,
// without what is there twice, as where two aliases lead to one mistake.
func (g *Gatherer) Err() error {
	if len(g.found) == 0 {
		return nil
	}
	all := slices.Clone(g.found)
	slices.SortStableFunc(all, func(a, b *InFile) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return slices.CompactFunc(all, func(a, b *InFile) bool { return a.Pos == b.Pos && a.Problem == b.Problem })
}
