package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// maxDenials is how many different denials are told apart. What comes beyond is
// only counted.
const maxDenials = 1024

// Denials tells a person of what was refused: each denial once when it happens,
// and at the end how often it happened again. The zero value has told nothing.
// Its methods are called by one goroutine at a time.
type Denials struct {
	again map[string]int // by line
	order []string
	more  int
}

// Flow is the line about a flow that was refused:
//
//	berth: denied tcp ssh.example.net:22 (no rule allows port 22)
//
// It is not new if it was told before.
func (d *Denials) Flow(f Flow, v Verdict) (line string, isNew bool) {
	return d.tell(f.describe(v.Name), v.Reason)
}

// Question is the line about a name that was refused:
//
//	berth: denied dns ssh.example.net (no rule allows ssh.example.net)
func (d *Denials) Question(q *Query) (line string, isNew bool) {
	return d.tell(strings.TrimSpace("dns "+q.Name), q.Verdict.Reason)
}

func (d *Denials) tell(what, why string) (line string, isNew bool) {
	line = "berth: denied " + clean(what)
	if why != "" {
		line += " (" + clean(why) + ")"
	}
	switch _, ok := d.again[line]; {
	case ok:
		d.again[line]++
		return line, false
	case len(d.order) == maxDenials:
		d.more++
		return line, false
	case d.again == nil:
		d.again = make(map[string]int)
	}
	d.again[line] = 0
	d.order = append(d.order, line)
	return line, true
}

// Rest are the lines for the end: what happened more than once, the most often
// first.
func (d *Denials) Rest() (lines []string) {
	order := slices.Clone(d.order)
	slices.SortStableFunc(order, func(a, b string) int { return d.again[b] - d.again[a] })
	for _, line := range order {
		if n := d.again[line]; n > 0 {
			lines = append(lines, fmt.Sprintf("%s: %s more", line, times(n)))
		}
	}
	if d.more > 0 {
		lines = append(lines, fmt.Sprintf("berth: denied others: %s", times(d.more)))
	}
	return lines
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// clean takes from a text what the program could put there to write to a person's
// terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsGraphic(r) && !unicode.IsSpace(r) {
			return r
		}
		return '?'
	}, s)
}
