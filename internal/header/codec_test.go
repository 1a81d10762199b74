package header

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// codec is the shape that all formats have.
type codec interface {
	Parse(b []byte) (rest []byte, err error)
	Append(b []byte) []byte
}

var addr = netip.MustParseAddr

var (
	mac1 = MAC{2, 0, 0, 0, 0, 1}
	mac2 = MAC{2, 0, 0, 0, 0, 2}
)

// samples holds valid headers of every format. What Parse has read from its
// encoding must be the header.
var samples = []struct {
	name    string
	header  codec
	payload int   // bytes that the header announces
	valid   []int // lengths at which a cut leaves a valid, shorter message
}{
	{name: "ethernet", header: &Ethernet{Dst: Broadcast, Src: mac1, Type: EtherTypeARP}},
	{name: "arp", header: &ARP{Op: ARPReply, SenderHW: mac1, Sender: addr("10.0.0.1"), TargetHW: mac2, Target: addr("10.0.0.2")}},
	{name: "ipv4", payload: 30, header: &IPv4{
		TOS: 0xb8, PayloadLen: 30, ID: 0xbeef, DF: true, TTL: 64, Protocol: ProtocolTCP,
		Src: addr("10.0.0.1"), Dst: addr("255.255.255.255"),
	}},
	{name: "ipv4 last fragment with options", payload: 8, header: &IPv4{
		PayloadLen: 8, ID: 1, Offset: 65528, TTL: 1, Protocol: ProtocolIGMP,
		Src: addr("10.0.0.1"), Dst: addr("224.0.0.22"), Options: []byte(IPv4RouterAlert),
	}},
	{name: "ipv4 first fragment", payload: 8, header: &IPv4{
		PayloadLen: 8, ID: 1, MF: true, TTL: 255, Protocol: ProtocolUDP,
		Src: addr("0.0.0.0"), Dst: addr("10.0.0.1"), Options: make([]byte, 40),
	}},
	{name: "ipv6", payload: 11, header: &IPv6{
		TrafficClass: 0xff, FlowLabel: 0xfffff, PayloadLen: 11, NextHeader: ProtocolUDP, HopLimit: 255,
		Src: addr("fe80::1"), Dst: addr("ff02::1"),
	}},
	{name: "fragment", header: &Fragment{NextHeader: ProtocolUDP, Offset: 1232, More: true, ID: 0xdeadbeef}},
	{name: "udp", payload: 5, header: &UDP{SrcPort: 53, DstPort: 65535, PayloadLen: 5, Checksum: 0x1234}},
	{name: "tcp", header: &TCP{
		SrcPort: 1, DstPort: 2, Seq: 3, Ack: 4, Flags: ACK | PSH, Window: 5, Checksum: 6, Urgent: 7,
	}},
	{name: "tcp SYN", header: &TCP{SrcPort: 80, DstPort: 1024, Seq: 0xffffffff, Flags: SYN | ECE | CWR | AE, Options: TCPOptions{
		MSS: 1460, SACKPermitted: true, HasTS: true, TSVal: 1, HasWScale: true, WScale: 7,
	}}},
	{name: "tcp cookie request", header: &TCP{Flags: SYN, Options: TCPOptions{MSS: 1460, FastOpen: FastOpen{Present: true}}}},
	{name: "tcp cookie", header: &TCP{Flags: SYN, Options: TCPOptions{
		MSS: 1460, HasTS: true, SACKPermitted: true, HasWScale: true,
		FastOpen: FastOpen{Present: true, Len: 16, Cookie: [16]byte{1, 2, 3, 15: 16}},
	}}},
	{name: "tcp experimental cookie", header: &TCP{Flags: SYN, Options: TCPOptions{
		FastOpen: FastOpen{Present: true, Experimental: true, Len: 6, Cookie: [16]byte{1, 2, 3, 4, 5, 6}},
	}}},
	{name: "tcp MD5 signature", header: &TCP{Flags: ACK, Options: TCPOptions{Auth: TCPAuth{Kind: TCPAuthMD5, Len: TCPMD5Len, At: TCPAuthAt}}}},
	{name: "tcp AO", header: &TCP{Flags: SYN, Options: TCPOptions{
		MSS: 1460, HasTS: true, HasWScale: true, SACKPermitted: true,
		Auth: TCPAuth{Kind: TCPAuthAO, KeyID: 1, RNextKeyID: 2, Len: 12, At: TCPAuthAt},
	}}},
	{name: "tcp SACK", header: &TCP{Flags: ACK, Options: TCPOptions{
		HasTS: true, TSVal: 1, TSEcr: 2, SACK: [4]SACKBlock{{1, 2}, {3, 4}, {5, 6}}, SACKCount: 3,
	}}},
	{name: "tcp AccECN", header: &TCP{Flags: ACK | AE, Options: TCPOptions{
		HasTS: true, TSVal: 1, TSEcr: 2, AccECN: AccECN{Order: AccECN1, Fields: 3, ECT1: 1, CE: 0xffffff, ECT0: 70000},
		SACK: [4]SACKBlock{{1, 2}}, SACKCount: 1,
	}}},
	{name: "tcp AccECN instead of NOPs", header: &TCP{Flags: SYN | ACK, Options: TCPOptions{
		MSS: 1460, SACKPermitted: true, AccECN: AccECN{Order: AccECN0, Fields: 1, ECT0: 9},
	}}},
	{name: "tcp four SACK blocks", header: &TCP{Flags: ACK, Options: TCPOptions{
		SACK: [4]SACKBlock{{1, 2}, {3, 4}, {5, 6}, {0xffffffff, 0}}, SACKCount: 4,
	}}},
	{name: "icmp", header: &ICMP{Type: ICMPv4EchoRequest, Checksum: 0xabcd, Rest: [4]byte{1, 2, 3, 4}}},
	{name: "neighbor solicitation", valid: []int{24, 32}, header: &NeighborSolicit{
		Target: addr("2001:db8::1"), SourceHW: mac1, HasSourceHW: true, Nonce: [6]byte{1, 2, 3, 4, 5, 6}, HasNonce: true,
	}},
	{name: "neighbor advertisement", valid: []int{24}, header: &NeighborAdvert{
		Target: addr("2001:db8::1"), Router: true, Solicited: true, Override: true, TargetHW: mac1, HasTargetHW: true,
	}},
	{name: "bare neighbor advertisement", header: &NeighborAdvert{Target: addr("fe80::1"), Override: true}},
	{name: "router solicitation", valid: []int{8}, header: &RouterSolicit{SourceHW: mac1, HasSourceHW: true}},
	{name: "router advertisement", valid: []int{16, 24, 32, 64, 96, 104, 120, 144, 184, 224}, header: &RouterAdvert{
		CurHopLimit: 64, Managed: true, Other: true, Preference: -1,
		RouterLifetime: 1800 * time.Second, ReachableTime: 30 * time.Second, RetransTimer: time.Second,
		SourceHW: mac1, HasSourceHW: true, MTU: 1480,
		Prefixes: []PrefixInfo{
			{Prefix: netip.MustParsePrefix("2001:db8::/64"), OnLink: true, Autonomous: true, Valid: Infinite, Preferred: time.Hour},
			{Prefix: netip.MustParsePrefix("2001:db8:1::/48"), OnLink: true},
		},
		RouteInfos: []RouteInfo{
			{Prefix: netip.MustParsePrefix("::/0"), Preference: 1, Lifetime: time.Minute},
			{Prefix: netip.MustParsePrefix("2001:db8::/33"), Preference: -1, Lifetime: Infinite},
			{Prefix: netip.MustParsePrefix("2001:db8::1/128")},
		},
		RDNSS: []RDNSS{{Lifetime: time.Hour, Servers: []netip.Addr{addr("2001:db8::53"), addr("fe80::53")}}},
		DNSSL: []DNSSL{
			{Lifetime: time.Hour, Domains: []string{"example.com", "corp.example", "a.b"}},
			{Domains: []string{"local"}},
		},
	}},
	{name: "redirect", valid: []int{40, 48}, header: &Redirect{
		Target: addr("fe80::1"), Destination: addr("2001:db8::1"), TargetHW: mac1, HasTargetHW: true, Quoted: randomBytes(64),
	}},
	{name: "igmp v1 query", header: &IGMPQuery{Version: 1, MaxResp: 10 * time.Second, Group: addr("0.0.0.0")}},
	{name: "igmp v2 query", header: &IGMPQuery{Version: 2, MaxResp: 25500 * time.Millisecond, Group: addr("239.1.1.1")}},
	{name: "igmp v3 query", header: &IGMPQuery{
		Version: 3, MaxResp: 10 * time.Second, Group: addr("239.1.1.1"), Suppress: true, QRV: 7, QQI: 128 * time.Second,
		Sources: []netip.Addr{addr("10.0.0.1"), addr("10.0.0.2")},
	}},
	{name: "igmp report", header: &IGMPReport{Type: IGMPTypeV2Report, Group: addr("239.1.1.1")}},
	{name: "igmp leave", header: &IGMPReport{Type: IGMPTypeV2Leave, Group: addr("239.1.1.1")}},
	{name: "igmp v3 report", header: &IGMPv3Report{Records: []GroupRecord{
		{Type: ChangeToExclude, Group: addr("239.1.1.1")},
		{Type: AllowNewSources, Group: addr("232.1.1.1"), Sources: []netip.Addr{addr("10.0.0.1"), addr("10.0.0.2")}},
	}}},
	{name: "mld v1 query", header: &MLDQuery{Version: 1, MaxResp: 65535 * time.Millisecond, Group: addr("::")}},
	{name: "mld v2 query", valid: []int{24}, header: &MLDQuery{
		Version: 2, MaxResp: 32768 * time.Millisecond, Group: addr("ff3e::1"), Suppress: true, QRV: 2, QQI: 125 * time.Second,
		Sources: []netip.Addr{addr("2001:db8::1")},
	}},
	{name: "mld report", header: &MLDReport{Type: ICMPv6MLDReport, Group: addr("ff02::1:ff00:1")}},
	{name: "mld done", header: &MLDReport{Type: ICMPv6MLDDone, Group: addr("ff02::1:ff00:1")}},
	{name: "mld v2 report", header: &MLDv2Report{Records: []GroupRecord{
		{Type: ModeIsExclude, Group: addr("ff02::fb")},
		{Type: BlockOldSources, Group: addr("ff3e::1"), Sources: []netip.Addr{addr("2001:db8::1"), addr("2001:db8::2")}},
	}}},
}

// blank returns a new, empty header of h's type.
func blank(h codec) codec {
	return reflect.New(reflect.TypeOf(h).Elem()).Interface().(codec)
}

func encode(h codec, payload int) []byte {
	return append(h.Append(nil), randomBytes(payload)...)
}

func TestWhatIsAppendedParsesBack(t *testing.T) {
	for _, s := range samples {
		b := encode(s.header, s.payload)
		got := blank(s.header)
		rest, err := got.Parse(b)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		if !reflect.DeepEqual(got, s.header) {
			t.Errorf("%s:\n got %+v\nwant %+v", s.name, got, s.header)
		}
		if !bytes.Equal(rest, b[len(b)-s.payload:]) {
			t.Errorf("%s: %d bytes follow, want %d", s.name, len(rest), s.payload)
		}
		if after := s.header.Append([]byte("before")); !bytes.Equal(after, append([]byte("before"), b[:len(b)-s.payload]...)) {
			t.Errorf("%s: appended behind other bytes it is encoded otherwise", s.name)
		}
	}
}

func TestParseForgetsWhatWasThere(t *testing.T) {
	for _, s := range samples {
		for _, other := range samples {
			if reflect.TypeOf(s.header) != reflect.TypeOf(other.header) {
				continue
			}
			h := blank(s.header)
			if _, err := h.Parse(encode(other.header, other.payload)); err != nil {
				t.Fatalf("%s: %v", other.name, err)
			}
			if _, err := h.Parse(encode(s.header, s.payload)); err != nil || !reflect.DeepEqual(h, s.header) {
				t.Errorf("%s after %s: %+v, %v", s.name, other.name, h, err)
			}
		}
	}
}

func TestCutAtEveryLengthIsAnError(t *testing.T) {
	for _, s := range samples {
		b := encode(s.header, s.payload)
		for n := range len(b) {
			_, err := blank(s.header).Parse(slices.Clip(b[:n]))
			if valid := slices.Contains(s.valid, n); (err == nil) != valid {
				t.Errorf("%s: %d of %d bytes: error %v", s.name, n, len(b), err)
			}
		}
	}
}

func TestTheLengthOfTheHeaderTrimsTheFrame(t *testing.T) {
	for _, s := range samples {
		if s.payload == 0 {
			continue
		}
		b := append(encode(s.header, s.payload), "padding"...)
		rest, err := blank(s.header).Parse(b)
		if err != nil || len(rest) != s.payload || cap(rest) != s.payload {
			t.Errorf("%s: %d bytes (capacity %d) follow, want %d; %v", s.name, len(rest), cap(rest), s.payload, err)
		}
	}
}

func TestEveryFlippedBitOfAnIPv4HeaderIsNoticed(t *testing.T) {
	for _, s := range samples {
		h, ok := s.header.(*IPv4)
		if !ok {
			continue
		}
		for i := range h.HeaderLen() * 8 {
			b := encode(h, s.payload)
			b[i/8] ^= 1 << (i % 8)
			if _, err := new(IPv4).Parse(b); err == nil {
				t.Errorf("%s: bit %d flipped unnoticed", s.name, i)
			}
		}
	}
}

func TestDataPathDoesNotAllocate(t *testing.T) {
	out := make([]byte, 0, 128)
	for _, s := range samples {
		b := encode(s.header, s.payload)
		switch s.header.(type) {
		case *Ethernet, *ARP, *IPv4, *IPv6, *Fragment, *UDP, *TCP, *ICMP:
		default:
			continue
		}
		h := blank(s.header)
		if n := testing.AllocsPerRun(100, func() {
			if _, err := h.Parse(b); err != nil {
				t.Fatal(err)
			}
			h.Append(out)
		}); n != 0 {
			t.Errorf("%s: %v allocations", s.name, n)
		}
	}
}

func TestWrongTypeOfMessage(t *testing.T) {
	for _, s := range samples {
		var types []codec
		switch s.header.(type) {
		case *NeighborSolicit, *NeighborAdvert, *RouterSolicit, *RouterAdvert, *Redirect, *MLDQuery, *MLDReport, *MLDv2Report:
			types = []codec{
				&NeighborSolicit{}, &NeighborAdvert{}, &RouterSolicit{}, &RouterAdvert{}, &Redirect{},
				&MLDQuery{}, &MLDReport{}, &MLDv2Report{},
			}
		case *IGMPQuery, *IGMPReport, *IGMPv3Report:
			types = []codec{&IGMPQuery{}, &IGMPReport{}, &IGMPv3Report{}}
		}
		for _, h := range types {
			if reflect.TypeOf(h) == reflect.TypeOf(s.header) {
				continue
			}
			if _, err := h.Parse(encode(s.header, 0)); !errors.Is(err, ErrType) && !errors.Is(err, ErrTruncated) {
				t.Errorf("%s parsed as %T: error %v", s.name, h, err)
			}
		}
	}
}

// The encodings in testdata were read by Wireshark as the samples say. This
// holds them: a codec whose two halves are wrong in the same way would pass all
// other tests.
func TestEncodingsAreThoseThatOthersRead(t *testing.T) {
	golden, err := os.ReadFile("testdata/encodings.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(golden)) {
		name, encoding, _ := strings.Cut(strings.TrimSpace(line), ": ")
		want[name] = encoding
	}
	if len(want) != len(samples) {
		t.Errorf("%d encodings of %d samples", len(want), len(samples))
	}
	for _, s := range samples {
		if got := hex.EncodeToString(s.header.Append(nil)); got != want[s.name] {
			t.Errorf("%s:\n got %s\nwant %s", s.name, got, want[s.name])
		}
	}
}

func BenchmarkTCP(b *testing.B) {
	h := TCP{Flags: ACK | PSH, Options: TCPOptions{HasTS: true, TSVal: 1, TSEcr: 2}}
	encoded := h.Append(nil)
	b.Run("Parse", func(b *testing.B) {
		for range b.N {
			_, _ = h.Parse(encoded)
		}
	})
	b.Run("Append", func(b *testing.B) {
		for range b.N {
			encoded = h.Append(encoded[:0])
		}
	})
}

func BenchmarkIPv4(b *testing.B) {
	h := IPv4{TTL: 64, Protocol: ProtocolTCP, Src: addr("10.0.0.1"), Dst: addr("10.0.0.2")}
	encoded := h.Append(nil)
	b.Run("Parse", func(b *testing.B) {
		for range b.N {
			_, _ = h.Parse(encoded)
		}
	})
	b.Run("Append", func(b *testing.B) {
		for range b.N {
			encoded = h.Append(encoded[:0])
		}
	})
}
