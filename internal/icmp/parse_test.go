package icmp

import (
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
)

const (
	tcp8     = "\x04\x00\x00\x50\x01\x02\x03\x04" // from 1024 to 80, sequence number 0x01020304
	echo4    = "\x08\x00\x00\x00\x12\x34\x00\x05" // identifier 0x1234, sequence number 5
	echo6    = "\x80\x00\x00\x00\x12\x34\x00\x05"
	fragment = "\x06\x00\x00\x00\x00\x00\x00\x01" // an atomic fragment of TCP
	later    = "\x06\x00\x00\x09\x00\x00\x00\x01" // a later one
)

// message4 is an ICMPv4 error with its four bytes that depend on the type.
func message4(typ, code uint8, rest string, quoted []byte) []byte {
	b := AppendError4(nil, &header.ICMP{Type: typ, Code: code, Rest: [4]byte([]byte(rest))}, quoted)
	return b
}

func message6(typ, code uint8, rest string, quoted []byte) []byte {
	h := &header.ICMP{Type: typ, Code: code, Rest: [4]byte([]byte(rest))}
	return AppendError6(nil, h, quoted, addr("::1"), addr("::1"))
}

const (
	none     = "\x00\x00\x00\x00"
	mtu1400  = "\x00\x00\x05\x78"
	mtu1279  = "\x00\x00\x04\xff"
	mtu67    = "\x00\x00\x00\x43"
	mtuHuge  = "\xff\xff\xff\xff"
	pointer9 = "\x09\x00\x00\x00"
	pointer6 = "\x00\x00\x00\x06"
	gateway  = "\x0a\x00\x00\xfe"
)

var parseTests = []struct {
	name    string
	version int
	message []byte

	local, remote string
	verdict       Verdict
	mtu           int
	pointer       uint32
	seq           seqnum.Value
	protocol      uint8
	noTransport   bool
	err           error
}{
	{
		name: "port unreachable about UDP", version: 4, message: message4(3, 3, none, packet4(header.IPv4{Protocol: 17}, eight)),
		local: "10.0.0.1:53", remote: "10.0.0.2:54", verdict: Verdict{syscall.ECONNREFUSED, true}, protocol: 17,
	},
	{
		name: "host unreachable about TCP with options", version: 4,
		message: message4(3, 1, none, packet4(header.IPv4{Protocol: 6, Options: []byte(header.IPv4RouterAlert)}, tcp8)),
		local:   "10.0.0.1:1024", remote: "10.0.0.2:80", verdict: Verdict{syscall.EHOSTUNREACH, false}, protocol: 6, seq: 0x01020304,
	},
	{
		name: "fragmentation needed", version: 4, message: message4(3, 4, mtu1400, packet4(header.IPv4{Protocol: 6}, tcp8)),
		local: "10.0.0.1:1024", remote: "10.0.0.2:80", verdict: Verdict{syscall.EMSGSIZE, false}, protocol: 6, seq: 0x01020304, mtu: 1400,
	},
	{
		name: "fragmentation needed, from an old router", version: 4,
		message: message4(3, 4, none, packet4(header.IPv4{Protocol: 17}, eight+strings.Repeat("x", 1472))),
		local:   "10.0.0.1:53", remote: "10.0.0.2:54", verdict: Verdict{syscall.EMSGSIZE, false}, protocol: 17, mtu: 1492,
	},
	{name: "fragmentation needed, below 68", version: 4, message: message4(3, 4, mtu67, packet4(header.IPv4{Protocol: 6}, tcp8)), err: ErrMTU},
	{
		name: "about a later fragment", version: 4, message: message4(3, 4, mtu1400, packet4(header.IPv4{Protocol: 17, Offset: 8}, eight)),
		local: "10.0.0.1:0", remote: "10.0.0.2:0", verdict: Verdict{syscall.EMSGSIZE, false}, protocol: 17, mtu: 1400, noTransport: true,
	},
	{
		name: "seven bytes of the transport", version: 4, message: message4(3, 3, none, packet4(header.IPv4{Protocol: 17}, eight[:7])),
		local: "10.0.0.1:0", remote: "10.0.0.2:0", verdict: Verdict{syscall.ECONNREFUSED, true}, protocol: 17, noTransport: true,
	},
	{
		name: "time exceeded about an echo", version: 4, message: message4(11, 0, none, packet4(header.IPv4{Protocol: 1}, echo4)),
		local: "10.0.0.1:4660", remote: "10.0.0.2:0", verdict: Verdict{syscall.EHOSTUNREACH, false}, protocol: 1, seq: 5,
	},
	{
		name: "parameter problem", version: 4, message: message4(12, 0, pointer9, packet4(header.IPv4{Protocol: 17}, eight)),
		local: "10.0.0.1:53", remote: "10.0.0.2:54", verdict: Verdict{syscall.EPROTO, true}, protocol: 17, pointer: 9,
	},
	{
		name: "another protocol", version: 4, message: message4(3, 2, none, packet4(header.IPv4{Protocol: 132}, eight)),
		local: "10.0.0.1:0", remote: "10.0.0.2:0", verdict: Verdict{syscall.ENOPROTOOPT, true}, protocol: 132,
	},
	{name: "source quench", version: 4, message: message4(4, 0, none, packet4(header.IPv4{Protocol: 6}, tcp8)), err: header.ErrType},
	{name: "echo reply", version: 4, message: []byte("\x00\x00\x00\x00\x00\x00\x00\x00"), err: header.ErrType},
	{name: "empty", version: 4, message: nil, err: header.ErrTruncated},
	{name: "without quote", version: 4, message: message4(3, 3, none, nil), err: header.ErrTruncated},
	{name: "IPv6 quoted by ICMPv4", version: 4, message: message4(3, 3, none, packet6(header.IPv6{NextHeader: 17}, eight)), err: header.ErrVersion},
	{name: "quoted header length 16", version: 4, message: message4(3, 3, none, append([]byte{0x44}, packet4(header.IPv4{Protocol: 17}, eight)[1:]...)), err: header.ErrHeaderLength},
	{name: "quoted header longer than the quote", version: 4, message: message4(3, 3, none, append([]byte{0x4f, 0, 0, 60}, packet4(header.IPv4{Protocol: 17}, eight)[4:]...)), err: header.ErrTruncated},
	{name: "quoted total length 8", version: 4, message: message4(3, 3, none, append([]byte{0x45, 0, 0, 8}, packet4(header.IPv4{Protocol: 17}, eight)[4:]...)), err: header.ErrLength},

	{
		name: "port unreachable about UDP", version: 6, message: message6(1, 4, none, packet6(header.IPv6{NextHeader: 17}, eight)),
		local: "[2001:db8::1]:53", remote: "[2001:db8::2]:54", verdict: Verdict{syscall.ECONNREFUSED, true}, protocol: 17,
	},
	{
		name: "packet too big about TCP in an atomic fragment", version: 6, message: message6(2, 0, mtu1400, packet6(header.IPv6{NextHeader: 44}, fragment+tcp8)),
		local: "[2001:db8::1]:1024", remote: "[2001:db8::2]:80", verdict: Verdict{syscall.EMSGSIZE, false}, protocol: 6, mtu: 1400, seq: 0x01020304,
	},
	{
		name: "packet too big about a later fragment", version: 6, message: message6(2, 0, mtu1400, packet6(header.IPv6{NextHeader: 44}, later+tcp8)),
		local: "[2001:db8::1]:0", remote: "[2001:db8::2]:0", verdict: Verdict{syscall.EMSGSIZE, false}, protocol: 6, mtu: 1400, noTransport: true,
	},
	{
		name: "packet too big for no packet", version: 6, message: message6(2, 0, mtuHuge, packet6(header.IPv6{NextHeader: 6}, tcp8)),
		local: "[2001:db8::1]:1024", remote: "[2001:db8::2]:80", verdict: Verdict{syscall.EMSGSIZE, false}, protocol: 6, mtu: 65575, seq: 0x01020304,
	},
	{name: "packet too big below 1280", version: 6, message: message6(2, 0, mtu1279, packet6(header.IPv6{NextHeader: 6}, tcp8)), err: ErrMTU},
	{
		name: "time exceeded about an echo", version: 6, message: message6(3, 0, none, packet6(header.IPv6{NextHeader: 58}, echo6)),
		local: "[2001:db8::1]:4660", remote: "[2001:db8::2]:0", verdict: Verdict{syscall.EHOSTUNREACH, false}, protocol: 58, seq: 5,
	},
	{
		name: "about a neighbor solicitation", version: 6, message: message6(1, 3, none, packet6(header.IPv6{NextHeader: 58}, "\x87\x00......")),
		local: "[2001:db8::1]:0", remote: "[2001:db8::2]:0", verdict: Verdict{syscall.EHOSTUNREACH, false}, protocol: 58,
	},
	{
		name: "parameter problem", version: 6, message: message6(4, 1, pointer6, packet6(header.IPv6{NextHeader: 17}, eight)),
		local: "[2001:db8::1]:53", remote: "[2001:db8::2]:54", verdict: Verdict{syscall.EPROTO, true}, protocol: 17, pointer: 6,
	},
	{
		name: "an unknown error", version: 6, message: message6(99, 0, none, packet6(header.IPv6{NextHeader: 17}, eight)),
		local: "[2001:db8::1]:53", remote: "[2001:db8::2]:54", verdict: Verdict{syscall.EPROTO, false}, protocol: 17,
	},
	{
		name: "quote cut among the extension headers", version: 6, message: message6(1, 4, none, packet6(header.IPv6{NextHeader: 60}, "\x11\x01......")),
		local: "[2001:db8::1]:0", remote: "[2001:db8::2]:0", verdict: Verdict{syscall.ECONNREFUSED, true}, protocol: 59, noTransport: true,
	},
	{name: "router advertisement", version: 6, message: message6(134, 0, none, nil), err: header.ErrType},
	{name: "empty", version: 6, message: nil, err: header.ErrTruncated},
	{name: "without quote", version: 6, message: message6(1, 4, none, nil), err: header.ErrTruncated},
	{name: "IPv4 quoted by ICMPv6", version: 6, message: message6(1, 4, none, packet4(header.IPv4{Protocol: 17}, eight+strings.Repeat("x", 40))), err: header.ErrVersion},
}

func parse(version int, message []byte) (Error, error) {
	if version == 4 {
		return Parse4(message)
	}
	return Parse6(message)
}

// DEF-19.
func TestParse(t *testing.T) {
	for _, tt := range parseTests {
		e, err := parse(tt.version, tt.message)
		if !errors.Is(err, tt.err) {
			t.Errorf("ICMPv%d: %s: %v, want %v", tt.version, tt.name, err, tt.err)
		}
		if tt.err != nil || err != nil {
			continue
		}
		if e.Local != netip.MustParseAddrPort(tt.local) || e.Remote != netip.MustParseAddrPort(tt.remote) {
			t.Errorf("ICMPv%d: %s: from %v to %v", tt.version, tt.name, e.Local, e.Remote)
		}
		if e.Verdict != tt.verdict || e.MTU != tt.mtu || e.Pointer != tt.pointer || e.Seq != tt.seq ||
			e.Protocol != tt.protocol || e.HasTransport == tt.noTransport || (e.Transport == nil) != tt.noTransport {
			t.Errorf("ICMPv%d: %s: %+v", tt.version, tt.name, e)
		}
	}
}

func TestRedirectNamesAGateway(t *testing.T) {
	e, err := Parse4(message4(5, 1, gateway, packet4(header.IPv4{Protocol: 6}, tcp8)))
	if err != nil || e.Gateway != addr("10.0.0.254") || e.Verdict != (Verdict{}) || e.Remote.Addr() != addr("10.0.0.2") {
		t.Errorf("%+v, %v", e, err)
	}
}

// DEF-19.
func TestCutMessagesNeverGiveMoreThanTheyHold(t *testing.T) {
	for _, tt := range parseTests {
		for n := range tt.message {
			e, err := parse(tt.version, tt.message[:n])
			if err == nil && len(e.Packet) > n-header.ICMPLen {
				t.Errorf("ICMPv%d: %s: %d bytes quoted of %d", tt.version, tt.name, len(e.Packet), n)
			}
		}
	}
}

// The pairs are those of RFC 1191 section 7.1: a packet's length and the next
// lower MTU that exists.
func TestPlateaus(t *testing.T) {
	for _, tt := range []struct{ length, want int }{
		{65535, 32000},
		{32000, 17914},
		{4353, 4352},
		{1500, 1492},
		{1492, 1006},
		{576, 508},
		{296, 68},
		{68, 68},
		{28, 68},
	} {
		if got := plateauBelow(tt.length); got != tt.want {
			t.Errorf("below %d: %d, want %d", tt.length, got, tt.want)
		}
	}
}

// DEF-19.
func FuzzParse(f *testing.F) {
	for _, tt := range parseTests {
		f.Add(tt.version == 4, tt.message)
	}
	f.Fuzz(func(t *testing.T, v4 bool, message []byte) {
		version := 6
		if v4 {
			version = 4
		}
		MaySend4(message, Arrival{})
		MaySend6(message, Arrival{}, 1, false)
		e, err := parse(version, message)
		if err != nil {
			return
		}
		if e.Local.Addr().Is4() != v4 || e.Remote.Addr().Is4() != v4 {
			t.Fatalf("from %v to %v", e.Local, e.Remote)
		}
		if e.HasTransport != (len(e.Transport) >= 8) || len(e.Transport) > len(e.Packet) || len(e.Packet) > len(message)-8 {
			t.Fatalf("%+v", e)
		}
		if !e.HasTransport && (e.Local.Port() != 0 || e.Remote.Port() != 0 || e.Seq != 0) {
			t.Fatalf("ports from nowhere: %+v", e)
		}
		if (e.Errno == syscall.EMSGSIZE) != (e.MTU != 0) || e.MTU < 0 || e.MTU != 0 && e.MTU < 68 || !v4 && e.MTU != 0 && e.MTU < 1280 {
			t.Fatalf("MTU %d with %v", e.MTU, e.Errno)
		}
	})
}
