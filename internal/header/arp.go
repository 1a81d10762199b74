package header

import (
	"encoding/binary"
	"net/netip"
)

// The ARP operations.
const (
	ARPRequest = 1
	ARPReply   = 2
)

// ARPLen is the length of an ARP packet for IPv4 over Ethernet.
const ARPLen = 28

// arpEthernetIPv4 begins each of them: hardware type, protocol type, and the
// lengths of the addresses.
const arpEthernetIPv4 = 0x0001_0800_0604

// ARP is an ARP packet for IPv4 over Ethernet (RFC 826).
type ARP struct {
	Op       uint16
	SenderHW MAC
	Sender   netip.Addr
	TargetHW MAC
	Target   netip.Addr
}

// Parse reads the packet and returns what follows: the padding of the frame.
// It gives ErrHardware for other hardware or protocols.
func (h *ARP) Parse(b []byte) (rest []byte, err error) {
	if len(b) < ARPLen {
		return nil, ErrTruncated
	}
	if binary.BigEndian.Uint64(b)>>16 != arpEthernetIPv4 {
		return nil, ErrHardware
	}
	h.Op = binary.BigEndian.Uint16(b[6:])
	h.SenderHW = MAC(b[8:14])
	h.Sender = addr4(b[14:18])
	h.TargetHW = MAC(b[18:24])
	h.Target = addr4(b[24:28])
	return b[ARPLen:], nil
}

// Append appends the encoded packet to b.
func (h *ARP) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, arpEthernetIPv4<<16|uint64(h.Op))
	b = append(b, h.SenderHW[:]...)
	b = append4(b, h.Sender)
	b = append(b, h.TargetHW[:]...)
	return append4(b, h.Target)
}
