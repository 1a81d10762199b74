package script

import (
	"strconv"
	"strings"
)

// splitShell cuts text into simple commands and pipes of them, without
// redirections: the words of a shell, of which quotes keep white space together.
// A bar is a word of its own.
func splitShell(text string) (lines [][]string) {
	var words []string
	end := func() {
		if len(words) > 0 {
			lines, words = append(lines, words), nil
		}
	}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '\n' || c == ';':
			end()
			i++
		case strings.HasPrefix(text[i:], "&&") || strings.HasPrefix(text[i:], "||"):
			end()
			i += 2
		case strings.HasPrefix(text[i:], "\\\n"):
			i += 2
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case c == '#':
			i += lineLen(text[i:])
		case c == '|':
			words = append(words, "|")
			i++
		default:
			w, n := shellWord(text[i:])
			i += n
			if !strings.HasPrefix(w, ">") && !strings.HasPrefix(w, "2>") && w != "/dev/null" {
				words = append(words, w)
			}
		}
	}
	end()
	return lines
}

// shellWord is the word that text begins with, and how long it is there.
func shellWord(text string) (word string, n int) {
	var b strings.Builder
	quote := byte(0)
	for n < len(text) {
		c := text[n]
		switch {
		case quote == 0 && strings.IndexByte(" \t\r\n;|", c) >= 0, quote == 0 && strings.HasPrefix(text[n:], "&&"):
			return b.String(), n
		case quote != '\'' && strings.HasPrefix(text[n:], "$(("):
			if v, size := sum(text[n:]); size > 0 {
				b.WriteString(v)
				n += size
				continue
			}
			b.WriteByte(c)
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote:
			quote = 0
		case c == '\\' && quote != '\'' && n+1 < len(text):
			n++
			if text[n] != '\n' {
				b.WriteByte(text[n])
			}
		default:
			b.WriteByte(c)
		}
		n++
	}
	return b.String(), n
}

// sum is what $((32*1024)) stands for, and its length in the text; 0 if it cannot
// be computed.
func sum(text string) (value string, n int) {
	end := strings.Index(text, "))")
	if end < 0 {
		return "", 0
	}
	list, err := parseCondition(Pos{}, text[len("$(("):end])
	if err != nil {
		return "", 0
	}
	v, bad := list.eval(nil)
	if bad != nil || v.isText {
		return "", 0
	}
	return strconv.FormatInt(v.num, 10), end + 2
}
