package sockettest

import (
	"encoding/binary"
	"net/netip"

	"example.com/berth/socket"
)

// The few packets that cases write by hand.

// ICMP types, as numbers of IPv4 and of IPv6.
const (
	echoReply4, echoRequest4 = 0, 8
	echoRequest6, echoReply6 = 128, 129
)

func (f *family) echoRequest() byte {
	if f.domain == socket.INET {
		return echoRequest4
	}
	return echoRequest6
}

func (f *family) echoReply() byte {
	if f.domain == socket.INET {
		return echoReply4
	}
	return echoReply6
}

// sum is the ones' complement sum of b (RFC 1071), added to acc.
func sum(b []byte, acc uint32) uint32 {
	for i := 0; i+1 < len(b); i += 2 {
		acc += uint32(b[i])<<8 | uint32(b[i+1])
	}
	if len(b)%2 != 0 {
		acc += uint32(b[len(b)-1]) << 8
	}
	for acc > 0xffff {
		acc = acc>>16 + acc&0xffff
	}
	return acc
}

// checksum is what belongs in a checksum field that is zero in b.
func checksum(b []byte) uint16 { return ^uint16(sum(b, 0)) }

// pseudo6 is the sum of the pseudo-header of RFC 8200 8.1.
func pseudo6(src, dst netip.Addr, proto socket.Protocol, length int) uint32 {
	acc := sum(src.AsSlice(), 0)
	acc = sum(dst.AsSlice(), acc)
	return sum([]byte{0, byte(proto), byte(length >> 8), byte(length)}, acc)
}

// icmp is an ICMP message. Its checksum is right for IPv4; for IPv6 it is left
// zero, for the raw socket to fill in.
func (f *family) icmpMessage(typ, code byte, rest uint32, data []byte) []byte {
	b := append([]byte{typ, code, 0, 0}, binary.BigEndian.AppendUint32(nil, rest)...)
	b = append(b, data...)
	if f.domain == socket.INET {
		binary.BigEndian.PutUint16(b[2:], checksum(b))
	}
	return b
}

// echo is an ICMP echo request.
func (f *family) echo(id, seq uint16, data string) []byte {
	return f.icmpMessage(f.echoRequest(), 0, uint32(id)<<16|uint32(seq), []byte(data))
}

// header is an IP header without options or extensions.
func (f *family) header(src, dst netip.Addr, proto socket.Protocol, length int) []byte {
	if f.domain == socket.INET {
		h := make([]byte, 20)
		h[0] = 4<<4 | 5
		binary.BigEndian.PutUint16(h[2:], uint16(20+length))
		h[8], h[9] = 64, byte(proto)
		copy(h[12:], src.AsSlice())
		copy(h[16:], dst.AsSlice())
		binary.BigEndian.PutUint16(h[10:], checksum(h))
		return h
	}
	h := make([]byte, 40)
	h[0] = 6 << 4
	binary.BigEndian.PutUint16(h[4:], uint16(length))
	h[6], h[7] = byte(proto), 64
	copy(h[8:], src.AsSlice())
	copy(h[24:], dst.AsSlice())
	return h
}

// udpHeader has no checksum, which IPv4 allows, and which nobody looks at in
// the quotation of an ICMP error.
func udpHeader(src, dst uint16, length int) []byte {
	h := binary.BigEndian.AppendUint16(nil, src)
	h = binary.BigEndian.AppendUint16(h, dst)
	h = binary.BigEndian.AppendUint16(h, uint16(8+length))
	return append(h, 0, 0)
}

// payload takes the IP header off what a raw socket received: IPv4 has one,
// IPv6 has not.
func (f *family) payload(b []byte) []byte {
	if f.domain == socket.INET && len(b) >= 20 {
		return b[min(len(b), int(b[0]&0xf)*4):]
	}
	return b
}

// raw is a raw socket; its buffer holds what others send meanwhile.
func (t *T) raw(p socket.Provider, f family, proto socket.Protocol) socket.Socket {
	t.Helper()
	return t.socket(p, f.domain, socket.RAW, proto)
}

// rawPair is two raw sockets of one protocol, each connected to the other.
func (t *T) rawPair(f family, proto socket.Protocol) (a, b socket.Socket) {
	t.Helper()
	a, b = t.raw(t.A, f, proto), t.raw(t.B, f, proto)
	t.ok(a.Bind(at(f.a, 0)))
	t.ok(b.Bind(at(f.b, 0)))
	t.connect(a, at(f.b, 0))
	t.connect(b, at(f.a, 0))
	return a, b
}

// next receives from a raw socket until match takes a payload: raw sockets hear
// of everybody's packets. It returns all that was received of it.
func (t *T) next(s socket.Socket, f family, match func(payload []byte) bool) (packet []byte, from netip.AddrPort) {
	t.Helper()
	b := make([]byte, 65536)
	for {
		n, from, err := s.RecvFrom(b, 0)
		if err != nil {
			t.Fatalf("waiting for a packet: %v", err)
		}
		if match(f.payload(b[:n])) {
			return b[:n], from
		}
	}
}

// isEcho matches an echo message of a type and identifier.
func isEcho(typ byte, id uint16) func([]byte) bool {
	return func(b []byte) bool {
		return len(b) >= 8 && b[0] == typ && binary.BigEndian.Uint16(b[4:]) == id
	}
}

func whatever([]byte) bool { return true }
