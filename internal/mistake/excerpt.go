package mistake

import (
	"strings"
	"unicode"
)

// excerpt is a line as a terminal can show it, and the carets beneath what is wrong
// in it: width characters at a column from 0. Of a long line there is what is around
// that column.
func excerpt(line string, at, width int) (text, carets string) {
	const before, most = 40, 100
	runes := []rune(line)
	at = max(min(at, len(runes)), 0)
	if from := at - before; from > 0 && len(runes) > most {
		runes, at = runes[from:], before
	}
	runes = runes[:min(len(runes), most)]
	for i, r := range runes {
		switch {
		case r == '\t':
			runes[i] = ' '
		case !unicode.IsPrint(r):
			runes[i] = unicode.ReplacementChar
		}
	}
	width = min(max(width, 1), max(len(runes)-at, 1))
	return string(runes), strings.Repeat(" ", at) + strings.Repeat("^", width)
}
