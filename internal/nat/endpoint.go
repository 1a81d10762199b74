package nat

import (
	"encoding/binary"
	"net/netip"

	"example.com/berth/internal/header"
)

// An endpoint is a protocol, an IPv4 address and a port (of ICMP: an
// identifier) in one word: it is the key of all tables. The zero endpoint is
// none, or any.
type endpoint uint64

func join(protocol uint8, addr uint32, port uint16) endpoint {
	return endpoint(protocol)<<48 | endpoint(addr)<<16 | endpoint(port)
}

func (e endpoint) protocol() uint8 { return uint8(e >> 48) }
func (e endpoint) addr() uint32    { return uint32(e >> 16) }
func (e endpoint) port() uint16    { return uint16(e) }

// with returns the endpoint with another port.
func (e endpoint) with(port uint16) endpoint { return e&^0xffff | endpoint(port) }

// mask leaves of a remote what matters.
func (e endpoint) mask(d Dependence) endpoint {
	switch d {
	case EndpointIndependent:
		return 0
	case AddressDependent:
		return e.with(0)
	}
	return e
}

// sum is the partial checksum of the address.
func (e endpoint) sum() uint32 { return e.addr()>>16 + e.addr()&0xffff }

// addrPort returns the endpoint as others know it; the zero AddrPort for none.
func (e endpoint) addrPort() netip.AddrPort {
	if e == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(dotted(e.addr()), e.port())
}

// word is an IPv4 address as a number; dotted is its inverse.
func word(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

func dotted(a uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, a)))
}

// translatable tells whether an address may be a host's beyond its link: not of
// this network, not loopback, not a group, not broadcast (RFC 1122 3.2.1.3).
func translatable(a uint32) bool {
	top := a >> 24
	return top != 0 && top != 127 && top < 224
}

// hasPorts tells whether a protocol is one that the translator knows the ports
// of.
func hasPorts(protocol uint8) bool {
	return protocol == header.ProtocolTCP || protocol == header.ProtocolUDP
}
