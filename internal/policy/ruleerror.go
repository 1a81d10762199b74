package policy

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A RuleError is a mistake in the text of a rule.
type RuleError struct {
	Rule string
	// Problem says what is wrong, Hint what to do; Hint may be empty.
	Problem, Hint string

	at, width int // in bytes
}

func (e *RuleError) Error() string {
	return fmt.Sprintf("rule %q, column %d: %s", e.Rule, e.column(), e.Problem)
}

// column is where the mistake is, in characters from 1.
func (e *RuleError) column() int { return utf8.RuneCountInString(e.Rule[:min(e.at, len(e.Rule))]) + 1 }

// Print shows the mistake at its place:
//
//	berth run: rule "tcp/example.com:99999", column 17: this is not a port: "99999"
//
//	    tcp/example.com:99999
//	                    ^^^^^
//	Hint:  a port is a number from 1 to 65535
func (e *RuleError) Print(w io.Writer, command string) {
	fmt.Fprintf(w, "%s: %v\n\n    %s\n    %s%s\n", command, e, printable(e.Rule),
		strings.Repeat(" ", e.column()-1), strings.Repeat("^", e.characters()))
	if e.Hint != "" {
		fmt.Fprintf(w, "Hint:  %s\n", e.Hint)
	}
}

// characters is how wide the mistake is.
func (e *RuleError) characters() int {
	from := min(e.at, len(e.Rule))
	return max(utf8.RuneCountInString(e.Rule[from:min(from+e.width, len(e.Rule))]), 1)
}

// printable is a text as a terminal can show it, with as many characters.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
