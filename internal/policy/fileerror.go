package policy

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A FileError is a mistake in a policy file. Lines and columns are from 1, columns
// in characters.
type FileError struct {
	Path      string
	Line, Col int
	// Problem says what is wrong, Hint what to do; Hint may be empty.
	Problem, Hint string

	text  string // the line of the file
	width int    // of what is wrong, in characters
}

func (e *FileError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Col, e.Problem)
}

// FileErrors are the mistakes in a file. There is at least one.
type FileErrors []*FileError

func (e FileErrors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Print shows each mistake at its place:
//
//	berth run: policy.yaml:2:5: unknown key "alow" in a rule
//
//	    2 |   - alow: example.com
//	      |     ^^^^
//	Hint:  it is allow or deny
func (e FileErrors) Print(w io.Writer, command string) {
	for i, one := range e {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s: %v\n", command, one)
		if one.text != "" && one.Col <= longestLine {
			one.excerpt(w)
		}
		if one.Hint != "" {
			fmt.Fprintf(w, "Hint:  %s\n", one.Hint)
		}
	}
}

// longestLine is how much of a line is shown.
const longestLine = 160

func (e *FileError) excerpt(w io.Writer) {
	runes := []rune(printable(strings.ReplaceAll(e.text, "\t", " ")))
	text := string(runes[:min(len(runes), longestLine)])
	number := fmt.Sprint(e.Line)
	width := min(max(e.width, 1), max(utf8.RuneCountInString(text)-e.Col+1, 1))
	fmt.Fprintf(w, "\n    %s | %s\n    %s | %s%s\n", number, text,
		strings.Repeat(" ", len(number)), strings.Repeat(" ", e.Col-1), strings.Repeat("^", width))
}
