package neighbor

import (
	"net/netip"
	"testing"

	"example.com/berth/internal/header"
)

// DEF-45.
func TestValidity(t *testing.T) {
	const (
		unspec, link, global = "::", "fe80::2", "2001:db8::2"
		solicited, nodes     = "ff02::1:ff00:1", "ff02::1"
		group                = "ff02::5"
	)
	at := netip.MustParseAddr
	ns := func(target string, hw bool) func(*Packet) error {
		return func(p *Packet) error {
			return p.CheckSolicit(&header.NeighborSolicit{Target: at(target), HasSourceHW: hw})
		}
	}
	na := func(target string, s bool) func(*Packet) error {
		return func(p *Packet) error {
			return p.CheckAdvert(&header.NeighborAdvert{Target: at(target), Solicited: s})
		}
	}
	rs := func(hw bool) func(*Packet) error {
		return func(p *Packet) error { return p.CheckRouterSolicit(&header.RouterSolicit{HasSourceHW: hw}) }
	}
	ra := (*Packet).CheckRouterAdvert
	redirect := func(target, dst, gateway string) func(*Packet) error {
		return func(p *Packet) error {
			return p.CheckRedirect(&header.Redirect{Target: at(target), Destination: at(dst)}, at(gateway))
		}
	}
	for _, tt := range []struct {
		name     string
		src, dst string
		check    func(*Packet) error
		want     error
	}{
		{"solicitation", link, solicited, ns("fe80::1", true), nil},
		{"unicast solicitation without link-layer address", global, "2001:db8::1", ns("2001:db8::1", false), nil},
		{"duplicate address detection", unspec, solicited, ns("fe80::1", false), nil},
		{"detection with link-layer address", unspec, solicited, ns("fe80::1", true), ErrOption},
		{"detection to all nodes", unspec, nodes, ns("fe80::1", false), ErrDestination},
		{"detection to unicast", unspec, "fe80::1", ns("fe80::1", false), ErrDestination},
		{"solicitation of a group", link, solicited, ns(group, true), ErrTarget},
		{"solicitation of ::", link, solicited, ns(unspec, true), ErrTarget},
		{"solicitation from a group", group, solicited, ns("fe80::1", true), ErrSource},

		{"advertisement", link, "fe80::1", na(link, true), nil},
		{"unsolicited advertisement", link, nodes, na(link, false), nil},
		{"solicited advertisement to a group", link, nodes, na(link, true), ErrSolicited},
		{"advertisement of a group", link, nodes, na(group, false), ErrTarget},
		{"advertisement from ::", unspec, nodes, na(link, false), ErrSource},

		{"router solicitation", link, "ff02::2", rs(true), nil},
		{"router solicitation from ::", unspec, "ff02::2", rs(false), nil},
		{"router solicitation from :: with link-layer address", unspec, "ff02::2", rs(true), ErrOption},

		{"router advertisement", link, nodes, ra, nil},
		{"router advertisement from afar", global, nodes, ra, ErrSource},
		{"router advertisement from ::", unspec, nodes, ra, ErrSource},

		{"redirect to a router", link, "2001:db8::1", redirect("fe80::3", global, link), nil},
		{"redirect to the destination", link, "2001:db8::1", redirect(global, global, link), nil},
		{"redirect by another than the gateway", "fe80::9", "2001:db8::1", redirect("fe80::3", global, link), ErrSource},
		{"redirect from a global address", global, "2001:db8::1", redirect("fe80::3", global, global), ErrSource},
		{"redirect of a group", link, "2001:db8::1", redirect("fe80::3", group, link), ErrDestination},
		{"redirect to a global router", link, "2001:db8::1", redirect("2001:db8::3", global, link), ErrTarget},
	} {
		p := Packet{Src: at(tt.src), Dst: at(tt.dst), HopLimit: 255}
		if got := tt.check(&p); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		p.HopLimit = 254
		if got := tt.check(&p); got != ErrHopLimit {
			t.Errorf("%s, forwarded: %v", tt.name, got)
		}
		p.Fragmented = true
		if got := tt.check(&p); got != ErrFragmented {
			t.Errorf("%s, fragmented: %v", tt.name, got)
		}
	}
}

// The checks that are parsing: the code, the length, and options of length 0.
func TestValidityOfTheBytes(t *testing.T) {
	good := (&header.NeighborSolicit{Target: self, SourceHW: mac1, HasSourceHW: true}).Append(nil)
	var ns header.NeighborSolicit
	if _, err := ns.Parse(good); err != nil {
		t.Fatal(err)
	}
	change := func(at int, to byte) []byte {
		b := append([]byte(nil), good...)
		b[at] = to
		return b
	}
	for name, b := range map[string][]byte{
		"code":              change(1, 1),
		"23 octets":         good[:23],
		"option of 0":       change(25, 0),
		"option too long":   change(25, 2),
		"another message":   change(0, header.ICMPv6NeighborAdvert),
		"half of an option": good[:28],
	} {
		if _, err := ns.Parse(b); err == nil {
			t.Errorf("%s: valid", name)
		}
	}
}

func TestSolicitedNode(t *testing.T) {
	for addr, want := range map[string]string{
		"4037::1:800:200e:8c6c": "ff02::1:ff0e:8c6c", // the RFC's own example
		"fe80::1":               "ff02::1:ff00:1",
		"fe80::1%eth0":          "ff02::1:ff00:1",
	} {
		if got := SolicitedNode(netip.MustParseAddr(addr)); got != netip.MustParseAddr(want) {
			t.Errorf("%s: %v, want %s", addr, got, want)
		}
	}
}
