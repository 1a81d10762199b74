package nat

import (
	"net/netip"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

var presets = []Behavior{FullCone, AddressRestricted, PortRestricted, Symmetric}

// TestWhatSTUNSees asks what a client does that wants to know which translator
// it is behind: the tests of RFC 3489 section 10.1 and of RFC 5780 section 4.
func TestWhatSTUNSees(t *testing.T) {
	otherPort := netip.AddrPortFrom(ap(server).Addr(), 3479)
	for _, tt := range []struct {
		b Behavior
		// samePort and sameAddr: the mapping is the same for another port or
		// address of the server. fromPort and fromAddr: it lets in from there.
		samePort, sameAddr, fromPort, fromAddr bool
	}{
		{FullCone, true, true, true, true},
		{AddressRestricted, true, true, true, false},
		{PortRestricted, true, true, false, false},
		{Symmetric, false, false, false, false},
		{Behavior{AddressDependent, AddressDependent}, true, false, true, false},
		{Behavior{AddressDependent, AddressAndPortDependent}, true, false, false, false},
		{Behavior{AddressAndPortDependent, EndpointIndependent}, false, false, true, true},
	} {
		for _, name := range []string{"udp", "tcp"} {
			packet := packets[name]
			fresh := func() (*rig, netip.AddrPort) {
				r := newRig(t, Config{Behavior: tt.b})
				return r, r.sends(packet(ap(alice), ap(server)))
			}
			lets := func(from netip.AddrPort) bool {
				r, mapped := fresh()
				v, _, dst := r.in(packet(from, mapped))
				if v.Action == Pass && dst != ap(alice) {
					t.Errorf("%v: to %v", tt.b, dst)
				}
				return v.Action == Pass
			}
			same := func(to netip.AddrPort) bool {
				r, mapped := fresh()
				return r.sends(packet(ap(alice), to)) == mapped
			}
			if !lets(ap(server)) {
				t.Errorf("%s, %v: no answer", name, tt.b)
			}
			if got := same(otherPort); got != tt.samePort {
				t.Errorf("%s, %v: same mapping for another port: %v", name, tt.b, got)
			}
			if got := same(ap(other)); got != tt.sameAddr {
				t.Errorf("%s, %v: same mapping for another address: %v", name, tt.b, got)
			}
			if got := lets(otherPort); got != tt.fromPort {
				t.Errorf("%s, %v: lets another port in: %v", name, tt.b, got)
			}
			if got := lets(ap(other)); got != tt.fromAddr {
				t.Errorf("%s, %v: lets another address in: %v", name, tt.b, got)
			}
		}
	}
}

// A peer is a host behind a translator of its own.
type peer struct {
	*rig
	inside, mapped netip.AddrPort
}

func newPeer(t *testing.T, b Behavior, outside string, packet func(src, dst netip.AddrPort) []byte) *peer {
	t.Helper()
	p := &peer{
		rig:    newRig(t, Config{Behavior: b, External: []netip.Addr{netip.MustParseAddr(outside)}}),
		inside: ap("192.168.1.2:5000"), // both homes have the same addresses
	}
	p.mapped = p.sends(packet(p.inside, ap(server)))
	return p
}

// TestUDPHolePunching has two peers, each behind one of the four, learn their
// outside endpoints from a server and send to each other's, and then to where
// the other's packets come from (RFC 5128 3.3). Where one needs a port that
// nobody can know it fails, and the peers need a relay.
func TestUDPHolePunching(t *testing.T) {
	for _, x := range presets {
		for _, y := range presets {
			a := newPeer(t, x, "203.0.113.1", packets["udp"])
			b := newPeer(t, y, "203.0.113.2", packets["udp"])
			toB, toA := b.mapped, a.mapped
			heardA, heardB := false, false
			for range 3 {
				if from, ok := a.hear(b, toA); ok {
					heardA, toB = true, from
				}
				if from, ok := b.hear(a, toB); ok {
					heardB, toA = true, from
				}
			}
			hard := x == Symmetric && (y == Symmetric || y == PortRestricted) ||
				y == Symmetric && (x == Symmetric || x == PortRestricted)
			if got := heardA && heardB; got == hard {
				t.Errorf("%v and %v: %v", x, y, got)
			}
		}
	}
}

// hear has another peer send to an endpoint. If it reaches p it returns where it
// came from.
func (p *peer) hear(from *peer, to netip.AddrPort) (netip.AddrPort, bool) {
	p.Helper()
	b := udp(from.inside, to, "punch")
	from.sends(b)
	v, src, dst := p.in(b)
	if v.Action == Pass && dst != p.inside {
		p.Errorf("to %v", dst)
	}
	return src, v.Action == Pass
}

// TestTCPHolePunching is the simultaneous open of RFC 5382 4.2 through two
// translators: both SYNs are under way before either arrives, or the first is
// dropped where nothing is open yet, and sent again.
func TestTCPHolePunching(t *testing.T) {
	const S, SA = header.SYN, header.SYN | header.ACK
	for _, crossing := range []bool{true, false} {
		for _, x := range presets[:3] {
			for _, y := range presets[:3] {
				a := newPeer(t, x, "203.0.113.1", packets["tcp"])
				b := newPeer(t, y, "203.0.113.2", packets["tcp"])
				synA := tcp(a.inside, b.mapped, S)
				synB := tcp(b.inside, a.mapped, S)
				a.sends(synA)
				if crossing {
					b.sends(synB)
					b.gets(synA, b.inside.String())
				} else {
					if v, _, _ := b.in(synA); v.Action == Local {
						t.Errorf("%v: %v: the router would refuse", y, v)
					}
					b.sends(synB)
				}
				a.gets(synB, a.inside.String())
				if !crossing {
					synA = tcp(a.inside, b.mapped, S) // the retransmission
					a.sends(synA)
					b.gets(synA, b.inside.String())
				}
				for _, way := range [][2]*peer{{a, b}, {b, a}} {
					answer := tcp(way[0].inside, way[1].mapped, SA)
					if got := way[0].sends(answer); got != way[0].mapped {
						t.Errorf("%v and %v: the answer is from %v", x, y, got)
					}
					way[1].gets(answer, way[1].inside.String())
				}
				for _, p := range []*peer{a, b} {
					p.wait(2 * time.Hour)
					open := 0
					for _, s := range p.only().Sessions {
						if s.Established {
							open++
						}
					}
					if open != 1 {
						t.Errorf("%v and %v, crossing %v: %+v", x, y, crossing, p.only())
					}
				}
			}
		}
	}
}

func hairpins(t *testing.T) {
	for _, name := range []string{"udp", "tcp"} {
		packet := packets[name]
		for _, b := range presets {
			r := newRig(t, Config{Behavior: b, Hairpin: true})
			a := r.sends(packet(ap(alice), ap(server)))
			z := r.sends(packet(ap(bob), ap(server)))
			v, src, dst := r.out(packet(ap(alice), z))
			if b == FullCone {
				// It comes from the outside endpoint (RFC 4787 REQ-9a).
				if v.Action != Hairpin || src != a || dst != ap(bob) {
					t.Fatalf("%s, %v: %v from %v to %v", name, b, v, src, dst)
				}
				v, src, dst = r.out(packet(ap(bob), a))
				if v.Action != Hairpin || src != z || dst != ap(alice) {
					t.Fatalf("%s, %v: back: %v from %v to %v", name, b, v, src, dst)
				}
				continue
			}
			// The filter is for inside hosts, too. What was dropped opened the way.
			r.wants(v, Drop, Filtered)
			v, src, dst = r.out(packet(ap(bob), a))
			if b == Symmetric {
				r.wants(v, Drop, Filtered)
			} else if v.Action != Hairpin || src != z || dst != ap(alice) {
				t.Errorf("%s, %v: %v from %v to %v", name, b, v, src, dst)
			}
		}
		r := newRig(t, Config{})
		z := r.sends(packet(ap(bob), ap(server)))
		r.wantOut(packet(ap(alice), z), Drop, NoHairpin)
		if r.Len() != 1 {
			t.Errorf("%v", r.Mappings())
		}
		// Where nothing is mapped the router itself is meant.
		r.wantOut(packet(ap(alice), ap(outside+":53")), Local, NoMapping)
	}
	r := newRig(t, Recommended(external))
	r.wantOut(ping(ap(alice), external), Local, NoMapping)
	// To itself, the long way round.
	self := r.sends(udp(ap(alice), ap(server), ""))
	if v, src, dst := r.out(udp(ap(alice), self, "")); v.Action != Hairpin || src != self || dst != ap(alice) {
		t.Errorf("%v from %v to %v", v, src, dst)
	}
	if c := r.Counters(); c.Hairpins != 1 || c.Local[NoMapping] != 1 {
		t.Errorf("%+v", c)
	}
}

// Making room for the one mapping may take the other.
func TestHairpinWithoutRoom(t *testing.T) {
	r := newRig(t, Config{Hairpin: true, Limits: Limits{Mappings: 1}})
	z := r.sends(udp(ap(bob), ap(server), ""))
	r.wantOut(udp(ap(alice), z, ""), Drop, NoMapping)
}
