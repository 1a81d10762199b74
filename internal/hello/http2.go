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
	tableSize         = 4096

	// maxFrames is how many come before the first request ends: settings, a
	// window, and the request.
	maxFrames = 64
)

// readHTTP2 reads up to the end of the first request's headers; ok is false if
// the stream is not HTTP/2.
func readHTTP2(b []byte) (said Said, need int, ok bool) {
	if n := min(len(b), len(preface)); string(b[:n]) != preface[:n] {
		return Said{}, 0, false
	} else if n < len("PRI * HTTP/2") {
		return Said{}, 0, false // it may be a request with a method of its own
	} else if n < len(preface) {
		return Said{Kind: HTTP2}, n + 1, true
	}
	malformed := Said{Kind: HTTP2, Problem: "HTTP/2 begins malformed"}
	var block []byte
	inBlock := false
	at := len(preface)
	for i := range maxFrames {
		if len(b) < at+frameHeader {
			return Said{Kind: HTTP2}, at + frameHeader, true
		}
		h := b[at : at+frameHeader]
		length, kind, flags := int(h[0])<<16|int(h[1])<<8|int(h[2]), h[3], h[4]
		if length > MaxHello || i == 0 && kind != frameSettings || inBlock != (kind == frameContinuation) || kind == framePushPromise {
			return malformed, 0, true
		}
		if at += frameHeader; len(b) < at+length {
			return Said{Kind: HTTP2}, at + length, true
		}
		body := b[at : at+length]
		at += length
		switch kind {
		case frameHeaders:
			if body, ok = unpadded(body, flags); !ok {
				return malformed, 0, true
			}
			inBlock = true
			fallthrough
		case frameContinuation:
			block = append(block, body...)
			if flags&flagEndHeaders != 0 {
				return readBlock(block), 0, true
			}
		}
	}
	return malformed, 0, true
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

// readBlock finds the names in a block of headers.
func readBlock(block []byte) Said {
	said, ok, hosts := Said{Kind: HTTP2}, true, 0
	d := hpack.NewDecoder(tableSize, func(f hpack.HeaderField) {
		if f.Name == ":authority" || f.Name == "host" {
			ok = said.add(f.Value) && ok
			if f.Name == ":authority" {
				hosts++
			}
		}
	})
	d.SetMaxStringLength(MaxHello)
	_, err := d.Write(block)
	if err != nil || d.Close() != nil || !ok || hosts > 1 {
		return Said{Kind: HTTP2, Problem: "the headers of HTTP/2 are malformed"}
	}
	return said
}
