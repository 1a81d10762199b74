package runner

import (
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/berth/internal/policy"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestResolvConf(t *testing.T) {
	c := readResolvConf(write(t, `# a comment
nameserver 192.0.2.1
nameserver not-an-address
nameserver 2001:db8::1
search a.example b.example
options edns0 ndots:3 trust-ad
nameserver
`))
	want := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53"), netip.MustParseAddrPort("[2001:db8::1]:53")}
	if !slices.Equal(c.servers, want) || strings.Join(c.search, " ") != "a.example b.example" || strings.Join(c.options, " ") != "ndots:3" {
		t.Errorf("read as %+v", c)
	}
	if c := readResolvConf("/no/such/file"); len(c.servers) != 1 || !c.servers[0].Addr().IsLoopback() {
		t.Errorf("without a file: %+v", c)
	}
}

// TestServersThatChange: the machine's name servers are those of its file as it is now.
func TestServersThatChange(t *testing.T) {
	l := &serverList{path: write(t, "nameserver 192.0.2.1\n")}
	is := func(want ...string) {
		t.Helper()
		var got []string
		for _, s := range l.get() {
			got = append(got, s.Addr().String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("the servers are %v, want %v", got, want)
		}
	}
	is("192.0.2.1")
	if err := os.WriteFile(l.path, []byte("nameserver 192.0.2.7\nnameserver 2001:db8::7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	is("192.0.2.7", "2001:db8::7")
	if err := os.Remove(l.path); err != nil { // for a moment, as who rewrites it does
		t.Fatal(err)
	}
	is("192.0.2.7", "2001:db8::7")
	if l = (&serverList{path: l.path}); len(l.get()) != 1 || !l.get()[0].Addr().IsLoopback() {
		t.Errorf("without a file: %v", l.get())
	}
}

func TestHosts(t *testing.T) {
	got := readHosts(write(t, `127.0.0.1 localhost
::1 localhost
192.0.2.7	db db.example # the database
2001:db8::7 db
fe80::1%eth0 here
nonsense x
`))
	want := map[string][]netip.Addr{
		"db":         {netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")},
		"db.example": {netip.MustParseAddr("192.0.2.7")},
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("read as %v, want %v", got, want)
	}
}

func TestOverlays(t *testing.T) {
	o := Options{Loopback: LoopbackAliases}
	if hosts := o.hosts(); !strings.Contains(hosts, "192.0.0.3 host.berth.internal\n") || !strings.Contains(hosts, "127.0.0.1 localhost\n") {
		t.Error(hosts)
	}
	if conf := o.resolvConf(); !strings.Contains(conf, "nameserver 192.0.0.1\nnameserver fd62:6572:7468::1\n") {
		t.Error(conf)
	}
	o = Options{Net: None}
	if conf := o.resolvConf(); strings.Contains(conf, "nameserver") {
		t.Error(conf)
	}
}

func rules(t *testing.T, allow bool, texts ...string) (all []*policy.Rule) {
	t.Helper()
	for _, text := range texts {
		r, err := policy.ParseRule(allow, text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// TestJudge: what the kind of network and the alias add to the rules.
func TestJudge(t *testing.T) {
	alias, other := netip.MustParseAddrPort("192.0.0.3:80"), netip.MustParseAddrPort("203.0.113.1:80")
	for _, tt := range []struct {
		name  string
		o     Options
		rules []*policy.Rule
		dst   netip.AddrPort
		allow bool
	}{
		{"no rules", Options{}, nil, other, true},
		{"the alias is off, and private", Options{}, rules(t, true, "203.0.113.1"), alias, false},
		{"the alias", Options{Loopback: LoopbackAliases}, nil, alias, true},
		{"the alias beside rules", Options{Loopback: LoopbackAliases}, rules(t, true, "203.0.113.1"), alias, true},
		{"the alias denied by name", Options{Loopback: LoopbackAliases}, rules(t, false, LoopbackName), alias, false},
		{"the alias denied by port", Options{Loopback: LoopbackAliases}, rules(t, false, ":80"), alias, false},
		{"host-only, the alias", Options{Net: HostOnly, Loopback: LoopbackAliases}, nil, alias, true},
		{"host-only, beyond", Options{Net: HostOnly, Loopback: LoopbackAliases}, nil, other, false},
		{"host-only, beyond and allowed", Options{Net: HostOnly}, rules(t, true, "203.0.113.1"), other, false},
	} {
		j := &judge{Policy: policy.New(tt.o.policyConfig(tt.rules)), net: tt.o.Net, loopback: tt.o.Loopback}
		v := j.Decide(time.Unix(1, 0), policy.Flow{Proto: policy.TCP, Src: netip.MustParseAddrPort("192.0.0.2:1024"), Dst: tt.dst})
		if v.Allow != tt.allow || !v.Allow && v.Reason == "" {
			t.Errorf("%s: %+v", tt.name, v)
		}
	}
}

func TestRuleFileThatChanges(t *testing.T) {
	path := write(t, "rules:\n  - allow: a.example\n")
	f, err := newRuleFile(path)
	if err != nil || len(f.rules) != 1 {
		t.Fatalf("%v, %v", f.rules, err)
	}
	defer f.close()
	if f.isNew() {
		t.Error("it is new at once")
	}
	if err := os.WriteFile(path, []byte("rules:\n  - allow: a.example\n  - deny: b.example\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if !f.isNew() || f.isNew() {
		t.Error("a change is not seen once")
	}
	if now, err := f.read(); err != nil || len(now.Rules) != 2 {
		t.Errorf("%v, %v", now, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if f.isNew() {
		t.Error("its absence is a change")
	}
	if _, err := newRuleFile(path); err == nil {
		t.Error("a file that is not there is no error")
	}
}
