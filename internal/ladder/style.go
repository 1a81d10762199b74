package ladder

// Style is the role of a piece of text in the diagram.
type Style uint8

// The roles.
const (
	Faint     Style = iota // times, lines of life, remarks
	FromLeft               // the left host, and what it sends
	FromRight              // the right host, and what it sends
	Resent                 // a packet that was sent before
	Lost                   // a packet that did not arrive
)

// Paint puts a style on text with escape sequences of a terminal that end in m
// (ECMA-48 8.3.117). A nil Paint leaves text as it is.
type Paint func(s Style, text string) string

func (p Paint) on(s Style, text string) string {
	if p == nil || text == "" {
		return text
	}
	return p(s, text)
}
