package header

import (
	"encoding/binary"
	"time"
)

// RouterAdvert is what a router says of itself and of the link (RFC 4861 4.2).
type RouterAdvert struct {
	CurHopLimit    uint8 // 0: not specified
	Managed, Other bool
	// Preference is 1 high, 0 medium, -1 low (RFC 4191 2.2).
	Preference     int8
	RouterLifetime time.Duration // seconds up to 65535; 0: no default router
	ReachableTime  time.Duration // milliseconds; 0: not specified
	RetransTimer   time.Duration // milliseconds; 0: not specified
	SourceHW       MAC
	HasSourceHW    bool
	MTU            uint32 // 0: not specified
	Prefixes       []PrefixInfo
	RDNSS          []RDNSS
	DNSSL          []DNSSL
	RouteInfos     []RouteInfo
}

// The flags of a router advertisement.
const (
	raManaged         = 0x80
	raOther           = 0x40
	raPreferenceShift = 3
)

const routerAdvertLen = 16

// Parse reads a whole ICMPv6 message. Options whose own content is invalid are
// passed over; the lists are no longer than a message has options.
func (m *RouterAdvert) Parse(b []byte) (rest []byte, err error) {
	*m = RouterAdvert{}
	options, err := parseND(b, ICMPv6RouterAdvert, routerAdvertLen)
	if err != nil {
		return nil, err
	}
	m.CurHopLimit = b[4]
	m.Managed = b[5]&raManaged != 0
	m.Other = b[5]&raOther != 0
	m.Preference = preference(b[5] >> raPreferenceShift)
	m.RouterLifetime = time.Duration(binary.BigEndian.Uint16(b[6:])) * time.Second
	m.ReachableTime = getMilliseconds(b[8:])
	m.RetransTimer = getMilliseconds(b[12:])
	return nil, walkNDOptions(options, m.option)
}

func (m *RouterAdvert) option(kind uint8, data []byte) {
	switch kind {
	case ndSourceLink:
		parseHW(&m.SourceHW, &m.HasSourceHW, data)
	case ndMTU:
		if len(data) == 6 {
			m.MTU = binary.BigEndian.Uint32(data[2:])
		}
	case ndPrefixInfo:
		var p PrefixInfo
		if p.parse(data) {
			m.Prefixes = append(m.Prefixes, p)
		}
	case ndRDNSS:
		var d RDNSS
		if d.parse(data) {
			m.RDNSS = append(m.RDNSS, d)
		}
	case ndDNSSL:
		var d DNSSL
		if d.parse(data) {
			m.DNSSL = append(m.DNSSL, d)
		}
	case ndRouteInfo:
		var r RouteInfo
		if r.parse(data) {
			m.RouteInfos = append(m.RouteInfos, r)
		}
	}
}

// Append appends the encoded message, without checksum.
func (m *RouterAdvert) Append(b []byte) []byte {
	flags := bit(m.Managed, raManaged) | bit(m.Other, raOther) | preferenceBits(m.Preference)<<raPreferenceShift
	b = append(b, ICMPv6RouterAdvert, 0, 0, 0, m.CurHopLimit, flags)
	b = binary.BigEndian.AppendUint16(b, uint16(min(seconds(m.RouterLifetime), 0xffff)))
	b = binary.BigEndian.AppendUint32(b, milliseconds(m.ReachableTime))
	b = binary.BigEndian.AppendUint32(b, milliseconds(m.RetransTimer))
	if m.HasSourceHW {
		b = appendHW(b, ndSourceLink, m.SourceHW)
	}
	if m.MTU != 0 {
		b = append(b, ndMTU, 1, 0, 0)
		b = binary.BigEndian.AppendUint32(b, m.MTU)
	}
	for i := range m.Prefixes {
		b = m.Prefixes[i].append(b)
	}
	for i := range m.RouteInfos {
		b = m.RouteInfos[i].append(b)
	}
	for i := range m.RDNSS {
		b = m.RDNSS[i].append(b)
	}
	for i := range m.DNSSL {
		b = m.DNSSL[i].append(b)
	}
	return b
}

// preference decodes the two bits of RFC 4191 2.1. The reserved value counts as
// medium.
func preference(bits uint8) int8 {
	switch bits & 3 {
	case 1:
		return 1
	case 3:
		return -1
	}
	return 0
}

func preferenceBits(p int8) uint8 {
	switch {
	case p > 0:
		return 1
	case p < 0:
		return 3
	}
	return 0
}
