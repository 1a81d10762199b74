package hello

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"
)

// extension is one of a ClientHello.
func extension(kind int, body []byte) []byte {
	return vector(2, body, binary.BigEndian.AppendUint16(nil, uint16(kind)))
}

// vector is a body behind its length in n bytes, behind what is before.
func vector(n int, body, before []byte) []byte {
	length := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	return slices.Concat(before, length[4-n:], body)
}

// sni is the extension of a name.
func sni(name string) []byte {
	return extension(extServerName, vector(2, vector(2, []byte(name), []byte{nameHost}), nil))
}

// helloOf is a ClientHello with extensions.
func helloOf(extensions ...[]byte) []byte {
	body := append([]byte{3, 3}, make([]byte, 32)...)
	body = vector(1, []byte("session"), body)
	body = vector(2, []byte{0x13, 1}, body)
	body = vector(1, []byte{0}, body)
	body = vector(2, slices.Concat(extensions...), body)
	return vector(3, body, []byte{typeClientHello})
}

// record is one of TLS.
func record(kind byte, body []byte) []byte { return vector(2, body, []byte{kind, 3, 1}) }

// records are the records of a handshake, cut into pieces.
func records(handshake []byte, size int) (all []byte) {
	for piece := range slices.Chunk(handshake, size) {
		all = append(all, record(recordHandshake, piece)...)
	}
	return all
}

var (
	alpn = extension(16, vector(2, vector(1, []byte("h2"), nil), nil))
	ech  = extension(extECH, make([]byte, 200))
)

// h2 is the beginning of HTTP/2: settings, and headers in frames of some size.
func h2(size int, fields ...string) []byte {
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		e.WriteField(hpack.HeaderField{Name: name, Value: value})
	}
	out := append([]byte(preface), frame(frameSettings, 0, nil)...)
	out = append(out, frame(8, 0, make([]byte, 4))...)
	kind := byte(frameHeaders)
	for block.Len() > size {
		out = append(out, frame(kind, 0, block.Next(size))...)
		kind = frameContinuation
	}
	return append(out, frame(kind, flagEndHeaders, block.Bytes())...)
}

func frame(kind, flags byte, body []byte) []byte {
	return slices.Concat([]byte{byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body)), kind, flags, 0, 0, 0, 1}, body)
}

func TestStream(t *testing.T) {
	long := strings.Repeat("x", MaxHello)
	for _, tt := range []struct {
		name, in string
		want     string
	}{
		{"TLS", string(records(helloOf(alpn, sni("a.example")), 9999)), "TLS a.example"},
		{"TLS in two records", string(records(helloOf(alpn, sni("a.example")), 60)), "TLS a.example"},
		{"a header of the handshake in two records", string(records(helloOf(sni("a.example")), 3)), "TLS a.example"},
		{"TLS in too many records", string(records(helloOf(sni("a.example")), 1)), "TLS! the ClientHello is in too many pieces"},
		{"TLS, and more", string(records(helloOf(sni("a.example")), 9999)) + "more", "TLS a.example"},
		{"no server name", string(records(helloOf(alpn), 9999)), "TLS"},
		{"no extensions", string(records(vector(3, helloOf()[4:len(helloOf())-2], []byte{1}), 99)), "TLS"},
		{"ECH", string(records(helloOf(ech, sni("outer.example")), 9999)), "TLS outer.example ech"},
		{"two server names", string(records(helloOf(sni("a.example"), sni("b.example")), 9999)), "TLS! the server name of the ClientHello is malformed"},
		{"two names in one", string(records(helloOf(extension(0, vector(2, slices.Concat(vector(2, []byte("a"), []byte{0}), vector(2, []byte("b"), []byte{0})), nil))), 9999)), "TLS! the server name of the ClientHello is malformed"},
		{"an empty name", string(records(helloOf(sni("")), 9999)), "TLS! the server name of the ClientHello is malformed"},
		{"a name of another type", string(records(helloOf(extension(0, vector(2, vector(2, []byte("a"), []byte{1}), nil))), 9999)), "TLS! the server name of the ClientHello is malformed"},
		{"an extension too long", string(records(helloOf(alpn[:len(alpn)-1]), 9999)), "TLS! the ClientHello is malformed"},
		{"bytes behind the extensions", string(records(vector(3, append(helloOf()[4:], 0), []byte{1}), 99)), "TLS! the ClientHello is malformed"},
		{"cipher suites too long", string(records(vector(3, append(make([]byte, 35), 0xff, 0xff), []byte{1}), 99)), "TLS! the ClientHello is malformed"},
		{"a ServerHello", string(records(append([]byte{2}, helloOf()[1:]...), 9999)), "TLS! the handshake does not begin with a ClientHello"},
		{"a ClientHello of 16 MB", string(record(recordHandshake, []byte{1, 0xff, 0xff, 0xff})), "TLS! the ClientHello is too long"},
		{"an alert before", string(record(21, []byte{1, 0})) + string(records(helloOf(sni("a.example")), 9999)), "TLS! TLS begins with something else than a ClientHello"},
		{"an empty record before", string(record(22, nil)) + string(records(helloOf(sni("a.example")), 9999)), "TLS! TLS begins with something else than a ClientHello"},
		{"an alert between", string(records(helloOf(sni("a.example")), 20)[:25]) + string(record(21, []byte{1, 0})), "TLS! TLS begins with something else than a ClientHello"},
		{"not TLS", "\x16\x02", "unknown"},

		{"HTTP", "GET / HTTP/1.1\r\nAccept: x\r\nHost: a.example\r\n\r\n", "HTTP a.example"},
		{"HTTP with bare newlines", "GET / HTTP/1.1\nHost:a.example\n\n\n", "HTTP a.example"},
		{"empty lines before", "\r\n\r\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP a.example"},
		{"upper case", "GET / HTTP/1.1\r\nHOST: A.Example:8080\r\n\r\n", "HTTP A.Example"},
		{"a port, and white space", "GET / HTTP/1.1\r\nhost: \t a.example:80\t\r\n\r\n", "HTTP a.example"},
		{"an address", "GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n", "HTTP 2001:db8::1"},
		{"no Host", "GET / HTTP/1.0\r\n\r\n", "HTTP"},
		{"an empty Host", "GET / HTTP/1.0\r\nHost:\r\n\r\n", "HTTP"},
		{"a full target", "GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP a.example"},
		{"a full target of another host", "GET http://b.example:80?x HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP b.example,a.example"},
		{"a tunnel", "CONNECT b.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP b.example,a.example"},
		{"about the server", "OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP a.example"},
		{"a method of its own", "M-SEARCH / HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP a.example"},
		{"two Hosts", "GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n", "HTTP! the request has two Host fields"},
		{"a folded line", "GET / HTTP/1.1\r\nX: y\r\n Host: b.example\r\n\r\n", "HTTP! a field of the request is malformed"},
		{"a space before the colon", "GET / HTTP/1.1\r\nHost : a.example\r\n\r\n", "HTTP! a field of the request is malformed"},
		{"a bare CR", "GET / HTTP/1.1\r\nX: y\rHost: b.example\r\n\r\n", "HTTP! a field of the request is malformed"},
		{"a NUL", "GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n", "HTTP! a field of the request is malformed"},
		{"no colon", "GET / HTTP/1.1\r\nHost\r\n\r\n", "HTTP! a field of the request is malformed"},
		{"a user", "GET / HTTP/1.1\r\nHost: b.example@a.example\r\n\r\n", "HTTP! the Host of the request is malformed"},
		{"two hosts in one", "GET / HTTP/1.1\r\nHost: a.example, b.example\r\n\r\n", "HTTP! the Host of the request is malformed"},
		{"a port that is none", "GET / HTTP/1.1\r\nHost: a.example:x\r\n\r\n", "HTTP! the Host of the request is malformed"},
		{"an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "HTTP! the Host of the request is malformed"},
		{"a target with a user", "GET http://x@b.example/ HTTP/1.1\r\n\r\n", "HTTP! the host in the target is malformed"},
		{"a target that is none", "GET x HTTP/1.1\r\n\r\n", "HTTP! the target of the request is malformed"},
		{"a target without a host", "GET http:/// HTTP/1.1\r\n\r\n", "HTTP! the target of the request is malformed"},
		{"a tab in the line", "GET\t/ HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP! the line of the request is malformed"},
		{"two spaces in the line", "GET  / HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP! the line of the request is malformed"},
		{"a control in the line", "GET /\x01 HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP! the line of the request is malformed"},
		{"another version", "GET / HTTP/1.2\r\nHost: a.example\r\n\r\n", "HTTP! the line of the request is malformed"},
		{"lower case of the version", "GET / http/1.1\r\nHost: a.example\r\n\r\n", "HTTP! the line of the request is malformed"},
		{"HTTP/0.9", "GET /\r\n", "HTTP"},
		{"a request after a space", " GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP! the line of the request is malformed"},
		{"a request after a blank line", "\r\n \r\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP! the line of the request is malformed"},
		{"a method with a digit", "G3T / HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP a.example"},
		{"a method in brackets", "(GET) / HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP! the line of the request is malformed"},
		{"an endless line", "GET /" + long, "HTTP! there is no end to what the client says"},
		{"an endless head", "GET / HTTP/1.1\r\nX: " + long, "HTTP! there is no end to what the client says"},

		{"HTTP/2", string(h2(9999, ":method=GET", ":authority=a.example:80", "accept=x")), "HTTP/2 a.example"},
		{"HTTP/2 in pieces", string(h2(3, ":method=GET", ":authority=a.example", "host=b.example")), "HTTP/2 a.example,b.example"},
		{"HTTP/2 without a host", string(h2(99, ":method=GET")), "HTTP/2"},
		{"two authorities", string(h2(99, ":authority=a.example", ":authority=b.example")), "HTTP/2! the headers of HTTP/2 are malformed"},
		{"an authority that is none", string(h2(99, ":authority=x@b.example")), "HTTP/2! the headers of HTTP/2 are malformed"},
		{"padding and priority", preface + string(frame(frameSettings, 0, nil)) + string(frame(frameHeaders, flagPadded|flagPriority|flagEndHeaders, []byte("\x02\x00\x00\x00\x00\x00\x82\x00\x00"))), "HTTP/2"},
		{"too much padding", preface + string(frame(frameSettings, 0, nil)) + string(frame(frameHeaders, flagPadded|flagEndHeaders, []byte{9, 0x82})), "HTTP/2! HTTP/2 is malformed"},
		{"no settings", preface + string(frame(frameHeaders, flagEndHeaders, []byte{0x82})), "HTTP/2! HTTP/2 is malformed"},
		{"a frame in the headers", preface + string(frame(frameSettings, 0, nil)) + string(frame(frameHeaders, 0, []byte{0x82})) + string(frame(6, 0, make([]byte, 8))), "HTTP/2! HTTP/2 is malformed"},
		{"nothing but pings", preface + string(frame(frameSettings, 0, nil)) + strings.Repeat(string(frame(6, 0, make([]byte, 8))), 99), "unknown"},
		{"a large frame", preface + string(frame(frameSettings, 0, nil)) + "\xff\xff\xff\x01\x00\x00\x00\x00\x01", "HTTP/2! there is no end to the headers"},
		{"bad HPACK", preface + string(frame(frameSettings, 0, nil)) + string(frame(frameHeaders, flagEndHeaders, []byte{0xff})), "HTTP/2! the headers of HTTP/2 are malformed"},
		{"almost the preface", "PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n", "HTTP! the line of the request is malformed"},

		{"SSH", "SSH-2.0-OpenSSH_9.9\r\n", "unknown"},
		{"SMTP", "EHLO a.example\r\n", "unknown"},
		{"RTSP", "OPTIONS rtsp://a.example/ RTSP/1.0\r\n\r\n", "unknown"},
		{"zeros", "\x00\x00\x00\x08\x04\xd2\x16\x2f", "unknown"},
		{"a long word", strings.Repeat("a", 40), "HTTP! what the client says is cut off"},
		{"a long method", strings.Repeat("A", 40) + " / HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP a.example"},
		{"a long word that is no method", strings.Repeat("a", 40) + ":", "unknown"},
		{"NATS", "CONNECT {\"verbose\":false}\r\n", "unknown"},
		{"Redis", "*1\r\n$4\r\nPING\r\n", "unknown"},
		{"Redis by hand", "GET key\r\n", "unknown"},
		{"MySQL", " \x00\x00\x01", "unknown"},
		{"a word that does not end", "PING", "HTTP! what the client says is cut off"},
		{"half a record", "\x16\x03\x01", "TLS! what the client says is cut off"},
		{"half a preface", preface[:20], "HTTP/2! what the client says is cut off"},
		{"nothing", "", "unknown"},
	} {
		// It does not matter how the bytes come.
		for _, size := range []int{1, 7, max(len(tt.in), 1)} {
			if got := hear(tt.in, size); got != tt.want {
				t.Errorf("%s, by %d: %s, want %s", tt.name, size, got, tt.want)
			}
		}
	}
}

// hear feeds a stream in pieces, and tells what it says, in all.
func hear(in string, size int) string {
	var s Stream
	var all []string
	for piece := range slices.Chunk([]byte(in), size) {
		said, _ := s.Feed(piece)
		for _, one := range said {
			all = append(all, words(one))
		}
		if s.Over() {
			break
		}
	}
	if !s.Over() {
		for _, one := range s.End() {
			all = append(all, words(one))
		}
	}
	if len(all) == 0 {
		return "unknown"
	}
	return strings.Join(all, ", ")
}

func words(s Said) string {
	got := s.Kind.String()
	if s.Problem != "" {
		return got + "! " + s.Problem
	}
	if len(s.Names) > 0 {
		got += " " + strings.Join(s.Names, ",")
	}
	if s.ECH {
		got += " ech"
	}
	return got
}

// A stream has its answer as soon as it can be known, and keeps it.
func TestStreamIsOver(t *testing.T) {
	in := records(helloOf(sni("a.example")), 30)
	var s Stream
	for i := range in {
		said, wait := s.Feed(in[i : i+1])
		if last := i == len(in)-1; len(said) > 0 != last || wait == last || s.Over() != last {
			t.Fatalf("after %d of %d bytes: %v, %v", i+1, len(in), said, wait)
		}
	}
	if said, wait := s.Feed([]byte("more")); len(said) > 0 || wait || s.buf != nil {
		t.Error("there is more to hear")
	}
}

// What is cut off anywhere has a Problem, and until then nothing is said; of HTTP/2
// that begins with the first headers.
func TestStreamsThatAreCutOff(t *testing.T) {
	two := h2(5, ":method=GET", ":authority=a.example")
	settings := len(preface) + 2*frameHeader + 4
	for _, tt := range []struct {
		in   []byte
		from int
	}{
		{records(helloOf(alpn, sni("a.example")), 60), 0},
		{[]byte("GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"), 0},
		{two, settings},
	} {
		for n := tt.from + 1; n < len(tt.in); n++ {
			if got := hear(string(tt.in[:n]), n); !strings.HasSuffix(got, "! what the client says is cut off") {
				t.Errorf("%q: %s", tt.in[:n], got)
			}
		}
	}
}

func FuzzStream(f *testing.F) {
	f.Add(records(helloOf(alpn, sni("a.example"), ech), 60), 7)
	f.Add([]byte("GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"), 3)
	f.Add([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n0"), 1)
	f.Add(h2(5, ":method=GET", ":authority=a.example"), 11)
	f.Add([]byte(get("a.example")+post("Transfer-Encoding: chunked\r\n", "5\r\nGET /\r\n0\r\nX: y\r\n\r\n")+get("b.example")), 5)
	f.Add(slices.Concat(records(helloOf(versions, sni("a.example")), 99), record(20, []byte{1}), records(helloOf(versions, sni("b.example")), 99)), 9)
	f.Fuzz(func(t *testing.T, in []byte, size int) {
		whole := hear(string(in), max(len(in), 1))
		if got := hear(string(in), min(max(size, 1), 64)); got != whole {
			t.Errorf("%q: %s in pieces, %s whole", in, got, whole)
		}
	})
}
