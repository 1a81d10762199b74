package berth

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"syscall"

	"example.com/berth/internal/header"
	"example.com/berth/internal/reassembly"
	"example.com/berth/link"
)

// output sends frames of one family to a next hop. What the device does not
// take is dropped and counted, as a full device queue does.
func (ifc *Interface) output(frames []link.Frame, next netip.Addr) {
	c := &ifc.host.count.IP
	c.Out.Add(uint64(len(frames)))
	if ifc.linkHeader > 0 && !ifc.address(frames, next) {
		return
	}
	if n, err := ifc.dev.Output(frames); n < len(frames) {
		ifc.transmitRest(frames, n, err)
	}
}

// transmit gives frames with complete headers to the device.
func (ifc *Interface) transmit(frames []link.Frame) {
	n, err := ifc.dev.Output(frames)
	ifc.transmitRest(frames, n, err)
}

// transmitRest goes on after the device's Output has given n and err.
//
// A device that is busy is often one whose reader is ready to run and has no
// processor: it gets this one, a few times, before frames are dropped.
func (ifc *Interface) transmitRest(frames []link.Frame, n int, err error) {
	c := &ifc.host.count.IP
	for yields := 0; n < len(frames); n, err = ifc.dev.Output(frames) {
		if err == nil {
			if frames = frames[n:]; yields < maxYields {
				yields++
				runtime.Gosched()
				continue
			}
			c.DeviceBusy.Add(uint64(len(frames)))
			return
		}
		c.DeviceError.Add(1) // the error is about this frame: others may go
		if frames = frames[n+1:]; len(frames) == 0 {
			return
		}
	}
}

const maxYields = 16

// address fills in the Ethernet headers. It is false if the next hop's address
// is not known yet; the frames then wait for it in the neighbor cache.
func (ifc *Interface) address(frames []link.Frame, next netip.Addr) bool {
	var dst header.MAC
	switch _, broadcast := ifc.host.net.Load().broadcast.get(next); {
	case broadcast:
		dst = header.Broadcast
	case next.IsMulticast():
		dst = header.MulticastMAC(next)
	default:
		var ok bool
		if dst, ok = ifc.resolve(frames, next); !ok {
			return false
		}
	}
	for i := range frames {
		ifc.putEthernet(frames[i].Head, dst)
	}
	return true
}

// putEthernet writes the Ethernet header into the room left for it before the
// IP header.
func (ifc *Interface) putEthernet(head []byte, dst header.MAC) {
	src := ifc.info.Load().Addr
	copy(head[0:6], dst[:])
	copy(head[6:12], src[:])
	typ := uint16(header.EtherTypeIPv4)
	if head[header.EthernetLen]>>4 == 6 {
		typ = header.EtherTypeIPv6
	}
	binary.BigEndian.PutUint16(head[12:], typ)
}

// A datagramOut is a packet that UDP, ICMP or a raw socket sends: the
// transport's header in one piece, its payload in another.
type datagramOut struct {
	transport
	head       []byte // the transport's header
	payload    []byte
	buf        *link.Buffer // holds payload; may be nil
	checksumAt int          // of the transport's checksum; -1: none to fill in
	loop       bool         // deliver a copy of a multicast to the host itself
	probe      bool         // longer than the path MTU is fine
	segSize    int          // where payload is longer, it is several datagrams of that size, for the device to cut
}

// emit sends a packet, in fragments where it is too long and may be cut.
// EMSGSIZE: it may not be, or no packet can be so long.
func (h *Host) emit(p *path, d *datagramOut) error {
	length := len(d.head) + len(d.payload)
	if d.several() {
		h.emitWhole(p, d, length)
		return nil
	}
	if err := p.fits(d.dst, len(d.options)+length, d.df, d.probe); err != nil {
		return err
	}
	ipLen, mtu := ipHeaderLen(d.dst)+len(d.options), p.mtuFor(d.probe)
	if ipLen+length <= mtu {
		h.emitWhole(p, d, length)
		return nil
	}
	return h.emitFragments(p, d, mtu, ipLen)
}

// fits tells whether a packet can be sent that carries length bytes to dst,
// IPv4 options included: EMSGSIZE if it is too long for any, or for the path and
// may not be cut.
func (p *path) fits(dst netip.Addr, length int, df, probe bool) error {
	ipLen := ipHeaderLen(dst)
	if length > header.MaxPacket || dst.Is4() && length > header.MaxPacket-ipLen ||
		df && ipLen+length > p.mtuFor(probe) {
		return syscall.EMSGSIZE
	}
	return nil
}

// mtuFor is the longest packet that the path takes, or with probe the interface.
func (p *path) mtuFor(probe bool) int {
	if probe {
		return p.ifc.MTU()
	}
	return p.mtu
}

func ipHeaderLen(a netip.Addr) int {
	if a.Is4() {
		return header.IPv4MinLen
	}
	return header.IPv6Len
}

func (h *Host) emitWhole(p *path, d *datagramOut, length int) {
	b := batches.Get().(*batch)
	f := &b.frames[0]
	head := p.appendIP(b.heads[0][:0], &d.transport, length)
	start := len(head)
	f.Head = append(head, d.head...)
	f.Payload, f.Buffer = d.payload, d.buf
	d.buf.Retain()
	b.n = 1
	if d.several() {
		f.GSO, f.SegSize = link.GSOUDP, uint16(d.segSize)
	}
	if d.checksumAt >= 0 {
		d.fill(p, f, start)
	}
	if d.several() {
		p.sendSegments(b.frames[:1]) // they are for one host
	} else {
		h.leave(p, d, b.frames[:1])
	}
	b.release()
}

// several tells whether the packet is a large one.
func (d *datagramOut) several() bool { return d.segSize > 0 && len(d.payload) > d.segSize }

// leave sends the frame of a packet, and lets the host hear it too. A multicast
// with no hops to go does not leave the host (RFC 1112 section 6.1).
func (h *Host) leave(p *path, d *datagramOut, frames []link.Frame) {
	h.multicastLoop(p, d, frames)
	if d.ttl > 0 || !d.dst.IsMulticast() {
		p.send(frames)
	}
}

// fill completes the checksum of a whole packet. That of UDP may be left to the
// device; other protocols are none that devices know.
func (d *datagramOut) fill(p *path, f *link.Frame, start int) {
	if d.protocol == header.ProtocolUDP {
		p.checksum(f, &d.transport, start, d.checksumAt)
		return
	}
	sum := uint32(0)
	if d.protocol != header.ProtocolICMP { // which has no pseudo-header
		sum = header.PseudoSum(d.src, d.dst, d.protocol, len(f.Head)-start+len(f.Payload))
	}
	sum = header.SumAt(f.Payload, len(f.Head)-start, header.Sum(f.Head[start:], sum))
	binary.BigEndian.PutUint16(f.Head[start+d.checksumAt:], header.Fold(sum))
}

// multicastLoop lets the host hear a multicast that it sends, if it is a member
// (IP_MULTICAST_LOOP), and a broadcast.
func (h *Host) multicastLoop(p *path, d *datagramOut, frames []link.Frame) {
	if p.ifc == h.lo || !d.loop && d.dst.IsMulticast() {
		return
	}
	if _, broadcast := h.net.Load().broadcast.get(d.dst); !broadcast && !(d.dst.IsMulticast() && p.ifc.hasGroup(d.dst, d.src)) {
		return
	}
	looped := frames[0]
	// What comes back in through the interface's input needs a link header that
	// the input takes.
	if p.ifc.linkHeader > 0 {
		p.ifc.putEthernet(looped.Head, header.Broadcast)
	}
	h.loop.deliver(p.ifc, []link.Frame{looped})
}

// emitFragments cuts a packet (RFC 791 section 3.2, RFC 8200 section 4.5).
func (h *Host) emitFragments(p *path, d *datagramOut, mtu, ipLen int) error {
	whole := make([]byte, 0, len(d.head)+len(d.payload))
	whole = append(append(whole, d.head...), d.payload...)
	if d.checksumAt >= 0 {
		d.sum(whole)
	}
	id := h.fragmentID()
	if d.dst.Is6() {
		ipLen += header.FragmentLen
	}
	room := reassembly.Room(mtu, ipLen)
	if room == 0 {
		return syscall.EMSGSIZE
	}
	for cut := range reassembly.Split(len(whole), room) {
		b := batches.Get().(*batch)
		b.frames[0].Head = p.appendFragmentIP(b.heads[0][:0], d, id, cut.Offset, cut.Len(), cut.More)
		b.frames[0].Payload = whole[cut.Offset:cut.End]
		b.n = 1
		h.count.IP.FragmentsSent.Add(1)
		h.leave(p, d, b.frames[:1])
		b.release()
	}
	return nil
}

// sum completes the checksum of a packet in one piece.
func (d *datagramOut) sum(b []byte) {
	field := b[d.checksumAt : d.checksumAt+2]
	acc := uint32(0)
	if d.protocol != header.ProtocolICMP {
		acc = header.PseudoSum(d.src, d.dst, d.protocol, len(b))
	}
	sum := header.Fold(header.Sum(b, acc))
	if sum == 0 && d.protocol == header.ProtocolUDP {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(field, sum)
}

// appendFragmentIP appends the headers of one fragment.
func (p *path) appendFragmentIP(head []byte, d *datagramOut, id uint32, off, length int, more bool) []byte {
	head = append(head, zeros[:p.ifc.linkHeader]...)
	if d.dst.Is4() {
		h := d.header4(length)
		h.DF, h.ID, h.MF, h.Offset = false, uint16(id), more, off
		if off > 0 {
			h.Options = header.AppendCopiedOptions(nil, d.options)
		}
		return h.Append(head)
	}
	h := header.IPv6{
		TrafficClass: d.tos, FlowLabel: d.label, PayloadLen: header.FragmentLen + length,
		NextHeader: header.ProtocolFragment, HopLimit: d.ttl, Src: d.src, Dst: d.dst,
	}
	f := header.Fragment{NextHeader: d.protocol, Offset: off, More: more, ID: id}
	return f.Append(h.Append(head))
}
