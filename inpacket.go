package berth

import (
	"encoding/binary"
	"net/netip"

	"example.com/berth/internal/header"
	"example.com/berth/internal/ipoptions"
	"example.com/berth/link"
)

// An inPacket is an IP packet for this host, its IP header read and behind it.
// It is lent, as its frame is.
type inPacket struct {
	ifc      *Interface
	src, dst netip.Addr // link-local ones with the interface as zone
	protocol uint8
	tos, ttl uint8

	ip   []byte // the IP header with its options or extension headers
	head []byte // what of the transport lies with the headers; else nil
	body []byte // the rest
	buf  *link.Buffer

	checksum   link.Checksum
	csumOffset uint16   // with a partial one, where it belongs
	gso        link.GSO // of a large frame
	segSize    int      // of a large frame
	group      bool     // to a multicast or broadcast address, on any layer
	fragmented bool
	foreign    bool // for somebody else, and so for the Forwarder
	alert      bool // router alert
	routed     bool // dst is the next hop of a source route that leads on
	options    *ipoptions.Received
	nextAt     int       // IPv6: offset of the byte that names the protocol
	batch      *arrivals // of which it is one; nil: it came alone
}

// len is the length of what IP carries.
func (in *inPacket) len() int { return len(in.head) + len(in.body) }

// linear returns what IP carries in one piece.
func (in *inPacket) linear() []byte {
	if len(in.head) == 0 {
		return in.body
	}
	return in.joined()
}

// joined is linear where there are two. It is seldom called, and too much to have a
// copy at every call.
//
//go:noinline
func (in *inPacket) joined() []byte {
	if len(in.body) == 0 {
		return in.head
	}
	b := make([]byte, 0, in.len())
	return append(append(b, in.head...), in.body...)
}

// first returns the beginning of what IP carries, with the transport's header
// in one piece.
func (in *inPacket) first() []byte {
	if len(in.head) > 0 {
		return in.head
	}
	return in.body
}

// payload returns what follows a transport header, where rest is what the
// header's Parse left of first(). It is false if the header did not end with
// in.head, which no stack makes so.
func (in *inPacket) payload(rest []byte) ([]byte, bool) {
	if len(in.head) == 0 {
		return rest, true
	}
	return in.body, len(rest) == 0
}

// valid verifies the transport's checksum, with the pseudo-header.
func (in *inPacket) valid() bool {
	if in.checksum != link.ChecksumFull {
		return true
	}
	sum := header.PseudoSum(in.src, in.dst, in.protocol, in.len())
	sum = header.Sum(in.head, sum)
	return header.Fold(header.SumAt(in.body, len(in.head), sum)) == 0
}

// packet returns the IP packet from its header on, at most limit bytes: what an
// ICMP error quotes. A checksum that was left to the device is completed, as it
// would have been on the way here.
func (in *inPacket) packet(limit int) []byte {
	b := make([]byte, 0, min(limit, len(in.ip)+in.len()))
	for _, piece := range [][]byte{in.ip, in.head, in.body} {
		b = append(b, piece[:min(len(piece), limit-len(b))]...)
	}
	at := len(in.ip) + int(in.csumOffset)
	if in.checksum == link.ChecksumPartial && !isExtension(in.protocol) && in.gso == link.GSONone && at+2 <= len(b) {
		sum := header.SumAt(in.body, len(in.head), header.Sum(in.head, 0)) // the field holds the pseudo-header's
		check := header.Fold(sum)
		if check == 0 && in.protocol == header.ProtocolUDP {
			check = 0xffff // 0 says that there is none (RFC 768)
		}
		binary.BigEndian.PutUint16(b[at:], check)
	}
	return b
}
