package sockettest

import (
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

var createCases = []rows{
	both("create/kinds", "STREAM is TCP and DGRAM is UDP, named or by protocol 0, and the socket tells what it is", createKinds),
	on4("create/domain", "a domain that is neither INET nor INET6 is EAFNOSUPPORT", createDomain),
	both("create/type-unsupported", "a type that exists but not in the domain is ESOCKTNOSUPPORT", createTypeUnsupported),
	both("create/type-invalid", "a type that does not exist is EINVAL", createTypeInvalid),
	both("create/protocol-mismatch", "a protocol that does not fit the type is EPROTONOSUPPORT", createProtocolMismatch),
	both("create/protocol-invalid", "a number that no protocol can have is EINVAL", createProtocolInvalid),
	both("create/raw-needs-protocol", "a raw socket names its protocol: 0 is EPROTONOSUPPORT", createRawNeedsProtocol).needing(raw),
	both("create/raw-kinds", "a raw socket is made of any protocol from 1 to 255", createRawKinds).needing(raw),
	both("create/ping-family", "the other family's ICMP is EPROTONOSUPPORT on a datagram socket", createPingFamily),
	both("create/fresh", "a fresh socket has the wildcard address, port 0, no peer and no error", createFresh),
}

func createKinds(t *T, f family) {
	for _, k := range []struct {
		typ         socket.Type
		proto, want socket.Protocol
	}{
		{socket.STREAM, 0, socket.IPPROTO_TCP},
		{socket.STREAM, socket.IPPROTO_TCP, socket.IPPROTO_TCP},
		{socket.DGRAM, 0, socket.IPPROTO_UDP},
		{socket.DGRAM, socket.IPPROTO_UDP, socket.IPPROTO_UDP},
	} {
		s := t.socket(t.A, f.domain, k.typ, k.proto)
		equal(t, "SO_DOMAIN", get(t, s, socket.SO_DOMAIN), int(f.domain))
		equal(t, "SO_TYPE", get(t, s, socket.SO_TYPE), int(k.typ))
		equal(t, "SO_PROTOCOL", get(t, s, socket.SO_PROTOCOL), int(k.want))
	}
}

// refuse fails unless Socket gives want.
func (t *T) refuse(d socket.Domain, typ socket.Type, proto socket.Protocol, want error) {
	t.Helper()
	s, err := t.A.Socket(d, typ, proto)
	if err == nil {
		s.Close()
	}
	if err != want {
		t.Errorf("Socket(%v, %v, %d): %s, want %s", d, typ, proto, errName(err), errName(want))
	}
}

func createDomain(t *T, _ family) {
	for _, d := range []socket.Domain{-1, 0, 1, 16, 17, 45, 1000} {
		t.refuse(d, socket.STREAM, 0, syscall.EAFNOSUPPORT)
	}
}

func createTypeUnsupported(t *T, f family) {
	for _, typ := range []socket.Type{0, 4} {
		t.refuse(f.domain, typ, 0, syscall.ESOCKTNOSUPPORT)
	}
}

func createTypeInvalid(t *T, f family) {
	for _, typ := range []socket.Type{-1, 11, 15, 16, 1 << 20} {
		t.refuse(f.domain, typ, 0, syscall.EINVAL)
	}
}

func createProtocolMismatch(t *T, f family) {
	t.refuse(f.domain, socket.STREAM, socket.IPPROTO_UDP, syscall.EPROTONOSUPPORT)
	t.refuse(f.domain, socket.STREAM, f.icmp, syscall.EPROTONOSUPPORT)
	t.refuse(f.domain, socket.STREAM, 253, syscall.EPROTONOSUPPORT)
	t.refuse(f.domain, socket.DGRAM, socket.IPPROTO_TCP, syscall.EPROTONOSUPPORT)
	t.refuse(f.domain, socket.DGRAM, socket.IPPROTO_RAW, syscall.EPROTONOSUPPORT)
}

func createProtocolInvalid(t *T, f family) {
	for _, typ := range []socket.Type{socket.STREAM, socket.DGRAM, socket.RAW} {
		t.refuse(f.domain, typ, -1, syscall.EINVAL)
		t.refuse(f.domain, typ, 100000, syscall.EINVAL)
	}
}

func createRawNeedsProtocol(t *T, f family) {
	t.refuse(f.domain, socket.RAW, 0, syscall.EPROTONOSUPPORT)
}

func createRawKinds(t *T, f family) {
	for _, proto := range []socket.Protocol{1, 2, 6, 17, 58, 132, 253, 255} {
		s := t.socket(t.A, f.domain, socket.RAW, proto)
		equal(t, "SO_TYPE", get(t, s, socket.SO_TYPE), int(socket.RAW))
		equal(t, "SO_PROTOCOL", get(t, s, socket.SO_PROTOCOL), int(proto))
	}
}

func createPingFamily(t *T, f family) {
	other := map[socket.Domain]socket.Protocol{
		socket.INET:  socket.IPPROTO_ICMPV6,
		socket.INET6: socket.IPPROTO_ICMP,
	}[f.domain]
	t.refuse(f.domain, socket.DGRAM, other, syscall.EPROTONOSUPPORT)
}

func createFresh(t *T, f family) {
	for _, typ := range []socket.Type{socket.STREAM, socket.DGRAM} {
		s := t.socket(t.A, f.domain, typ, 0)
		equal(t, "LocalAddr", s.LocalAddr(), at(f.any, 0))
		peer, err := s.PeerAddr()
		equal(t, "PeerAddr", peer, netip.AddrPort{})
		t.fails("PeerAddr", err, syscall.ENOTCONN)
		t.fails("SO_ERROR", t.pending(s), nil)
	}
}
