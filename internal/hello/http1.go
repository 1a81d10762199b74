package hello

import (
	"bytes"
	"slices"
	"strings"
)

// maxMethod is the longest word that can be a method and is no token.
const maxMethod = 32

// request reads the head of a request, RFC 9112. Fresh is that there may be another
// protocol instead.
func (s *Stream) request(fresh bool) bool {
	// Servers are to ignore empty lines before a request (RFC 9112 2.2). Some
	// ignore other white space too.
	head := bytes.TrimLeft(s.buf, " \t\v\f\r\n")
	if !startsRequest(head) {
		return s.other(fresh)
	}
	s.kind = HTTP
	line, rest, ok := bytes.Cut(head, []byte("\n"))
	if !ok {
		return s.more(len(s.buf) + 1)
	}
	if !requestLike(line) {
		return s.other(fresh)
	}
	if simple(line) {
		s.next(len(s.buf)-len(rest), (*Stream).silence)
		return s.say(Said{})
	}
	before := s.buf[:len(s.buf)-len(head)]
	if _, _, ok := requestLine(line); !ok || len(bytes.Trim(before, "\r\n")) > 0 {
		return s.fail("the line of the request is malformed")
	}
	// What is looked for may have its beginning in what was there before.
	at := max(s.scanned-3, len(s.buf)-len(rest)-1)
	end := endOfHead(s.buf[at:])
	if s.scanned = len(s.buf); end < 0 {
		return s.more(len(s.buf) + 1)
	}
	s.scanned = 0
	end += at
	said, frame := readHead(line, s.buf[len(s.buf)-len(rest):end])
	if !s.say(said) {
		return false
	}
	return s.next(end, frame.body())
}

// other is what is no request: another protocol, or what cannot follow a request.
func (s *Stream) other(fresh bool) bool {
	if !fresh {
		return s.fail("what follows a request is none")
	}
	s.kind = Unknown
	s.say(Said{})
	return s.end()
}

// again is the stage of a connection that had a request.
func (s *Stream) again() bool { return s.request(false) }

// endOfHead is the index behind the empty line that ends a head, in which lines
// may end without CR; b begins at the end of a line. It is -1 if there is none.
func endOfHead(b []byte) int {
	for i := 0; ; {
		next := bytes.IndexByte(b[i:], '\n')
		if next < 0 {
			return -1
		}
		i += next + 1
		switch {
		case i < len(b) && b[i] == '\n':
			return i + 1
		case i+1 < len(b) && b[i] == '\r' && b[i+1] == '\n':
			return i + 2
		}
	}
}

// startsRequest tells whether this may be the beginning of a request: a word and a
// space.
func startsRequest(b []byte) bool {
	for i, c := range b {
		switch {
		case c == ' ' || c == '\t':
			return true
		case c < 0x21 || c > 0x7e, i >= maxMethod && !tokenByte(c):
			return false
		}
	}
	return true
}

// requestLike tells whether a server could take a line for that of a request,
// however lenient it is: what is nearly HTTP must be HTTP.
func requestLike(line []byte) bool {
	return bytes.Contains(bytes.ToUpper(line), []byte("HTTP/")) || simple(line)
}

// simple tells whether a line is a request of HTTP/0.9, which has no version and
// no head, and so no Host.
func simple(line []byte) bool {
	words := bytes.Fields(line)
	return len(words) == 2 && bytes.EqualFold(words[0], []byte("GET")) && words[1][0] == '/'
}

// requestLine cuts a line as RFC 9112 3 has it, without leniency.
func requestLine(line []byte) (method, target string, ok bool) {
	words := strings.Split(strings.TrimSuffix(string(line), "\r"), " ")
	if len(words) != 3 || !token(words[0]) || words[1] == "" || (words[2] != "HTTP/1.1" && words[2] != "HTTP/1.0") {
		return "", "", false
	}
	for _, c := range []byte(words[1]) {
		if c <= ' ' || c == 0x7f {
			return "", "", false
		}
	}
	return words[0], words[1], true
}

// token tells whether something is a token, RFC 9110 5.6.2.
func token(s string) bool {
	for _, c := range []byte(s) {
		if !tokenByte(c) {
			return false
		}
	}
	return s != ""
}

func tokenByte(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// readHead finds the names in a complete head, and what comes behind it.
func readHead(line, head []byte) (said Said, f framing) {
	bad := func(problem string) (Said, framing) { return Said{Problem: problem}, f }
	method, target, _ := requestLine(line)
	authority, ok := targetAuthority(method, target)
	if !ok {
		return bad("the target of the request is malformed")
	}
	if authority != "" && !said.add(authority) {
		return bad("the host in the target is malformed")
	}
	f.old = bytes.HasSuffix(bytes.TrimSuffix(line, []byte("\r")), []byte("HTTP/1.0"))
	f.tunnel = method == "CONNECT"
	f.bare = !bytes.HasSuffix(line, []byte("\r"))
	hosts := 0
	for one := range bytes.Lines(head) {
		name, value, bare, ok := field(one)
		f.bare = f.bare || bare
		switch {
		case !ok:
			return bad("a field of the request is malformed")
		case name == "":
			continue // the empty line at the end
		case name != "host":
			f.add(name, value)
			continue
		}
		if hosts++; hosts > 1 {
			return bad("the request has two Host fields")
		}
		if !said.add(value) {
			return bad("the Host of the request is malformed")
		}
	}
	if problem := f.problem(); problem != "" {
		return bad(problem)
	}
	return said, f
}

// field cuts a line of a head, with its end, which is bare if it has no CR. The name
// is in lower case, and empty of an empty line. Folded lines and spaces before the
// colon have been used to show one Host to a filter and another to a server (RFC
// 9112 5.1, 5.2, 11.2).
func field(line []byte) (name, value string, bare, ok bool) {
	one, ended := strings.CutSuffix(string(line), "\n")
	one, cr := strings.CutSuffix(one, "\r")
	if bare = ended && !cr; one == "" {
		return "", "", bare, true
	}
	name, value, found := strings.Cut(one, ":")
	if !found || !token(name) {
		return "", "", bare, false
	}
	for _, c := range []byte(value) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return "", "", bare, false
		}
	}
	return strings.ToLower(name), strings.Trim(value, " \t"), bare, true
}

// targetAuthority is the host that the target itself has, RFC 9112 3.2; empty for
// a path.
func targetAuthority(method, target string) (authority string, ok bool) {
	switch {
	case method == "CONNECT":
		return target, true
	case target[0] == '/' || target == "*":
		return "", true
	}
	_, rest, ok := strings.Cut(target, "://")
	if !ok {
		return "", false
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return rest, rest != ""
}

// add enters the host of an authority. It tells whether that is well formed. An
// empty Host is said to be there where there is no name (RFC 9112 3.2).
func (s *Said) add(authority string) bool {
	if authority == "" {
		return true
	}
	host, ok := hostOf(authority)
	if ok && !slices.Contains(s.Names, host) {
		s.Names = append(s.Names, host)
	}
	return ok
}

// hostOf takes the port from an authority, and the brackets of an address.
func hostOf(authority string) (host string, ok bool) {
	if strings.ContainsAny(authority, "@/\\ \t,") {
		return "", false
	}
	port := ""
	if rest, bracketed := strings.CutPrefix(authority, "["); bracketed {
		if host, port, ok = strings.Cut(rest, "]"); !ok || port != "" && port[0] != ':' {
			return "", false
		}
		port = strings.TrimPrefix(port, ":")
	} else {
		host, port, _ = strings.Cut(authority, ":")
	}
	return host, host != "" && strings.Trim(port, "0123456789") == ""
}
