package script

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A lexer cuts a script into tokens. The longest token wins, as in packetdrill:
// 0123ab is a word, .1...0.2 is a number, an ellipsis and a number.
type lexer struct {
	src     string
	file    string
	at      int
	line    int
	bol     int // where the line begins
	defines map[string]string
	blocks  []block
	skipped []Pos // #ifdef blocks that were left out
}

// A block is an #ifdef that is open.
type block struct {
	pos   Pos
	taken bool // the branch that we are in
	other bool // #else was seen
}

func (l *lexer) pos(at int) Pos { return Pos{l.file, l.line, at - l.bol + 1} }

// all returns the tokens of the script, the end of the file last.
func (l *lexer) all() (list []token, err error) {
	l.line = 1
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		list = append(list, t)
		if t.kind == endOfFile {
			break
		}
	}
	if len(l.blocks) > 0 {
		return nil, errorf(l.blocks[len(l.blocks)-1].pos, "#ifdef without #endif")
	}
	return list, nil
}

func (l *lexer) rest() string { return l.src[l.at:] }

// skip passes n bytes over.
func (l *lexer) skip(n int) {
	for i := l.at; i < l.at+n; i++ {
		if l.src[i] == '\n' {
			l.line, l.bol = l.line+1, i+1
		}
	}
	l.at += n
}

// blank passes over what is between tokens.
func (l *lexer) blank() error {
	for l.at < len(l.src) {
		rest := l.rest()
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			l.skip(1)
		case strings.HasPrefix(rest, "//"):
			l.skip(lineLen(rest))
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return errorf(l.pos(l.at), "comment without end")
			}
			l.skip(end + 4)
		case rest[0] == '#':
			if err := l.hash(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

func lineLen(s string) int {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return i
	}
	return len(s)
}

// hash is a comment or a condition.
func (l *lexer) hash() error {
	pos := l.pos(l.at)
	line := l.rest()[:lineLen(l.rest())]
	l.skip(len(line))
	f := strings.Fields(line)
	switch f[0] {
	case "#ifdef", "#ifndef":
		if len(f) < 2 {
			return errorf(pos, "%s without a name", f[0])
		}
		_, defined := l.defines[f[1]]
		l.blocks = append(l.blocks, block{pos: pos, taken: defined == (f[0] == "#ifdef")})
	case "#else":
		if len(l.blocks) == 0 || l.blocks[len(l.blocks)-1].other {
			return errorf(pos, "#else without #ifdef")
		}
		b := &l.blocks[len(l.blocks)-1]
		b.other, b.taken = true, !b.taken
	case "#endif":
		if len(l.blocks) == 0 {
			return errorf(pos, "#endif without #ifdef")
		}
		l.blocks = l.blocks[:len(l.blocks)-1]
		return nil
	default:
		return nil
	}
	if !l.blocks[len(l.blocks)-1].taken {
		l.skipped = append(l.skipped, pos)
		return l.leaveOut(pos)
	}
	return nil
}

// leaveOut passes over the lines of a branch that is not taken, up to the #else
// or #endif that belongs to it.
func (l *lexer) leaveOut(from Pos) error {
	depth := 0
	for l.at < len(l.src) {
		line := l.rest()[:lineLen(l.rest())]
		f := strings.Fields(line)
		switch {
		case len(f) == 0:
		case f[0] == "#ifdef" || f[0] == "#ifndef":
			depth++
		case (f[0] == "#endif" || f[0] == "#else") && depth == 0:
			return nil
		case f[0] == "#endif":
			depth--
		}
		l.skip(min(len(line)+1, len(l.src)-l.at))
	}
	return errorf(from, "#ifdef without #endif")
}

// next returns the next token.
func (l *lexer) next() (t token, err error) {
	before := l.at
	if err := l.blank(); err != nil {
		return t, err
	}
	t.pos, t.space, t.first = l.pos(l.at), l.at > before, l.at
	if l.at == len(l.src) {
		t.last = l.at
		return t, nil
	}
	n := 0
	switch rest := l.rest(); {
	case strings.HasPrefix(rest, "..."):
		t.kind, n = ellipsis, 3
	case strings.HasPrefix(rest, "%{"):
		t.kind = code
		n, err = l.delimited(&t, "%{", "}%")
	case rest[0] == '"':
		t.kind = text
		n, err = l.delimited(&t, `"`, `"`)
	case rest[0] == '`':
		t.kind = shell
		n, err = l.delimited(&t, "`", "`")
	case strings.HasPrefix(rest, "--") && len(rest) > 2 && isWord(rest[2]):
		t.kind, n = flagName, 2+wordLen(rest[2:])
		t.text = rest[2:n]
	default:
		n, err = l.plain(&t, rest)
	}
	if err != nil {
		return t, err
	}
	if t.text == "" && t.kind != text && t.kind != shell && t.kind != code {
		t.text = l.src[l.at : l.at+n]
	}
	l.skip(n)
	t.last = l.at
	return t, nil
}

// delimited reads a token with delimiters; a backslash takes the next character
// as it is.
func (l *lexer) delimited(t *token, open, end string) (int, error) {
	rest := l.rest()[len(open):]
	for i := 0; i < len(rest); i++ {
		switch {
		case strings.HasPrefix(rest[i:], end):
			t.text = rest[:i]
			if t.kind == code {
				t.text = strings.TrimSpace(t.text)
			}
			return len(open) + i + len(end), nil
		case rest[i] == '\\' && t.kind != code:
			i++
		}
	}
	return 0, errorf(t.pos, "%s without %s", open, end)
}

// unescaped is a text with what its backslashes stand for, as in C.
func unescaped(s string) string {
	var b []byte
	for s != "" {
		c, _, rest, err := strconv.UnquoteChar(s, '"')
		if err != nil { // a backslash that means nothing
			b, s = append(b, s[0]), s[1:]
			continue
		}
		n := len(s) - len(rest)
		if strings.HasPrefix(s, `\x`) {
			b = append(b, byte(c))
		} else {
			b = utf8.AppendRune(b, c)
		}
		s = s[n:]
	}
	return string(b)
}

// plain reads a number, a word, an address or a character.
func (l *lexer) plain(t *token, s string) (int, error) {
	if n := addressLen(s); n > 0 {
		t.kind = address
		return n, nil
	}
	n := wordLen(s)
	if num := numberLen(s); num >= n && num > 0 {
		return num, number(t, s[:num])
	}
	if n == 0 {
		t.kind = punctuation
		return 1, nil
	}
	if t.kind = word; n > 2 && s[:2] == "0x" {
		if v, err := strconv.ParseUint(s[2:n], 16, 64); err == nil {
			t.kind, t.num = hexadecimal, int64(v)
		}
	}
	if value, ok := l.defines[s[:n]]; ok && value != "" {
		define(t, value)
	}
	return n, nil
}

// define makes t what stands for it.
func define(t *token, value string) {
	quoted := len(value) >= 2 && value[0] == value[len(value)-1]
	switch {
	case quoted && value[0] == '"':
		t.kind, t.text = text, value[1:len(value)-1]
	case quoted && value[0] == '`':
		t.kind, t.text = shell, value[1:len(value)-1]
	default:
		t.text = value
		if v, err := strconv.ParseInt(value, 0, 64); err == nil {
			t.kind, t.num = integer, v
		}
	}
}

func number(t *token, s string) (err error) {
	if strings.Contains(s, ".") {
		t.kind = float
		return nil
	}
	t.kind = integer
	if t.num, err = strconv.ParseInt(s, 10, 64); err != nil {
		return errorf(t.pos, "the number %s is too large", s)
	}
	return nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return c == '_' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func wordLen(s string) int {
	n := 0
	for n < len(s) && isWord(s[n]) {
		n++
	}
	return n
}

func digits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

// numberLen is the length of the number that s begins with: -1, 10, 0.5, .5.
func numberLen(s string) int {
	n := 0
	if strings.HasPrefix(s, "-") {
		n = 1
	}
	whole := digits(s[n:])
	if n+whole < len(s) && s[n+whole] == '.' {
		if part := digits(s[n+whole+1:]); part > 0 {
			return n + whole + 1 + part
		}
	}
	if whole == 0 {
		return 0
	}
	return n + whole
}

// addressLen is the length of the IP address that s begins with. A range of
// sequence numbers, 1:1001, is none.
func addressLen(s string) int {
	n := 0
	for n < min(len(s), 46) && (s[n] == ':' || s[n] == '.' || isDigit(s[n]) || s[n] >= 'a' && s[n] <= 'f' || s[n] >= 'A' && s[n] <= 'F') {
		n++
	}
	for ; n > 1; n-- { // "ipv4 192.0.2.1 > 192.0.2.2:" has a colon behind
		if c := s[:n]; strings.Count(c, ".") == 3 || strings.Count(c, ":") >= 2 {
			if _, err := netip.ParseAddr(c); err == nil {
				return n
			}
			continue
		}
		return 0
	}
	return 0
}
