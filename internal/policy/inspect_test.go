package policy

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
	"time"
)

// clientHello is a record of TLS with a server name, or without one.
func clientHello(name string) []byte {
	vector := func(n int, body string) string {
		return string(binary.BigEndian.AppendUint32(nil, uint32(len(body)))[4-n:]) + body
	}
	extensions := "\x00\x10" + vector(2, "\x00\x03\x02h2")
	if name != "" {
		extensions += "\x00\x00" + vector(2, vector(2, "\x00"+vector(2, name)))
	}
	body := "\x03\x03" + strings.Repeat("r", 32) + "\x00" + vector(2, "\x13\x01") + vector(1, "\x00") + vector(2, extensions)
	return []byte("\x16\x03\x01" + vector(2, "\x01"+vector(3, body)))
}

// What a client says, against what its address is to it.
func TestHello(t *testing.T) {
	tls := func(name string) string { return string(clientHello(name)) }
	http := func(host string) string { return "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n" }
	for _, tt := range []struct {
		rules, names, said string
		want               string // the rule, or the reason
	}{
		// The names are those that 203.0.113.5 has.
		{"a.example", "a.example", tls("a.example"), "a.example"},
		{"a.example", "a.example", tls("A.Example"), "a.example"},
		{"a.example", "a.example", tls("b.example"), "the server name is b.example: no rule allows b.example"},
		{"a.example b.example", "a.example", tls("b.example"), "the server name is b.example, which berth's resolver did not give 203.0.113.5 for"},
		{"a.example b.example", "a.example b.example", tls("b.example"), "b.example"},
		{"a.example:443 b.example:22", "a.example b.example", tls("b.example"), "the server name is b.example: no rule allows port 443"},
		{"*.example", "a.example", tls("b.example"), "the server name is b.example, which berth's resolver did not give 203.0.113.5 for"},
		{"a.example", "a.example", tls(""), "TLS says no server name, and no rule allows the address itself"},
		{"a.example 203.0.113.5", "a.example", tls(""), "a.example"},
		{"a.example 203.0.113.5", "a.example", tls("b.example"), "203.0.113.5"},
		{"a.example", "a.example", tls("a_b!"), `the server name is "a_b!", which is no name`},
		{"a.example", "a.example", tls("a.example\x00.b"), `the server name is "a.example\x00.b", which is no name`},
		{"a.example", "a.example", tls("bücher.example"), `the server name is "bücher.example", which is no name`},
		{"a.example", "a.example", "\x16\x03\x01\x00\x04\x02\x00\x00\x00", "TLS: the handshake does not begin with a ClientHello"},

		{"a.example", "a.example", http("a.example:443"), "a.example"},
		{"a.example", "a.example", http("a.example."), "a.example"},
		{"a.example", "a.example", http("b.example"), "the Host is b.example: no rule allows b.example"},
		{"a.example", "a.example", http("203.0.113.5"), "the Host is 203.0.113.5: no rule allows 203.0.113.5, and berth's resolver gave it for no name"},
		{"a.example 203.0.113.5", "a.example", http("203.0.113.5"), "203.0.113.5"},
		{"a.example 203.0.113.5", "a.example", http("203.0.113.6"), `the Host is "203.0.113.6", which is no name`},
		{"a.example", "a.example", "GET / HTTP/1.0\r\n\r\n", "HTTP says no Host, and no rule allows the address itself"},
		{"a.example", "a.example", "GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n", "HTTP: the request has two Host fields"},
		{"a.example", "a.example", "CONNECT b.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n", "the Host is b.example: no rule allows b.example"},
		{"a.example", "a.example", "GET http://169.254.169.254/ HTTP/1.1\r\nHost: a.example\r\n\r\n", `the Host is "169.254.169.254", which is no name`},

		// Each request is judged.
		{"a.example", "a.example", http("a.example") + http("a.example"), "a.example"},
		{"a.example b.example", "a.example b.example", http("a.example") + http("b.example"), "b.example"},
		{"a.example", "a.example", http("a.example") + http("b.example"), "the Host is b.example: no rule allows b.example"},
		{"a.example", "a.example", http("a.example") + "GET / HTTP/1.0\r\n\r\n", "HTTP says no Host, and no rule allows the address itself"},
		{"a.example", "a.example", http("a.example") + "SSH-2.0-x\r\n", "HTTP: what follows a request is none"},
		{"-b.example *", "a.example", http("a.example") + http("b.example"), "the Host is b.example: denied by the rule b.example"},
		{"a.example", "a.example", "CONNECT a.example:443 HTTP/1.1\r\n\r\n" + tls("b.example"), "the server name is b.example: no rule allows b.example"},

		// Other protocols are their addresses.
		{"a.example", "a.example", "SSH-2.0-x\r\n", "a.example"},

		// A rule that refuses a name holds whatever the address.
		{"-b.example", "", tls("b.example"), "the server name is b.example: denied by the rule b.example"},
		{"-*.b.example", "", tls("x.b.example"), "the server name is x.b.example: denied by the rule *.b.example"},
		{"-b.example", "", tls("a.example"), ""},
		{"-b.example", "", tls(""), ""},
		{"-b.example", "", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "HTTP: the request has two Host fields"},
		{"-b.example *", "", tls("b.example"), "the server name is b.example: denied by the rule b.example"},
		{"-b.example *", "a.example", tls("c.example"), "*"},
	} {
		p := New(Config{Rules: rulesOf(t, strings.Fields(tt.rules)...)})
		f, _ := flowOf(t, "tcp 203.0.113.5:443")
		for _, n := range strings.Fields(tt.names) {
			p.pins.add(epoch, f.Dst.Addr(), n, epoch.Add(time.Minute))
		}
		v := p.Decide(epoch, f)
		if !v.Allow || !v.Inspect {
			t.Errorf("%q: %+v", tt.rules, v)
			continue
		}
		h := p.NewHello(f, v)
		if done, _ := h.Feed([]byte(tt.said[:1])); done {
			t.Errorf("%q: done at once", tt.said)
		}
		done, v := h.Feed([]byte(tt.said[1:]))
		v.Inspect = false
		got := v.Reason
		if v.Allow {
			got = v.Rule
		}
		if !done || got != tt.want || v.Inspect || v.Allow == (v.Reason != "") || h.End() != v {
			t.Errorf("%q, %q, %.40q: %v, %+v, want %s", tt.rules, tt.names, tt.said, done, v, tt.want)
		}
		if s := p.Stats(); (s.Denied == 1) == v.Allow {
			t.Errorf("%+v: %+v", v, s)
		}
	}
}

// helloTo is the Hello of a flow to a name.
func helloTo(t *testing.T, flow string, rules ...string) *Hello {
	t.Helper()
	p := New(Config{Rules: rulesOf(t, rules...)})
	f, _ := flowOf(t, flow)
	p.pins.add(epoch, f.Dst.Addr().Unmap(), "a.example", epoch.Add(time.Minute))
	return p.NewHello(f, p.Decide(epoch, f))
}

// A connection of HTTP is judged to its end, one of TLS until it is encrypted.
func TestHelloGoesOn(t *testing.T) {
	h := helloTo(t, "tcp 203.0.113.5:80", "a.example")
	for range 3 {
		if done, v := h.Feed([]byte("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")); !done || !v.Allow || !v.Inspect {
			t.Errorf("%v, %+v", done, v)
		}
	}
	if done, _ := h.Feed([]byte("GET / HTTP/1.1\r\n")); done {
		t.Error("half a request is judged")
	}
	if v := h.End(); v.Allow || v.Reason != "HTTP: what the client says is cut off" {
		t.Errorf("%+v", v)
	}
	h = helloTo(t, "tcp 203.0.113.5:443", "a.example")
	if done, v := h.Feed(clientHello("a.example")); !done || !v.Allow || v.Inspect {
		t.Errorf("%v, %+v", done, v)
	}
}

func TestHelloOfASilentClient(t *testing.T) {
	for _, tt := range []struct{ said, reason string }{
		{"", ""},
		{"\x16\x03", "TLS: what the client says is cut off"},
		{"GET / HTTP/1.1\r\n", "HTTP: what the client says is cut off"},
	} {
		h := helloTo(t, "tcp 203.0.113.5:443", "a.example")
		h.Feed([]byte(tt.said))
		if v := h.End(); v.Reason != tt.reason || v.Allow != (tt.reason == "") {
			t.Errorf("%q: %+v", tt.said, v)
		}
	}
}

func TestHelloOfDatagrams(t *testing.T) {
	h := helloTo(t, "udp 203.0.113.5:443", "a.example")
	for range 3 {
		if done, v := h.Feed([]byte("any other protocol")); !done || !v.Allow || v.Name != "a.example" {
			t.Errorf("%v, %+v", done, v)
		}
	}
	// A version of QUIC that cannot be read, at any time.
	draft := []byte{0xc0, 0xff, 0, 0, 0x1d, 8}
	for range 2 {
		if done, v := h.Feed(draft); !done || v.Allow || v.Reason != "QUIC: the version of QUIC is too old to be read" {
			t.Errorf("%v, %+v", done, v)
		}
	}
	if done, v := h.Feed([]byte("any other protocol")); !done || v.Allow {
		t.Errorf("%v, %+v", done, v)
	}
	h = helloTo(t, "udp 203.0.113.5:443", "a.example")
	if v := h.End(); v.Allow || v.Reason != "QUIC: what the client says first is cut off" {
		t.Errorf("%+v", v)
	}
}

// quicInitial is an Initial packet of version 1, with the identifier of RFC 9001
// A, whose ClientHello asks for example.com.
func quicInitial(t *testing.T) []byte {
	t.Helper()
	b, err := hex.DecodeString("cc00000001088394c8f03e5157080000406cd7f14414d1f1893c9c699f55a9113aba4b752db2e103e17c8cebd5c2f167" +
		"b3c8b2267f0523337ed8935a2bf0bbd51c2179b2b46d7cdd7184eb067ab24a1298a643a3a75e43c017370cfbbae52a1f" +
		"ea9931f1a9de9057ed1dee02c8bd36ee82e3b610b9e550ec1f5e2feca8f7")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHelloOfQUIC(t *testing.T) {
	h := helloTo(t, "udp 203.0.113.5:443", "a.example")
	if done, v := h.Feed(quicInitial(t)); !done || v.Reason != "the server name is example.com: no rule allows example.com" {
		t.Errorf("%v, %+v", done, v)
	}
	h = helloTo(t, "udp 203.0.113.5:443", "-b.example")
	if done, v := h.Feed(quicInitial(t)); !done || !v.Allow || v.Name != "example.com" {
		t.Errorf("%v, %+v", done, v)
	}
}

// Names in other forms are one name, and addresses too.
func TestHelloWithAMappedAddress(t *testing.T) {
	h := helloTo(t, "tcp [::ffff:203.0.113.5]:443", "a.example", "203.0.113.5")
	if done, v := h.Feed([]byte("GET / HTTP/1.1\r\nHost: [::ffff:203.0.113.5]\r\n\r\n")); !done || !v.Allow {
		t.Errorf("%v, %+v", done, v)
	}
}
