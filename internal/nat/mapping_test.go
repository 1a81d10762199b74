package nat

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

// packets are the ways in which a host inside begins to talk to a remote.
var packets = map[string]func(src, dst netip.AddrPort) []byte{
	"udp":  func(src, dst netip.AddrPort) []byte { return udp(src, dst, "hello") },
	"tcp":  func(src, dst netip.AddrPort) []byte { return tcp(src, dst, header.SYN) },
	"icmp": func(src, dst netip.AddrPort) []byte { return ping(src, dst.Addr()) },
}

func oneMappingForAllRemotes(t *testing.T) {
	for name, packet := range packets {
		for _, d := range []Dependence{EndpointIndependent, AddressDependent, AddressAndPortDependent} {
			r := newRig(t, Config{Behavior: Behavior{Mapping: d}})
			a := r.sends(packet(ap(alice), ap(server)))
			again := r.sends(packet(ap(alice), ap(server)))
			port := r.sends(packet(ap(alice), netip.AddrPortFrom(ap(server).Addr(), 9)))
			addr := r.sends(packet(ap(alice), ap(other)))
			if a.Addr() != external || again != a {
				t.Errorf("%s, %v: %v, then %v", name, d, a, again)
			}
			wantPort := d != AddressAndPortDependent || name == "icmp"
			wantAddr := d == EndpointIndependent || name == "icmp"
			if (port == a) != wantPort || (addr == a) != wantAddr {
				t.Errorf("%s, %v: %v, %v for another port, %v for another address", name, d, a, port, addr)
			}
		}
	}
}

func aHostKeepsItsAddress(t *testing.T) {
	cfg := Config{External: []netip.Addr{external, netip.MustParseAddr("203.0.113.2"), netip.MustParseAddr("203.0.113.3")}}
	r := newRig(t, cfg)
	used := make(map[netip.Addr]int)
	for host := range 30 {
		addr := netip.AddrFrom4([4]byte{10, 0, 0, byte(host + 1)})
		for port := range uint16(4) {
			for name, packet := range packets {
				got := r.sends(packet(netip.AddrPortFrom(addr, 4000+port), ap(server))).Addr()
				if got != r.External(addr) {
					t.Fatalf("%s from %v leaves from %v, not %v", name, addr, got, r.External(addr))
				}
			}
		}
		used[r.External(addr)]++
	}
	for _, a := range cfg.External {
		if used[a] != 10 {
			t.Errorf("%v is for %d hosts of 30", a, used[a])
		}
	}
	if r.External(netip.IPv6Loopback()).IsValid() {
		t.Error("an IPv6 address has one")
	}
}

func noPortIsGivenTwice(t *testing.T) {
	for _, preserve := range []bool{false, true} {
		r := newRig(t, Config{
			Ports: PortRange{4090, 4199}, PortPreservation: preserve,
			Random: rand.New(rand.NewPCG(1, 2)).Uint64,
		})
		for name, packet := range packets {
			seen := make(map[netip.AddrPort]bool)
			for i := range 110 {
				src := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(1 + i%3)}), uint16(4150+i/3))
				got := r.sends(packet(src, ap(server)))
				if seen[got] || got.Port() < 4090 || got.Port() > 4199 {
					t.Fatalf("%s: %v given to %v, the %dth", name, got, src, i)
				}
				if preserve && i%3 == 0 && i < 30 && got.Port() != src.Port() && !seen[netip.AddrPortFrom(external, src.Port())] {
					t.Errorf("%s: %v given to %v though its port was free", name, got, src)
				}
				seen[got] = true
			}
			r.wantOut(packet(ap("10.0.0.9:1"), ap(server)), Drop, PortsExhausted)
			// A port comes back when its mapping is over.
			r.wait(5 * time.Minute)
			r.sends(packet(ap("10.0.0.9:1"), ap(server)))
		}
	}
}

func wellKnownPortsStayApart(t *testing.T) {
	r := newRig(t, Config{Ports: PortRange{600, 2000}})
	for port, want := range map[uint16]PortRange{123: {600, 1023}, 1023: {600, 1023}, 1024: {1024, 2000}, 50000: {1024, 2000}} {
		if got := r.sends(udp(netip.AddrPortFrom(ap(alice).Addr(), port), ap(server), "")).Port(); !want.has(got) {
			t.Errorf("%d becomes %d, want one of %v", port, got, want)
		}
	}
}

func parityIsKept(t *testing.T) {
	r := newRig(t, Config{Ports: PortRange{4000, 4009}, PortParity: true})
	for i := range uint16(5) {
		if got := r.sends(udp(netip.AddrPortFrom(ap(alice).Addr(), 5000+2*i), ap(server), "")).Port(); got%2 != 0 {
			t.Errorf("%d becomes %d", 5000+2*i, got)
		}
	}
	if got := r.sends(udp(ap("10.0.0.2:7001"), ap(server), "")).Port(); got%2 != 1 {
		t.Errorf("7001 becomes %d", got)
	}
	// Without an even one left, an odd one is better than none.
	r.sends(udp(ap("10.0.0.2:7002"), ap(server), ""))
}

func payloadsAreLeftAlone(t *testing.T) {
	r := newRig(t, Recommended(external))
	const says = "PORT 10,0,0,2,19,136 c=IN IP4 10.0.0.2"
	b := udp(ap(alice), ap(server), says)
	r.sends(b)
	if !bytes.HasSuffix(b, []byte(says)) {
		t.Errorf("% x", b)
	}
}

func theSameEachTime(t *testing.T) {
	run := func() []Mapping {
		r := newRig(t, Config{Behavior: Symmetric, Random: rand.New(rand.NewPCG(3, 4)).Uint64, Limits: Limits{Mappings: 50, PerHost: 40}})
		script := rand.New(rand.NewPCG(5, 6))
		for range 500 {
			src := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(script.IntN(4) + 1)}), uint16(script.IntN(30)+4000))
			dst := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(script.IntN(4) + 1)}), 80)
			kind := []string{"udp", "tcp", "icmp"}[script.IntN(3)]
			r.out(packets[kind](src, dst))
			r.wait(time.Second)
		}
		return r.Mappings()
	}
	if a, b := run(), run(); !reflect.DeepEqual(a, b) {
		t.Errorf("%v\n%v", a, b)
	}
}

func TestTheTableCanBeRead(t *testing.T) {
	cfg := Config{Behavior: PortRestricted, PortPreservation: true}
	r := newRig(t, cfg)
	r.sends(udp(ap(alice), ap(server), "12345"))
	r.sends(udp(ap(alice), ap(other), ""))
	r.gets(udp(ap(server), ap(outside+":5000"), "1"), alice)
	r.sends(tcp(ap(alice), ap(server), header.SYN))
	r.gets(tcp(ap(server), ap(outside+":5000"), header.SYN|header.ACK), alice)
	r.sends(ping(ap(alice), ap(server).Addr()))
	if _, err := r.Forward(header.ProtocolTCP, 80, ap("10.0.0.3:8080")); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range r.Mappings() {
		lines = append(lines, m.String())
	}
	want := []string{
		"icmp 10.0.0.2:5000 = 203.0.113.1:5000 198.51.100.1:0",
		"tcp 10.0.0.2:5000 = 203.0.113.1:5000 198.51.100.1:3478 established",
		"tcp 10.0.0.3:8080 = 203.0.113.1:80 static",
		"udp 10.0.0.2:5000 = 203.0.113.1:5000 198.51.100.1:3478 198.51.100.2:3479",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("%s", strings.Join(lines, "\n"))
	}
	u := r.Mappings()[3]
	if u.Out != (Traffic{2, 28 + 5 + 28}) || u.In != (Traffic{1, 29}) || u.Expires != r.now+5*time.Minute {
		t.Errorf("%+v", u)
	}
	if c := r.Counters(); c.Out != 4 || c.In != 2 || c.MappingsCreated != 4 || c.SessionsCreated != 4 || r.Len() != 4 {
		t.Errorf("%+v", c)
	}
	sym := newRig(t, Config{Behavior: Symmetric})
	sym.sends(udp(ap(alice), ap(server), ""))
	if got := sym.only().String(); got != "udp 10.0.0.2:5000 = 203.0.113.1:1024 for 198.51.100.1:3478 198.51.100.1:3478" {
		t.Error(got)
	}
	cone := newRig(t, Config{})
	cone.sends(udp(ap(alice), ap(server), ""))
	if got := cone.only().String(); got != "udp 10.0.0.2:5000 = 203.0.113.1:1024 open" {
		t.Error(got)
	}
}

func TestForward(t *testing.T) {
	web := ap("10.0.0.3:8080")
	for _, b := range []Behavior{FullCone, Symmetric} {
		r := newRig(t, Config{Behavior: b, Hairpin: true})
		r.sends(tcp(web, ap(server), header.SYN)) // a mapping that Forward replaces
		at, err := r.Forward(header.ProtocolTCP, 80, web)
		if err != nil || at != ap(outside+":80") || r.Len() != 1 {
			t.Fatalf("%v, %v", at, err)
		}
		// Anyone may come, and is answered from there.
		r.gets(tcp(ap(other), at, header.SYN), web.String())
		if got := r.sends(tcp(web, ap(other), header.SYN|header.ACK)); got != at {
			t.Errorf("the answer is from %v", got)
		}
		// From inside, too.
		if v, src, dst := r.out(tcp(ap(alice), at, header.SYN)); v.Action != Hairpin || dst != web || src.Addr() != external {
			t.Errorf("%v from %v to %v", v, src, dst)
		}
		// It does not end.
		r.wait(100 * time.Hour)
		r.gets(tcp(ap(other), at, header.SYN), web.String())
		if got := r.only(); !got.Static || got.Expires != 0 || !got.Open {
			t.Errorf("%+v", got)
		}
		if r.Unforward(header.ProtocolUDP, at) || !r.Unforward(header.ProtocolTCP, at) || r.Unforward(header.ProtocolTCP, at) {
			t.Error("Unforward")
		}
		r.wantIn(tcp(ap(other), at, header.SYN), Local, NoMapping)
	}
}

func TestForwardErrors(t *testing.T) {
	r := newRig(t, Config{Ports: PortRange{2000, 2001}, Limits: Limits{Mappings: 4}})
	r.sends(udp(ap(bob), ap(server), "")) // has 2000
	for _, tt := range []struct {
		protocol uint8
		port     uint16
		inside   string
		want     error
	}{
		{header.ProtocolICMP, 80, alice, syscall.EPROTONOSUPPORT},
		{header.ProtocolTCP, 80, "[fd00::1]:80", syscall.EINVAL},
		{header.ProtocolTCP, 80, "10.0.0.2:0", syscall.EINVAL},
		{header.ProtocolTCP, 80, "127.0.0.1:80", syscall.EINVAL},
		{header.ProtocolTCP, 80, alice, nil},
		{header.ProtocolTCP, 80, bob, syscall.EADDRINUSE},
		{header.ProtocolTCP, 81, alice, syscall.EADDRINUSE},
		{header.ProtocolUDP, 2000, alice, syscall.EADDRINUSE},
		{header.ProtocolUDP, 0, alice, nil}, // 2001
		{header.ProtocolUDP, 0, "10.0.0.4:1", syscall.ENOBUFS},
		{header.ProtocolUDP, 2000, bob, nil}, // its own
		{header.ProtocolTCP, 82, "10.0.0.5:1", nil},
		{header.ProtocolTCP, 83, "10.0.0.6:1", syscall.ENOBUFS},
	} {
		if _, err := r.Forward(tt.protocol, tt.port, ap(tt.inside)); err != tt.want {
			t.Errorf("%d %d to %s: %v, want %v", tt.protocol, tt.port, tt.inside, err, tt.want)
		}
	}
	if r.Unforward(header.ProtocolTCP, ap("[fd00::1]:80")) {
		t.Error("an IPv6 address was mapped")
	}
}

func TestConfig(t *testing.T) {
	good := Config{External: []netip.Addr{external}}
	for name, change := range map[string]func(*Config){
		"no address":       func(c *Config) { c.External = nil },
		"IPv6":             func(c *Config) { c.External = []netip.Addr{netip.IPv6Loopback()} },
		"a group":          func(c *Config) { c.External = []netip.Addr{netip.MustParseAddr("224.0.0.1")} },
		"port 0":           func(c *Config) { c.Ports = PortRange{0, 5} },
		"no port":          func(c *Config) { c.Ports = PortRange{6, 5} },
		"negative time":    func(c *Config) { c.Timeouts.UDP = -1 },
		"negative limit":   func(c *Config) { c.Limits.PerHost = -1 },
		"unknown mapping":  func(c *Config) { c.Mapping = 3 },
		"unknown filtered": func(c *Config) { c.Filtering = 3 },
	} {
		c := good
		change(&c)
		if _, err := New(c); err != syscall.EINVAL {
			t.Errorf("%s: %v", name, err)
		}
	}
	rec := Recommended(external)
	if d := rec.Departures(); d != nil {
		t.Errorf("%q", d)
	}
	bad := Config{Behavior: Symmetric, Timeouts: Timeouts{30 * time.Second, time.Hour, time.Minute, time.Second, 0}}
	if d := bad.Departures(); len(d) != 8 {
		t.Errorf("%d: %q", len(d), d)
	}
}

func TestNames(t *testing.T) {
	for want, s := range map[string]fmt.Stringer{
		"full cone": FullCone, "address restricted": AddressRestricted, "port restricted": PortRestricted, "symmetric": Symmetric,
		"address-dependent mapping, endpoint-independent filtering": Behavior{AddressDependent, EndpointIndependent},
		"address and port-dependent":                                AddressAndPortDependent,
		"Dependence(?)":                                             Dependence(9), "Action(?)": Action(9), "Reason(?)": Reason(99),
		"drop: filtered": Verdict{Drop, Filtered}, "pass": Verdict{}.with(Pass), "hairpin": Hairpin, "local: own address": Verdict{Local, Own},
	} {
		if got := s.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for r := range Reason(Reasons) {
		if r.String() == "" {
			t.Errorf("reason %d has no name", r)
		}
	}
}

func (v Verdict) with(a Action) Verdict { v.Action = a; return v }
