package nets

import (
	"net"
	"net/netip"

	"example.com/berth/bench/internal/host"
	"example.com/berth/bench/internal/netns"
	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip/link/fdbased"
	"gvisor.dev/gvisor/pkg/tcpip/link/loopback"
	"gvisor.dev/gvisor/pkg/tcpip/link/pipe"
	"gvisor.dev/gvisor/pkg/tcpip/link/veth"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// gvisorLoopback is one stack that talks to itself.
func gvisorLoopback() (*host.Pair, error) {
	h, err := newGvisorHost("10.9.0.1", loopback.New(), gvisorOptions{})
	if err != nil {
		return nil, err
	}
	return &host.Pair{A: h, B: h, Counters: h.counters}, nil
}

// gvisorPipe is gVisor's link of that name: delivered at once, buffers shared,
// checksums computed and verified, no segmentation.
func gvisorPipe(mtu uint32) func() (*host.Pair, error) {
	return func() (*host.Pair, error) {
		a, b := pipe.New("\x02\x00\x00\x00\x00\x01", "\x02\x00\x00\x00\x00\x02", mtu)
		return gvisorPair(a, b, gvisorOptions{})
	}
}

// gvisorVeth is gVisor's link of that name: queued, buffers copied, gVisor's own
// segmentation, no checksums.
func gvisorVeth(mtu uint32) func() (*host.Pair, error) {
	return func() (*host.Pair, error) {
		a, b := veth.NewPair(mtu, 4096)
		return gvisorPair(a, b, gvisorOptions{})
	}
}

// gvisorTUN is a stack on a plain TUN through gVisor's fdbased link, and the
// kernel.
func gvisorTUN(mtu, processors int) func() (*host.Pair, error) {
	return func() (*host.Pair, error) {
		fd, err := kernelTUN(mtu, false)
		if err != nil {
			return nil, err
		}
		ep, err := fdbased.New(&fdbased.Options{
			FDs: []int{fd}, MTU: uint32(mtu), GRO: true, ProcessorsPerChannel: processors,
		})
		if err != nil {
			return nil, err
		}
		return gvisorAndKernel(ep)
	}
}

// gvisorTUNVnet is a stack on a TUN with virtio headers through this package's
// own link, since gVisor's takes them on sockets only.
func gvisorTUNVnet() (*host.Pair, error) {
	fd, err := kernelTUN(1500, true)
	if err != nil {
		return nil, err
	}
	return gvisorAndKernel(newGvisorVnet(fd, 1500))
}

// kernelTUN is a TUN whose kernel's side has the address of the kernel's host.
func kernelTUN(mtu int, vnet bool) (int, error) {
	if err := netns.Tune(); err != nil {
		return -1, err
	}
	return netns.OpenTUN(netns.TUNConfig{Name: "tun0", MTU: mtu, Addr: kernelAddr + "/24", VnetHeader: vnet})
}

// gvisorPacket is a stack on a packet socket on one end of a veth pair, set up
// as gVisor's own runsc does it.
func gvisorPacket() (*host.Pair, error) {
	if err := vethToKernel("02:00:00:00:00:01"); err != nil {
		return nil, err
	}
	fd, err := packetSocket("va")
	if err != nil {
		return nil, err
	}
	ep, err := fdbased.New(&fdbased.Options{
		FDs: []int{fd}, MTU: 1500, EthernetHeader: true, Address: "\x02\x00\x00\x00\x00\x01",
		GSOMaxSize: 65536, PacketDispatchMode: fdbased.RecvMMsg,
		RXChecksumOffload: true, GRO: true,
	})
	if err != nil {
		return nil, err
	}
	return gvisorAndKernel(ep)
}

// vethToKernel makes a veth pair: vb has the address of the kernel's host, va is
// for a stack in user space, with a hardware address if it is to have one.
func vethToKernel(mac string) error {
	if err := netns.Tune(); err != nil {
		return err
	}
	address := ""
	if mac != "" {
		address = "ip link set va address " + mac + "\n"
	}
	return netns.Shell("ip link add va type veth peer name vb\n" + address + `ip link set va up
ip addr add ` + kernelAddr + `/24 dev vb
ip link set vb up`)
}

// packetSocket opens a packet socket with virtio headers.
func packetSocket(name string) (int, error) {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return -1, err
	}
	const all = uint16(unix.ETH_P_ALL)<<8 | uint16(unix.ETH_P_ALL)>>8
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(all))
	if err != nil {
		return -1, err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1); err != nil {
		return -1, err
	}
	for _, option := range []int{unix.SO_RCVBUFFORCE, unix.SO_SNDBUFFORCE} {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, 4<<20); err != nil {
			return -1, err
		}
	}
	return fd, unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: ifi.Index})
}

func gvisorAndKernel(ep stack.LinkEndpoint) (*host.Pair, error) {
	a, err := newGvisorHost(stackAddr, ep, gvisorOptions{})
	if err != nil {
		return nil, err
	}
	return &host.Pair{A: a, B: kernelSide(), OneSided: true, Counters: a.counters}, nil
}

// The addresses of a stack in user space and of the kernel on one link.
const (
	stackAddr  = "10.9.0.1"
	kernelAddr = "10.9.0.2"
)

// kernelSide is the kernel as the other end of a stack's link.
func kernelSide() *kernelHost {
	return &kernelHost{addr: netip.MustParseAddr(kernelAddr), congestion: "cubic"}
}
