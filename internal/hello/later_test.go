package hello

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"
)

// get is a request for a host, and post one with a body or a field of its framing.
func get(host string) string { return "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n" }

func post(fields, body string) string {
	return "POST / HTTP/1.1\r\nHost: a.example\r\n" + fields + "\r\n" + body
}

// What comes behind the first request of a connection is heard, too, and what two
// servers could read in two ways is a Problem: an attacker would show one reading to
// berth, and have a server take the other.
func TestLaterRequests(t *testing.T) {
	const bad, a = "HTTP! ", "HTTP a.example, "
	smuggled := get("b.example")
	for _, tt := range []struct{ name, in, want string }{
		{"two requests", get("a.example") + get("b.example"), a + "HTTP b.example"},
		{"behind empty lines", get("a.example") + "\r\n\r\n" + get("b.example"), a + "HTTP b.example"},
		{"a proxy's", "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\nGET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", a + "HTTP b.example,a.example"},
		{"without a Host", get("a.example") + "GET / HTTP/1.0\r\n\r\n", a + "HTTP"},
		{"of HTTP/0.9", get("a.example") + "GET /\r\n", a + "HTTP"},
		{"behind one of HTTP/0.9", "GET /\r\n" + smuggled, "HTTP, " + bad + "there is more behind a request that may have no end"},
		{"something else", get("a.example") + "SSH-2.0-x\r\n", a + bad + "what follows a request is none"},
		{"bytes", get("a.example") + "\x00", a + bad + "what follows a request is none"},
		{"TLS", get("a.example") + string(records(helloOf(sni("b.example")), 999)), a + bad + "what follows a request is none"},
		{"the preface of HTTP/2", get("a.example") + preface, a + bad + "the line of the request is malformed"},

		// Bodies.
		{"a body", post("Content-Length: 5\r\n", "GET /") + smuggled, a + "HTTP b.example"},
		{"a body that looks like a request", post("Content-Length: 18\r\n", "GET / HTTP/1.1\r\n\r\n") + get("c.example"), a + "HTTP c.example"},
		{"an empty body", post("Content-Length: 0\r\n", "") + smuggled, a + "HTTP b.example"},
		{"a long body", post("Content-Length: 100000\r\n", strings.Repeat("x", 100000)) + smuggled, a + "HTTP b.example"},
		{"chunks", post("Transfer-Encoding: chunked\r\n", "5\r\nGET /\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n") + smuggled, a + "HTTP b.example"},
		{"chunks, and trailers", post("Transfer-Encoding: Chunked\r\n", "0\r\nX: y\r\nZ:\r\n\r\n") + smuggled, a + "HTTP b.example"},
		{"a chunk of nothing but length", post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n") + smuggled, a + "HTTP b.example"},

		// Where requests end is not in doubt.
		{"both lengths", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), bad + "the request says twice how long it is"},
		{"both, the other way round", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n"), bad + "the request says twice how long it is"},
		{"two lengths", post("Content-Length: 4\r\nContent-Length: 40\r\n", ""), bad + "the request says twice how long it is"},
		{"the same length twice", post("Content-Length: 4\r\nContent-Length: 4\r\n", ""), bad + "the request says twice how long it is"},
		{"a list of lengths", post("Content-Length: 4, 4\r\n", ""), bad + "the Content-Length of the request is malformed"},
		{"a signed length", post("Content-Length: +4\r\n", ""), bad + "the Content-Length of the request is malformed"},
		{"a length below nothing", post("Content-Length: -4\r\n", ""), bad + "the Content-Length of the request is malformed"},
		{"a hexadecimal length", post("Content-Length: 0x4\r\n", ""), bad + "the Content-Length of the request is malformed"},
		{"a length with an underscore", post("Content-Length: 1_0\r\n", ""), bad + "the Content-Length of the request is malformed"},
		{"no length", post("Content-Length:\r\n", ""), bad + "the Content-Length of the request is malformed"},
		{"a length beyond all", post("Content-Length: 99999999999999999999\r\n", ""), bad + "the Content-Length of the request is malformed"},
		{"another coding", post("Transfer-Encoding: gzip, chunked\r\n", ""), bad + "the Transfer-Encoding of the request is not chunked alone"},
		{"identity", post("Transfer-Encoding: identity\r\n", ""), bad + "the Transfer-Encoding of the request is not chunked alone"},
		{"almost chunked", post("Transfer-Encoding: xchunked\r\n", ""), bad + "the Transfer-Encoding of the request is not chunked alone"},
		{"chunked behind a control", post("Transfer-Encoding: \x0bchunked\r\n", ""), bad + "a field of the request is malformed"},
		{"chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", ""), bad + "the request says twice how long it is"},
		{"chunked by another name", post("Transfer-Encoding : chunked\r\n", ""), bad + "a field of the request is malformed"},
		{"chunked on a line of its own", post("Transfer-Encoding:\r\n chunked\r\n", ""), bad + "a field of the request is malformed"},
		{"chunks of HTTP/1.0", "POST / HTTP/1.0\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n", bad + "the request is chunked, which HTTP/1.0 is not"},
		{"bare newlines", "GET / HTTP/1.1\nHost: a.example\n\n" + smuggled, a + bad + "there is more behind a request that may have no end"},
		{"one bare newline", "GET / HTTP/1.1\r\nX: y\nHost: a.example\r\n\r\n" + smuggled, a + bad + "there is more behind a request that may have no end"},
		{"a body behind bare newlines", "POST / HTTP/1.1\nHost: a.example\nContent-Length: 5\n\n", bad + "a request with a body ends its lines without CR"},

		// Nor where chunks do.
		{"no size", post("Transfer-Encoding: chunked\r\n", "\r\n"), a + bad + "a chunk of the request is malformed"},
		{"a size in another form", post("Transfer-Encoding: chunked\r\n", "0x5\r\n"), a + bad + "a chunk of the request is malformed"},
		{"a signed size", post("Transfer-Encoding: chunked\r\n", "+5\r\n"), a + bad + "a chunk of the request is malformed"},
		{"a space before the size", post("Transfer-Encoding: chunked\r\n", " 5\r\n"), a + bad + "a chunk of the request is malformed"},
		{"a size that wraps around", post("Transfer-Encoding: chunked\r\n", "10000000000000000\r\n"), a + bad + "a chunk of the request is malformed"},
		{"a bare newline behind the size", post("Transfer-Encoding: chunked\r\n", "5\nGET /\r\n"), a + bad + "a chunk of the request is malformed"},
		{"a bare CR in an extension", post("Transfer-Encoding: chunked\r\n", "5;\rx\r\n"), a + bad + "a chunk of the request is malformed"},
		{"a chunk that is longer than its size", post("Transfer-Encoding: chunked\r\n", "5\r\nGET /x\r\n"), a + bad + "a chunk of the request is malformed"},
		{"a bare newline behind a chunk", post("Transfer-Encoding: chunked\r\n", "5\r\nGET /\n0\r\n\r\n"), a + bad + "a chunk of the request is malformed"},
		{"an endless size", post("Transfer-Encoding: chunked\r\n", "5;"+strings.Repeat("x", 5000)), a + bad + "a chunk of the request is malformed"},
		{"a Host in trailers", post("Transfer-Encoding: chunked\r\n", "0\r\nHost: b.example\r\n\r\n"), a + bad + "a trailer of the request is malformed"},
		{"a length in trailers", post("Transfer-Encoding: chunked\r\n", "0\r\nContent-Length: 4\r\n\r\n"), a + bad + "a trailer of the request is malformed"},
		{"trailers without a colon", post("Transfer-Encoding: chunked\r\n", "0\r\n"+smuggled), a + bad + "a trailer of the request is malformed"},

		// Tunnels and other protocols: whether the server goes along is not known.
		{"TLS in a tunnel", "CONNECT a.example:443 HTTP/1.1\r\n\r\n" + string(records(helloOf(sni("b.example")), 999)), a + "TLS b.example"},
		{"a request in a tunnel", "CONNECT a.example:443 HTTP/1.1\r\n\r\n" + smuggled, a + "HTTP b.example"},
		{"another protocol in a tunnel", "CONNECT a.example:443 HTTP/1.1\r\n\r\nSSH-2.0-x\r\n" + smuggled, a + "unknown"},
		{"a tunnel with a body", "CONNECT a.example:443 HTTP/1.1\r\nContent-Length: 4\r\n\r\n", bad + "CONNECT has a body"},
		{"a tunnel to another", get("a.example") + "CONNECT b.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n", a + "HTTP b.example,a.example"},
		{"an upgrade that is refused", post("Connection: upgrade\r\nUpgrade: websocket\r\n", "") + smuggled, a + "HTTP b.example"},
		{"an upgrade", post("Connection: upgrade\r\nUpgrade: websocket\r\n", "\x81\x85abcd"), a + "unknown"},
		{"an upgrade behind a body", post("Upgrade: websocket\r\nContent-Length: 2\r\n", "\x81\x85") + smuggled, a + "HTTP b.example"},
		{"an upgrade to HTTP/2", post("Upgrade: h2c\r\n", string(h2(99, ":authority=b.example"))), a + "HTTP/2 b.example"},
		{"an upgrade to TLS", post("Upgrade: TLS/1.2\r\n", string(records(helloOf(sni("b.example")), 999))), a + "TLS b.example"},
	} {
		// It does not matter how the bytes come.
		for _, size := range []int{1, 7, len(tt.in)} {
			if got := hear(tt.in, size); got != tt.want {
				t.Errorf("%s, by %d: %s, want %s", tt.name, size, got, tt.want)
			}
		}
	}
}

// A request is held back until its head is complete, a body is not, and who waits
// holds no memory.
func TestWhatIsHeldBack(t *testing.T) {
	var s Stream
	for _, tt := range []struct {
		in         string
		said, wait bool
	}{
		{"POST / HTTP/1.1\r\nHost: a.example\r\n", false, true},
		{"Content-Length: 70\r\n\r\nbody", true, false},
		{strings.Repeat("x", 66), false, false},
		{"GET / HTTP/1.1\r\nHost:", false, true},
		{" b.example\r\n\r\n", true, false},
		{get("c.example") + "GET", true, true},
	} {
		said, wait := s.Feed([]byte(tt.in))
		if len(said) > 0 != tt.said || wait != tt.wait || !wait && s.buf != nil {
			t.Errorf("%q: %v, %v, %d bytes are held", tt.in, said, wait, len(s.buf))
		}
	}
}

// versions is the extension of versions, and early that of early data.
var (
	versions = extension(extVersions, []byte{4, 3, 4, 3, 3})
	early    = extension(extEarlyData, nil)
)

// A server of TLS 1.3 may ask for a second ClientHello, which must not name another.
func TestSecondHello(t *testing.T) {
	first := string(records(helloOf(versions, sni("a.example")), 9999))
	zeroRTT := string(records(helloOf(versions, early, sni("a.example")), 9999))
	same := string(records(helloOf(versions, sni("a.example"), alpn), 9999))
	other := string(records(helloOf(versions, sni("b.example")), 9999))
	cipherSpec, data, alert := string(record(20, []byte{1})), string(record(23, make([]byte, 99))), string(record(21, []byte{1, 0}))
	const a, bad = "TLS a.example", "TLS a.example, TLS! the second ClientHello "
	for _, tt := range []struct{ name, in, want string }{
		{"the same", first + cipherSpec + same + data + other, a},
		{"another", first + other, bad + "says another server name than the first"},
		{"behind a change of ciphers", first + cipherSpec + other, bad + "says another server name than the first"},
		{"behind an alert", first + alert + other, bad + "says another server name than the first"},
		{"in two records", first + string(records(helloOf(versions, sni("b.example")), 30)), bad + "says another server name than the first"},
		{"in tiny records", first + string(records(helloOf(versions, sni("b.example")), 3)), bad + "says another server name than the first"},
		{"in the record of the first", string(record(recordHandshake, slices.Concat(helloOf(versions, sni("a.example")), helloOf(versions, sni("b.example"))))), bad + "says another server name than the first"},
		{"without a name", first + string(records(helloOf(versions), 9999)), bad + "says another server name than the first"},
		{"malformed", first + string(record(recordHandshake, []byte{1, 0, 0, 3, 3, 3, 0})), bad + "is malformed"},
		{"in too many pieces", first + strings.Repeat(string(record(recordHandshake, []byte{1})), 1) + string(record(recordHandshake, []byte{0, 1, 0, 3})) + strings.Repeat(string(record(recordHandshake, []byte{3})), 70), bad + "is in too many pieces"},
		{"with something between its pieces", first + string(records(helloOf(versions, sni("b.example")), 30)[:35]) + cipherSpec, "TLS a.example, TLS! there is something else between the pieces of a ClientHello"},
		{"behind early data", zeroRTT + data + data + other, bad + "says another server name than the first"},
		{"behind data that is not early", first + data + other, a},
		{"of a client without TLS 1.3", string(records(helloOf(sni("a.example")), 9999)) + other, a},
		{"TLS 1.2 goes on", first + string(record(recordHandshake, []byte{16, 0, 0, 1, 0})) + other, a},
		{"TLS 1.2 that resumes", first + cipherSpec + string(record(recordHandshake, append([]byte{1, 2, 3, 4, 5}, make([]byte, 35)...))) + other, a},
		{"not TLS any more", first + "\x16\x09\x00\x00\x01x", "TLS a.example, TLS! a record of TLS is malformed"},
	} {
		for _, size := range []int{1, 7, len(tt.in)} {
			if got := hear(tt.in, size); got != tt.want {
				t.Errorf("%s, by %d: %s, want %s", tt.name, size, got, tt.want)
			}
		}
	}
}

// QUIC's second ClientHello comes in Initial packets of the same keys, and so would
// another first.
func TestSecondHelloOfQUIC(t *testing.T) {
	first, same, other := helloOf(sni("a.example")), helloOf(alpn, sni("a.example")), helloOf(sni("b.example"))
	packet := func(number uint32, frames ...[]byte) []byte {
		return protect(quic1, clientID, clientID, number, pad(frames...))
	}
	begin := packet(0, cryptoFrame(first, 0, len(first)))
	behind := func(hello []byte, from, to int) []byte {
		all := slices.Concat(first, hello)
		return cryptoFrame(all, len(first)+from, len(first)+to)
	}
	const another = "QUIC! the second ClientHello says another server name than the first"
	for _, tt := range []struct {
		name string
		in   [][]byte
		want string
	}{
		{"the same", [][]byte{begin, packet(1, behind(same, 0, len(same)))}, "QUIC a.example ."},
		{"another", [][]byte{begin, packet(1, behind(other, 0, len(other)))}, "QUIC a.example " + another},
		{"another, in pieces", [][]byte{begin, packet(1, behind(other, 0, 30)), packet(2, behind(other, 30, len(other)))}, "QUIC a.example + " + another},
		{"the same, in pieces", [][]byte{begin, packet(1, behind(same, 0, 30)), packet(2, behind(same, 30, len(same)))}, "QUIC a.example + ."},
		{"in one packet", [][]byte{packet(0, cryptoFrame(slices.Concat(first, other), 0, len(first)+len(other)))}, another},
		{"in place of the first", [][]byte{begin, packet(1, cryptoFrame(other, 0, len(other)))}, "QUIC a.example QUIC! an Initial packet is malformed"},
	} {
		if got := heard(tt.in...); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Each request of a connection of HTTP/2 is heard.
func TestLaterRequestsOfHTTP2(t *testing.T) {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	headers := func(flags byte, id byte, fields ...string) string {
		block.Reset()
		for _, f := range fields {
			name, value, _ := strings.Cut(f, "=")
			_ = encoder.WriteField(hpack.HeaderField{Name: name, Value: value})
		}
		b := frame(frameHeaders, flags, block.Bytes())
		b[8] = id
		return string(b)
	}
	whole := func(id byte, fields ...string) string { return headers(flagEndHeaders, id, fields...) }
	begin := func() string {
		encoder = hpack.NewEncoder(&block)
		return preface + string(frame(frameSettings, 0, nil)) + whole(1, ":method=GET", ":authority=a.example")
	}
	data := string(frame(0, 0, make([]byte, 50000)))
	continued := func(id byte) string { b := frame(frameContinuation, flagEndHeaders, nil); b[8] = id; return string(b) }
	const a = "HTTP/2 a.example"
	for _, tt := range []struct{ name, in, want string }{
		{"another host", begin() + whole(3, ":authority=b.example"), a + ", HTTP/2 b.example"},
		{"by what was said before", begin() + data + whole(3, ":method=GET", ":authority=a.example"), a + ", " + a},
		{"trailers", begin() + data + whole(1, "x=y"), a},
		{"a host in trailers", begin() + whole(1, ":authority=b.example"), a + ", HTTP/2! the headers of HTTP/2 are malformed"},
		{"no host", begin() + whole(3, "x=y"), a + ", HTTP/2"},
		{"a tunnel", begin() + whole(3, ":method=CONNECT", ":authority=b.example:443"), a + ", HTTP/2 b.example"},
		{"headers in two frames", begin() + headers(0, 3, ":authority=b.example") + continued(3), a + ", HTTP/2 b.example"},
		{"in frames of two streams", begin() + headers(0, 3, ":authority=b.example") + continued(5), a + ", HTTP/2! HTTP/2 is malformed"},
		{"a promise", begin() + string(frame(framePushPromise, flagEndHeaders, nil)), a + ", HTTP/2! HTTP/2 is malformed"},
		{"too many frames", begin() + headers(0, 3, "x=y") + strings.Repeat(string(frame(frameContinuation, 0, nil)[:8])+"\x03", maxFrames), a + ", HTTP/2! there is no end to the headers"},
		{"a table that the server cannot have wanted", begin() + string(frame(frameHeaders, flagEndHeaders, hpackSize(1<<20))), a + ", HTTP/2! the headers of HTTP/2 are malformed"},
	} {
		for _, size := range []int{1, 7, len(tt.in)} {
			if got := hear(tt.in, size); got != tt.want {
				t.Errorf("%s, by %d: %s, want %s", tt.name, size, got, tt.want)
			}
		}
	}
}

// hpackSize is a block that sets the size of the table, RFC 7541 6.3.
func hpackSize(n int) []byte {
	b := []byte{0x3f}
	for n -= 31; n >= 128; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}
