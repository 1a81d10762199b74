package nat

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

var router = netip.MustParseAddr("192.0.2.77") // on the way

func queries(t *testing.T) {
	for _, b := range presets {
		r := newRig(t, Config{Behavior: b})
		a := r.sends(ping(ap(alice), ap(server).Addr()))
		z := r.sends(ping(ap(bob), ap(server).Addr()))
		if a == z {
			t.Errorf("both are %v", a)
		}
		r.gets(pong(ap(server).Addr(), a), alice)
		r.gets(pong(ap(server).Addr(), z), bob)
		// REQ-1a: the same identifier for all remotes.
		if again := r.sends(ping(ap(alice), ap(other).Addr())); again != a {
			t.Errorf("%v: %v, then %v", b, a, again)
		}
		// Others may answer only if nothing is filtered.
		v, _, _ := r.in(pong(netip.MustParseAddr("198.51.100.99"), a))
		if (v.Action == Pass) != (b == FullCone) {
			t.Errorf("%v: %v of a reply from elsewhere", b, v)
		}
		// What is asked from outside is the router's to answer.
		r.wantIn(ping(netip.AddrPortFrom(ap(server).Addr(), a.Port()), external), Local, NoMapping)
		r.wantOut(pong(ap(alice).Addr(), ap(server)), Drop, NoMapping)
	}
}

// errorCases are the packets that errors are about: one that alice sends, or
// that a remote sends to her.
var errorCases = map[string]struct {
	out, in func(inside, remote netip.AddrPort) []byte
}{
	"udp": {
		func(inside, remote netip.AddrPort) []byte { return udp(inside, remote, "question") },
		func(inside, remote netip.AddrPort) []byte { return udp(remote, inside, "answer") },
	},
	"tcp": {
		func(inside, remote netip.AddrPort) []byte { return tcp(inside, remote, header.SYN) },
		func(inside, remote netip.AddrPort) []byte { return tcp(remote, inside, header.ACK) },
	},
	"icmp": {
		func(inside, remote netip.AddrPort) []byte { return ping(inside, remote.Addr()) },
		func(inside, remote netip.AddrPort) []byte { return pong(remote.Addr(), inside) },
	},
	"udp without a checksum": {
		func(inside, remote netip.AddrPort) []byte { return bare(udp(inside, remote, "question")) },
		func(inside, remote netip.AddrPort) []byte { return bare(udp(remote, inside, "answer")) },
	},
}

// bare takes the checksum off a UDP packet.
func bare(b []byte) []byte {
	b[header.IPv4MinLen+6], b[header.IPv4MinLen+7] = 0, 0
	return b
}

// TestErrors sends ICMP errors both ways, about all that is translated, quoting
// all of it or only 8 bytes of its transport. The host that gets one must find
// in it the packet that it sent.
func TestErrors(t *testing.T) {
	for name, c := range errorCases {
		for _, quote := range []int{1500, header.IPv4MinLen + 8} {
			for _, b := range presets {
				label := fmt.Sprintf("%s, %v, %d bytes quoted", name, b, quote)
				r := newRig(t, Config{Behavior: b})
				sent := c.out(ap(alice), ap(server))
				seen := append([]byte(nil), sent...)
				a := r.sends(seen)

				// From outside: about what alice sent.
				e := unreachable(ap(server).Addr(), seen, quote)
				v, src, dst := r.in(e)
				if v.Action != Pass || src.Addr() != ap(server).Addr() || dst.Addr() != ap(alice).Addr() {
					t.Errorf("%s: %v from %v to %v", label, v, src, dst)
				}
				want := string(sent[:min(quote, len(sent))])
				if got := string(quoted(e)); got != want {
					t.Errorf("%s: quotes\n% x, want\n% x", label, got, want)
				}
				if e[20] != header.ICMPv4Unreachable || e[21] != header.ICMPv4PortUnreachable {
					t.Errorf("%s: type %d, code %d", label, e[20], e[21])
				}

				// From inside: about what the remote sent.
				came := c.in(a, ap(server))
				seen = append([]byte(nil), came...)
				r.gets(seen, alice)
				e = unreachable(netip.MustParseAddr("10.0.0.254"), seen, quote)
				if v, src, dst = r.out(e); v.Action != Pass || src.Addr() != external || dst.Addr() != ap(server).Addr() {
					t.Errorf("%s: %v from %v to %v", label, v, src, dst)
				}
				if got, want := string(quoted(e)), string(came[:min(quote, len(came))]); got != want {
					t.Errorf("%s: quotes\n% x, want\n% x", label, got, want)
				}
			}
		}
	}
}

func errorsComeFromRouters(t *testing.T) {
	for _, b := range presets {
		r := newRig(t, Config{Behavior: b})
		sent := udp(ap(alice), ap(server), "far")
		r.sends(sent)
		r.gets(unreachable(router, sent, 28), "10.0.0.2:0")
	}
}

func errorsChangeNothing(t *testing.T) {
	for name, c := range errorCases {
		r := newRig(t, Config{InboundRefresh: true})
		seen := c.out(ap(alice), ap(server))
		a := r.sends(seen)
		before := r.only()
		r.wait(30 * time.Second)
		r.gets(unreachable(router, seen, 1500), "10.0.0.2:0")
		if after := r.only(); after.Expires != before.Expires || len(after.Sessions) != 1 {
			t.Errorf("%s: %+v, then %+v", name, before, after)
		}
		r.gets(c.in(a, ap(server)), alice)
	}
}

func damagedErrors(t *testing.T) {
	r := newRig(t, Config{Behavior: PortRestricted})
	seen := udp(ap(alice), ap(server), "12345678")
	r.sends(seen)
	whole := func() []byte { return unreachable(router, seen, 1500) }
	redo := func(b []byte) []byte { header.PutICMPv4Checksum(b[20:]); return b }
	about := func(src, dst string, quote int) []byte {
		return icmp(header.ICMPv4Unreachable, 0, router, external, [4]byte{}, udp(ap(src), ap(dst), "12345678")[:quote])
	}
	mapped := r.only().Outside.String()
	v6 := []byte{0x60, 39: 0}
	for _, tt := range []struct {
		name string
		b    []byte
		want Verdict
	}{
		{"ICMP checksum", func() []byte { b := whole(); b[22] ^= 1; return b }(), drop(BadError)},
		{"checksum of the quoted header", func() []byte { b := whole(); b[28+8] ^= 1; return redo(b) }(), drop(BadError)},
		{"7 bytes of transport", unreachable(router, seen, 27), drop(BadError)},
		{"half a header", unreachable(router, seen, 19), drop(BadError)},
		{"IPv6 quoted", icmp(header.ICMPv4Unreachable, 0, router, external, [4]byte{}, v6), drop(BadError)},
		{"an error quoted", unreachable(router, unreachable(external, seen, 28), 1500), drop(BadError)},
		{"a later fragment quoted", icmp(header.ICMPv4TimeExceeded, 1, router, external, [4]byte{}, cut(seen, 8)[1]), drop(BadError)},
		{"about another address", about("203.0.113.9:1024", server, 28), drop(BadError)},
		{"about nobody's packet", about(outside+":999", server, 28), local(NoMapping)},
		{"about a packet that was not sent", about(mapped, other, 28), drop(Filtered)},
		{"itself in fragments", cut(whole(), 16)[0], drop(BadError)},
		{"a first fragment that looks whole", func() []byte {
			b := whole()
			b[6] = 0x20 // more fragments
			b[10], b[11] = 0, 0
			binary.BigEndian.PutUint16(b[10:], header.Fold(header.Sum(b[:20], 0)))
			return b
		}(), drop(BadError)},
		{"the transport's checksum does not matter", func() []byte { b := whole(); b[28+20+6] ^= 1; return redo(b) }(), Verdict{Pass, None}},
	} {
		if got := r.Table.In(r.now, tt.b); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	// From inside.
	came := udp(ap(server), ap(mapped), "")
	r.gets(came, alice)
	none := udp(ap(other), ap("10.0.0.9:1"), "")
	strange := udp(ap(other), ap(alice), "")
	r.wantOut(unreachable(ap(alice).Addr(), none, 28), Drop, NoMapping)
	r.wantOut(unreachable(ap(alice).Addr(), strange, 28), Drop, Filtered)
	r.wantOut(unreachable(ap(alice).Addr(), came, 27), Drop, BadError)
	// The router's own: about what it got itself, and about what it has translated.
	r.wantOut(unreachable(external, udp(ap(server), ap(outside+":53"), ""), 28), Local, Own)
	r.wantOut(unreachable(external, came, 20), Local, BadError)
	r.wantOut(unreachable(external, came, 28), Pass, None)
	// About what the router sent inside from its outside address.
	r.wantOut(unreachable(ap(alice).Addr(), udp(ap(outside+":53"), ap(alice), ""), 28), Local, NoMapping)
}

// The extensions of RFC 4884 behind the quoted packet are covered by the
// checksum, but are no part of the packet (RFC 5508 REQ-3d).
func TestErrorsWithExtensions(t *testing.T) {
	r := newRig(t, Config{})
	sent := udp(ap(alice), ap(server), "short")
	seen := append([]byte(nil), sent...)
	r.sends(seen)
	quote := append(append([]byte(nil), seen...), make([]byte, 128-len(seen))...)
	const extension = "\x20\x00\x00\x00\x00\x08\x01\x01\x00\x01\x02\x03"
	e := icmp(header.ICMPv4TimeExceeded, 0, router, external, [4]byte{0, 128 / 4}, append(quote, extension...))
	r.gets(e, "10.0.0.2:0")
	if q := quoted(e); string(q[:len(sent)]) != string(sent) || string(q[128:]) != extension {
		t.Errorf("% x", q)
	}
}

// Options before the quoted transport are passed over (RFC 5508 REQ-3b).
func TestErrorsAboutPacketsWithOptions(t *testing.T) {
	r := newRig(t, Config{})
	var h header.IPv4
	body, _ := h.Parse(udp(ap(alice), ap(server), "options"))
	h.Options = []byte("\x94\x04\x00\x00")
	sent := append(h.Append(nil), body...)
	seen := append([]byte(nil), sent...)
	if got := r.sends(seen); got.Addr() != external {
		t.Fatal(got)
	}
	e := unreachable(router, seen, 1500)
	r.gets(e, "10.0.0.2:0")
	if string(quoted(e)) != string(sent) {
		t.Errorf("% x", quoted(e))
	}
}

func hairpinnedErrors(t *testing.T) {
	r := newRig(t, Recommended(external))
	a := r.sends(udp(ap(alice), ap(server), ""))
	z := r.sends(udp(ap(bob), ap(server), ""))
	sent := udp(ap(alice), z, "anybody?")
	seen := append([]byte(nil), sent...)
	r.out(seen)
	e := unreachable(ap(bob).Addr(), seen, 1500) // to a, as bob saw it
	v, src, dst := r.out(e)
	if v.Action != Hairpin || src.Addr() != external || dst.Addr() != ap(alice).Addr() {
		t.Errorf("%v from %v to %v", v, src, dst)
	}
	if string(quoted(e)) != string(sent) {
		t.Errorf("quotes % x, want % x (%v)", quoted(e), sent, a)
	}
	// Not without hairpinning.
	r = newRig(t, Config{})
	a = r.sends(udp(ap(alice), ap(server), ""))
	r.sends(udp(ap(bob), ap(server), ""))
	never := unreachable(ap(bob).Addr(), udp(a, ap(bob), ""), 28)
	r.wantOut(never, Drop, NoHairpin)
	// And not about what was never sent: bob talked to alice, but not she to him.
	r = newRig(t, Config{Behavior: PortRestricted, Hairpin: true})
	a = r.sends(udp(ap(alice), ap(server), ""))
	r.wantOut(udp(ap(bob), a, ""), Drop, Filtered)
	never = unreachable(ap(bob).Addr(), udp(a, ap(bob), ""), 28)
	r.wantOut(never, Drop, Filtered)
}

func whichMessages(t *testing.T) {
	r := newRig(t, Config{})
	sent := udp(ap(alice), ap(server), "")
	r.sends(sent)
	for typ, want := range map[uint8]Action{
		header.ICMPv4Unreachable: Pass, header.ICMPv4TimeExceeded: Pass, header.ICMPv4ParameterProblem: Pass,
		header.ICMPv4SourceQuench: Pass, header.ICMPv4Redirect: Local, header.ICMPv4RouterAdvert: Local, 200: Local,
	} {
		if v, _, _ := r.in(icmp(typ, 0, router, external, [4]byte{}, sent)); v.Action != want {
			t.Errorf("type %d: %v, want %v", typ, v, want)
		}
	}
	for typ, want := range map[uint8]Action{
		header.ICMPv4EchoRequest: Pass, header.ICMPv4Timestamp: Pass, header.ICMPv4AddressMask: Pass,
		header.ICMPv4EchoReply: Drop, header.ICMPv4Redirect: Drop, header.ICMPv4RouterSolicit: Drop,
	} {
		if v, _, _ := r.out(icmp(typ, 0, ap(alice).Addr(), router, [4]byte{1, 2}, make([]byte, 12))); v.Action != want {
			t.Errorf("type %d: %v, want %v", typ, v, want)
		}
	}
}

// A reply of nothing but zeros has the other zero of ones' complement for its
// checksum.
func TestTheReplyOfZeros(t *testing.T) {
	r := newRig(t, Config{})
	zero := netip.AddrPortFrom(ap(alice).Addr(), 0)
	at := r.sends(icmp(header.ICMPv4EchoRequest, 0, zero.Addr(), router, [4]byte{}, make([]byte, 8)))
	reply := icmp(header.ICMPv4EchoReply, 0, router, external, identifier(netip.AddrPortFrom(external, at.Port())), nil)
	ident := r.Mappings()[0].Outside.Port()
	binary.BigEndian.PutUint16(reply[24:], ident)
	header.PutICMPv4Checksum(reply[20:])
	r.gets(reply, zero.String())
	if sum := binary.BigEndian.Uint16(reply[22:]); sum != 0xffff {
		t.Errorf("%#x", sum)
	}
}
