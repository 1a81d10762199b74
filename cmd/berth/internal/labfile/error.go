package labfile

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Pos is a place in a file: line and column from 1, the column in characters.
type Pos struct{ Line, Col int }

// An Error is a mistake in a file.
type Error struct {
	File string
	Pos
	// Problem says what is wrong, Hint what to do; Hint may be empty.
	Problem, Hint string

	text  string // the line of the file
	width int    // of what is wrong, in characters
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Problem)
}

// Errors are the mistakes in a file, in its order. There is at least one.
type Errors []*Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Print shows each mistake with its line:
//
//	berth lab: lossy.yaml:12:5: unknown key "los" in a link
//
//	    12 |     los: 1%
//	       |     ^^^
//	Hint:  did you mean "loss"?
func (e Errors) Print(w io.Writer, command string) {
	for i, one := range e {
		if i > 0 {
			fmt.Fprintln(w)
		}
		one.print(w, command)
	}
}

func (e *Error) print(w io.Writer, command string) {
	fmt.Fprintf(w, "%s: %v\n", command, e)
	if e.text != "" {
		number := fmt.Sprint(e.Line)
		text, at := excerpt(e.text, e.Col-1)
		width := min(max(e.width, 1), max(utf8.RuneCountInString(text)-at, 1))
		fmt.Fprintf(w, "\n    %s | %s\n    %s | %s%s\n", number, text,
			strings.Repeat(" ", len(number)), strings.Repeat(" ", at), strings.Repeat("^", width))
	}
	if e.Hint != "" {
		fmt.Fprintf(w, "Hint:  %s\n", e.Hint)
	}
}

// excerpt is a line as a terminal can show it: what does not print is a
// replacement character, and of a long line there is what is around a column.
func excerpt(line string, at int) (string, int) {
	const before, most = 40, 100
	runes := []rune(line)
	at = min(at, len(runes))
	if from := at - before; from > 0 && len(runes) > most {
		runes, at = runes[from:], before
	}
	if len(runes) > most {
		runes = runes[:most]
	}
	for i, r := range runes {
		switch {
		case r == '\t':
			runes[i] = ' '
		case !unicode.IsPrint(r):
			runes[i] = unicode.ReplacementChar
		}
	}
	return string(runes), at
}

// sorted puts errors in the order of the file, and leaves out what is there
// twice, as where two aliases lead to one mistake.
func sorted(errs Errors) Errors {
	slices.SortStableFunc(errs, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return slices.CompactFunc(errs, func(a, b *Error) bool { return a.Pos == b.Pos && a.Problem == b.Problem })
}
