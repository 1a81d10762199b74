package limits

import (
	"encoding/binary"
	"fmt"
	"math"

	"example.com/berth/bench/internal/netns"
	"golang.org/x/sys/unix"
)

// vnetHeader is the length of a virtio header without the number of buffers.
const vnetHeader = 10

// The addresses of the two sides of the limits' TUNs.
var (
	tunKernel = [4]byte{10, 99, 0, 1}
	tunUser   = [4]byte{10, 99, 0, 2}
)

// openTUN makes a TUN with its addresses.
func openTUN(vnet bool) (int, error) {
	return netns.OpenTUN(netns.TUNConfig{Name: "tun9", MTU: 1500, Addr: "10.99.0.1/24", VnetHeader: vnet})
}

// tunReads are costs of a packet of the kernel's that crosses a TUN, and of one
// that goes the other way.
func tunReads() (rows []Row) {
	for _, vnet := range []bool{false, true} {
		name := "TUN"
		if vnet {
			name = "TUN with virtio header"
		}
		for _, size := range []int{72, 1472} {
			rows = append(
				rows,
				ns(fmt.Sprintf("%s: read of a datagram of %d B", name, size), func() float64 {
					return onTUN(vnet, func(fd int) (float64, error) { return tunRead(fd, size) })
				}),
				ns(fmt.Sprintf("%s: write of a datagram of %d B", name, size), func() float64 {
					return onTUN(vnet, func(fd int) (float64, error) { return tunWrite(fd, datagram(vnet, size)), nil })
				}),
			)
		}
	}
	return append(rows, ns("TUN with virtio header: write of a TCP segment of 62 KiB", func() float64 {
		return onTUN(true, func(fd int) (float64, error) { return tunWrite(fd, largeSegment(62<<10)), nil })
	}))
}

// onTUN measures on a TUN that is there for it alone.
func onTUN(vnet bool, measure func(fd int) (float64, error)) float64 {
	fd, err := openTUN(vnet)
	if err != nil {
		return math.NaN()
	}
	defer unix.Close(fd)
	took, err := measure(fd)
	if err != nil {
		return math.NaN()
	}
	return took
}

// tunRead lets the kernel queue packets on the device and times the reads only.
func tunRead(fd, size int) (float64, error) {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(s)
	if err := unix.Connect(s, &unix.SockaddrInet4{Addr: tunUser, Port: 9}); err != nil {
		return 0, err
	}
	payload, buf := make([]byte, size), make([]byte, 1<<16)
	reads := 0
	drain := func() {
		for {
			if _, err := unix.Read(fd, buf); err != nil {
				return
			}
			reads++
		}
	}
	drain()
	reads = 0
	var took float64
	for range 400 {
		for range 32 {
			_, _ = unix.Write(s, payload)
		}
		took += float64(threadTime(drain))
	}
	return took / float64(reads), nil
}

func tunWrite(fd int, packet []byte) float64 {
	return repeat(func() { _, _ = unix.Write(fd, packet) })()
}

// putIPv4 writes a header from this side to the kernel's.
func putIPv4(b []byte, total int, protocol byte) {
	const ttl = 64
	b[0], b[8], b[9] = 0x45, ttl, protocol
	binary.BigEndian.PutUint16(b[2:], uint16(total))
	copy(b[12:], tunUser[:])
	copy(b[16:], tunKernel[:])
	binary.BigEndian.PutUint16(b[10:], ^sumLoop(b[:20]))
}

// datagram is a packet to a port where nobody listens, without a checksum.
func datagram(vnet bool, size int) []byte {
	head := 0
	if vnet {
		head = vnetHeader
	}
	packet := make([]byte, head+28+size)
	b := packet[head:]
	putIPv4(b, len(b), unix.IPPROTO_UDP)
	binary.BigEndian.PutUint16(b[20:], 1234)
	binary.BigEndian.PutUint16(b[22:], 9999)
	binary.BigEndian.PutUint16(b[24:], uint16(8+size))
	return packet
}

// largeSegment is a TCP segment to be cut, of no connection.
func largeSegment(size int) []byte {
	packet := make([]byte, vnetHeader+40+size)
	putVnetHeader(packet, size)
	b := packet[vnetHeader:]
	putIPv4(b, len(b), unix.IPPROTO_TCP)
	binary.BigEndian.PutUint16(b[20:], 1234)
	binary.BigEndian.PutUint16(b[22:], 9999)
	b[32], b[33] = 0x50, flagACK
	return packet
}

// putVnetHeader asks the kernel for a TCP checksum, and to cut what is large.
func putVnetHeader(b []byte, payload int) {
	clear(b[:vnetHeader])
	b[0] = unix.VIRTIO_NET_HDR_F_NEEDS_CSUM
	if payload > bareMSS {
		b[1] = unix.VIRTIO_NET_HDR_GSO_TCPV4
		binary.LittleEndian.PutUint16(b[2:], 40)
		binary.LittleEndian.PutUint16(b[4:], bareMSS)
	}
	binary.LittleEndian.PutUint16(b[6:], 20)
	binary.LittleEndian.PutUint16(b[8:], 16)
}
