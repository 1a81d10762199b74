package policy

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// epoch is when the tests begin.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// flowOf reads "tcp 203.0.113.5:22". A name in place of the address is that of
// 203.0.113.5.
func flowOf(t testing.TB, s string) (f Flow, name string) {
	t.Helper()
	word, dst, _ := strings.Cut(s, " ")
	f.Src = netip.MustParseAddrPort("10.200.0.2:40000")
	f.Proto = protos[word]
	if f.Proto == 0 {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		f.Proto, f.Number = Other, uint8(n)
	}
	if f.Proto == ICMP || f.Proto == Other {
		a, err := netip.ParseAddr(dst)
		if err != nil {
			t.Fatal(err)
		}
		f.Dst = netip.AddrPortFrom(a, 0)
		return f, ""
	}
	to, err := netip.ParseAddrPort(dst)
	if err != nil {
		host, port, _ := strings.Cut(dst, ":")
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		name, to = host, netip.AddrPortFrom(netip.MustParseAddr("203.0.113.5"), uint16(n))
	}
	f.Dst = to
	return f, name
}

func TestDecide(t *testing.T) {
	cfg := Config{
		Networks: []netip.Prefix{netip.MustParsePrefix("10.1.2.0/24"), netip.MustParsePrefix("203.0.114.0/28"), netip.MustParsePrefix("0.0.0.0/0")},
		Hosts:    map[string][]netip.Addr{"host.berth.internal": {netip.MustParseAddr("10.255.0.1")}, "not a name": {netip.MustParseAddr("10.255.0.2")}},
	}
	for _, tt := range []struct {
		rules string
		flow  string
		want  string // the rule, "yes" without one, or the reason
	}{
		// Without rules.
		{"", "tcp 203.0.113.5:22", "yes"},
		{"", "icmp 2001:db8::1", "yes"},
		{"", "tcp 10.200.0.1:22", "yes"},
		{"", "132 203.0.113.5", "berth does not carry protocol 132"},
		{"", "tcp 0.0.0.0:80", "0.0.0.0 is no destination"},
		{"", "tcp [::]:80", ":: is no destination"},
		{"", "udp 224.0.0.251:5353", "224.0.0.251 is multicast"},
		{"*", "udp [ff02::fb]:5353", "ff02::fb is multicast"},
		{"", "udp 255.255.255.255:67", "255.255.255.255 is no destination"},

		// What is guarded.
		{"", "tcp 169.254.169.254:80", "169.254.169.254 is a cloud metadata address, which only a rule that names it opens"},
		{"*", "tcp 169.254.169.254:80", "169.254.169.254 is a cloud metadata address, which only a rule that names it opens"},
		{":80", "tcp [fd00:ec2::254]:80", "fd00:ec2::254 is a cloud metadata address, which only a rule that names it opens"},
		{"0.0.0.0/0", "tcp 168.63.129.16:80", "168.63.129.16 is a cloud metadata address, which only a rule that names it opens"},
		{"100.64.0.0/10", "tcp 100.100.100.200:80", "100.100.100.200 is a cloud metadata address, which only a rule that names it opens"},
		{"169.254.0.0/16", "tcp 169.254.169.254:80", "169.254.169.254 is a cloud metadata address, which only a rule that names it opens"},
		{"169.254.0.0/16", "tcp 169.254.1.1:80", "169.254.0.0/16"},
		{"169.254.169.254:80", "tcp 169.254.169.254:80", "169.254.169.254:80"},
		{"", "tcp 127.0.0.1:80", "127.0.0.1 is the loopback of the machine, which only a rule that names it opens"},
		{"127.0.0.0/8", "tcp 127.0.0.1:80", "127.0.0.0/8"},
		{"", "tcp [::1]:80", "::1 is the loopback of the machine, which only a rule that names it opens"},
		{"", "tcp [fe80::1]:80", "fe80::1 is a link-local address, which only a rule that names it opens"},
		{"", "tcp 10.1.2.3:80", "10.1.2.3 is in a network of this machine, which only a rule that names it opens"},
		{"10.0.0.0/8", "tcp 10.1.2.3:80", "10.0.0.0/8"},
		{"0.0.0.0/1", "tcp 10.1.2.3:80", "10.1.2.3 is in a network of this machine, which only a rule that names it opens"},
		{"203.0.0.0/8", "tcp 203.0.114.3:80", "203.0.114.3 is in a network of this machine, which only a rule that names it opens"},
		{"203.0.114.0/28", "tcp 203.0.114.3:80", "203.0.114.0/28"},
		{"-*", "tcp 169.254.169.254:80", "denied by the rule *"},

		// In other clothes.
		{"*", "tcp [::ffff:169.254.169.254]:80", "169.254.169.254 is a cloud metadata address, which only a rule that names it opens"},
		{"", "tcp [::ffff:127.0.0.1]:80", "127.0.0.1 is the loopback of the machine, which only a rule that names it opens"},
		{"", "tcp [::127.0.0.1]:80", "::7f00:1 is the loopback of the machine, which only a rule that names it opens"},
		{"", "tcp [64:ff9b::169.254.169.254]:80", "64:ff9b::a9fe:a9fe is a cloud metadata address, which only a rule that names it opens"},
		{"64:ff9b::/96", "tcp [64:ff9b::169.254.169.254]:80", "64:ff9b::a9fe:a9fe is a cloud metadata address, which only a rule that names it opens"},
		{"64:ff9b::169.254.169.254", "tcp [64:ff9b::169.254.169.254]:80", "64:ff9b::169.254.169.254"},
		{"", "tcp [64:ff9b::10.1.2.3]:80", "64:ff9b::a01:203 is in a network of this machine, which only a rule that names it opens"},
		{"", "tcp [64:ff9b::203.0.113.5]:80", "yes"},
		{"", "tcp [64:ff9b:1::127.0.0.1]:80", "64:ff9b:1::7f00:1 is the loopback of the machine, which only a rule that names it opens"},
		{"", "tcp [64:ff9b:1:7f00:0:100::]:80", "64:ff9b:1:7f00:0:100:: is the loopback of the machine, which only a rule that names it opens"},
		{"", "tcp [2002:7f00:1::1]:80", "2002:7f00:1::1 is the loopback of the machine, which only a rule that names it opens"},
		{"", "tcp [2002:a9fe:a9fe::1]:80", "2002:a9fe:a9fe::1 is a cloud metadata address, which only a rule that names it opens"},
		{"", "tcp [2001:0:7f00:1::1]:80", "2001:0:7f00:1::1 is the loopback of the machine, which only a rule that names it opens"},
		{"", "tcp [2001:0:cb00:7105:0:0:5601:5601]:80", "2001:0:cb00:7105::5601:5601 is a cloud metadata address, which only a rule that names it opens"},
		{"", "tcp [::ffff:0:127.0.0.1]:80", "::ffff:0:7f00:1 is the loopback of the machine, which only a rule that names it opens"},
		{"", "tcp [2001:db8::5efe:127.0.0.1]:80", "2001:db8::5efe:7f00:1 is the loopback of the machine, which only a rule that names it opens"},
		{"", "tcp [2001:db8::200:5efe:169.254.169.254]:80", "2001:db8::200:5efe:a9fe:a9fe is a cloud metadata address, which only a rule that names it opens"},
		{"-203.0.113.0/24", "tcp [64:ff9b::203.0.113.5]:80", "denied by the rule 203.0.113.0/24"},
		{"-203.0.113.0/24", "tcp [2002:cb00:7105::1]:80", "denied by the rule 203.0.113.0/24"},
		{"203.0.113.0/24", "tcp [64:ff9b::203.0.113.5]:80", "no rule allows 64:ff9b::cb00:7105"},

		// First match.
		{"-203.0.113.5 *", "tcp 203.0.113.5:22", "denied by the rule 203.0.113.5"},
		{"* -203.0.113.5", "tcp 203.0.113.5:22", "*"},
		{"-203.0.113.5", "tcp 203.0.113.6:22", "yes"},
		{"-:22", "tcp 203.0.113.6:22", "denied by the rule :22"},
		{"-icmp", "tcp 203.0.113.6:22", "yes"},
		{"-icmp", "icmp 203.0.113.6", "denied by the rule icmp"},
		{"203.0.113.7", "tcp 203.0.113.6:22", "no rule allows 203.0.113.6"},
		{"203.0.113.6:80", "tcp 203.0.113.6:22", "no rule allows port 22"},
		{"tcp/203.0.113.6:80", "udp 203.0.113.6:80", "no rule allows udp"},
		{"tcp/203.0.113.6", "icmp 203.0.113.6", "no rule allows icmp"},
		{"203.0.113.6:80", "icmp 203.0.113.6", "no rule allows icmp"},
		{"a.example", "tcp 203.0.113.5:80", "no rule allows 203.0.113.5, and berth's resolver gave it for no name"},
		{"-a.example", "tcp 203.0.113.5:80", "yes"},

		// Other resolvers.
		{"", "udp 203.0.113.5:53", "names are asked of berth's own resolver; a rule with port 53 opens another"},
		{"*", "tcp 203.0.113.5:53", "names are asked of berth's own resolver; a rule with port 53 opens another"},
		{"203.0.113.5", "tcp 203.0.113.5:53", "names are asked of berth's own resolver; a rule with port 53 opens another"},
		{"udp/203.0.113.5:53", "udp 203.0.113.5:53", "udp/203.0.113.5:53"},
		{"*", "tcp 203.0.113.5:853", "*"},

		// Names that berth itself gives.
		{"host.berth.internal:8080", "tcp 10.255.0.1:8080", "host.berth.internal:8080"},
		{"host.berth.internal:8080", "tcp 10.255.0.1:22", "no rule allows port 22"},
	} {
		cfg.Rules = rulesOf(t, strings.Fields(tt.rules)...)
		f, _ := flowOf(t, tt.flow)
		v := New(cfg).Decide(epoch, f)
		got := v.Reason
		if v.Allow {
			if got = v.Rule; got == "" {
				got = "yes"
			}
		}
		if got != tt.want || v.Allow == (v.Reason != "") {
			t.Errorf("%q, %s: %+v, want %s", tt.rules, tt.flow, v, tt.want)
		}
	}
}

func TestReloadAndStats(t *testing.T) {
	p := New(Config{})
	f, _ := flowOf(t, "tcp 203.0.113.5:22")
	if v := p.Decide(epoch, f); !v.Allow {
		t.Errorf("%+v", v)
	}
	p.Reload(rulesOf(t, ":443"))
	if v := p.Decide(epoch, f); v.Allow {
		t.Errorf("%+v", v)
	}
	if s := p.Stats(); s.Allowed != 1 || s.Denied != 1 {
		t.Errorf("%+v", s)
	}
}

// A network that the machine comes to is guarded from then on, beside other rules.
func TestNetworksThatChange(t *testing.T) {
	p := New(Config{})
	f, _ := flowOf(t, "tcp 10.1.2.3:22")
	for _, tt := range []struct {
		networks string
		rules    []string
		allow    bool
	}{
		{"192.168.1.0/24", nil, true},
		{"10.1.0.0/16", nil, false},
		{"10.1.0.0/16", []string{"*"}, false},
		{"10.1.0.0/16", []string{"10.0.0.0/8"}, true},
		{"192.168.1.0/24", nil, true},
	} {
		p.Reload(rulesOf(t, tt.rules...))
		p.SetNetworks([]netip.Prefix{netip.MustParsePrefix(tt.networks)})
		if v := p.Decide(epoch, f); v.Allow != tt.allow {
			t.Errorf("on %s, by %q: %+v", tt.networks, tt.rules, v)
		}
	}
}

// A pinned address is judged by each of its names.
func TestNamesOfAnAddress(t *testing.T) {
	addr := netip.MustParseAddr("203.0.113.5")
	for _, tt := range []struct {
		rules, names, flow string
		want               string
		inspect            bool
	}{
		{"a.example:443", "a.example", "tcp 203.0.113.5:443", "a.example by a.example:443", true},
		{"a.example", "a.example", "icmp 203.0.113.5", "a.example by a.example", false},
		{"a.example:443", "a.example", "tcp 203.0.113.5:22", "a.example: no rule allows port 22", false},
		{"a.example:443", "a.example", "tcp 203.0.113.6:443", ": no rule allows 203.0.113.6, and berth's resolver gave it for no name", false},
		{"a.example:443 b.example:22", "a.example b.example", "tcp 203.0.113.5:443", "a.example by a.example:443", true},
		{"a.example:443 b.example:22", "a.example b.example", "tcp 203.0.113.5:22", "b.example by b.example:22", true},
		{"a.example:443 b.example:22", "a.example b.example", "tcp 203.0.113.5:80", "b.example: no rule allows port 80", false},
		{"-b.example *", "a.example b.example", "tcp 203.0.113.5:80", "a.example by *", true},
		{"* -b.example", "a.example", "tcp 203.0.113.5:80", "a.example by *", false},
		{"-b.example", "a.example", "tcp 203.0.113.5:80", "a.example by ", true},
		{"-b.example", "", "tcp 203.0.113.5:80", " by ", true},
		{"-b.example", "", "icmp 203.0.113.5", " by ", false},
		{"-b.example:22", "", "tcp 203.0.113.5:80", " by ", false},
		{"-udp/b.example", "", "tcp 203.0.113.5:80", " by ", false},
		{"-b.example", "b.example", "tcp 203.0.113.5:80", "b.example: denied by the rule b.example", false},
		{"-203.0.113.5 a.example", "a.example", "tcp 203.0.113.5:80", "a.example: denied by the rule 203.0.113.5", false},
		{"203.0.113.5 a.example", "a.example", "tcp 203.0.113.5:80", "a.example by 203.0.113.5", false},
		{"a.example@203.0.113.0/24", "a.example", "tcp 203.0.113.5:80", "a.example by a.example@203.0.113.0/24", true},
		{"a.example@198.51.100.0/24", "a.example", "tcp 203.0.113.5:80", "a.example: no rule allows a.example", false},
		{"-a.example@198.51.100.0/24", "a.example", "tcp 203.0.113.5:80", "a.example by ", true},
		{"-a.example@203.0.113.0/24", "a.example", "tcp 203.0.113.5:80", "a.example: denied by the rule a.example@203.0.113.0/24", false},
	} {
		p := New(Config{Rules: rulesOf(t, strings.Fields(tt.rules)...)})
		for _, n := range strings.Fields(tt.names) {
			p.pins.add(epoch, addr, n, epoch.Add(time.Minute))
		}
		f, _ := flowOf(t, tt.flow)
		v := p.Decide(epoch, f)
		got := fmt.Sprintf("%s by %s", v.Name, v.Rule)
		if !v.Allow {
			got = v.Name + ": " + v.Reason
		}
		if got != tt.want || v.Inspect != tt.inspect {
			t.Errorf("%q, %q, %s: %s, inspect %v", tt.rules, tt.names, tt.flow, got, v.Inspect)
		}
	}
}

// A name that leads to a private address is not enough to reach that.
func TestNamesOfPrivateAddresses(t *testing.T) {
	for _, tt := range []struct{ rules, flow, want string }{
		{"a.example", "tcp 10.0.0.7:80", "10.0.0.7 is a private address: a.example@10.0.0.7 would allow it"},
		{"a.example", "tcp 127.0.0.1:80", "127.0.0.1 is the loopback of the machine, which only a rule that names it opens"},
		{"a.example@10.0.0.0/8", "tcp 10.0.0.7:80", ""},
		{"a.example@127.0.0.1", "tcp 127.0.0.1:80", ""},
		{"a.example@0.0.0.0/0", "tcp 127.0.0.1:80", "127.0.0.1 is the loopback of the machine, which only a rule that names it opens"},
		{"a.example 10.0.0.7:80", "tcp 10.0.0.7:80", ""},
		{"b.example", "tcp 10.0.0.7:80", "no rule allows a.example"},
		{"*", "tcp 10.0.0.7:80", ""},
		{"", "tcp 10.0.0.7:80", ""},
	} {
		p := New(Config{Rules: rulesOf(t, strings.Fields(tt.rules)...)})
		f, _ := flowOf(t, tt.flow)
		p.pins.add(epoch, f.Dst.Addr(), "a.example", epoch.Add(time.Minute))
		if v := p.Decide(epoch, f); v.Reason != tt.want {
			t.Errorf("%q, %s: %+v", tt.rules, tt.flow, v)
		}
	}
}

// Whatever an address is called, everything is not what is guarded; the standard
// library is the judge of what an address is.
func FuzzGuarded(f *testing.F) {
	for _, s := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1", "fe80::1", "169.254.169.254", "ff02::1", "0.0.0.0", "203.0.113.5", "64:ff9b::7f00:1"} {
		f.Add(netip.MustParseAddr(s).AsSlice())
	}
	p := New(Config{Rules: rulesOf(f, "*", "0.0.0.0/0", "::/0", ":80", "a.example")})
	closed := New(Config{Rules: rulesOf(f, "a.example")})
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		flow := Flow{Proto: TCP, Dst: netip.AddrPortFrom(a, 80)}
		bare := a.Unmap()
		special := bare.IsLoopback() || bare.IsLinkLocalUnicast() || bare.IsMulticast() || bare.IsUnspecified()
		if v := p.Decide(epoch, flow); v.Allow && special || !v.Allow && v.Reason == "" {
			t.Errorf("%v: %+v", a, v)
		}
		if v := closed.Decide(epoch, flow); v.Allow {
			t.Errorf("%v has no name: %+v", a, v)
		}
		r := closed.rules.Load()
		if r.reaches(bare, "a.example", pinned) && (special || bare.IsPrivate()) {
			t.Errorf("a name leads to %v", a)
		}
	})
}

// The methods of a Policy may be called from many goroutines.
func TestManyCallers(t *testing.T) {
	p := New(Config{Rules: rulesOf(t, "*.example")})
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			host := fmt.Sprintf("n%d.example", i)
			f := Flow{Proto: TCP, Dst: netip.MustParseAddrPort("203.0.113.5:443")}
			for range 50 {
				q := p.Question(epoch, ask(t, host+" A", true), false)
				p.Answer(epoch, q, reply(t, q, host+" 300 A 203.0.113.5"))
				v := p.Decide(epoch, f)
				p.Begin(f, v)
				p.NewHello(f, v).Feed(clientHello(host))
				p.End(epoch, f)
				p.Reload(rulesOf(t, "*.example:443"))
				p.Stats()
			}
		})
	}
	all.Wait()
	if s := p.Stats(); s.Asked != 200 || s.Allowed != 200 || s.Pins != 4 {
		t.Errorf("%+v", s)
	}
}

func BenchmarkDecide(b *testing.B) {
	p := New(Config{Rules: rulesOf(b, "-10.0.0.0/8", "*.example:443", "a.test", ":8080")})
	a := netip.MustParseAddr("203.0.113.5")
	p.pins.add(epoch, a, "a.example", time.Time{})
	f := Flow{Proto: TCP, Dst: netip.AddrPortFrom(a, 443)}
	b.ReportAllocs()
	for b.Loop() {
		if v := p.Decide(epoch, f); !v.Allow {
			b.Fatal(v)
		}
	}
}
