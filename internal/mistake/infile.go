package mistake

import (
	"fmt"
	"io"
	"strings"
)

// Pos is a place in a file: line and column from 1, the column in characters.
type Pos struct{ Line, Col int }

// An InFile is a mistake in a file.
type InFile struct {
	File string
	Pos
	// Problem says what is wrong, Hint what to do; Hint may be empty.
	Problem, Hint string

	text  string // the line of the file
	width int    // of what is wrong, in characters
}

func (e *InFile) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Problem)
}

// InFiles are the mistakes in a file, in its order. There is at least one.
type InFiles []*InFile

func (e InFiles) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Print shows each mistake with its line, as the package has it. Command is the name
// of who found it.
func (e InFiles) Print(w io.Writer, command string) {
	for i, one := range e {
		if i > 0 {
			fmt.Fprintln(w)
		}
		one.print(w, command)
	}
}

func (e *InFile) print(w io.Writer, command string) {
	fmt.Fprintf(w, "%s: %v\n", command, e)
	if e.text != "" {
		number := fmt.Sprint(e.Line)
		text, carets := excerpt(e.text, e.Col-1, e.width)
		fmt.Fprintf(w, "\n    %s | %s\n    %s | %s\n", number, text, strings.Repeat(" ", len(number)), carets)
	}
	printHint(w, e.Hint)
}

func printHint(w io.Writer, hint string) {
	if hint != "" {
		fmt.Fprintf(w, "Hint:  %s\n", hint)
	}
}
