package berth_test

import (
	"bytes"
	"net/netip"
	"testing"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// A large frame of UDP, as a TUN hands in what a program of the kernel sends with
// UDP_SEGMENT, is as many datagrams.
func TestALargeFrameIsSeveralDatagrams(t *testing.T) {
	for _, pieces := range []bool{false, true} {
		a, b := wire.Pair()
		h := hostOn(t, berth.Config{}, a, "10.0.0.1/24")
		s := newSocket(t, h, socket.INET, socket.DGRAM, 0)
		if err := s.Bind(netip.AddrPortFrom(alice4, 53)); err != nil {
			t.Fatal(err)
		}
		data := bytes.Repeat([]byte("0123456789"), 250)
		datagram := udpDatagram(netip.AddrPortFrom(bob4, 9), netip.AddrPortFrom(alice4, 53), data)
		packet := encode(packet{src: bob4, dst: alice4, protocol: header.ProtocolUDP, payload: datagram})
		f := link.Frame{Payload: packet, GSO: link.GSOUDP, SegSize: 1000, Checksum: link.ChecksumPartial, CsumStart: 20, CsumOffset: 6}
		if pieces {
			f.Head, f.Payload = packet[:28], packet[28:]
		}
		if _, err := b.Output([]link.Frame{f}); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 4000)
		for at := 0; at < len(data); at += 1000 {
			want := data[at:min(at+1000, len(data))]
			if n, err := s.Recv(got, socket.MSG_DONTWAIT); err != nil || !bytes.Equal(got[:n], want) {
				t.Errorf("%d bytes, %v; want %d", n, err, len(want))
			}
		}
		if n, err := s.Recv(got, socket.MSG_DONTWAIT); err == nil {
			t.Errorf("%d bytes more", n)
		}
		b.Close()
	}
}
