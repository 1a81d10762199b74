package hello

import (
	"golang.org/x/net/http2/hpack"
)

// preface is how a client begins that knows the server to have HTTP/2, RFC 9113
// 3.4.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// Of frames, RFC 9113 4.1, 6.2, 6.5.2, 6.10.
const (
	frameHeader       = 9
	frameHeaders      = 1
	frameSettings     = 4
	framePushPromise  = 5
	frameContinuation = 9
	flagEndHeaders    = 0x4
	flagPadded        = 0x8
	flagPriority      = 0x20

	// A client's table is 4096 bytes, unless the server has said that there may be
	// more, and the client then says how many it takes (RFC 7541 4.2).
	tableSize    = 4096
	maxTableSize = 1 << 16

	// maxFrames is in how many a block of headers may come.
	maxFrames = 64
)

// maybeHTTP2 tells whether a stream is HTTP/2. Shorter than this, it may be a request
// with a method of its own.
func maybeHTTP2(b []byte) bool {
	const enough = len("PRI * HTTP/2")
	n := min(len(b), len(preface))
	return n >= enough && string(b[:n]) == preface[:n]
}

func (s *Stream) preface() bool {
	n := min(len(s.buf), len(preface))
	switch {
	case string(s.buf[:n]) != preface[:n]:
		s.kind = HTTP
		return s.request(true) // which it is not
	case n < len(preface):
		return s.more(n + 1)
	}
	s.fields = newFields()
	return s.next(n, (*Stream).firstFrame)
}

// malformedHTTP2 is the Problem of frames that no client sends.
const malformedHTTP2 = "HTTP/2 is malformed"

// firstFrame wants the settings.
func (s *Stream) firstFrame() bool {
	switch {
	case len(s.buf) < frameHeader:
		return s.more(frameHeader)
	case s.buf[3] != frameSettings:
		return s.fail(malformedHTTP2)
	}
	return s.frame()
}

// frame reads headers, in one frame or several, and lets all others go by.
func (s *Stream) frame() bool {
	if len(s.buf) < frameHeader {
		return s.more(frameHeader)
	}
	h := s.buf[:frameHeader]
	length, kind, flags := int(h[0])<<16|int(h[1])<<8|int(h[2]), h[3], h[4]
	id := uint32(h[5]&0x7f)<<24 | uint32(h[6])<<16 | uint32(h[7])<<8 | uint32(h[8])
	inBlock := s.count > 0
	switch {
	case inBlock != (kind == frameContinuation), inBlock && id != s.fields.stream, kind == framePushPromise:
		return s.fail(malformedHTTP2)
	case kind != frameHeaders && kind != frameContinuation:
		s.next(frameHeader, (*Stream).frame)
		s.pass(int64(length))
		return true
	case length+len(s.block) > MaxHello || s.count == maxFrames:
		return s.fail("there is no end to the headers")
	case len(s.buf) < frameHeader+length:
		return s.more(frameHeader + length)
	}
	body := s.buf[frameHeader : frameHeader+length]
	if kind == frameHeaders {
		var ok bool
		if body, ok = unpadded(body, flags); !ok {
			return s.fail(malformedHTTP2)
		}
		s.fields.stream = id
	}
	s.block = append(s.block, body...)
	s.count++
	s.next(frameHeader+length, (*Stream).frame)
	if flags&flagEndHeaders == 0 {
		return true
	}
	block := s.block
	s.block, s.count = nil, 0
	return s.headers(id, block)
}

// headers reads a block of headers: of a new request, or behind the body of one.
func (s *Stream) headers(id uint32, block []byte) bool {
	said, ok := s.fields.read(block)
	switch trailers := id <= s.streams; {
	case !ok || trailers && len(said.Names) > 0:
		return s.fail("the headers of HTTP/2 are malformed")
	case trailers:
		return true
	}
	s.streams = id
	return s.say(said)
}

// unpadded takes padding and priority from HEADERS.
func unpadded(b []byte, flags byte) ([]byte, bool) {
	r := reader{b: b}
	padding := 0
	if flags&flagPadded != 0 {
		padding = r.uint(1)
	}
	if flags&flagPriority != 0 {
		r.take(5)
	}
	if r.bad || padding > len(r.b) {
		return nil, false
	}
	return r.b[:len(r.b)-padding], true
}

// fields read blocks of headers, whose compression goes on from one to the next.
type fields struct {
	stream  uint32 // that the headers are of
	decoder *hpack.Decoder
	said    Said
	ok      bool
	hosts   int
}

func newFields() *fields {
	f := &fields{}
	f.decoder = hpack.NewDecoder(tableSize, f.field)
	f.decoder.SetAllowedMaxDynamicTableSize(maxTableSize)
	f.decoder.SetMaxStringLength(MaxHello)
	return f
}

func (f *fields) field(h hpack.HeaderField) {
	if h.Name == ":authority" || h.Name == "host" {
		f.ok = f.said.add(h.Value) && f.ok
		if h.Name == ":authority" {
			f.hosts++
		}
	}
}

// read finds the names in a block.
func (f *fields) read(block []byte) (said Said, ok bool) {
	f.said, f.ok, f.hosts = Said{}, true, 0
	_, err := f.decoder.Write(block)
	if err != nil || f.decoder.Close() != nil || f.hosts > 1 {
		f.ok = false
	}
	return f.said, f.ok
}
