package script

// A kind is that of a token.
type kind uint8

const (
	endOfFile   kind = iota
	integer          // 10, -1
	hexadecimal      // 0x1f
	float            // 0.1, .5
	word             // socket, S, AF_INET
	text             // "..."
	shell            // `...`
	code             // %{ ... }%
	ellipsis         // ...
	flagName         // --name
	address          // 192.0.2.1, fd00::1
	punctuation      // one character
)

// A token is a piece of a script.
type token struct {
	kind kind
	pos  Pos
	// text is the token as it stands there, without its delimiters.
	text string
	num  int64 // of integer and hexadecimal
	// space: something separates it from the token before.
	space bool
	// first and last are where it begins and ends in the script.
	first, last int
}

// is tells whether t is that character, or that word.
func (t *token) is(s string) bool {
	return (t.kind == punctuation || t.kind == word) && t.text == s
}

func (t *token) String() string {
	switch t.kind {
	case endOfFile:
		return "the end of the file"
	case text:
		return `"` + t.text + `"`
	case shell:
		return "`" + t.text + "`"
	case code:
		return "%{ " + t.text + " }%"
	case flagName:
		return "--" + t.text
	default:
		return "'" + t.text + "'"
	}
}
