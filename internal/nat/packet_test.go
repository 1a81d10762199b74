package nat

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

func TestWhatIsNotTranslated(t *testing.T) {
	gre := ip(47, ap(alice).Addr(), ap(server).Addr(), []byte("gre"))
	from := func(src string) []byte { return udp(ap(src), ap(server), "") }
	to := func(dst string) []byte { return udp(ap(alice), ap(dst), "") }
	r := newRig(t, Config{})
	for _, tt := range []struct {
		name string
		b    []byte
		want Verdict
	}{
		{"nothing", nil, drop(BadHeader)},
		{"IPv6", []byte{0x60, 39: 0}, drop(BadHeader)},
		{"truncated", from(alice)[:25], drop(BadHeader)},
		{"header checksum", func() []byte { b := from(alice); b[8]++; return b }(), drop(BadHeader)},
		{"GRE", gre, drop(Unsupported)},
		{"GRE to the router", ip(47, ap(alice).Addr(), external, nil), local(Unsupported)},
		{"half of UDP", ip(header.ProtocolUDP, ap(alice).Addr(), ap(server).Addr(), make([]byte, 7)), drop(Truncated)},
		{"half of TCP", ip(header.ProtocolTCP, ap(alice).Addr(), ap(server).Addr(), make([]byte, 19)), drop(Truncated)},
		{"half of ICMP", ip(header.ProtocolICMP, ap(alice).Addr(), ap(server).Addr(), make([]byte, 7)), drop(Truncated)},
		{"from nowhere", from("0.0.0.0:1"), drop(Martian)},
		{"from a group", from("224.0.0.1:1"), drop(Martian)},
		{"to a group", to("239.1.2.3:1"), drop(Martian)},
		{"to all", to("255.255.255.255:1"), drop(Martian)},
		{"to loopback", to("127.0.0.1:1"), drop(Martian)},
		{"the router's own", from(outside + ":1"), local(Own)},
		{"GRE of the router", ip(47, external, ap(server).Addr(), nil), local(Unsupported)},
	} {
		if got := r.Table.Out(r.now, tt.b); got != tt.want {
			t.Errorf("out, %s: %v, want %v", tt.name, got, tt.want)
		}
	}
	for _, tt := range []struct {
		name string
		b    []byte
		want Verdict
	}{
		{"truncated", from(alice)[:19], drop(BadHeader)},
		{"to an address inside", udp(ap(server), ap(alice), ""), local(NotExternal)},
		{"from the router's own address", udp(ap(outside+":1"), ap(outside+":2"), ""), drop(Martian)},
		{"from a group", udp(ap("224.0.0.1:1"), ap(outside+":2"), ""), drop(Martian)},
		{"GRE", ip(47, ap(server).Addr(), external, nil), local(Unsupported)},
		{"half of UDP", ip(header.ProtocolUDP, ap(server).Addr(), external, make([]byte, 7)), drop(Truncated)},
		{"nothing mapped", udp(ap(server), ap(outside+":2000"), ""), local(NoMapping)},
	} {
		if got := r.Table.In(r.now, tt.b); got != tt.want {
			t.Errorf("in, %s: %v, want %v", tt.name, got, tt.want)
		}
	}
	if r.Len() != 0 {
		t.Errorf("%v", r.Mappings())
	}
}

// TestUDPChecksumZero: none stays none, and none arises from arithmetic.
func TestUDPChecksumZero(t *testing.T) {
	at := header.IPv4MinLen + 6
	r := newRig(t, Config{PortPreservation: true})
	b := bare(udp(ap(alice), ap(server), "none"))
	r.sends(b)
	if binary.BigEndian.Uint16(b[at:]) != 0 {
		t.Errorf("% x", b)
	}
	// Of 65536 payloads one sums to the checksum 0 after translation.
	found := false
	for i := range 1 << 16 {
		payload := string(binary.BigEndian.AppendUint16(nil, uint16(i)))
		b := udp(ap(alice), ap(server), payload)
		r.Table.Out(r.now, b)
		switch binary.BigEndian.Uint16(b[at:]) {
		case 0:
			t.Fatalf("% x has no checksum", b)
		case 0xffff:
			verify(t, b)
			found = true
		}
	}
	if !found {
		t.Error("no payload gave all ones")
	}
}

func fragmentsFollowTheFirst(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 8)
	for name, whole := range map[string][]byte{
		"udp":  udp(ap(alice), ap(server), long),
		"icmp": icmp(header.ICMPv4EchoRequest, 0, ap(alice).Addr(), ap(server).Addr(), identifier(ap(alice)), []byte(long)),
	} {
		r := newRig(t, Config{})
		parts := cut(whole, 24, 64)
		// Ahead of the first, nobody knows them.
		r.wantOut(append([]byte(nil), parts[1]...), Drop, Orphan)
		from := r.sends(parts[0])
		for _, p := range []int{2, 1} {
			if got := r.sends(parts[p]); got.Addr() != external {
				t.Errorf("%s: fragment %d from %v", name, p, got)
			}
		}
		verify(t, assemble(parts))
		// The other way, in any order after the first.
		var back []byte
		if name == "udp" {
			back = udp(ap(server), from, long)
		} else {
			back = icmp(header.ICMPv4EchoReply, 0, ap(server).Addr(), external, identifier(from), []byte(long))
		}
		parts = cut(back, 24, 64)
		// Ahead of the first, it may be the router's.
		r.wantIn(append([]byte(nil), parts[1]...), Local, Orphan)
		for _, p := range []int{0, 2, 1} {
			if v, _, dst := r.in(parts[p]); v.Action != Pass || dst.Addr() != ap(alice).Addr() {
				t.Errorf("%s: fragment %d: %v to %v", name, p, v, dst)
			}
		}
		verify(t, assemble(parts))
		// Not for ever.
		r.wait(30 * time.Second)
		r.wantIn(cut(back, 24, 64)[1], Local, Orphan)
		if r.Counters().FragmentsTimedOut != 2 || len(r.fragments.known) != 0 {
			t.Errorf("%+v", r.Counters())
		}
	}
}

// assemble joins fragments that arrived in full.
func assemble(parts [][]byte) []byte {
	var whole header.IPv4
	var payload []byte
	for _, p := range parts {
		var h header.IPv4
		body, _ := h.Parse(p)
		if h.Offset == 0 {
			whole = h
		}
		payload = append(payload, body...)
	}
	whole.MF, whole.PayloadLen = false, len(payload)
	return append(whole.Append(nil), payload...)
}

func TestFragmentsHairpin(t *testing.T) {
	r := newRig(t, Recommended(external))
	z := r.sends(udp(ap(bob), ap(server), ""))
	parts := cut(udp(ap(alice), z, strings.Repeat("x", 64)), 32)
	r.wantOut(append([]byte(nil), parts[1]...), Local, Orphan) // for the router, for all we know
	for i, p := range parts {
		if v, src, dst := r.out(p); v.Action != Hairpin || src.Addr() != external || dst.Addr() != ap(bob).Addr() {
			t.Errorf("%d: %v from %v to %v", i, v, src, dst)
		}
	}
	verify(t, assemble(parts))
}

// A first fragment that is dropped takes those with it that bear its
// identification, even if an older packet's passed.
func TestFragmentsOfADroppedPacket(t *testing.T) {
	r := newRig(t, Config{Behavior: PortRestricted})
	from := r.sends(udp(ap(alice), ap(server), ""))
	long := strings.Repeat("x", 64)
	r.gets(cut(udp(ap(server), from, long), 32)[0], alice)
	strange := netip.AddrPortFrom(ap(server).Addr(), 9)
	r.wantIn(cut(udp(strange, from, long), 32)[0], Drop, Filtered)
	r.wantIn(cut(udp(strange, from, long), 32)[1], Local, Orphan)
}

// Headers are whole, and nothing lies over them (RFC 1858).
func TestTinyFragments(t *testing.T) {
	r := newRig(t, Config{})
	b := tcp(ap(alice), ap(server), header.SYN)
	r.wantOut(cut(b, 16)[0], Drop, Truncated)
	r.wantOut(cut(b, 16)[1], Drop, Truncated)
	r.wantOut(cut(b, 8)[1], Drop, Truncated)
}

func TestFloodOfFirstFragments(t *testing.T) {
	r := newRig(t, Config{Limits: Limits{Fragments: 8}})
	first := cut(udp(ap(alice), ap(server), strings.Repeat("x", 64)), 32)[0]
	for i := range 100 {
		b := append([]byte(nil), first...)
		binary.BigEndian.PutUint16(b[4:], uint16(i))
		b[10], b[11] = 0, 0
		binary.BigEndian.PutUint16(b[10:], header.Fold(header.Sum(b[:20], 0)))
		r.sends(b)
	}
	if n := len(r.fragments.known); n != 8 || r.fragments.ages.Count() != 8 || r.Counters().FragmentsEvicted != 92 {
		t.Errorf("%d, %+v", n, r.Counters())
	}
	if r.Table.Deadline() != r.now+30*time.Second {
		t.Errorf("%v", r.Table.Deadline())
	}
}
