package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

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

func TestAnswers(t *testing.T) {
	var many, shown []string
	for i := range maxAddresses + 2 {
		many = append(many, fmt.Sprintf("a.example 300 A 203.0.113.%d", i+1))
		shown = append(shown, fmt.Sprintf("a.example.300 203.0.113.%d", i+1))
	}
	for _, tt := range []struct {
		rules, question, records string
		want, addrs, removed     string
	}{
		{"a.example", "a.example A", "a.example 300 A 203.0.113.5; a.example 200 A 203.0.113.6", "NOERROR; a.example.300 203.0.113.5; a.example.200 203.0.113.6", "203.0.113.5 203.0.113.6", ""},
		{"a.example", "a.example AAAA", "a.example 300 AAAA 2001:db8::1", "NOERROR; a.example.300 2001:db8::1", "2001:db8::1", ""},
		{"a.example", "a.example A", "a.example 999999 A 203.0.113.5", "NOERROR; a.example.86400 203.0.113.5", "203.0.113.5", ""},
		{"a.example", "a.example A", "a.example 300 A 203.0.113.5; a.example 200 A 203.0.113.5", "NOERROR; a.example.300 203.0.113.5", "203.0.113.5", ""},

		// Only what was asked for.
		{"a.example", "a.example A", "b.example 300 A 203.0.113.5; a.example 300 TXT x; a.example 9 AAAA 2001:db8::1", "NOERROR", "", ""},
		{"a.example", "a.example TXT", "a.example 300 TXT x y", "NOERROR; a.example.300 TXT x y", "", ""},
		{"a.example", "a.example MX", "a.example 300 MX mx.other; mx.other 300 A 203.0.113.5", "NOERROR; a.example.300 MX mx.other.", "", ""},

		// Aliases.
		{"a.example", "a.example A", "a.example 30 CNAME b.cdn; b.cdn 20 CNAME c.cdn; c.cdn 300 A 203.0.113.5", "NOERROR; a.example.30 CNAME b.cdn.; b.cdn.20 CNAME c.cdn.; c.cdn.20 203.0.113.5", "203.0.113.5", ""},
		{"a.example", "a.example A", "c.cdn 300 A 203.0.113.5; B.cdn 20 CNAME c.CDN; A.example 30 CNAME b.cdn", "NOERROR; a.example.30 CNAME b.cdn.; b.cdn.20 CNAME c.CDN.; c.CDN.20 203.0.113.5", "203.0.113.5", ""},
		{"a.example", "a.example A", "a.example 30 CNAME a.example", "NOERROR", "", ""},
		{"a.example", "a.example A", "a.example 30 CNAME b.cdn; b.cdn 30 CNAME a.example; b.cdn 3 A 203.0.113.5", "NOERROR; a.example.30 CNAME b.cdn.; b.cdn.3 203.0.113.5", "203.0.113.5", ""},
		{"a.example", "a.example CNAME", "a.example 30 CNAME b.cdn; b.cdn 30 CNAME c.cdn", "NOERROR; a.example.30 CNAME b.cdn.", "", ""},
		{"-*.tracker", "a.example A", "a.example 30 CNAME x.tracker; x.tracker 9 A 203.0.113.5", "NXDOMAIN; EDE 15 a.example is an alias of x.tracker: denied by the rule *.tracker", "", ""},
		{"a.example -*.tracker", "a.example A", "a.example 30 CNAME x.tracker; x.tracker 9 A 203.0.113.5", "NOERROR; a.example.30 CNAME x.tracker.; x.tracker.9 203.0.113.5", "203.0.113.5", ""},
		{"-x.tracker:22", "a.example A", "a.example 30 CNAME x.tracker", "NOERROR; a.example.30 CNAME x.tracker.", "", ""},

		// Names that lead home.
		{"a.example", "a.example A", "a.example 300 A 10.0.0.1; a.example 300 A 203.0.113.5", "NOERROR; a.example.300 203.0.113.5; EDE 15 a.example leads to 10.0.0.1, which is a private address", "203.0.113.5", "10.0.0.1"},
		{"a.example", "a.example A", "a.example 300 A 169.254.169.254", "NOERROR; EDE 15 a.example leads to 169.254.169.254, which is a cloud metadata address", "", "169.254.169.254"},
		{"*", "a.example A", "a.example 300 A 169.254.169.254", "NOERROR; EDE 15 a.example leads to 169.254.169.254, which is a cloud metadata address", "", "169.254.169.254"},
		{"a.example", "a.example A", "a.example 300 A 127.0.0.1", "NOERROR; EDE 15 a.example leads to 127.0.0.1, which is the loopback of the machine", "", "127.0.0.1"},
		{"", "a.example A", "a.example 300 A 127.0.0.1", "NOERROR; EDE 15 a.example leads to 127.0.0.1, which is the loopback of the machine", "", "127.0.0.1"},
		{"", "a.example A", "a.example 300 A 192.168.1.1", "NOERROR; EDE 15 a.example leads to 192.168.1.1, which is in a network of this machine", "", "192.168.1.1"},
		{"", "a.example A", "a.example 300 A 10.0.0.1", "NOERROR; a.example.300 10.0.0.1", "10.0.0.1", ""},
		{"", "a.example A", "a.example 300 A 0.0.0.0", "NOERROR; EDE 15 a.example leads to 0.0.0.0, which is no destination", "", "0.0.0.0"},
		{"", "a.example AAAA", "a.example 300 AAAA ::ffff:127.0.0.1", "NOERROR; EDE 15 a.example leads to 127.0.0.1, which is the loopback of the machine", "", "127.0.0.1"},
		{"a.example", "a.example AAAA", "a.example 300 AAAA 64:ff9b::10.0.0.1", "NOERROR; EDE 15 a.example leads to 64:ff9b::a00:1, which is a private address", "", "64:ff9b::a00:1"},
		{"a.example", "a.example AAAA", "a.example 300 AAAA 2002:7f00:1::", "NOERROR; EDE 15 a.example leads to 2002:7f00:1::, which is the loopback of the machine", "", "2002:7f00:1::"},
		{"a.example 10.0.0.0/8:22", "a.example A", "a.example 300 A 10.0.0.1", "NOERROR; a.example.300 10.0.0.1", "10.0.0.1", ""},
		{"a.example@192.168.0.0/16", "a.example A", "a.example 300 A 192.168.1.1", "NOERROR; a.example.300 192.168.1.1", "192.168.1.1", ""},
		{"a.example@192.168.0.0/16", "a.example A", "a.example 300 A 203.0.113.5", "NOERROR; EDE 15 no rule lets a.example lead to 203.0.113.5", "", "203.0.113.5"},
		{"-203.0.113.0/24 a.example", "a.example A", "a.example 300 A 203.0.113.5", "NOERROR; EDE 15 no rule lets a.example lead to 203.0.113.5", "", "203.0.113.5"},
		{"a.example", "a.example A", "a.example 3 CNAME b.cdn; b.cdn 300 A 10.0.0.1", "NOERROR; EDE 15 a.example leads to 10.0.0.1, which is a private address", "", "10.0.0.1"},

		// Services.
		{"a.example", "a.example HTTPS", "a.example 300 HTTPS . 1=h3 3=xx 4=1234 5=keys 6=1234567890123456 7=/dns 9=x 65000=x", "NOERROR; a.example.300 HTTPS 1 . 1 3 9", "", ""},
		{"a.example", "a.example SVCB", "a.example 300 SVCB a.example 1=h3 4=1234", "NOERROR; a.example.300 SVCB 1 a.example. 1", "", ""},
		{"a.example", "_8443._https.a.example HTTPS", "_8443._https.a.example 300 HTTPS a.example 1=h3", "NOERROR; _8443._https.a.example.300 HTTPS 1 a.example. 1", "", ""},
		{"a.example", "a.example HTTPS", "a.example 300 HTTPS b.example 1=h3", "NOERROR; EDE 15 a service at another name is left out", "", ""},
		{"a.example", "a.example HTTPS", "a.example 300 HTTPS b.example alias", "NOERROR; EDE 15 a service at another name is left out", "", ""},
		{"a.example", "a.example HTTPS", "a.example 300 CNAME b.cdn; b.cdn 300 HTTPS . 1=h3", "NOERROR; a.example.300 CNAME b.cdn.; EDE 15 a service at another name is left out", "", ""},
		{"a.example", "a.example HTTPS", "a.example 300 HTTPS . 0=\x00\x01\x00\x05 1=h3 5=keys", "NOERROR; EDE 15 a service that must have its addresses or keys is left out", "", ""},
		{"a.example", "a.example HTTPS", "a.example 300 HTTPS . 0=\x00\x01 1=h3", "NOERROR; a.example.300 HTTPS 1 . 0 1", "", ""},

		// No such thing.
		{"a.example", "a.example A", "NXDOMAIN; !example 60 SOA", "NXDOMAIN; !example.SOA", "", ""},
		{"a.example", "a.example A", "!example 60 TXT x; !example 60 SOA", "NOERROR; !example.SOA", "", ""},
		{"a.example", "a.example A", "SERVFAIL; a.example 300 A 203.0.113.5", "SERVFAIL", "", ""},
		{"a.example", "a.example A", "TC; a.example 300 A 203.0.113.5", "NOERROR; TC", "", ""},

		// Too many.
		{"a.example", "a.example A", strings.Join(many, ";"), "NOERROR; " + strings.Join(shown[:maxAddresses], "; ") + "; EDE 15 a.example has more than 64 addresses", "", "203.0.113.65 203.0.113.66"},
	} {
		p := New(Config{Rules: rulesOf(t, strings.Fields(tt.rules)...), Networks: []netip.Prefix{netip.MustParsePrefix("192.168.1.0/24")}})
		q := p.Question(epoch, ask(t, tt.question, true), false)
		if q.Forward == nil {
			t.Errorf("%q, %s: %+v", tt.rules, tt.question, q.Verdict)
			continue
		}
		a := p.Answer(epoch, q, reply(t, q, tt.records))
		if got := show(t, a.Reply); got != tt.want || !strings.HasPrefix(got, a.Code) {
			t.Errorf("%q, %s:\n got %s\nwant %s", tt.rules, tt.records, got, tt.want)
		}
		if len(a.Addrs) == maxAddresses {
			a.Addrs = nil
		}
		if got := strings.Trim(fmt.Sprint(a.Addrs), "[]"); got != tt.addrs {
			t.Errorf("%q, %s: addresses %s", tt.rules, tt.records, got)
		}
		if got := strings.Trim(fmt.Sprint(a.Removed), "[]"); got != tt.removed {
			t.Errorf("%q, %s: removed %s", tt.rules, tt.records, got)
		}
		if got := p.Stats().Removed; got != uint64(len(a.Removed)) {
			t.Errorf("%d removed are counted", got)
		}
		for _, addr := range a.Addrs {
			v := p.Decide(epoch, Flow{Proto: TCP, Dst: netip.AddrPortFrom(addr, 22)})
			if !v.Allow || v.Name != q.Name {
				t.Errorf("%v: %+v", addr, v)
			}
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
func TestAnswersWithoutEDNS(t *testing.T) {
	p := New(Config{Rules: rulesOf(t, "a.example")})
	if got := show(t, p.Question(epoch, ask(t, "b.example A", false), false).Reply); got != "NXDOMAIN" {
		t.Error(got)
	}
	var records []string
	for i := range 40 {
		records = append(records, fmt.Sprintf("a.example 300 A 203.0.113.%d", i+1))
	}
	q := p.Question(epoch, ask(t, "a.example A", false), false)
	if got := show(t, p.Answer(epoch, q, reply(t, q, strings.Join(records, ";"))).Reply); got != "NOERROR; TC" {
		t.Error(got)
	}
	q = p.Question(epoch, ask(t, "a.example A", false), true)
	if got := show(t, p.Answer(epoch, q, reply(t, q, strings.Join(records, ";"))).Reply); strings.Count(got, ";") != 40 {
		t.Error(got)
	}
}

// What does not answer the question is not an answer.
func TestAnswersToOtherQuestions(t *testing.T) {
	p := New(Config{})
	q := p.Question(epoch, ask(t, "a.example A", false), false)
	other := p.Question(epoch, ask(t, "b.example A", false), false)
	good := reply(t, q, "a.example 300 A 203.0.113.5")
	id := slices.Clone(good)
	id[0]++
	for name, b := range map[string][]byte{
		"another name": reply(t, other, "a.example 300 A 203.0.113.5"), "another ID": id,
		"cut off": good[:len(good)-1], "a question": q.Forward, "nothing": nil,
	} {
		if a := p.Answer(epoch, q, b); show(t, a.Reply) != "SERVFAIL" || a.Code != "SERVFAIL" || a.Reason == "" {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if got := codeName(23); got != "RCODE23" {
		t.Error(got)
	}
}

// resolve asks for a name, and gives it an address.
func resolve(t *testing.T, p *Policy, now time.Time, host, addr string, ttl int) Answer {
	t.Helper()
	q := p.Question(now, ask(t, host+" A", false), false)
	if q.Forward == nil {
		t.Fatalf("%s: %+v", host, q.Verdict)
	}
	return p.Answer(now, q, reply(t, q, fmt.Sprintf("%s %d A %s", host, ttl, addr)))
}

// An address is a name's for as long as the answer says, a little longer, and as
// long as a flow uses it.
func TestPinsEnd(t *testing.T) {
	f, _ := flowOf(t, "tcp 203.0.113.5:443")
	for _, tt := range []struct {
		ttl  int
		last time.Duration
	}{
		{0, minPin + grace}, {1, minPin + grace}, {300, 300*time.Second + grace}, {999999, maxPin + grace},
	} {
		p := New(Config{Rules: rulesOf(t, "a.example")})
		resolve(t, p, epoch, "a.example", "203.0.113.5", tt.ttl)
		if v := p.Decide(epoch.Add(tt.last-1), f); !v.Allow {
			t.Errorf("ttl %d: %+v", tt.ttl, v)
		}
		if v := p.Decide(epoch.Add(tt.last), f); v.Allow || p.Stats().Pins != 0 {
			t.Errorf("ttl %d: %+v, %d pins", tt.ttl, v, p.Stats().Pins)
		}
	}
	// A second answer holds from then on, and never shortens the first.
	p := New(Config{Rules: rulesOf(t, "a.example")})
	resolve(t, p, epoch, "a.example", "203.0.113.5", 300)
	resolve(t, p, epoch, "a.example", "203.0.113.5", 1)
	if v := p.Decide(epoch.Add(300*time.Second), f); !v.Allow {
		t.Errorf("%+v", v)
	}
	// A flow.
	p = New(Config{Rules: rulesOf(t, "a.example")})
	resolve(t, p, epoch, "a.example", "203.0.113.5", 1)
	v := p.Decide(epoch, f)
	second := f
	second.Src = netip.MustParseAddrPort("10.200.0.2:40001")
	p.Begin(f, v)
	p.Begin(f, v) // once too often is harmless
	p.Begin(second, v)
	day := epoch.Add(24 * time.Hour)
	p.End(epoch, f)
	p.End(epoch, f)
	if v := p.Decide(day, f); !v.Allow {
		t.Errorf("%+v", v)
	}
	p.End(day, second)
	if v := p.Decide(day.Add(afterUse-1), f); !v.Allow {
		t.Errorf("%+v", v)
	}
	if v := p.Decide(day.Add(afterUse), f); v.Allow {
		t.Errorf("%+v", v)
	}
	p.Begin(f, v) // of a pin that is no more
	p.End(day, f)
	if len(p.flows) != 0 {
		t.Errorf("%d flows", len(p.flows))
	}
}

// A name that moves has both addresses while the first answer holds; neither is
// private, whatever the second answer says.
func TestRebinding(t *testing.T) {
	p := New(Config{Rules: rulesOf(t, "a.example")})
	resolve(t, p, epoch, "a.example", "203.0.113.5", 1)
	a := resolve(t, p, epoch.Add(time.Second), "a.example", "127.0.0.1", 1)
	if len(a.Addrs) != 0 || len(a.Removed) != 1 {
		t.Errorf("%+v", a)
	}
	f, _ := flowOf(t, "tcp 127.0.0.1:80")
	if v := p.Decide(epoch.Add(time.Second), f); v.Allow {
		t.Errorf("%+v", v)
	}
	// Nor after a reload that allows more names.
	p.Reload(rulesOf(t, "*.example"))
	if v := p.Decide(epoch.Add(time.Second), f); v.Allow {
		t.Errorf("%+v", v)
	}
	f, _ = flowOf(t, "tcp 203.0.113.5:80")
	if v := p.Decide(epoch.Add(time.Second), f); !v.Allow {
		t.Errorf("what a name means is lost: %+v", v)
	}
}

// Questions below a wildcard are slow after many, and others are not.
func TestManyNamesBelowAWildcard(t *testing.T) {
	p := New(Config{Rules: rulesOf(t, "*.example:443", "b.test")})
	refused := func(now time.Time, host string) bool {
		return p.Question(now, ask(t, host+" TXT", false), false).Forward == nil
	}
	for i := range freshNames {
		if refused(epoch, fmt.Sprintf("n%d.example", i)) {
			t.Fatalf("%d is refused", i)
		}
	}
	if !refused(epoch, "one-more.example") || refused(epoch, "n0.example") || refused(epoch, "b.test") {
		t.Error("the wrong names are refused")
	}
	if refused(epoch.Add(freshEvery), "one-more.example") || !refused(epoch.Add(freshEvery), "another.example") {
		t.Error("there is not one more after a while")
	}
	if refused(epoch.Add(freshEvery), "_443._tcp.b.test") {
		t.Error("a service is refused")
	}
	p.Reload(rulesOf(t, "*.example:443"))
	if !refused(epoch.Add(freshEvery), "another.example") || len(p.budgets) != 1 {
		t.Error("a reload fills the budgets")
	}
	now := epoch
	for i := range 2 * rememberedNames {
		now = now.Add(freshEvery)
		refused(now, fmt.Sprintf("m%d.example", i))
	}
	if n := len(p.budgets["*.example:443"].asked); n > rememberedNames {
		t.Errorf("%d names are remembered", n)
	}
}

func TestPinsAreBounded(t *testing.T) {
	var p pins
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{203, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range maxNames {
		p.add(epoch, addr(0), fmt.Sprint("n", i), epoch.Add(time.Minute))
	}
	if p.add(epoch, addr(0), "one more", epoch.Add(time.Minute)) {
		t.Error("one address has too many names")
	}
	if !p.add(epoch.Add(time.Minute), addr(0), "one more", epoch.Add(time.Hour)) || p.count != 1 {
		t.Errorf("names that are over take room: %d", p.count)
	}
	for i := 1; p.count < maxPins; i++ {
		p.add(epoch, addr(i), "a.example", epoch.Add(time.Duration(i)*time.Hour))
	}
	p.hold(addr(1), "a.example")
	// The one that is in use stays, those that end first go.
	if !p.add(epoch.Add(time.Minute), addr(1<<20), "b.example", epoch.Add(time.Hour)) {
		t.Error("there is no room for one more")
	}
	if p.find(addr(1), "a.example") == nil || p.find(addr(2), "a.example") != nil || p.evicted == 0 || p.count > maxPins {
		t.Errorf("%d pins, %d evicted", p.count, p.evicted)
	}
	// Full of what is in use.
	for a, all := range p.of {
		for _, one := range all {
			p.hold(a, one.name)
		}
	}
	for i := 1 << 21; p.count < maxPins; i++ {
		p.add(epoch, addr(i), "a.example", time.Time{})
	}
	if p.add(epoch.Add(time.Hour), addr(1<<22), "a.example", epoch.Add(2*time.Hour)) {
		t.Error("what is in use made room")
	}
}

// When no more can be remembered, the address is left out of the answer.
func TestAnswersWithoutRoom(t *testing.T) {
	p := New(Config{})
	a := netip.MustParseAddr("203.0.113.5")
	for i := range maxNames {
		p.pins.add(epoch, a, fmt.Sprint("n", i), time.Time{})
	}
	got := resolve(t, p, epoch, "a.example", "203.0.113.5", 9)
	if len(got.Addrs) != 0 || got.Reason != "too many names are remembered" {
		t.Errorf("%+v", got)
	}
}

func FuzzDNS(f *testing.F) {
	p := New(Config{Rules: rulesOf(f, "*.example")})
	q := p.Question(epoch, ask(f, "a.example A", true), false)
	f.Add(ask(f, "a.example A", true), reply(f, q, "a.example 300 A 203.0.113.5"))
	q = p.Question(epoch, ask(f, "a.example HTTPS", true), false)
	f.Add(ask(f, "a.example HTTPS", true), reply(f, q, "a.example 300 HTTPS . 1=h3 4=1234"))
	f.Fuzz(func(t *testing.T, question, answer []byte) {
		p := New(Config{Rules: rulesOf(t, "*.example")})
		for _, stream := range []bool{false, true} {
			q := p.Question(epoch, question, stream)
			if q == nil {
				continue
			}
			var m dnsmessage.Message
			if q.Forward == nil {
				if err := m.Unpack(q.Reply); err != nil {
					t.Fatal(err)
				}
				continue
			}
			a := p.Answer(epoch, q, answer)
			if err := m.Unpack(a.Reply); err != nil {
				t.Fatal(err)
			}
			if len(a.Reply) > q.limit && !m.Truncated {
				t.Error("the answer is too long")
			}
			for _, addr := range a.Addrs {
				if p.rules.Load().special.look(addr).class != public {
					t.Errorf("%s leads to %v", q.Name, addr)
				}
			}
		}
	})
}
