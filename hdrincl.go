package berth

import (
	"encoding/binary"
	"net/netip"
	"syscall"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/header"
	"example.com/berth/link"
)

// emitPacket sends a packet whose IP header the caller wrote (IP_HDRINCL, and
// IPPROTO_RAW on IPv6). Of an IPv4 header the host fills in what Linux does
// (raw(7)): the total length and the checksum always, the identification and
// the source address if they are zero.
func (h *Host) emitPacket(d *destination, b []byte) error {
	if len(b)+d.path.ifc.linkHeader > link.MaxFrame || len(b) > d.path.ifc.MTU() {
		return syscall.EMSGSIZE
	}
	buf := buffer.Get(d.path.ifc.linkHeader + len(b))
	defer buf.Release()
	packet := append(buf.Bytes()[:d.path.ifc.linkHeader], b...)[d.path.ifc.linkHeader:]
	if d.to.Addr().Is4() {
		if err := h.completeIPv4(packet, d.path.src); err != nil {
			return err
		}
	} else if len(packet) < header.IPv6Len {
		return syscall.EINVAL
	}
	frame := buf.Bytes()[:d.path.ifc.linkHeader+len(b)]
	frames := [1]link.Frame{{Head: frame}}
	d.path.send(frames[:])
	return nil
}

func (h *Host) completeIPv4(b []byte, src netip.Addr) error {
	if len(b) < header.IPv4MinLen {
		return syscall.EINVAL
	}
	hlen := int(b[0]&15) * 4
	if hlen < header.IPv4MinLen || hlen > len(b) {
		return syscall.EINVAL
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	if binary.BigEndian.Uint16(b[4:]) == 0 {
		binary.BigEndian.PutUint16(b[4:], uint16(h.fragmentID()))
	}
	if netip.AddrFrom4([4]byte(b[12:16])).IsUnspecified() {
		own := src.As4()
		copy(b[12:], own[:])
	}
	binary.BigEndian.PutUint16(b[10:], 0)
	binary.BigEndian.PutUint16(b[10:], header.Fold(header.Sum(b[:hlen], 0)))
	return nil
}
