package report

import (
	"net/netip"
	"strings"
	"testing"

	"example.com/berth/internal/header"
	"example.com/berth/link"
)

func ip4(protocol uint8, change func(*header.IPv4), body []byte) []byte {
	h := header.IPv4{TTL: 1, Protocol: protocol, Src: alice.Addr(), Dst: bob.Addr(), PayloadLen: len(body)}
	if change != nil {
		change(&h)
	}
	return append(h.Append(nil), body...)
}

var v6a, v6b = netip.MustParseAddr("fe80::1"), netip.MustParseAddr("fe80::2")

func icmp6Of(typ uint8, body []byte) []byte {
	m := header.ICMP{Type: typ}
	b := append(m.Append(nil), body...)
	header.PutICMPv6Checksum(b, v6a, v6b)
	ip := header.IPv6{NextHeader: header.ProtocolICMPv6, HopLimit: 255, Src: v6a, Dst: v6b, PayloadLen: len(b)}
	return append(ip.Append(nil), b...)
}

func icmp4Of(typ, code uint8, rest [4]byte, body []byte) []byte {
	m := header.ICMP{Type: typ, Code: code, Rest: rest}
	b := append(m.Append(nil), body...)
	header.PutICMPv4Checksum(b)
	return ip4(header.ProtocolICMP, nil, b)
}

func udpOf(payload string) []byte {
	h := header.UDP{SrcPort: 53, DstPort: 1234, PayloadLen: len(payload)}
	return append(h.Append(nil), payload...)
}

func onEthernet(typ uint16, body []byte) []byte {
	h := header.Ethernet{Dst: header.MAC{2, 0, 0, 0, 0, 2}, Src: header.MAC{2, 0, 0, 0, 0, 1}, Type: typ}
	return append(h.Append(nil), body...)
}

func TestLabels(t *testing.T) {
	who := header.ARP{Op: header.ARPRequest, Sender: alice.Addr(), Target: bob.Addr()}
	is := header.ARP{Op: header.ARPReply, Sender: bob.Addr(), SenderHW: header.MAC{2, 0, 0, 0, 0, 2}, Target: alice.Addr()}
	probe := header.ARP{Op: header.ARPRequest, Sender: netip.IPv4Unspecified(), Target: bob.Addr()}
	solicit, advert := header.NeighborSolicit{Target: v6b}, header.NeighborAdvert{Target: v6b, TargetHW: header.MAC{2, 0, 0, 0, 0, 9}, HasTargetHW: true}
	quoted := tcpPacket(alice, bob, segmentOf(header.ACK, 1, 1), "x")
	for _, tt := range []struct {
		medium link.Medium
		data   []byte
		want   string
		flow   string
	}{
		{link.Ethernet, onEthernet(header.EtherTypeARP, who.Append(nil)), "ARP  who has 10.0.1.2?  tell 10.0.0.1", "ARP"},
		{link.Ethernet, onEthernet(header.EtherTypeARP, is.Append(nil)), "ARP  10.0.1.2 is at 02:00:00:00:00:02", "ARP"},
		{link.Ethernet, onEthernet(header.EtherTypeARP, probe.Append(nil)), "ARP probe  who has 10.0.1.2?", "ARP"},
		{link.Ethernet, onEthernet(0x88cc, []byte("lldp")), "Ethernet type 0x88cc  len 4", "not IP"},
		{link.IP, ip4(header.ProtocolUDP, nil, udpOf("hi")), "UDP  len 2", "UDP 10.0.0.1:53 → 10.0.1.2:1234"},
		{link.IP, ip4(header.ProtocolUDP, nil, udpOf("hello\tworld\r\n")), "UDP  len 13  “hello”", "UDP 10.0.0.1:53 → 10.0.1.2:1234"},
		{link.IP, ip4(header.ProtocolUDP, func(h *header.IPv4) { h.MF, h.ID = true, 7 }, udpOf("abcdefgh")[:16]), "UDP  len 8  first fragment  id 7  “abcdefgh”", "UDP 10.0.0.1:53 → 10.0.1.2:1234"},
		{link.IP, ip4(header.ProtocolUDP, func(h *header.IPv4) { h.Offset, h.ID = 16, 7 }, []byte("rest")), "UDP fragment  id 7  offset 16  len 4", "UDP 10.0.0.1:53 → 10.0.1.2:1234"},
		{link.IP, ip4(132, nil, []byte("sctp")), "protocol 132  len 4", "protocol 132 10.0.0.1 → 10.0.1.2"},
		{link.IP, icmp4Of(header.ICMPv4EchoRequest, 0, [4]byte{0, 5, 0, 6}, []byte("abc")), "ICMP echo request  id 5  seq 6  len 3", "ICMP 10.0.0.1 → 10.0.1.2"},
		{link.IP, quoted, "ACK  seq 1  ack 1  len 1  win 1000", "TCP 10.0.0.1:1000 → 10.0.1.2:80"},
		{link.IP, icmp4Of(3, 4, [4]byte{0, 0, 5, 0}, quoted), "ICMP fragmentation needed  mtu 1280  about TCP 10.0.0.1:1000 → 10.0.1.2:80", "TCP 10.0.0.1:1000 → 10.0.1.2:80"},
		{link.IP, icmp4Of(3, 77, [4]byte{}, nil), "ICMP unreachable", "ICMP 10.0.0.1 → 10.0.1.2"},
		{link.IP, icmp4Of(200, 3, [4]byte{}, nil), "ICMP type 200 code 3", "ICMP 10.0.0.1 → 10.0.1.2"},
		{link.IP, icmp6Of(header.ICMPv6NeighborSolicit, solicit.Append(nil)), "ND neighbor solicitation  who has fe80::2?", "ND"},
		{link.IP, icmp6Of(header.ICMPv6NeighborAdvert, advert.Append(nil)), "ND neighbor advertisement  fe80::2 is at 02:00:00:00:00:09", "ND"},
		{link.IP, icmp6Of(header.ICMPv6PacketTooBig, nil), "ICMPv6 packet too big  mtu 0", "ICMPv6 fe80::1 → fe80::2"},
		{link.IP, nil, "damaged: header: truncated", "not IP"},
		{link.IP, []byte{0x45, 1, 2}, "damaged: header: truncated", "not IP"},
	} {
		b := pairOf()
		b.Links[0].Medium = tt.medium
		if strings.Contains(tt.want, "offset") { // its first fragment comes first
			b.put(0, true, ip4(header.ProtocolUDP, func(h *header.IPv4) { h.MF, h.ID = true, 7 }, udpOf("abcdefgh")[:16]), "")
		}
		if strings.Contains(tt.want, "about") {
			b.put(0, true, quoted, "")
		}
		b.put(0, true, tt.data, "")
		a := analysed(b)
		last := len(a.label) - 1
		if got := a.label[last]; !strings.HasPrefix(got, tt.want) {
			t.Errorf("label %q, want %q", got, tt.want)
		}
		if got := a.flows.all[a.at[last].flow].name(); got != tt.flow {
			t.Errorf("%s: flow %q, want %q", tt.want, got, tt.flow)
		}
	}
}

func TestFieldsSayWhetherTheChecksumIsRight(t *testing.T) {
	good := tcpPacket(alice, bob, segmentOf(header.ACK, 1, 1), "hello")
	wrong := append([]byte(nil), good...)
	wrong[len(wrong)-1] ^= 1
	b := pairOf()
	b.put(0, true, good, "")
	b.put(0, true, wrong, "")
	b.put(0, true, good[:40], "").Len = len(good)
	a := analysed(b)
	for i, want := range []string{"(good)", "(wrong)", "(not verified: not all was recorded)"} {
		if !strings.Contains(a.fields[i], want) {
			t.Errorf("fields of packet %d lack %q:\n%s", i, want, a.fields[i])
		}
		if !strings.Contains(a.label[i], "len 5") {
			t.Errorf("label %q of a packet that was cut", a.label[i])
		}
	}
}

func TestCongestionExperiencedIsMarked(t *testing.T) {
	b := pairOf()
	b.put(0, true, ip4(header.ProtocolUDP, func(h *header.IPv4) { h.TOS = 3 }, udpOf("hi")), "")
	if a := analysed(b); a.at[0].marks&markCE == 0 || !strings.Contains(a.fields[0], "congestion experienced") {
		t.Errorf("marks %b, fields %s", a.at[0].marks, a.fields[0])
	}
}

// Whatever is recorded, there is a page and a text of it.
func FuzzAnyBytes(f *testing.F) {
	f.Add([]byte{}, 0, true)
	f.Add(tcpPacket(alice, bob, segmentOf(header.SYN, 1, 0), "x"), 2000, false)
	f.Add(icmp6Of(header.ICMPv6RouterAdvert, make([]byte, 40)), 0, false)
	f.Add(onEthernet(header.EtherTypeARP, make([]byte, 28)), 0, true)
	f.Add(icmp4Of(3, 3, [4]byte{}, ip4(header.ProtocolUDP, nil, udpOf("x"))), 0, false)
	f.Fuzz(func(t *testing.T, data []byte, more int, ethernet bool) {
		b := pairOf()
		if ethernet {
			b.Links[0].Medium = link.Ethernet
		}
		b.put(0, true, data, "").Len += more
		a := analysed(b)
		if a.label[0] == "" || strings.ContainsAny(a.label[0], "\n\t") {
			t.Errorf("label %q", a.label[0])
		}
		for _, line := range strings.Split(a.fields[0], "\n") {
			if line != "" && strings.Count(line, "\t")%2 != 0 {
				t.Errorf("a name without a value: %q", line)
			}
		}
	})
}
