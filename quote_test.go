package berth_test

import (
	"net/netip"
	"testing"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// TestErrorsQuoteTheChecksumOfTheWire sends a datagram whose checksum is left to
// the device: nobody completes it on a wire in memory, but the ICMP error must
// quote the packet as a reader of a capture would expect it.
func TestErrorsQuoteTheChecksumOfTheWire(t *testing.T) {
	for _, tt := range []struct {
		name     string
		from, to netip.Addr
		icmp     socket.Protocol
		skip     int // before the quoted packet
	}{
		{"IPv4", alice4, bob4, socket.IPPROTO_ICMP, header.IPv4MinLen + header.ICMPLen},
		{"IPv6", alice6, bob6, socket.IPPROTO_ICMPV6, header.ICMPLen},
	} {
		t.Run(tt.name, func(t *testing.T) {
			alice, _ := pair(t)
			raw := newSocket(t, alice, domainOf(tt.from), socket.RAW, tt.icmp)
			s := newSocket(t, alice, domainOf(tt.from), socket.DGRAM, 0)
			if _, err := s.SendTo([]byte("odd"), 0, netip.AddrPortFrom(tt.to, 9)); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 1500)
			n, err := raw.Recv(b, 0)
			if err != nil {
				t.Fatal(err)
			}
			quote := b[tt.skip:n]
			datagram := quote[len(quote)-header.UDPLen-3:]
			if sum := header.Sum(datagram, header.PseudoSum(tt.from, tt.to, header.ProtocolUDP, len(datagram))); header.Fold(sum) != 0 {
				t.Errorf("a bad checksum in % x", datagram)
			}
		})
	}
}
