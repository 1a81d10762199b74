package hello

import (
	"bytes"
	"strconv"
	"strings"
)

// framing says where a request ends, RFC 9112 6. Where two servers could disagree
// about that, one of them would take for a request what is part of a body, with a
// Host that nobody has judged (RFC 9112 11.2); so that is a problem.
type framing struct {
	old    bool // HTTP/1.0
	tunnel bool // CONNECT
	turns  bool // it asks for another protocol (Upgrade)
	bare   bool // lines end without CR, which not everybody takes for an end

	lengths, codings int // how many there are
	length           int64
	wrong            string
}

// add takes a field of the head.
func (f *framing) add(name, value string) {
	switch name {
	case "content-length":
		n, err := strconv.ParseUint(value, 10, 62)
		if f.lengths++; err != nil || strings.Trim(value, "0123456789") != "" {
			f.wrong = "the Content-Length of the request is malformed"
		}
		f.length = int64(n)
	case "transfer-encoding":
		if f.codings++; !strings.EqualFold(value, "chunked") {
			f.wrong = "the Transfer-Encoding of the request is not chunked alone"
		}
	case "upgrade":
		f.turns = true
	}
}

// problem is why there is no telling where the request ends.
func (f *framing) problem() string {
	switch {
	case f.wrong != "":
		return f.wrong
	case f.lengths+f.codings > 1:
		return "the request says twice how long it is"
	case f.codings > 0 && f.old:
		return "the request is chunked, which HTTP/1.0 is not"
	case f.tunnel && (f.codings > 0 || f.length > 0):
		return "CONNECT has a body"
	case f.bare && (f.codings > 0 || f.length > 0):
		return "a request with a body ends its lines without CR"
	}
	return ""
}

// body is the stage behind the head.
func (f *framing) body() stage {
	then := (*Stream).again
	switch {
	case f.bare:
		return (*Stream).silence
	case f.tunnel || f.turns:
		then = (*Stream).begin
	}
	if f.codings > 0 {
		return chunks(then)
	}
	return func(s *Stream) bool {
		s.pass(f.length)
		s.stage = then
		return true
	}
}

// silence is behind a request that ends all, for some servers.
func (s *Stream) silence() bool {
	if len(bytes.Trim(s.buf, "\r\n")) > 0 {
		return s.fail("there is more behind a request that may have no end")
	}
	return s.next(len(s.buf), (*Stream).silence)
}

// longestChunkLine is that of a chunk's size with its extensions, and of a trailer.
const longestChunkLine = 4096

// line is the next line of a body, which ends with CR and LF and has no control
// characters. Ok is false if there is none yet, or a malformed one.
func (s *Stream) line() (text string, length int, ok bool) {
	end := bytes.IndexByte(s.buf, '\n')
	if end < 0 && len(s.buf) <= longestChunkLine {
		return "", 0, s.more(len(s.buf) + 1)
	}
	text, ended := strings.CutSuffix(string(s.buf[:max(end, 0)]), "\r")
	if !ended || len(text) > longestChunkLine || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return "", 0, s.fail("a chunk of the request is malformed")
	}
	return text, end + 1, true
}

// chunks is the stage before a chunk (RFC 9112 7.1); then is behind the last.
func chunks(then stage) stage {
	return func(s *Stream) bool {
		text, n, ok := s.line()
		if !ok {
			return false
		}
		digits, _, _ := strings.Cut(text, ";")
		digits = strings.TrimRight(digits, " \t")
		size, err := strconv.ParseUint(digits, 16, 62)
		if err != nil || strings.Trim(digits, "0123456789abcdefABCDEF") != "" {
			return s.fail("a chunk of the request is malformed")
		}
		if size == 0 {
			return s.next(n, trailers(then))
		}
		s.next(n, chunkEnd(then))
		s.pass(int64(size))
		return true
	}
}

// chunkEnd is the stage behind what a chunk has.
func chunkEnd(then stage) stage {
	return func(s *Stream) bool {
		switch {
		case len(s.buf) == 1 && s.buf[0] == '\r':
			return s.more(2)
		case !bytes.HasPrefix(s.buf, []byte("\r\n")):
			return s.fail("a chunk of the request is malformed")
		}
		return s.next(2, chunks(then))
	}
}

// trailers is the stage behind the last chunk. What frames a message or routes it has
// no meaning there (RFC 9110 6.5.1), and some give it one.
func trailers(then stage) stage {
	return func(s *Stream) bool {
		text, n, ok := s.line()
		switch {
		case !ok:
			return false
		case text == "":
			return s.next(n, then)
		}
		name, _, _, ok := field([]byte(text))
		if !ok || name == "host" || name == "content-length" || name == "transfer-encoding" {
			return s.fail("a trailer of the request is malformed")
		}
		return s.next(n, trailers(then))
	}
}
