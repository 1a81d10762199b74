package nat

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

// The cast: two hosts inside, the outside, and two remotes.
const (
	alice   = "10.0.0.2:5000"
	bob     = "10.0.0.3:5000"
	outside = "203.0.113.1"
	server  = "198.51.100.1:3478"
	other   = "198.51.100.2:3479"
)

var external = netip.MustParseAddr(outside)

func ap(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// A rig is a table with its own time, which verifies every packet that passes.
type rig struct {
	*testing.T
	*Table
	now time.Duration
}

func newRig(t *testing.T, cfg Config) *rig {
	t.Helper()
	if cfg.External == nil {
		cfg.External = []netip.Addr{external}
	}
	table, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{t, table, time.Second}
}

func (r *rig) wait(d time.Duration) { r.now += d }

// out and in translate a packet and return its endpoints after.
func (r *rig) out(b []byte) (v Verdict, src, dst netip.AddrPort) {
	r.Helper()
	return r.through(r.Table.Out, b)
}

func (r *rig) in(b []byte) (v Verdict, src, dst netip.AddrPort) {
	r.Helper()
	return r.through(r.Table.In, b)
}

func (r *rig) through(f func(time.Duration, []byte) Verdict, b []byte) (v Verdict, src, dst netip.AddrPort) {
	r.Helper()
	was := string(b)
	v = f(r.now, b)
	if v.Action == Pass || v.Action == Hairpin {
		verify(r.T, b)
	} else if string(b) != was {
		r.Errorf("%v, but the packet is changed", v)
	}
	src, dst = ends(b)
	return v, src, dst
}

// sends has a packet go out and returns the source that the world sees.
func (r *rig) sends(b []byte) netip.AddrPort {
	r.Helper()
	v, src, _ := r.out(b)
	if v.Action != Pass {
		r.Fatalf("out: %v", v)
	}
	return src
}

// gets has a packet come in and wants it to reach an endpoint inside.
func (r *rig) gets(b []byte, inside string) {
	r.Helper()
	if v, _, dst := r.in(b); v.Action != Pass || dst != ap(inside) {
		r.Errorf("in: %v to %v, want it at %v", v, dst, inside)
	}
}

// wants wants a verdict.
func (r *rig) wants(v Verdict, a Action, why Reason) {
	r.Helper()
	if v != (Verdict{a, why}) {
		r.Errorf("%v, want %v", v, Verdict{a, why})
	}
}

func (r *rig) wantIn(b []byte, a Action, why Reason) {
	r.Helper()
	v, _, _ := r.in(b)
	r.wants(v, a, why)
}

func (r *rig) wantOut(b []byte, a Action, why Reason) {
	r.Helper()
	v, _, _ := r.out(b)
	r.wants(v, a, why)
}

// only returns the one mapping there is.
func (r *rig) only() Mapping {
	r.Helper()
	all := r.Mappings()
	if len(all) != 1 {
		r.Fatalf("%d mappings: %v", len(all), all)
	}
	return all[0]
}

// ip puts a header before a payload.
func ip(protocol uint8, src, dst netip.Addr, payload []byte) []byte {
	h := header.IPv4{PayloadLen: len(payload), ID: 7, TTL: 64, Protocol: protocol, Src: src, Dst: dst}
	return append(h.Append(nil), payload...)
}

func udp(src, dst netip.AddrPort, payload string) []byte {
	h := header.UDP{SrcPort: src.Port(), DstPort: dst.Port(), PayloadLen: len(payload)}
	b := append(h.Append(nil), payload...)
	sum := header.FoldUDP(header.Sum(b, header.PseudoSum(src.Addr(), dst.Addr(), header.ProtocolUDP, len(b))))
	binary.BigEndian.PutUint16(b[6:], sum)
	return ip(header.ProtocolUDP, src.Addr(), dst.Addr(), b)
}

func tcp(src, dst netip.AddrPort, flags header.TCPFlags) []byte {
	h := header.TCP{SrcPort: src.Port(), DstPort: dst.Port(), Seq: 1, Ack: 2, Flags: flags, Window: 3}
	b := append(h.Append(nil), "odd"...)
	sum := header.Fold(header.Sum(b, header.PseudoSum(src.Addr(), dst.Addr(), header.ProtocolTCP, len(b))))
	binary.BigEndian.PutUint16(b[16:], sum)
	return ip(header.ProtocolTCP, src.Addr(), dst.Addr(), b)
}

func icmp(typ, code uint8, src, dst netip.Addr, rest [4]byte, payload []byte) []byte {
	h := header.ICMP{Type: typ, Code: code, Rest: rest}
	b := append(h.Append(nil), payload...)
	header.PutICMPv4Checksum(b)
	return ip(header.ProtocolICMP, src, dst, b)
}

// ping is an echo request: the port of its source is the identifier. pong is a
// reply: the port of its destination is.
func ping(src netip.AddrPort, dst netip.Addr) []byte {
	return icmp(header.ICMPv4EchoRequest, 0, src.Addr(), dst, identifier(src), []byte("ping"))
}

func pong(src netip.Addr, dst netip.AddrPort) []byte {
	return icmp(header.ICMPv4EchoReply, 0, src, dst.Addr(), identifier(dst), []byte("ping"))
}

func identifier(a netip.AddrPort) (rest [4]byte) {
	binary.BigEndian.PutUint16(rest[:], a.Port())
	return rest
}

// unreachable is an ICMP error about a packet, of which it quotes some bytes.
func unreachable(from netip.Addr, about []byte, quote int) []byte {
	src, _ := ends(about)
	return icmp(header.ICMPv4Unreachable, header.ICMPv4PortUnreachable, from, src.Addr(), [4]byte{}, about[:min(quote, len(about))])
}

// ends returns the endpoints of a packet: ports of TCP and UDP, the identifier
// of a ping as its source's, and of a pong as its destination's.
func ends(b []byte) (src, dst netip.AddrPort) {
	var h header.IPv4
	body, err := h.ParseQuoted(b)
	if err != nil {
		return src, dst
	}
	var s, d uint16
	if h.Offset == 0 && len(body) >= 8 {
		switch h.Protocol {
		case header.ProtocolTCP, header.ProtocolUDP:
			s, d = binary.BigEndian.Uint16(body), binary.BigEndian.Uint16(body[2:])
		case header.ProtocolICMP:
			switch body[0] {
			case header.ICMPv4EchoRequest:
				s = binary.BigEndian.Uint16(body[4:])
			case header.ICMPv4EchoReply:
				d = binary.BigEndian.Uint16(body[4:])
			}
		}
	}
	return netip.AddrPortFrom(h.Src, s), netip.AddrPortFrom(h.Dst, d)
}

// quoted returns the packet that an error quotes.
func quoted(b []byte) []byte { return b[header.IPv4MinLen+header.ICMPLen:] }

// verify computes all checksums of a packet again, and of one that it quotes.
func verify(t *testing.T, b []byte) {
	t.Helper()
	if bad := damage(b, false); bad != "" {
		t.Errorf("wrong checksum: %s of % x", bad, b)
	}
}

// damage names the checksum that is wrong, as far as it can be told.
func damage(b []byte, isQuote bool) string {
	var h header.IPv4
	body, err := h.ParseQuoted(b)
	if err != nil {
		return "IP: " + err.Error()
	}
	if header.Fold(header.Sum(b[:h.HeaderLen()], 0)) != 0 {
		return "IP"
	}
	if h.IsFragment() || len(body) < h.PayloadLen {
		return ""
	}
	acc := uint32(0)
	switch h.Protocol {
	case header.ProtocolUDP:
		if len(body) < 8 || body[6] == 0 && body[7] == 0 {
			return ""
		}
		acc = header.PseudoSum(h.Src, h.Dst, h.Protocol, len(body))
	case header.ProtocolTCP:
		acc = header.PseudoSum(h.Src, h.Dst, h.Protocol, len(body))
	case header.ProtocolICMP:
	default:
		return ""
	}
	if header.Fold(header.Sum(body, acc)) != 0 {
		return "transport"
	}
	if h.Protocol == header.ProtocolICMP && len(body) >= 8 && header.ICMPv4IsError(body[0]) && !isQuote {
		if bad := damage(body[8:], true); bad != "" {
			return "quoted " + bad
		}
	}
	return ""
}

// cut cuts a packet at offsets of its payload, multiples of 8.
func cut(b []byte, at ...int) [][]byte {
	var h header.IPv4
	body, _ := h.ParseQuoted(b)
	var parts [][]byte
	for i, from := range append([]int{0}, at...) {
		part := h
		part.Offset, part.MF = from, i < len(at)
		to := len(body)
		if part.MF {
			to = at[i]
		}
		part.PayloadLen = to - from
		parts = append(parts, append(part.Append(nil), body[from:to]...))
	}
	return parts
}
