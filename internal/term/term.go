// Package term knows what the reader of the output can show: how wide it is,
// and whether it has colours.
package term

import (
	"io"
	"os"
	"strconv"
)

// Widths between which output is fitted to a terminal.
const (
	MinWidth = 80
	MaxWidth = 100
)

// Terminal tells whether w is one.
func Terminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, ok = columns(f)
	return ok
}

// Width is how many columns output to w should have: those of a terminal, or of
// the variable COLUMNS, within MinWidth and MaxWidth; else MinWidth.
func Width(w io.Writer) int {
	n := 0
	if f, ok := w.(*os.File); ok {
		n, _ = columns(f)
	}
	if c, err := strconv.Atoi(os.Getenv("COLUMNS")); n == 0 && err == nil {
		n = c
	}
	return min(max(n, MinWidth), MaxWidth)
}

// Style is how a piece of text is shown.
type Style string

// The styles, as the parameters of SGR (ECMA-48 8.3.117).
const (
	Plain  Style = ""
	Bold   Style = "1"
	Dim    Style = "2"
	Red    Style = "1;31"
	Green  Style = "32"
	Yellow Style = "33"
	Blue   Style = "34"
	Violet Style = "35"
	Cyan   Style = "36"
)

// Paint puts styles on text, or leaves it as it is. The zero value does that.
type Paint struct{ colour bool }

// For returns the Paint for w: colours on a terminal, unless the variable
// NO_COLOR is set (no-color.org) or the terminal is a dumb one.
func For(w io.Writer) Paint {
	return Paint{Terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// Colours returns a Paint that always has colours.
func Colours() Paint { return Paint{true} }

// On puts a style on text.
func (p Paint) On(s Style, text string) string {
	if !p.colour || s == Plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}
