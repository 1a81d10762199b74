package autoconf

import (
	"math/bits"
	"net/netip"
	"testing"

	"example.com/berth/internal/header"
	"example.com/berth/internal/siphash"
)

func TestEUI64(t *testing.T) {
	// RFC 4291 appendix A, by the example of RFC 2464 section 4.
	m := header.MAC{0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde}
	if got := withIID(linkLocalPrefix, eui64(m)); got != netip.MustParseAddr("fe80::3656:78ff:fe9a:bcde") {
		t.Error(got)
	}
}

// RFC 7217 section 5: each parameter changes the identifier, and nothing else.
//
// DEF-37.
func TestOpaqueIdentifier(t *testing.T) {
	base := Config{Name: "eth0", NetworkID: "home", Key: siphash.Key{K0: 1, K1: 2}}
	first := New(base).opaque(net1, 0)
	if New(base).opaque(net1, 0) != first {
		t.Error("not stable")
	}
	name, network, key, shifted := base, base, base, base
	name.Name = "eth1"
	network.NetworkID = "work"
	key.Key.K1 ^= 1
	shifted.Name, shifted.NetworkID = "eth0h", "ome"
	seen := map[uint64]string{first: "base"}
	for what, iid := range map[string]uint64{
		"prefix":      New(base).opaque(linkLocalPrefix, 0),
		"DAD_Counter": New(base).opaque(net1, 1),
		"Net_Iface":   New(name).opaque(net1, 0),
		"Network_ID":  New(network).opaque(net1, 0),
		"secret_key":  New(key).opaque(net1, 0),
		"boundary":    New(shifted).opaque(net1, 0),
	} {
		if with, ok := seen[iid]; ok {
			t.Errorf("%s and %s give one identifier", what, with)
		}
		seen[iid] = what
		if d := bits.OnesCount64(iid ^ first); d < 12 {
			t.Errorf("%s changes only %d bits", what, d)
		}
	}
}

// RFC 5453.
func TestReservedIdentifiers(t *testing.T) {
	for iid, want := range map[uint64]bool{
		0:                  true,
		1:                  false,
		0x02005efffe000000: true,
		0x02005efffe005212: true,
		0x02005efffeffffff: true,
		0x02005eff00000000: false,
		0xfdffffffffffff7f: false,
		0xfdffffffffffff80: true,
		0xfdffffffffffffff: true,
		0xfe00000000000000: false,
	} {
		if got := reserved(iid); got != want {
			t.Errorf("%#x: %v", iid, got)
		}
	}
}

func TestReservedIdentifierIsPassedOver(t *testing.T) {
	draws := []uint64{0, 0x02005efffe000000, 7}
	i := New(Config{Rand: func() uint64 { d := draws[0]; draws = draws[1:]; return d }})
	a := &address{Address: Address{Origin: Temporary}}
	if !i.form(a, net1) || a.Prefix != netip.MustParsePrefix("2001:db8:1::7/64") || a.attempts != 2 {
		t.Errorf("%v after %d attempts", a.Prefix, a.attempts)
	}
	i = New(Config{Rand: func() uint64 { return 0 }})
	if i.form(&address{Address: Address{Origin: Temporary}}, net1) {
		t.Error("an address of identifier 0")
	}
}
