package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

var dnsTypes = map[string]dnsmessage.Type{
	"A": dnsmessage.TypeA, "AAAA": dnsmessage.TypeAAAA, "CNAME": dnsmessage.TypeCNAME, "TXT": dnsmessage.TypeTXT,
	"MX": dnsmessage.TypeMX, "HTTPS": dnsmessage.TypeHTTPS, "SVCB": dnsmessage.TypeSVCB, "SRV": dnsmessage.TypeSRV,
	"SOA": dnsmessage.TypeSOA, "PTR": dnsmessage.TypePTR, "ANY": dnsmessage.TypeALL, "NULL": 10,
}

func name(s string) dnsmessage.Name { return dnsmessage.MustNewName(strings.TrimSuffix(s, ".") + ".") }

// ask is a question as a program sends it: "a.example A".

func ask(t testing.TB, question string, edns0 bool) []byte {
	t.Helper()
	host, kind, _ := strings.Cut(question, " ")
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: name(host), Type: dnsTypes[kind], Class: dnsmessage.ClassINET}},
	}
	if edns0 {
		m.Additionals = []dnsmessage.Resource{edns([]dnsmessage.Option{{Code: 10, Data: []byte("a cookie")}})}
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// record reads "a.example 300 A 203.0.113.5".

func record(t testing.TB, s string) dnsmessage.Resource {
	t.Helper()
	f := strings.Fields(s)
	var ttl uint32
	fmt.Sscan(f[1], &ttl)
	r := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: name(f[0]), Class: dnsmessage.ClassINET, TTL: ttl}}
	switch f[2] {
	case "A":
		r.Body = &dnsmessage.AResource{A: netip.MustParseAddr(f[3]).As4()}
	case "AAAA":
		r.Body = &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(f[3]).As16()}
	case "CNAME":
		r.Body = &dnsmessage.CNAMEResource{CNAME: name(f[3])}
	case "TXT":
		r.Body = &dnsmessage.TXTResource{TXT: f[3:]}
	case "MX":
		r.Body = &dnsmessage.MXResource{Pref: 1, MX: name(f[3])}
	case "SOA":
		r.Body = &dnsmessage.SOAResource{NS: name("ns.example"), MBox: name("x.example"), MinTTL: 60}
	case "HTTPS", "SVCB":
		service := dnsmessage.SVCBResource{Priority: 1, Target: name(f[3])}
		for _, p := range f[4:] {
			key, value, _ := strings.Cut(p, "=")
			if key == "alias" {
				service.Priority = 0
				continue
			}
			var k dnsmessage.SVCParamKey
			fmt.Sscan(key, &k)
			service.SetParam(k, []byte(value))
		}
		r.Body = &service
		if f[2] == "HTTPS" {
			r.Body = &dnsmessage.HTTPSResource{SVCBResource: service}
		}
	}
	return r
}

// reply is what the world's resolver answers, records separated by semicolons;

// what is behind "!" is for the authority section, and a code may stand first.

func reply(t testing.TB, q *Query, records string) []byte {
	t.Helper()
	var m dnsmessage.Message
	if err := m.Unpack(q.Forward); err != nil {
		t.Fatal(err)
	}
	m.Response, m.Additionals = true, nil
	for _, s := range strings.Split(records, ";") {
		s = strings.TrimSpace(s)
		code := slices.Index(codes[:], s)
		switch authority, ok := strings.CutPrefix(s, "!"); {
		case s == "":
		case code >= 0:
			m.RCode = dnsmessage.RCode(code)
		case s == "TC":
			m.Truncated = true
		case ok:
			m.Authorities = append(m.Authorities, record(t, authority))
		default:
			m.Answers = append(m.Answers, record(t, s))
		}
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// show is a message as one line.

func show(t testing.TB, b []byte) string {
	t.Helper()
	var m dnsmessage.Message
	if err := m.Unpack(b); err != nil {
		t.Fatal(err)
	}
	if !m.Response || m.ID != 7 || !m.RecursionAvailable {
		t.Errorf("%+v", m.Header)
	}
	parts := []string{codeName(m.RCode)}
	if m.Truncated {
		parts = append(parts, "TC")
	}
	for _, r := range m.Answers {
		parts = append(parts, fmt.Sprintf("%v%d %s", r.Header.Name, r.Header.TTL, body(r.Body)))
	}
	for _, r := range m.Authorities {
		parts = append(parts, fmt.Sprintf("!%v%s", r.Header.Name, body(r.Body)))
	}
	for _, r := range m.Additionals {
		for _, o := range r.Body.(*dnsmessage.OPTResource).Options {
			parts = append(parts, fmt.Sprintf("EDE %d %s", o.Data[1], o.Data[2:]))
		}
	}
	return strings.Join(parts, "; ")
}

func body(b dnsmessage.ResourceBody) string {
	service := func(kind string, s *dnsmessage.SVCBResource) string {
		out := fmt.Sprintf("%s %d %v", kind, s.Priority, s.Target)
		for _, p := range s.Params {
			out += fmt.Sprintf(" %d", p.Key)
		}
		return out
	}
	switch b := b.(type) {
	case *dnsmessage.AResource:
		return netip.AddrFrom4(b.A).String()
	case *dnsmessage.AAAAResource:
		return netip.AddrFrom16(b.AAAA).String()
	case *dnsmessage.CNAMEResource:
		return "CNAME " + b.CNAME.String()
	case *dnsmessage.TXTResource:
		return "TXT " + strings.Join(b.TXT, " ")
	case *dnsmessage.MXResource:
		return "MX " + b.MX.String()
	case *dnsmessage.SOAResource:
		return "SOA"
	case *dnsmessage.HTTPSResource:
		return service("HTTPS", &b.SVCBResource)
	case *dnsmessage.SVCBResource:
		return service("SVCB", b)
	}
	if ptr, ok := b.(*dnsmessage.PTRResource); ok {
		return "PTR " + ptr.PTR.String()
	}
	return fmt.Sprint(b)
}

func TestQuestions(t *testing.T) {
	hosts := map[string][]netip.Addr{"host.berth.internal": {netip.MustParseAddr("10.255.0.1"), netip.MustParseAddr("fd00::1")}}
	for _, tt := range []struct {
		rules, question string
		want            string // "ask" and the rule, or the answer
	}{
		{"", "a.example A", "ask"},
		{"a.example", "a.example A", "ask a.example"},
		{"a.example", "A.Example AAAA", "ask a.example"},
		{"a.example:443", "a.example TXT", "ask a.example:443"},
		{"a.example", "b.example A", "NXDOMAIN; EDE 15 no rule allows b.example"},
		{"a.example", "x.a.example A", "NXDOMAIN; EDE 15 no rule allows x.a.example"},
		{"a.example", "data.evil.example TXT", "NXDOMAIN; EDE 15 no rule allows data.evil.example"},
		{"a.example", "evil.example NULL", "NXDOMAIN; EDE 15 no rule allows evil.example"},
		{"a.example", "a.example NULL", "NOERROR; EDE 15 questions for 10 are not answered"},
		{"a.example", "a.example ANY", "NOERROR; EDE 15 questions for ALL are not answered"},
		{"*.example", "b.a.example A", "ask *.example"},
		{"*.example", "example A", "NXDOMAIN; EDE 15 no rule allows example"},
		{"*", "b.example A", "ask *"},
		{":443", "b.example A", "ask :443"},
		{"10.0.0.0/8", "b.example A", "NXDOMAIN; EDE 15 no rule allows b.example"},
		{"10.0.0.0/8", "1.0.0.10.in-addr.arpa PTR", "NXDOMAIN; EDE 15 no rule allows 1.0.0.10.in-addr.arpa"},
		{"a.example@10.0.0.0/8", "a.example A", "ask a.example@10.0.0.0/8"},
		{"-a.example", "a.example A", "NXDOMAIN; EDE 15 denied by the rule a.example"},
		{"-a.example:22", "a.example A", "ask"},
		{"-a.example@10.0.0.0/8", "a.example A", "ask"},
		{"-10.0.0.0/8", "a.example A", "ask"},
		{"-*.a.example *", "x.a.example A", "NXDOMAIN; EDE 15 denied by the rule *.a.example"},
		{"a.example -*", "b.example A", "NXDOMAIN; EDE 15 denied by the rule *"},
		{"a.example", "_443._tcp.a.example SVCB", "ask a.example"},
		{"a.example", "_1._2._3._4.a.example SVCB", "NXDOMAIN; EDE 15 no rule allows _4.a.example"},
		{"", "a\x00b.example A", "NXDOMAIN; EDE 15 it is no name of a host"},
		{"", "127.0.0.1 A", "NXDOMAIN; EDE 15 it is no name of a host"},
		{"a.example", "localhost A", "NOERROR; localhost.60 127.0.0.1"},
		{"a.example", "x.localhost AAAA", "NOERROR; x.localhost.60 ::1"},
		{"a.example", "Host.Berth.Internal A", "NOERROR; Host.Berth.Internal.60 10.255.0.1"},
		{"", "host.berth.internal AAAA", "NOERROR; host.berth.internal.60 fd00::1"},
		{"", "host.berth.internal TXT", "NOERROR"},
		{"*.example", strings.Repeat(strings.Repeat("d", 42)+".", 3) + "example A", "REFUSED; EDE 15 too many names, or too long ones, are asked for below example"},
	} {
		p := New(Config{Rules: rulesOf(t, strings.Fields(tt.rules)...), Hosts: hosts})
		q := p.Question(epoch, ask(t, tt.question, true), false)
		got := strings.TrimSpace("ask " + q.Verdict.Rule)
		if q.Forward == nil {
			got = show(t, q.Reply)
		}
		if got != tt.want || (q.Forward == nil) == (q.Reply == nil) {
			t.Errorf("%q, %s: %s, want %s", tt.rules, tt.question, got, tt.want)
		}
		if s := p.Stats(); (s.Asked == 1) != q.Verdict.Allow || (s.Refused == 1) == q.Verdict.Allow {
			t.Errorf("%s: %+v, %+v", tt.question, s, q.Verdict)
		}
	}
}

// Only the question goes on, in small letters, and the answer is to the question

// as it was.

func TestQuestionsAreMadeAnew(t *testing.T) {
	p := New(Config{})
	q := p.Question(epoch, ask(t, "sEcReT.Example A", true), false)
	var m dnsmessage.Message
	if err := m.Unpack(q.Forward); err != nil {
		t.Fatal(err)
	}
	if len(m.Questions) != 1 || m.Questions[0].Name.String() != "secret.example." || len(m.Additionals) != 1 || len(m.Additionals[0].Body.(*dnsmessage.OPTResource).Options) != 0 {
		t.Errorf("%+v", m)
	}
	a := p.Answer(epoch, q, reply(t, q, "secret.example 300 A 203.0.113.5"))
	if got := show(t, a.Reply); got != "NOERROR; sEcReT.Example.300 203.0.113.5" {
		t.Error(got)
	}
	if got := show(t, q.Fail()); got != "SERVFAIL" {
		t.Error(got)
	}
}

func TestMessagesThatAreNoQuestions(t *testing.T) {
	good := ask(t, "a.example A", false)
	change := func(f func(m *dnsmessage.Message)) []byte {
		var m dnsmessage.Message
		m.Unpack(good)
		f(&m)
		b, _ := m.Pack()
		return b
	}
	for _, tt := range []struct {
		name string
		in   []byte
		want string
	}{
		{"nothing", nil, "dropped"},
		{"half a header", good[:11], "dropped"},
		{"an answer", change(func(m *dnsmessage.Message) { m.Response = true }), "dropped"},
		{"cut off", good[:len(good)-3], "FORMERR"},
		{"none", change(func(m *dnsmessage.Message) { m.Questions = nil }), "FORMERR"},
		{"two", change(func(m *dnsmessage.Message) { m.Questions = append(m.Questions, m.Questions[0]) }), "FORMERR"},
		{"an update", change(func(m *dnsmessage.Message) { m.OpCode = 5 }), "NOTIMP"},
		{"another class", change(func(m *dnsmessage.Message) { m.Questions[0].Class = dnsmessage.ClassCHAOS }), "REFUSED"},
	} {
		q := New(Config{}).Question(epoch, tt.in, false)
		got := "dropped"
		if q != nil {
			got = show(t, q.Reply)
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// What an address is called is known here, if it is a name's.

func TestReverseQuestions(t *testing.T) {
	p := New(Config{Rules: rulesOf(t, "*.example"), Hosts: map[string][]netip.Addr{"home": {netip.MustParseAddr("2001:db8::1")}}})
	resolve(t, p, epoch, "a.example", "203.0.113.5", 9)
	resolve(t, p, epoch, "b.example", "203.0.113.5", 9)
	const six = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
	for _, tt := range []struct{ question, want string }{
		{"5.113.0.203.in-addr.arpa PTR", "NOERROR; 5.113.0.203.in-addr.arpa.60 PTR b.example."},
		{"5.113.0.203.In-Addr.Arpa PTR", "NOERROR; 5.113.0.203.In-Addr.Arpa.60 PTR b.example."},
		{six + " PTR", "NOERROR; " + six + ".60 PTR home."},
		{"6.113.0.203.in-addr.arpa PTR", "NXDOMAIN; EDE 15 no rule allows 6.113.0.203.in-addr.arpa"},
		{"5.113.0.203.in-addr.arpa TXT", "NXDOMAIN; EDE 15 no rule allows 5.113.0.203.in-addr.arpa"},
		{"0.5.113.0.203.in-addr.arpa PTR", "NXDOMAIN; EDE 15 no rule allows 0.5.113.0.203.in-addr.arpa"},
		{"8.b.d.0.1.0.0.2.ip6.arpa PTR", "NXDOMAIN; EDE 15 no rule allows 8.b.d.0.1.0.0.2.ip6.arpa"},
		{"10" + six[1:] + " PTR", "NXDOMAIN; EDE 15 no rule allows 10" + six[1:]},
	} {
		if got := show(t, p.Question(epoch, ask(t, tt.question, true), false).Reply); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.question, got, tt.want)
		}
	}
	open := New(Config{})
	if q := open.Question(epoch, ask(t, "5.113.0.203.in-addr.arpa PTR", true), false); q.Forward == nil {
		t.Errorf("%+v", q.Verdict)
	}
}

// Who does not know EDNS is not told more, and gets little at once.

// What does not answer the question is not an answer.

// resolve asks for a name, and gives it an address.

// An address is a name's for as long as the answer says, a little longer, and as

// long as a flow uses it.

// A name that moves has both addresses while the first answer holds; neither is

// private, whatever the second answer says.

// Questions below a wildcard are slow after many, and others are not.

// When no more can be remembered, the address is left out of the answer.
