package header

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// set returns a copy of b with bytes changed from offset at.
func set(b []byte, at int, bytes ...byte) []byte {
	b = slices.Clone(b)
	copy(b[at:], bytes)
	return b
}

// fixed returns b after the mending of its checksum.
func fixed(fix func([]byte), b []byte) []byte {
	fix(b)
	return b
}

// sample returns the encoding of the sample of that name.
func sample(name string) []byte {
	for _, s := range samples {
		if s.name == name {
			return encode(s.header, s.payload)
		}
	}
	panic("no sample " + name)
}

// Crafted headers of the kinds that have broken other stacks: impossible
// lengths above all.
//
// DEF-18, DEF-20.
func TestBadHeaders(t *testing.T) {
	ip4, ip4opt := sample("ipv4"), sample("ipv4 last fragment with options")
	ip6 := sample("ipv6")
	udp, tcp := sample("udp"), append(sample("tcp"), "data"...)
	arp := sample("arp")
	na, ns := sample("neighbor advertisement"), sample("neighbor solicitation")
	rs, ra := sample("router solicitation"), sample("router advertisement")
	q3, r3 := sample("igmp v3 query"), sample("igmp v3 report")
	m2, mr := sample("mld v2 query"), sample("mld v2 report")
	for _, tt := range []struct {
		name   string
		header codec
		b      []byte
		want   error
	}{
		{"ethernet: empty", &Ethernet{}, nil, ErrTruncated},
		{"arp: hardware type 6", &ARP{}, set(arp, 1, 6), ErrHardware},
		{"arp: protocol IPv6", &ARP{}, set(arp, 2, 0x86, 0xdd), ErrHardware},
		{"arp: hardware length 0", &ARP{}, set(arp, 4, 0), ErrHardware},
		{"arp: hardware length 255", &ARP{}, set(arp, 4, 255), ErrHardware},
		{"arp: protocol length 16", &ARP{}, set(arp, 5, 16), ErrHardware},

		{"ipv4: empty", &IPv4{}, nil, ErrTruncated},
		{"ipv4: version 0", &IPv4{}, fixed(fixIPv4, set(ip4, 0, 0x05)), ErrVersion},
		{"ipv4: version 6", &IPv4{}, fixed(fixIPv4, set(ip4, 0, 0x65)), ErrVersion},
		{"ipv4: header length 0", &IPv4{}, set(ip4, 0, 0x40), ErrHeaderLength},
		{"ipv4: header length 16", &IPv4{}, set(ip4, 0, 0x44), ErrHeaderLength},
		{"ipv4: header longer than total length", &IPv4{}, fixed(fixIPv4, set(ip4, 0, 0x4f)), ErrLength},
		{"ipv4: header longer than the packet", &IPv4{}, set(ip4, 0, 0x4f, 0, 0, 60), ErrTruncated},
		{"ipv4: total length 0", &IPv4{}, fixed(fixIPv4, set(ip4, 2, 0, 0)), ErrLength},
		{"ipv4: total length 19", &IPv4{}, fixed(fixIPv4, set(ip4, 2, 0, 19)), ErrLength},
		{"ipv4: total length below options", &IPv4{}, fixed(fixIPv4, set(ip4opt, 2, 0, 23)), ErrLength},
		{"ipv4: total length one more than there is", &IPv4{}, fixed(fixIPv4, set(ip4, 2, 0, 51)), ErrTruncated},
		{"ipv4: total length 65535", &IPv4{}, fixed(fixIPv4, set(ip4, 2, 0xff, 0xff)), ErrTruncated},
		{"ipv4: checksum 0", &IPv4{}, set(ip4, 10, 0, 0), ErrChecksum},
		{"ipv4: checksum of the bare header over options", &IPv4{}, set(ip4opt, 23, 1), ErrChecksum},

		{"ipv6: empty", &IPv6{}, nil, ErrTruncated},
		{"ipv6: version 4", &IPv6{}, set(ip6, 0, 0x4f), ErrVersion},
		{"ipv6: version 15", &IPv6{}, set(ip6, 0, 0xff), ErrVersion},
		{"ipv6: one byte more than there is", &IPv6{}, set(ip6, 4, 0, 12), ErrTruncated},
		{"ipv6: payload length 65535", &IPv6{}, set(ip6, 4, 0xff, 0xff), ErrTruncated},

		{"udp: length 0", &UDP{}, set(udp, 4, 0, 0), ErrLength},
		{"udp: length 7", &UDP{}, set(udp, 4, 0, 7), ErrLength},
		{"udp: one byte more than there is", &UDP{}, set(udp, 4, 0, 14), ErrTruncated},
		{"udp: length 65535", &UDP{}, set(udp, 4, 0xff, 0xff), ErrTruncated},

		{"tcp: data offset 0", &TCP{}, set(tcp, 12, 0x00), ErrHeaderLength},
		{"tcp: data offset 16", &TCP{}, set(tcp, 12, 0x40), ErrHeaderLength},
		{"tcp: data offset one word beyond the segment", &TCP{}, set(tcp, 12, 0x70), ErrTruncated},
		{"tcp: data offset 60", &TCP{}, set(tcp, 12, 0xf0), ErrTruncated},

		{"na: code 1", &NeighborAdvert{}, set(na, 1, 1), ErrType},
		{"na: option of length 0", &NeighborAdvert{}, set(na, 25, 0), ErrOption},
		{"na: option beyond the end", &NeighborAdvert{}, set(na, 25, 2), ErrTruncated},
		{"na: option of length 255", &NeighborAdvert{}, set(na, 25, 255), ErrTruncated},
		{"ns: second option of length 0", &NeighborSolicit{}, set(ns, 33, 0), ErrOption},
		{"ns: half an option", &NeighborSolicit{}, append(slices.Clone(ns), 1, 1, 0), ErrTruncated},
		{"rs: option of length 0", &RouterSolicit{}, set(rs, 9, 0), ErrOption},
		{"rs: 161 options", &RouterSolicit{}, append(slices.Clone(rs[:8]), strings.Repeat("\xfd\x01......", 161)...), ErrOption},
		{"ra: option of length 0", &RouterAdvert{}, set(ra, 17, 0), ErrOption},
		{"ra: shorter than its fixed part", &RouterAdvert{}, ra[:15], ErrTruncated},
		{"redirect: shorter than its fixed part", &Redirect{}, sample("redirect")[:39], ErrTruncated},

		{"igmp: wrong checksum", &IGMPQuery{}, set(q3, 2, 0, 0), ErrChecksum},
		{"igmp: seven bytes", &IGMPReport{}, fixed(fixIGMP, sample("igmp report")[:7]), ErrTruncated},
		{"igmp: report of type 0", &IGMPReport{}, fixed(fixIGMP, set(sample("igmp report"), 0, 0)), ErrType},
		{"igmp: query of nine bytes", &IGMPQuery{}, fixed(fixIGMP, slices.Clone(q3[:9])), ErrLength},
		{"igmp: query of eleven bytes", &IGMPQuery{}, fixed(fixIGMP, slices.Clone(q3[:11])), ErrLength},
		{"igmp: one source more than there is", &IGMPQuery{}, fixed(fixIGMP, set(q3, 10, 0, 3)), ErrTruncated},
		{"igmp: 65535 sources", &IGMPQuery{}, fixed(fixIGMP, set(q3, 10, 0xff, 0xff)), ErrTruncated},
		{"igmp: one record more than there is", &IGMPv3Report{}, fixed(fixIGMP, set(r3, 6, 0, 3)), ErrTruncated},
		{"igmp: 65535 records", &IGMPv3Report{}, fixed(fixIGMP, set(r3, 6, 0xff, 0xff)), ErrTruncated},
		{"igmp: 65535 sources in a record", &IGMPv3Report{}, fixed(fixIGMP, set(r3, 10, 0xff, 0xff)), ErrTruncated},
		{"igmp: auxiliary data beyond the end", &IGMPv3Report{}, fixed(fixIGMP, set(r3, 17, 1)), ErrTruncated},
		{"igmp: a record swallows the next", &IGMPv3Report{}, fixed(fixIGMP, set(r3, 9, 3)), ErrTruncated},

		{"mld: query of 25 bytes", &MLDQuery{}, m2[:25], ErrLength},
		{"mld: query of 27 bytes", &MLDQuery{}, m2[:27], ErrLength},
		{"mld: code 1", &MLDQuery{}, set(m2, 1, 1), ErrType},
		{"mld: one source more than there is", &MLDQuery{}, set(m2, 26, 0, 2), ErrTruncated},
		{"mld: 65535 sources", &MLDQuery{}, set(m2, 26, 0xff, 0xff), ErrTruncated},
		{"mld: 65535 records", &MLDv2Report{}, set(mr, 6, 0xff, 0xff), ErrTruncated},
		{"mld: auxiliary data beyond the end", &MLDv2Report{}, set(mr, 29, 255), ErrTruncated},
		{"mld: empty report", &MLDReport{}, nil, ErrTruncated},
	} {
		if _, err := tt.header.Parse(tt.b); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}
