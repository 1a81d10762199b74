package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestLearner(t *testing.T) {
	var l Learner
	see := func(name, flow string) {
		f, _ := flowOf(t, flow)
		l.Flow(f, Verdict{Allow: f.Proto != Other, Name: name})
	}
	see("b.example", "tcp 203.0.113.5:443")
	see("b.example", "tcp 203.0.113.9:443")
	see("b.example", "tcp 203.0.113.5:22")
	see("b.example", "udp 203.0.113.5:443")
	see("a.test", "tcp 203.0.113.5:443")
	see("z.b.example", "icmp 203.0.113.5")
	see("", "tcp [2001:db8::1]:8002")
	see("", "tcp [2001:db8::1]:8000")
	see("", "tcp [2001:db8::1]:8001")
	see("", "tcp [2001:db8::1]:9000")
	see("", "icmp 2001:db8::1")
	see("", "tcp 198.51.100.1:80")
	see("db.test", "tcp 10.0.0.7:5432")
	see("", "udp 203.0.113.5:53")
	see("", "132 203.0.113.5")
	see("", "udp 224.0.0.251:5353")
	see("", "tcp 203.0.113.5:0")
	for _, name := range []string{"unused.example", "b.example", "a b", "also.unused"} {
		l.Question(&Query{Name: name})
	}
	const want = `# What berth run has seen. The first rule that matches decides; what none
# matches is refused.
rules:
  - allow: "tcp/b.example:22,443"
  - allow: "udp/b.example:443"
  - allow: "icmp/z.b.example"
  - allow: "tcp/a.test:443"
  - allow: "tcp/db.test@10.0.0.7:5432"
  - allow: "tcp/198.51.100.1:80"
  - allow: "udp/203.0.113.5:53"
  - allow: "tcp/[2001:db8::1]:8000-8002,9000"
  - allow: "icmp/[2001:db8::1]"
# Asked for, and never connected to:
#   also.unused
#   unused.example
`
	if got := string(l.Policy()); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestLearnerThatSawNothing(t *testing.T) {
	var l Learner
	file, err := ParseFile("", l.Policy())
	if err != nil {
		t.Fatal(err)
	}
	f, _ := flowOf(t, "tcp 203.0.113.5:443")
	if v := New(Config{Rules: file.Rules}).Decide(epoch, f); v.Allow {
		t.Errorf("%+v", v)
	}
}

// What was seen is allowed by what was learned, and what was not is refused.
func TestWhatIsLearnedAllowsWhatWasSeen(t *testing.T) {
	open := Config{Rules: rulesOf(t, "*", "10.0.0.0/8", "169.254.169.254", "203.0.113.9:53")}
	p := New(open)
	var l Learner
	resolve(t, p, epoch, "a.example", "203.0.113.5", 300)
	resolve(t, p, epoch, "db.example", "10.0.0.7", 300)
	flows := []string{"tcp 203.0.113.5:443", "udp 203.0.113.5:443", "tcp 10.0.0.7:5432", "icmp 203.0.113.5", "tcp 169.254.169.254:80", "tcp [2001:db8::1]:22", "udp 203.0.113.9:53"}
	for _, s := range flows {
		f, _ := flowOf(t, s)
		v := p.Decide(epoch, f)
		if !v.Allow {
			t.Fatalf("%s: %+v", s, v)
		}
		l.Flow(f, v)
	}
	file, err := ParseFile("learned.yaml", l.Policy())
	if err != nil {
		t.Fatal(err)
	}
	p = New(Config{Rules: file.Rules})
	resolve(t, p, epoch, "a.example", "203.0.113.6", 300) // it has moved
	resolve(t, p, epoch, "a.example", "203.0.113.5", 300)
	resolve(t, p, epoch, "db.example", "10.0.0.7", 300)
	for _, s := range append(flows, "tcp 203.0.113.6:443") {
		f, _ := flowOf(t, s)
		if v := p.Decide(epoch, f); !v.Allow {
			t.Errorf("%s: %+v\n%s", s, v, l.Policy())
		}
	}
	for _, s := range []string{"tcp 203.0.113.5:80", "tcp 10.0.0.8:5432", "icmp 10.0.0.7", "tcp 203.0.113.77:443"} {
		f, _ := flowOf(t, s)
		if v := p.Decide(epoch, f); v.Allow {
			t.Errorf("%s: %+v", s, v)
		}
	}
}

// Rules are never longer than a rule may be.
func TestLearnerOfManyPorts(t *testing.T) {
	var l Learner
	for port := 1; port < 60000; port += 2 {
		l.Flow(Flow{Proto: TCP, Dst: netip.AddrPortFrom(netip.MustParseAddr("203.0.113.5"), uint16(port))}, Verdict{Allow: true, Name: strings.Repeat("a.", 120) + "a"})
	}
	file, err := ParseFile("", l.Policy())
	if err != nil || len(file.Rules) != 1 || !strings.HasSuffix(file.Rules[0].String(), ":1-59999") {
		t.Errorf("%v %v", file, err)
	}
}

func TestLearnerIsBounded(t *testing.T) {
	var l Learner
	for i := range maxLearned + 5 {
		l.Flow(Flow{Proto: TCP, Dst: netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, byte(i >> 16), byte(i >> 8), byte(i)}), 1)}, Verdict{Allow: true})
		l.Question(&Query{Name: fmt.Sprint("n", i)})
	}
	if len(l.seen) != maxLearned || len(l.asked) != maxLearned || !strings.Contains(string(l.Policy()), "5 flows are not") {
		t.Errorf("%d seen, %d asked", len(l.seen), len(l.asked))
	}
}

func TestPortLists(t *testing.T) {
	for _, tt := range []struct {
		in   []uint16
		want string
	}{
		{[]uint16{22}, "22"},
		{[]uint16{443, 22}, "22,443"},
		{[]uint16{3, 1, 2, 9, 8}, "1-3,8-9"},
		{[]uint16{65534, 65535}, "65534-65535"},
	} {
		if got := portList(slices.Clone(tt.in)); got != tt.want {
			t.Errorf("%v: %s", tt.in, got)
		}
	}
}
