package multicast

import (
	"net/netip"

	"example.com/berth/internal/header"
)

var (
	allRouters4 = netip.MustParseAddr("224.0.0.2")
	allRouters6 = netip.MustParseAddr("ff02::2")
	reports4    = netip.MustParseAddr("224.0.0.22") // IGMPv3-capable routers
	reports6    = netip.MustParseAddr("ff02::16")   // MLDv2-capable routers
)

// Message is a message that is to be sent. The packet has TTL or hop limit 1 and
// the router alert option, for IPv6 in a hop-by-hop header and with the value 0
// for MLD; for IPv4 its type of service is 0xc0 (RFC 3376 section 4, RFC 3810
// section 5).
type Message struct {
	// Src is the packet's source for MLD: a link-local address, or :: (RFC
	// 3590). For IGMP it is zero: any address of the interface, or 0.0.0.0.
	Src netip.Addr
	// Dst is the packet's destination.
	Dst netip.Addr
	// Type is that of the IGMP or the ICMPv6 message.
	Type uint8
	// Group is what a message of an older version tells of.
	Group netip.Addr
	// Records are those of a report of IGMPv3 or MLDv2.
	Records []header.GroupRecord
}

// Append appends the encoded message to b. An ICMPv6 checksum is left to the
// caller.
func (m *Message) Append(b []byte) []byte {
	switch m.Type {
	case header.IGMPTypeV3Report:
		return (&header.IGMPv3Report{Records: m.Records}).Append(b)
	case header.ICMPv6MLDv2Report:
		return (&header.MLDv2Report{Records: m.Records}).Append(b)
	case header.ICMPv6MLDReport, header.ICMPv6MLDDone:
		return (&header.MLDReport{Type: m.Type, Group: m.Group}).Append(b)
	}
	return (&header.IGMPReport{Type: m.Type, Group: m.Group}).Append(b)
}

// emit is called seldom, and too much to have a copy at every call.
//
//go:noinline
func (i *Interface) emit(m Message) {
	if i.cfg.IPv6 {
		m.Src = i.linkLocal
	}
	i.stats.Reports++
	i.messages = append(i.messages, m)
}

// emitRecords sends records in as many reports as they need (RFC 3810 section
// 5.2.15). One that is too long for a report is split, except that one of
// EXCLUDE mode is cut: two of those would not add up.
func (i *Interface) emitRecords(records []header.GroupRecord) {
	m := Message{Dst: reports4, Type: header.IGMPTypeV3Report}
	room, fixed, each := i.cfg.MTU-20-len(header.IPv4RouterAlert)-8, 8, 4
	if i.cfg.IPv6 {
		m = Message{Dst: reports6, Type: header.ICMPv6MLDv2Report}
		room, fixed, each = i.cfg.MTU-40-header.RouterAlertLen-8, 20, 16
	}
	most := max((room-fixed)/each, 1) // sources in one record
	left := room
	for len(records) > 0 {
		r := records[0]
		records = records[1:]
		if len(r.Sources) > most {
			if r.Type != header.ModeIsExclude && r.Type != header.ChangeToExclude {
				rest := r
				rest.Sources = r.Sources[most:]
				records = append([]header.GroupRecord{rest}, records...)
			}
			r.Sources = r.Sources[:most:most]
		}
		size := fixed + each*len(r.Sources)
		if size > left && len(m.Records) > 0 {
			i.emit(m)
			m.Records, left = nil, room
		}
		m.Records = append(m.Records, r)
		left -= size
	}
	if len(m.Records) > 0 {
		i.emit(m)
	}
}
