package pinger

import (
	"encoding/binary"

	"example.com/berth/internal/header"
)

// request builds an echo request: the header and size bytes of the pattern of
// ping. For a version that is not 4 the stack fills the checksum in
// (RFC 3542 3.1).
func request(b []byte, v4 bool, id, seq uint16, size int) []byte {
	h := header.ICMP{Type: header.ICMPv6EchoRequest}
	if v4 {
		h.Type = header.ICMPv4EchoRequest
	}
	binary.BigEndian.PutUint16(h.Rest[0:], id)
	binary.BigEndian.PutUint16(h.Rest[2:], seq)
	b = h.Append(b[:0])
	for i := range size {
		b = append(b, byte(i))
	}
	if v4 {
		header.PutICMPv4Checksum(b)
	}
	return b
}

// echo is what is read of an answer.
type echo struct {
	id, seq uint16
	size    int // of the message
}

// reply reads an echo reply; ok is false for anything else. A raw IPv4 socket
// gives the IP header, too.
func reply(b []byte, v4, raw bool) (e echo, ttl int, ok bool) {
	if v4 && raw {
		var ip header.IPv4
		body, err := ip.Parse(b)
		if err != nil || ip.Protocol != header.ProtocolICMP {
			return e, 0, false
		}
		b, ttl = body, int(ip.TTL)
	}
	var h header.ICMP
	if _, err := h.Parse(b); err != nil {
		return e, 0, false
	}
	if v4 && h.Type != header.ICMPv4EchoReply || !v4 && h.Type != header.ICMPv6EchoReply {
		return e, 0, false
	}
	return echo{h.ID(), h.Seq(), len(b)}, ttl, true
}

// quoted reads the request that an error is about.
func quoted(b []byte) (e echo, ok bool) {
	var h header.ICMP
	if _, err := h.Parse(b); err != nil {
		return e, false
	}
	return echo{h.ID(), h.Seq(), len(b)}, h.Type == header.ICMPv4EchoRequest || h.Type == header.ICMPv6EchoRequest
}
