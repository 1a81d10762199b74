package usage

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"example.com/berth/internal/mistake"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// FromFlag makes an Error of what the flag library says.
func FromFlag(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
		syntax  *pflag.InvalidSyntaxError
	)
	switch {
	case errors.As(err, &unknown):
		name, arg := "--"+unknown.GetSpecifiedName(), "--"+unknown.GetSpecifiedName()
		if group := unknown.GetSpecifiedShortnames(); group != "" {
			name, arg = "-"+unknown.GetSpecifiedName(), "-"+group
		}
		return &Error{Arg: arg, Problem: "unknown flag " + name, Hint: nearest(cmd, unknown.GetSpecifiedName())}
	case errors.As(err, &missing):
		f := missing.GetFlag()
		return &Error{
			Problem: fmt.Sprintf("%s needs a value", flagName(f)),
			Hint:    flagHint(f),
		}
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		if own, ok := errors.AsType[*Error](invalid.Unwrap()); ok {
			own.Arg = invalid.GetValue()
			return own
		}
		if own, ok := errors.AsType[*mistake.InText](invalid.Unwrap()); ok {
			return &textError{own}
		}
		return &Error{
			Arg:     invalid.GetValue(),
			Problem: fmt.Sprintf("invalid %s %q: %s", flagName(f), invalid.GetValue(), plain(invalid.Unwrap())),
			Hint:    flagHint(f),
		}
	case errors.As(err, &syntax):
		return &Error{Arg: syntax.GetSpecifiedFlag(), Problem: "bad flag syntax " + Quote(syntax.GetSpecifiedFlag())}
	}
	return &Error{Problem: err.Error()}
}

// A textError is a mistake in a value that has a grammar of its own.
type textError struct{ *mistake.InText }

// Print shows the mistake at its place in the value.
func (e *textError) Print(w io.Writer, cmd *cobra.Command, _ []string) {
	e.InText.Print(w, cmd.CommandPath())
}

// plain is the reason without the name of the function that found it.
func plain(err error) string {
	var num *strconv.NumError
	switch {
	case errors.As(err, &num) && errors.Is(err, strconv.ErrRange):
		return "the number is out of range"
	case errors.As(err, &num):
		return "it is not a number"
	}
	return err.Error()
}

func flagName(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return "-" + f.Shorthand + "/--" + f.Name
	}
	return "--" + f.Name
}

func flagHint(f *pflag.Flag) string {
	value, text := pflag.UnquoteUsage(f)
	return fmt.Sprintf("%s %s: %s", flagName(f), value, text)
}

// nearest finds the flag that may be meant: one that begins so, or else the one
// with the fewest letters wrong.
func nearest(cmd *cobra.Command, name string) (hint string) {
	const most = 2
	best := most + 1
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		d := distance(f.Name, name)
		if strings.HasPrefix(f.Name, name) {
			d = 0
		}
		if len(name) > most && d < best {
			best, hint = d, fmt.Sprintf("did you mean --%s?", f.Name)
		}
	})
	return hint
}

// distance is how many insertions, deletions and replacements make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
