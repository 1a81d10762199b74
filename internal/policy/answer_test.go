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

// DEF-58.
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
