package berth_test

import (
	"bytes"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/buffer"
	"example.com/berth/internal/header"
	"example.com/berth/link/wire"
)

// secret is what must not be sent.
var secret = bytes.Repeat([]byte{0xa5}, 4)

// poison fills the pools of buffers with the secret.
func poison() {
	for size := 64; size <= 64<<10; size *= 2 {
		var all []*buffer.Buffer
		for range 32 {
			b := buffer.Get(size)
			copy(b.Bytes(), bytes.Repeat(secret, b.Size()/4))
			all = append(all, b)
		}
		for _, b := range all {
			b.Release()
		}
	}
}

// DEF-55: nothing is sent of what memory held before, nor of what a frame had
// behind its packet: padding is zeros, and every byte that is sent was written.
func TestNothingStaleIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := stationed(t, berth.Config{}, wire.Ethernet())
		time.Sleep(time.Minute)
		padded := func(p packet) {
			eth := header.Ethernet{Dst: hostMAC, Src: stationMAC, Type: header.EtherTypeIPv4}
			if p.dst.Is6() {
				eth.Type = header.EtherTypeIPv6
			}
			b := append(eth.Append(nil), encode(p)...)
			st.frame(append(b, bytes.Repeat(secret, 12)...)) // as an Etherleak in reverse
		}
		kinds := make(map[uint8]int)
		look := func(what string) {
			t.Helper()
			for _, p := range st.take(nil) {
				if bytes.Contains(p.frame, secret) {
					t.Errorf("%s: %x", what, p.frame)
				}
				kinds[p.protocol]++
			}
		}
		for round := range 20 {
			for _, remote := range []netip.Addr{bob4, bob6} {
				local := localOf(remote)
				poison()
				p := playedServerOn(t, h, st, netip.AddrPortFrom(remote, uint16(1000+round)), uint16(100+round), header.TCPOptions{
					MSS: 1460, SACKPermitted: true, HasTS: true, TSVal: 1, HasWScale: true, WScale: 3,
				})
				poison()
				for _, n := range []int{1, 3, 100, 1460, 5000} {
					send(t, p.sock, string(make([]byte, n)))
				}
				time.Sleep(time.Second) // resent, too
				p.sock.Close()
				look("a connection")
				poison()
				u := sender(t, h, remote)
				for _, n := range []int{0, 1, 17, 1472, 5000} {
					if _, err := u.Send(make([]byte, n), 0); err != nil {
						t.Fatal(err)
					}
				}
				u.Close()
				look("datagrams")
				poison()
				echo := header.ICMP{Type: header.ICMPv4EchoRequest}
				protocol := uint8(header.ProtocolICMP)
				if remote.Is6() {
					echo.Type, protocol = header.ICMPv6EchoRequest, header.ProtocolICMPv6
				}
				m := append(echo.Append(nil), 1, 2, 3)
				if remote.Is6() {
					header.PutICMPv6Checksum(m, remote, local)
				} else {
					header.PutICMPv4Checksum(m)
				}
				padded(packet{src: remote, dst: local, protocol: protocol, payload: m})
				look("an echo reply")
				padded(packet{src: remote, dst: local, protocol: header.ProtocolUDP, payload: udpDatagram(netip.AddrPortFrom(remote, 9), netip.AddrPortFrom(local, 9), []byte("x"))})
				padded(packet{src: remote, dst: local, protocol: 132, payload: []byte("sctp")})
				look("errors")
				padded(packet{src: remote, dst: local, protocol: header.ProtocolTCP, payload: tcpSegment(netip.AddrPortFrom(remote, 9), netip.AddrPortFrom(local, 9), header.TCP{Flags: header.SYN}, nil)})
				look("a reset")
			}
			poison()
			st.arp(header.ARP{Op: header.ARPRequest, SenderHW: stationMAC, Sender: bob4, Target: alice4}, header.Broadcast)
			eth := header.Ethernet{Dst: hostMAC, Src: stationMAC, Type: header.EtherTypeARP}
			ask := header.ARP{Op: header.ARPRequest, SenderHW: stationMAC, Sender: bob4, Target: alice4}
			st.frame(append(ask.Append(eth.Append(nil)), secret...))
			look("answers of ARP")
			time.Sleep(time.Minute)
		}
		for _, protocol := range []uint8{0, header.ProtocolTCP, header.ProtocolUDP, header.ProtocolICMP, header.ProtocolICMPv6} {
			if kinds[protocol] == 0 {
				t.Errorf("no packet of protocol %d was seen", protocol)
			}
		}
	})
}

// DEF-55: what a program receives is what was sent to it, and no more.
func TestNothingStaleIsReceived(t *testing.T) {
	h, st := stationed(t, berth.Config{}, wire.Ethernet())
	s := receiver(t, h, netip.AddrPortFrom(alice4, 9))
	d := packet{
		src: bob4, dst: alice4, protocol: header.ProtocolUDP,
		payload: udpDatagram(netip.AddrPortFrom(bob4, 9), netip.AddrPortFrom(alice4, 9), []byte("x")),
	}
	eth := header.Ethernet{Dst: hostMAC, Src: stationMAC, Type: header.EtherTypeIPv4}
	st.frame(append(append(eth.Append(nil), encode(d)...), secret...))
	b := make([]byte, 100)
	if n, err := s.Recv(b, 0); n != 1 || err != nil || bytes.Contains(b, secret) {
		t.Errorf("%d bytes, %v: %x", n, err, b)
	}
}
