package berth_test

import (
	"bytes"
	"net/netip"
	"testing"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// rawIPv4 is an echo request with the given bytes of options.
func rawIPv4(options string) []byte {
	h := header.ICMP{Type: header.ICMPv4EchoRequest}
	b := append(h.Append(nil), "hello"...)
	header.PutICMPv4Checksum(b)
	ip := header.IPv4{PayloadLen: len(b), TTL: 64, Protocol: header.ProtocolICMP, Src: bob4, Dst: alice4, Options: []byte(options)}
	return append(ip.Append(nil), b...)
}

// DEF-21.
func TestIPv4Options(t *testing.T) {
	h, st := stationed(t, berth.Config{})
	for _, tt := range []struct {
		name, options string
		answered      bool
	}{
		{"none", "", true},
		{"no operation, end", "\x01\x01\x01\x00", true},
		{"router alert", header.IPv4RouterAlert, true},
		{"record route", "\x07\x07\x04\x00\x00\x00\x00\x00", true},
		{"unknown (HOST-27)", "\x5e\x04\xaa\xbb", true},
		{"stream identifier (HOST-30)", "\x88\x04\x00\x01", true},
		{"loose source route", "\x83\x07\x04\x0a\x00\x00\x09\x00", false},
		{"strict source route", "\x89\x07\x04\x0a\x00\x00\x09\x00", false},
		{"length 0", "\x5e\x00\x00\x00", false},
		{"length 1", "\x5e\x01\x00\x00", false},
		{"beyond the header", "\x5e\x08\x00\x00", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st.take(nil)
			bad := h.Counters().IP.BadOption.Load()
			st.frame(rawIPv4(tt.options))
			replies := st.take(func(p *packet) bool { return p.isICMP(header.ICMPv4EchoReply, 0) })
			if answered := len(replies) == 1; answered != tt.answered {
				t.Errorf("answered: %v, want %v", answered, tt.answered)
			}
			if counted := h.Counters().IP.BadOption.Load() > bad; counted == tt.answered {
				t.Errorf("counted: %v", counted)
			}
		})
	}
}

// HOST-60: a malformed option is answered with a parameter problem that points at
// it; a source route is not.
func TestBadIPv4OptionsAreReported(t *testing.T) {
	for _, tt := range []struct {
		name, options string
		pointer       int // 0: there is no answer
	}{
		{"length 0", "\x5e\x00\x00\x00", 20},
		{"length 1, behind no operations", "\x01\x01\x5e\x01", 22},
		{"beyond the header, behind an option", "\x5e\x04\x00\x00\x5e\x08\x00\x00", 24},
		{"loose source route", "\x83\x07\x04\x0a\x00\x00\x09\x00", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, st := stationed(t, berth.Config{ICMPErrors: -1})
			b := rawIPv4(tt.options)
			st.take(nil)
			st.frame(b)
			if tt.pointer == 0 {
				st.none("it is answered", nil)
				return
			}
			h, rest := st.one("the answer", nil).icmp()
			if h.Type != header.ICMPv4ParameterProblem || h.Code != 0 || int(h.Pointer4()) != tt.pointer {
				t.Errorf("type %d, code %d, pointer %d, want %d", h.Type, h.Code, h.Pointer4(), tt.pointer)
			}
			if !bytes.HasPrefix(rest, b[:20]) {
				t.Errorf("it quotes %x", rest)
			}
		})
	}
}

// HOST-9.
//
// DEF-18.
func TestBadIPv4HeadersAreCountedAndNotAnswered(t *testing.T) {
	h, st := stationed(t, berth.Config{})
	good := rawIPv4("")
	c := &h.Counters().IP
	change := func(f func(b []byte) []byte) []byte { return f(append([]byte(nil), good...)) }
	for _, tt := range []struct {
		name    string
		frame   []byte
		counter interface{ Load() uint64 }
	}{
		{"empty", nil, &c.BadHeader},
		{"one byte", good[:1], &c.BadHeader},
		{"cut in the header", good[:19], &c.BadHeader},
		{"cut in the payload", good[:30], &c.BadHeader},
		{"version 5 (HOST-10)", change(func(b []byte) []byte { b[0] = 0x55; return b }), &c.BadHeader},
		{"header length 16", change(func(b []byte) []byte { b[0] = 0x44; return b }), &c.BadHeader},
		{"total length below the header's", change(func(b []byte) []byte { b[3] = 19; return b }), &c.BadHeader},
		{"checksum (HOST-11)", change(func(b []byte) []byte { b[10] ^= 1; return b }), &c.BadChecksum},
		{"somebody else (HOST-14)", encode(packet{src: bob4, dst: netip.MustParseAddr("10.0.0.9"), protocol: 17}), &c.NotForUs},
		{"to loopback", encode(packet{src: bob4, dst: netip.MustParseAddr("127.0.0.1"), protocol: 17}), &c.NotForUs},
		{"from loopback (HOST-15, UDP-15)", encode(packet{src: netip.MustParseAddr("127.0.0.1"), dst: alice4, protocol: 17}), &c.BadSource},
		{"from a group (HOST-15, UDP-15)", encode(packet{src: groupA4, dst: alice4, protocol: 17}), &c.BadSource},
		{"from everybody (HOST-15, UDP-15)", encode(packet{src: netip.MustParseAddr("255.255.255.255"), dst: alice4, protocol: 17}), &c.BadSource},
		{"from the loopback of IPv6", encode(packet{src: netip.IPv6Loopback(), dst: alice6, protocol: 17}), &c.BadSource},
		{"from a group of IPv6", encode(packet{src: groupA6, dst: alice6, protocol: 17}), &c.BadSource},
		{"to the loopback of IPv6", encode(packet{src: bob6, dst: netip.IPv6Loopback(), protocol: 17}), &c.NotForUs},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st.take(nil)
			before := tt.counter.Load()
			st.frame(tt.frame)
			st.none("it is answered", nil)
			if tt.counter.Load() != before+1 {
				t.Error("it is not counted under its cause")
			}
		})
	}
}

// What lies between an IPv6 header and an echo request.
//
// DEF-15.
func TestIPv6ExtensionHeaders(t *testing.T) {
	const (
		hop, routing, dest = header.ProtocolHopByHop, header.ProtocolRouting, header.ProtocolDestination
		echo               = header.ProtocolICMPv6
	)
	type ext struct {
		kind uint8
		body string // behind the next header and the length
	}
	pad := "\x01\x04\x00\x00\x00\x00"
	h, st := stationed(t, berth.Config{})
	for _, tt := range []struct {
		name    string
		chain   []ext
		problem int // the code of the parameter problem; -1: none
		pointer uint32
		reply   bool
	}{
		{"padding", []ext{{hop, pad}, {dest, pad}}, -1, 0, true},
		{"an unknown option to pass over", []ext{{dest, "\x1e\x04\x00\x00\x00\x00"}}, -1, 0, true},
		{"an unknown option that discards", []ext{{dest, "\x5e\x04\x00\x00\x00\x00"}}, -1, 0, false},
		{"an unknown option that is reported", []ext{{dest, "\x9e\x04\x00\x00\x00\x00"}}, header.ProblemOption, 42, false},
		{"a routing header with nothing left", []ext{{routing, "\x04\x00\x00\x00\x00\x00"}}, -1, 0, true},
		{"a routing header of an unknown type", []ext{{routing, "\x09\x01\x00\x00\x00\x00"}}, header.ProblemHeader, 42, false},
		{"hop-by-hop not at first", []ext{{dest, pad}, {hop, pad}}, header.ProblemNextHeader, 40, false},
		{"nine headers", []ext{{dest, pad}, {dest, pad}, {dest, pad}, {dest, pad}, {dest, pad}, {dest, pad}, {dest, pad}, {dest, pad}, {dest, pad}}, -1, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := header.ICMP{Type: header.ICMPv6EchoRequest}
			b := m.Append(nil)
			header.PutICMPv6Checksum(b, bob6, alice6)
			next := uint8(echo)
			for i := len(tt.chain) - 1; i >= 0; i-- {
				e := tt.chain[i]
				b = append(append([]byte{next, 0}, e.body...), b...)
				next = e.kind
			}
			ip := header.IPv6{PayloadLen: len(b), NextHeader: next, HopLimit: 64, Src: bob6, Dst: alice6}
			st.take(nil)
			st.frame(append(ip.Append(nil), b...))
			var reply, problem bool
			for _, p := range st.take(nil) {
				reply = reply || p.isICMP(header.ICMPv6EchoReply, 0)
				if p.protocol == header.ProtocolICMPv6 && p.payload[0] == header.ICMPv6ParameterProblem {
					problem = true
					m, _ := p.icmp()
					if int(m.Code) != tt.problem || m.Pointer() != tt.pointer {
						t.Errorf("parameter problem %d at %d, want %d at %d", m.Code, m.Pointer(), tt.problem, tt.pointer)
					}
				}
			}
			if reply != tt.reply || problem != (tt.problem >= 0) {
				t.Errorf("reply: %v, problem: %v", reply, problem)
			}
		})
	}
	if h.Counters().IP.BadExtension.Load() == 0 {
		t.Error("nothing was counted")
	}
}

// HOST-3, UDP-14: RFC 6724 over the addresses of a host, and the rule of IPv4 that the subnet of
// the next hop decides.
func TestTheSourceAddressFitsTheDestination(t *testing.T) {
	a, b := wire.Pair()
	c, d := wire.Pair()
	h := hostOn(t, berth.Config{}, a, "10.0.0.1/24", "10.0.1.1/24", "fd00::1/64", "2001:db8::1/64")
	attach(t, h, c, "192.0.2.1/24", "2001:db8:2::1/64")
	for _, dev := range []*wire.Device{b, d} {
		t.Cleanup(func() { dev.Close() })
	}
	addRoute(t, h, "0.0.0.0/0", "10.0.1.2", 0)
	addRoute(t, h, "::/0", "2001:db8::2", 0)
	ll := linkLocal(t, h)
	for dst, src := range map[string]string{
		"10.0.0.9":              "10.0.0.1",
		"10.0.1.9":              "10.0.1.1",
		"192.0.2.9":             "192.0.2.1",
		"198.51.100.1":          "10.0.1.1", // the gateway's subnet
		"127.0.0.1":             "127.0.0.1",
		"10.0.0.1":              "10.0.0.1",
		"fd00::9":               "fd00::1",
		"2001:db8::9":           "2001:db8::1",
		"2001:db8:2::9":         "2001:db8:2::1",
		"2606:4700::1":          "2001:db8::1", // the label: global to global
		"fdff::1":               "fd00::1",     // unique local to unique local
		"::1":                   "::1",
		"fe80::9%" + ll.Zone():  ll.String(),
		"ff02::fb%" + ll.Zone(): ll.String(),
	} {
		u := sender(t, h, netip.MustParseAddr(dst))
		if got := u.LocalAddr().Addr().String(); got != src {
			t.Errorf("to %s from %s, want %s", dst, got, src)
		}
	}
	bound := newSocket(t, h, socket.INET, socket.DGRAM, 0)
	if err := bound.Bind(netip.MustParseAddrPort("10.0.0.1:0")); err != nil {
		t.Fatal(err)
	}
	if err := bound.Connect(t.Context(), netip.MustParseAddrPort("192.0.2.9:9")); err != nil || bound.LocalAddr().Addr() != alice4 {
		t.Errorf("a bound socket sends from %v, %v", bound.LocalAddr(), err)
	}
}
