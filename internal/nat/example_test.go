package nat_test

import (
	"fmt"
	"net/netip"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/nat"
)

// A home router: what leaves goes through Out, what arrives through In.
func Example() {
	home := nat.Recommended(netip.MustParseAddr("203.0.113.1"))
	home.Behavior = nat.PortRestricted
	t, err := nat.New(home)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := t.Forward(header.ProtocolTCP, 443, netip.MustParseAddrPort("10.0.0.9:8443")); err != nil {
		fmt.Println(err)
		return
	}
	udp := func(src, dst string) []byte {
		s, d := netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)
		u := header.UDP{SrcPort: s.Port(), DstPort: d.Port()} // without a checksum
		ip := header.IPv4{PayloadLen: header.UDPLen, TTL: 64, Protocol: header.ProtocolUDP, Src: s.Addr(), Dst: d.Addr()}
		return u.Append(ip.Append(nil))
	}
	now := time.Second
	fmt.Println(t.Out(now, udp("10.0.0.2:5000", "198.51.100.1:53")))
	fmt.Println(t.In(now, udp("198.51.100.1:53", "203.0.113.1:5000")))
	fmt.Println(t.In(now, udp("198.51.100.2:53", "203.0.113.1:5000")))
	for _, m := range t.Mappings() {
		fmt.Println(m)
	}
	fmt.Println(t.Deadline())
	// Output:
	// pass
	// pass
	// drop: filtered
	// tcp 10.0.0.9:8443 = 203.0.113.1:443 static
	// udp 10.0.0.2:5000 = 203.0.113.1:5000 198.51.100.1:53
	// 5m1s
}
