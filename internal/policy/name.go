package policy

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Longest names and labels, RFC 1035 2.3.4; without the last dot.
const (
	maxName  = 253
	maxLabel = 63
)

// canonical is a host's name in the one form that is compared: lower case and
// without a dot at the end. Letters, digits, hyphens and underscores are all that
// a name may have (RFC 1123 2.1, and the underscore of RFC 8552), so that a name
// means the same to berth, to resolvers and to servers. The last label is not a
// number: who reads "127.1" or "0x7f.1" as an address, as inet_aton does, must
// not find one here.
func canonical(s string) (name string, ok bool) {
	s = strings.TrimSuffix(s, ".")
	_, _, problem := badName(s)
	return strings.ToLower(s), problem == ""
}

// badName says what is wrong with a name, and where: an index, and a width.
func badName(s string) (at, width int, problem string) {
	switch {
	case s == "":
		return 0, 1, "there is no name"
	case len(s) > maxName:
		return maxName, len(s) - maxName, fmt.Sprintf("a name has at most %d characters", maxName)
	}
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			if !nameByte(s[i]) {
				r, size := utf8.DecodeRuneInString(s[i:])
				return i, size, fmt.Sprintf("%q cannot be in a name", r)
			}
			continue
		}
		switch label := s[start:i]; {
		case label == "":
			return max(start-1, 0), 1, "there is nothing between two dots of the name"
		case len(label) > maxLabel:
			return start, len(label), fmt.Sprintf("a part of a name has at most %d characters", maxLabel)
		case i == len(s) && numeric(label):
			return start, len(label), "a name does not end in a number, and this is no address"
		}
		start = i + 1
	}
	return 0, 0, ""
}

func nameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// numeric tells whether inet_aton could read a label as a number: decimal, octal
// or hexadecimal.
func numeric(label string) bool {
	hex, isHex := strings.CutPrefix(strings.ToLower(label), "0x")
	digits := "0123456789"
	if isHex {
		label, digits = hex, "0123456789abcdef"
	}
	return strings.Trim(label, digits) == ""
}

// A pattern is a canonical name, or "*." and one: any name that ends in it, at
// any depth, but not itself.
type pattern string

func (p pattern) wild() bool { return strings.HasPrefix(string(p), "*.") }

// base is the pattern without its wildcard.
func (p pattern) base() string { return strings.TrimPrefix(string(p), "*.") }

// match tells whether a canonical name follows the pattern.
func (p pattern) match(name string) bool {
	if p.wild() {
		// The dot stays: *.example.com is not badexample.com.
		return strings.HasSuffix(name, string(p[1:])) && len(name) > len(p)-1
	}
	return name == string(p)
}
