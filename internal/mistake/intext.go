package mistake

import (
	"fmt"
	"io"
	"unicode/utf8"
)

// An InText is a mistake in a short text.
type InText struct {
	What, Text string // what kind of text it is, "rule", and the text
	// Problem says what is wrong, Hint what to do; Hint may be empty.
	Problem, Hint string
	At, Width     int // where it is, in bytes
}

func (e *InText) Error() string {
	return fmt.Sprintf("%s %q, column %d: %s", e.What, e.Text, e.Column(), e.Problem)
}

// Column is where the mistake is, in characters from 1.
func (e *InText) Column() int {
	return utf8.RuneCountInString(e.Text[:min(e.At, len(e.Text))]) + 1
}

// Characters is how wide the mistake is, at least 1.
func (e *InText) Characters() int {
	from := min(e.At, len(e.Text))
	return max(utf8.RuneCountInString(e.Text[from:min(from+e.Width, len(e.Text))]), 1)
}

// Print shows the mistake at its place:
//
//	berth run: rule "tcp/example.com:99999", column 17: this is not a port: "99999"
//
//	    tcp/example.com:99999
//	                    ^^^^^
//	Hint:  a port is a number from 1 to 65535
func (e *InText) Print(w io.Writer, command string) {
	text, carets := excerpt(e.Text, e.Column()-1, e.Characters())
	fmt.Fprintf(w, "%s: %v\n\n    %s\n    %s\n", command, e, text, carets)
	printHint(w, e.Hint)
}
