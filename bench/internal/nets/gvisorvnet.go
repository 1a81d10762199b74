package nets

import (
	"encoding/binary"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// vnetHeader is the length of a virtio header without the number of buffers.
const vnetHeader = 10

// gvisorVnet is a TUN with virtio headers as a link of gVisor's: segments of up
// to 64 KiB cross it in one system call, checksums are left to the other side.
type gvisorVnet struct {
	gvisorLink
	f *os.File
}

func newGvisorVnet(fd int, mtu uint32) *gvisorVnet {
	e := &gvisorVnet{f: os.NewFile(uintptr(fd), "tun")}
	e.mtu, e.gso = mtu, stack.HostGSOSupported
	// That the device computes checksums is not claimed: gVisor would send
	// segments outside GSO (SYN, RST) without one and without telling so.
	e.caps = stack.CapabilityRXChecksumOffload
	if c, err := e.f.SyscallConn(); err == nil {
		go e.read(c)
	}
	return e
}

// read takes packets straight into pooled chunks of gVisor's. Headers get a
// small one of their own: gVisor copies the whole chunk when it pulls up a
// header that shares one with the payload.
func (e *gvisorVnet) read(c syscall.RawConn) {
	const headLen = 128
	var vnet [vnetHeader]byte
	head, tail := buffer.NewViewSize(headLen), buffer.NewViewSize(65535)
	iov := [][]byte{vnet[:], head.AsSlice(), tail.AsSlice()}
	var n int
	var errno error
	readv := func(fd uintptr) bool {
		n, errno = unix.Readv(int(fd), iov)
		return errno != unix.EAGAIN
	}
	for {
		if err := c.Read(readv); err != nil || errno != nil {
			return
		}
		n -= vnetHeader
		d := e.dispatcher()
		if n <= 0 || d == nil || head.AsSlice()[0]>>4 != 4 {
			continue
		}
		var packet buffer.Buffer
		head.CapLength(min(n, headLen))
		_ = packet.Append(head)
		head = buffer.NewViewSize(headLen)
		iov[1] = head.AsSlice()
		if n > headLen {
			tail.CapLength(n - headLen)
			_ = packet.Append(tail)
			tail = buffer.NewViewSize(65535)
			iov[2] = tail.AsSlice()
		}
		p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: packet})
		d.DeliverNetworkPacket(header.IPv4ProtocolNumber, p)
		p.DecRef()
	}
}

var vnetBuffers = sync.Pool{New: func() any { b := make([]byte, 0, vnetHeader+1<<16); return &b }}

// WritePackets implements stack.LinkWriter.
func (e *gvisorVnet) WritePackets(packets stack.PacketBufferList) (int, tcpip.Error) {
	pooled := vnetBuffers.Get().(*[]byte)
	defer vnetBuffers.Put(pooled)
	for n, packet := range packets.AsSlice() {
		b := (*pooled)[:vnetHeader]
		clear(b)
		putVnetHeader(b, packet)
		for _, v := range packet.AsSlices() {
			b = append(b, v...)
		}
		if _, err := e.f.Write(b); err != nil {
			return n, &tcpip.ErrNoBufferSpace{}
		}
	}
	return packets.Len(), nil
}

// putVnetHeader says what the kernel has still to do for a packet.
func putVnetHeader(b []byte, packet *stack.PacketBuffer) {
	g := packet.GSOOptions
	if g.Type != stack.GSONone && g.NeedsCsum {
		b[0] = unix.VIRTIO_NET_HDR_F_NEEDS_CSUM
		binary.LittleEndian.PutUint16(b[6:], g.L3HdrLen)
		binary.LittleEndian.PutUint16(b[8:], g.CsumOffset)
	}
	if g.Type == stack.GSOTCPv4 && packet.Data().Size() > int(g.MSS) {
		b[1] = unix.VIRTIO_NET_HDR_GSO_TCPV4
		binary.LittleEndian.PutUint16(b[2:], uint16(packet.HeaderSize()))
		binary.LittleEndian.PutUint16(b[4:], g.MSS)
	}
}

var _ stack.LinkEndpoint = (*gvisorVnet)(nil)
