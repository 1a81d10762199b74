// Package usage reports mistakes in a command line: what is wrong, where, and
// what to do instead.
package usage

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// Error is a mistake in the command line.
type Error struct {
	// Arg is the argument, or the part of one, that is wrong; empty if
	// something is missing at the end.
	Arg string
	// Problem says what is wrong with it.
	Problem string
	// Hint says what to do; may be empty.
	Hint string
}

func (e *Error) Error() string { return e.Problem }

// Print shows the mistake under the command line that it was made in, the usage
// line of the command, and the hint:
//
//	berth echo: invalid port "70000": a port is a number from 0 to 65535
//
//	    berth echo -u :70000
//	                   ^^^^^
//	Usage: berth echo [flags] ADDR
//	Hint:  ...
func (e *Error) Print(w io.Writer, cmd *cobra.Command, args []string) {
	line, at, n := e.locate(args)
	fmt.Fprintf(w, "%s: %s\n\n    %s\n    %s%s\n", cmd.CommandPath(), e.Problem, line,
		strings.Repeat(" ", at), strings.Repeat("^", n))
	fmt.Fprintf(w, "Usage: %s\n", cmd.UseLine())
	hint := e.Hint
	if hint == "" {
		hint = fmt.Sprintf("'%s --help' tells more", cmd.CommandPath())
	}
	fmt.Fprintf(w, "Hint:  %s\n", hint)
}

// locate returns the command line as one string and where in it the mistake is.
func (e *Error) locate(args []string) (line string, at, n int) {
	words := []string{"berth"}
	for _, a := range args {
		words = append(words, shown(a))
	}
	line = strings.Join(words, " ")
	if e.Arg == "" {
		return line + " ", len([]rune(line)) + 1, 1
	}
	i := e.word(args)
	if i < 0 {
		return line, 0, len([]rune(line))
	}
	before := strings.Join(words[:i+1], " ") + " "
	word := words[i+1]
	if part := strings.LastIndex(word, e.Arg); part >= 0 {
		before += word[:part]
		word = e.Arg
	}
	return line, len([]rune(before)), len([]rune(word))
}

// word finds the argument that is wrong: the one itself rather than one that
// has it as a part, and the last of several.
func (e *Error) word(args []string) int {
	for _, match := range []func(string) bool{
		func(a string) bool { return a == e.Arg },
		func(a string) bool { return strings.Contains(a, e.Arg) },
	} {
		for i, a := range slices.Backward(args) {
			if match(a) {
				return i
			}
		}
	}
	return -1
}

// shown is an argument as a shell would take it.
func shown(arg string) string {
	unprintable := func(r rune) bool { return !strconv.IsPrint(r) }
	if arg == "" || strings.ContainsAny(arg, " \"'\\$&|;<>()*?`") || strings.ContainsFunc(arg, unprintable) {
		return strconv.Quote(arg)
	}
	return arg
}

// Quote puts an argument in quotes for a message, control characters escaped.
func Quote(arg string) string { return strconv.Quote(arg) }

// Is tells whether an error is a mistake in the command line.
func Is(err error) bool {
	var e *Error
	return errors.As(err, &e)
}
