package header

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// The messages of neighbor discovery (RFC 4861 4). Each is a whole ICMPv6
// message: Parse takes it from its type to its last option, gives ErrType if
// type or code are not its own, and returns nothing that follows; Append
// appends it with a checksum of 0, for [PutICMPv6Checksum].
//
// Options that are not known, or not expected in the message, are passed over
// (RFC 4861 4.6); one of length 0 makes the message invalid (6.1, 7.1).

// Infinite is the lifetime that never ends: 0xffffffff seconds.
const Infinite = 0xffffffff * time.Second

// NeighborSolicit asks for the link-layer address of Target, or whether it is
// there (RFC 4861 4.3).
type NeighborSolicit struct {
	Target      netip.Addr
	SourceHW    MAC
	HasSourceHW bool
	// Nonce tells a looped-back probe from another host's (RFC 7527 4.1). Only
	// nonces of 6 bytes, the length that hosts send, are seen.
	Nonce    [6]byte
	HasNonce bool
}

// Parse reads a whole ICMPv6 message.
func (m *NeighborSolicit) Parse(b []byte) (rest []byte, err error) {
	*m = NeighborSolicit{}
	options, err := parseND(b, ICMPv6NeighborSolicit, 24)
	if err != nil {
		return nil, err
	}
	m.Target = addr16(b[8:24])
	return nil, walkNDOptions(options, func(kind uint8, data []byte) {
		switch kind {
		case ndSourceLink:
			parseHW(&m.SourceHW, &m.HasSourceHW, data)
		case ndNonce:
			if len(data) == len(m.Nonce) {
				m.HasNonce, m.Nonce = true, [6]byte(data)
			}
		}
	})
}

// Append appends the encoded message, without checksum.
func (m *NeighborSolicit) Append(b []byte) []byte {
	b = append(b, ICMPv6NeighborSolicit, 0, 0, 0, 0, 0, 0, 0)
	b = append16(b, m.Target)
	if m.HasSourceHW {
		b = appendHW(b, ndSourceLink, m.SourceHW)
	}
	if m.HasNonce {
		b = append(b, ndNonce, 1)
		b = append(b, m.Nonce[:]...)
	}
	return b
}

// NeighborAdvert says which link-layer address Target has (RFC 4861 4.4).
type NeighborAdvert struct {
	Target                      netip.Addr
	Router, Solicited, Override bool
	TargetHW                    MAC
	HasTargetHW                 bool
}

// The flags of a neighbor advertisement.
const (
	naRouter    = 0x80
	naSolicited = 0x40
	naOverride  = 0x20
)

// Parse reads a whole ICMPv6 message.
func (m *NeighborAdvert) Parse(b []byte) (rest []byte, err error) {
	*m = NeighborAdvert{}
	options, err := parseND(b, ICMPv6NeighborAdvert, 24)
	if err != nil {
		return nil, err
	}
	m.Router = b[4]&naRouter != 0
	m.Solicited = b[4]&naSolicited != 0
	m.Override = b[4]&naOverride != 0
	m.Target = addr16(b[8:24])
	return nil, walkNDOptions(options, func(kind uint8, data []byte) {
		if kind == ndTargetLink {
			parseHW(&m.TargetHW, &m.HasTargetHW, data)
		}
	})
}

// Append appends the encoded message, without checksum.
func (m *NeighborAdvert) Append(b []byte) []byte {
	flags := bit(m.Router, naRouter) | bit(m.Solicited, naSolicited) | bit(m.Override, naOverride)
	b = append(b, ICMPv6NeighborAdvert, 0, 0, 0, flags, 0, 0, 0)
	b = append16(b, m.Target)
	if m.HasTargetHW {
		b = appendHW(b, ndTargetLink, m.TargetHW)
	}
	return b
}

// RouterSolicit asks routers to advertise themselves (RFC 4861 4.1).
type RouterSolicit struct {
	SourceHW    MAC
	HasSourceHW bool
}

// Parse reads a whole ICMPv6 message.
func (m *RouterSolicit) Parse(b []byte) (rest []byte, err error) {
	*m = RouterSolicit{}
	options, err := parseND(b, ICMPv6RouterSolicit, 8)
	if err != nil {
		return nil, err
	}
	return nil, walkNDOptions(options, func(kind uint8, data []byte) {
		if kind == ndSourceLink {
			parseHW(&m.SourceHW, &m.HasSourceHW, data)
		}
	})
}

// Append appends the encoded message, without checksum.
func (m *RouterSolicit) Append(b []byte) []byte {
	b = append(b, ICMPv6RouterSolicit, 0, 0, 0, 0, 0, 0, 0)
	if m.HasSourceHW {
		b = appendHW(b, ndSourceLink, m.SourceHW)
	}
	return b
}

// Redirect names a better first hop for Destination: Target, which is
// Destination itself if that is a neighbor (RFC 4861 4.5).
type Redirect struct {
	Target, Destination netip.Addr
	TargetHW            MAC
	HasTargetHW         bool
	// Quoted is as much of the packet that caused the redirect as the message
	// holds, padded to a multiple of 8.
	Quoted []byte
}

// Parse reads a whole ICMPv6 message.
func (m *Redirect) Parse(b []byte) (rest []byte, err error) {
	*m = Redirect{}
	options, err := parseND(b, ICMPv6Redirect, 40)
	if err != nil {
		return nil, err
	}
	m.Target = addr16(b[8:24])
	m.Destination = addr16(b[24:40])
	return nil, walkNDOptions(options, func(kind uint8, data []byte) {
		switch kind {
		case ndTargetLink:
			parseHW(&m.TargetHW, &m.HasTargetHW, data)
		case ndRedirected:
			if len(data) > 6 {
				m.Quoted = data[6:] // behind the reserved bytes
			}
		}
	})
}

// Append appends the encoded message, without checksum. It quotes no more than
// one option holds: 2032 bytes.
func (m *Redirect) Append(b []byte) []byte {
	b = append(b, ICMPv6Redirect, 0, 0, 0, 0, 0, 0, 0)
	b = append16(b, m.Target)
	b = append16(b, m.Destination)
	if m.HasTargetHW {
		b = appendHW(b, ndTargetLink, m.TargetHW)
	}
	if quoted := m.Quoted[:min(len(m.Quoted), 254*8)]; len(quoted) > 0 {
		units := 1 + (len(quoted)+7)/8
		end := len(b) + units*8
		b = append(b, ndRedirected, uint8(units), 0, 0, 0, 0, 0, 0)
		b = appendZeros(append(b, quoted...), end)
	}
	return b
}

// parseND checks type, code and length of a message whose fixed part is fixed
// bytes long, and returns its options.
func parseND(b []byte, typ uint8, fixed int) (options []byte, err error) {
	if len(b) < fixed {
		return nil, ErrTruncated
	}
	if b[0] != typ || b[1] != 0 {
		return nil, ErrType
	}
	return b[fixed:], nil
}

func bit(set bool, value uint8) uint8 {
	if set {
		return value
	}
	return 0
}

// seconds and milliseconds encode a duration in 32 bits: what does not fit is
// the nearest that does.
func seconds(d time.Duration) uint32 { return units(d, time.Second) }

func milliseconds(d time.Duration) uint32 { return units(d, time.Millisecond) }

func units(d, unit time.Duration) uint32 { return uint32(min(max(d/unit, 0), 0xffffffff)) }

func getSeconds(b []byte) time.Duration {
	return time.Duration(binary.BigEndian.Uint32(b)) * time.Second
}

func getMilliseconds(b []byte) time.Duration {
	return time.Duration(binary.BigEndian.Uint32(b)) * time.Millisecond
}

func appendZeros(b []byte, end int) []byte {
	for len(b) < end {
		b = append(b, 0)
	}
	return b
}
