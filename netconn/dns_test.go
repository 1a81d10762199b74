package netconn

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		host  string
		ndots int
		want  string
	}{
		{"host", 0, "host.a.test. host.b.test. host."},
		{"host.dom", 0, "host.dom. host.dom.a.test. host.dom.b.test."},
		{"host.dom", 2, "host.dom.a.test. host.dom.b.test. host.dom."},
		{"host.", 0, "host."},
		{"hidden.onion", 0, ""},
		{"hidden.Onion.", 0, ""},
		{"a..b", 0, ""},
		{strings.Repeat("a.", 123) + "bcdefg", 0, strings.Repeat("a.", 123) + "bcdefg."},
	} {
		r := DNS{Search: []string{"a.test", ".b.test."}, NDots: tt.ndots}
		if got := r.names(tt.host); !slices.Equal(got, strings.Fields(tt.want)) {
			t.Errorf("%s with ndots %d: %v, want %s", tt.host, tt.ndots, got, tt.want)
		}
	}
}

func TestIsName(t *testing.T) {
	long := strings.Repeat("a", 63)
	for name, want := range map[string]bool{
		"a": true, "a.b.": true, "_sip._tcp.a": true, "1a": true, "xn--bcher-kva.test": true, long + ".a": true,
		"": false, ".": false, "a..b": false, ".a": false, "-a": false, "a-": false, "a b": false, "1.2": false,
		"ä": false, long + "a.b": false, strings.Repeat("a.", 128): false, strings.Repeat("a.", 127): true,
	} {
		if got := isName(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func TestQuestionsDiffer(t *testing.T) {
	ids := make(map[uint16]bool)
	for range 64 {
		q, err := newQuestion("a.test.", dnsmessage.TypeA)
		if err != nil {
			t.Fatal(err)
		}
		ids[q.id] = true
	}
	if len(ids) < 48 {
		t.Errorf("%d identifiers in 64 questions", len(ids))
	}
	if _, err := newQuestion("a.test", dnsmessage.TypeA); err == nil {
		t.Error("a name that is not full was packed")
	}
	if _, err := newQuestion(strings.Repeat("a", 300)+".", dnsmessage.TypeA); err == nil {
		t.Error("a name that is too long was packed")
	}
}

// FuzzAnswer reads what a server may send. It must end without a panic, and
// never give addresses together with an error.
func FuzzAnswer(f *testing.F) {
	name := dnsmessage.MustNewName("a.test.")
	other := dnsmessage.MustNewName("b.test.")
	header := dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET}
	for _, answers := range [][]dnsmessage.Resource{
		nil,
		{{Header: header, Body: &dnsmessage.AResource{A: [4]byte{10, 0, 0, 1}}}},
		{{Header: header, Body: &dnsmessage.CNAMEResource{CNAME: other}}},
		{{Header: header, Body: &dnsmessage.CNAMEResource{CNAME: name}}},
		{{Header: header, Body: &dnsmessage.TXTResource{TXT: []string{"x"}}}},
	} {
		m := dnsmessage.Message{
			Header:    dnsmessage.Header{Response: true, RecursionAvailable: true},
			Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
			Answers:   answers,
		}
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)-3])
	}
	q, err := newQuestion("a.test.", dnsmessage.TypeA)
	if err != nil {
		f.Fatal(err)
	}
	q.id = 0
	f.Fuzz(func(t *testing.T, b []byte) {
		var p dnsmessage.Parser
		h, err := p.Start(b)
		if err != nil || !q.isAnswered(&p, h) {
			return
		}
		addrs, alias, err := q.read(&p, h)
		if err != nil && (len(addrs) > 0 || alias != "") || err == nil && len(addrs) == 0 && alias == "" {
			t.Errorf("%v, %q, %v", addrs, alias, err)
		}
		for _, a := range addrs {
			if !a.Is4() {
				t.Errorf("%v for a question of type A", a)
			}
		}
	})
}
