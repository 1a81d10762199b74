package gso

import (
	"encoding/binary"

	"example.com/berth/internal/header"
	"example.com/berth/link"
)

// complete appends a frame with its partial checksum completed. It reports
// whether the checksum lies within the frame.
func (c *Cutter) complete(f *link.Frame) bool {
	start, at := int(f.CsumStart), int(f.CsumStart)+int(f.CsumOffset)
	if at+2 > f.Len() {
		return false
	}
	s := *f
	s.Checksum, s.CsumStart, s.CsumOffset = link.ChecksumFull, 0, 0
	if at+2 <= len(f.Head) {
		s.Head = c.room(f.Head, nil)
		sum := header.Sum(s.Head[start:], 0)
		binary.BigEndian.PutUint16(s.Head[at:], check(header.SumAt(s.Payload, len(s.Head)-start, sum), f.CsumOffset == udpChecksum))
	} else {
		// The field lies in what nobody may change: all of it is copied.
		s.Head = c.room(f.Head, f.Payload)
		s.Payload, s.Buffer = nil, nil
		binary.BigEndian.PutUint16(s.Head[at:], check(header.Sum(s.Head[start:], 0), f.CsumOffset == udpChecksum))
	}
	c.out = append(c.out, s)
	return true
}

// The checksum's place in a transport's header.
const (
	tcpChecksum = 16
	udpChecksum = 6
)

// check gives the checksum field. In UDP a sum of 0 is sent as 0xffff, which is
// the same in ones' complement, since 0 says that there is none (RFC 768). No
// correct sender does that in TCP, and some readers take it for a mistake.
func check(sum uint32, udp bool) uint16 {
	if udp {
		return header.FoldUDP(sum)
	}
	return header.Fold(sum)
}
