package linktest

import (
	"encoding/binary"
	"fmt"

	"example.com/berth/link"
)

// The packets of the suite go from 192.0.2.1 to 192.0.2.2 (TEST-NET-1, RFC
// 5737).
var testNet = [8]byte{192, 0, 2, 1, 192, 0, 2, 2}

const (
	ipv4Header = 20
	tcpHeader  = 20
	udpHeader  = 8

	protoTCP  = 6
	protoUDP  = 17
	protoTest = 253 // for experiments (RFC 3692)

	port = 40404 // of both ends

	mark = "linktest"
)

// A maker makes frames that go out of one device and come in at another.
type maker struct {
	info link.Info
	to   link.Info
}

// head returns the link's header and an IPv4 header for a packet with n bytes
// behind it.
func (m *maker) head(protocol byte, n int) []byte {
	var h []byte
	if m.info.Medium == link.Ethernet {
		h = append(append(append(h, m.to.Addr[:]...), m.info.Addr[:]...), 0x08, 0x00)
	}
	ip := make([]byte, ipv4Header)
	ip[0], ip[8], ip[9] = 0x45, 64, protocol
	binary.BigEndian.PutUint16(ip[2:], uint16(ipv4Header+n))
	ip[6] = 0x40 // don't fragment
	copy(ip[12:], testNet[:])
	binary.BigEndian.PutUint16(ip[10:], ^sum(ip, 0))
	return append(h, ip...)
}

// text returns a frame that carries a text, padded to size bytes of IP packet
// if that is more.
func (m *maker) text(text string, size int) link.Frame {
	b := append([]byte(mark), byte(len(text)))
	b = append(b, text...)
	if size > ipv4Header+len(b) {
		b = append(b, make([]byte, size-ipv4Header-len(b))...)
	}
	return link.Frame{Head: m.head(protoTest, len(b)), Payload: b}
}

// udp returns a datagram whose checksum is left to the device.
func (m *maker) udp(payload []byte) link.Frame {
	h := m.head(protoUDP, udpHeader+len(payload))
	start := len(h)
	h = binary.BigEndian.AppendUint16(h, port)
	h = binary.BigEndian.AppendUint16(h, port)
	h = binary.BigEndian.AppendUint16(h, uint16(udpHeader+len(payload)))
	h = binary.BigEndian.AppendUint16(h, pseudo(protoUDP, udpHeader+len(payload)))
	return link.Frame{
		Head: h, Payload: payload,
		Checksum: link.ChecksumPartial, CsumStart: uint16(start), CsumOffset: 6,
	}
}

// tcp returns a large frame that stands for segments of size bytes, with
// sequence numbers from 0.
func (m *maker) tcp(payload []byte, size int) link.Frame {
	h := m.head(protoTCP, tcpHeader+len(payload))
	start := len(h)
	t := make([]byte, tcpHeader)
	binary.BigEndian.PutUint16(t[0:], port)
	binary.BigEndian.PutUint16(t[2:], port)
	t[12], t[13] = 5<<4, 0x10 // header length, ACK
	binary.BigEndian.PutUint16(t[14:], 0xffff)
	binary.BigEndian.PutUint16(t[16:], pseudo(protoTCP, tcpHeader+len(payload)))
	return link.Frame{
		Head: append(h, t...), Payload: payload,
		GSO: link.GSOTCP4, SegSize: uint16(size),
		Checksum: link.ChecksumPartial, CsumStart: uint16(start), CsumOffset: 16,
	}
}

// A packet is what the suite reads out of a frame.
type packet struct {
	protocol byte
	text     string // of protocol 253
	seq      int    // of TCP
	payload  []byte // of TCP or UDP
}

// read reads a frame of the suite; ok is false if it is somebody else's. A
// header or checksum that is wrong is an error.
func read(medium link.Medium, f *link.Frame) (p packet, ok bool, err error) {
	b := f.AppendTo(nil)
	n := medium.HeaderLen()
	if len(b) < n+ipv4Header || medium == link.Ethernet && (b[12] != 0x08 || b[13] != 0x00) {
		return p, false, nil
	}
	ip := b[n:]
	if ip[0] != 0x45 || [8]byte(ip[12:20]) != testNet {
		return p, false, nil
	}
	length := int(binary.BigEndian.Uint16(ip[2:]))
	if length < ipv4Header || length > len(ip) || sum(ip[:ipv4Header], 0) != 0xffff {
		return p, true, fmt.Errorf("an IP packet of %d bytes says it has %d, and its header sums to %#x",
			len(ip), length, sum(ip[:ipv4Header], 0))
	}
	p.protocol = ip[9]
	body := ip[ipv4Header:length]
	switch {
	case p.protocol == protoTest && len(body) > len(mark) && string(body[:len(mark)]) == mark:
		n := int(body[len(mark)])
		p.text = string(body[len(mark)+1:][:n])
		return p, true, nil
	case p.protocol == protoUDP && len(body) >= udpHeader:
		p.payload = body[udpHeader:]
	case p.protocol == protoTCP && len(body) >= tcpHeader:
		p.seq = int(binary.BigEndian.Uint32(body[4:]))
		p.payload = body[body[12]>>4*4:]
	default:
		return p, false, nil
	}
	if f.Checksum == link.ChecksumFull && sum(body, uint32(pseudo(p.protocol, len(body)))) != 0xffff {
		return p, true, fmt.Errorf("protocol %d: bad checksum", p.protocol)
	}
	return p, true, nil
}

// sum is the sum of RFC 1071 in the obvious way.
func sum(b []byte, acc uint32) uint16 {
	for i, c := range b {
		if i%2 == 0 {
			acc += uint32(c) << 8
		} else {
			acc += uint32(c)
		}
	}
	for acc > 0xffff {
		acc = acc>>16 + acc&0xffff
	}
	return uint16(acc)
}

// pseudo is the sum of the pseudo-header.
func pseudo(protocol byte, length int) uint16 {
	return sum(testNet[:], uint32(protocol)+uint32(length))
}
