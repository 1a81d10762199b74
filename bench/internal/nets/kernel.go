package nets

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"example.com/berth/bench/internal/emul"
	"example.com/berth/bench/internal/host"
	"example.com/berth/bench/internal/netns"
	"golang.org/x/sys/unix"
)

// kernelHost is the stack of Linux in one namespace, through package net.
type kernelHost struct {
	addr       netip.Addr
	ns         *netns.Namespace
	congestion string
	buffer     int // SO_SNDBUF and SO_RCVBUF; 0 leaves them to the kernel
}

// control sets up a new socket; accepted ones inherit it. Root may choose any
// algorithm for a socket, also where the system does not allow it at large.
func (h *kernelHost) control(network, _ string, c syscall.RawConn) (err error) {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	controlErr := c.Control(func(fd uintptr) {
		err = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, h.congestion)
		if err == nil && h.buffer > 0 {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, h.buffer)
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, h.buffer)
		}
	})
	if controlErr != nil {
		return controlErr
	}
	return err
}

func (h *kernelHost) Addr() netip.Addr { return h.addr }

func (h *kernelHost) Listen(network, addr string) (l net.Listener, err error) {
	err = h.ns.Run(func() (err error) {
		config := net.ListenConfig{Control: h.control, KeepAlive: host.NoKeepAlive}
		l, err = config.Listen(context.Background(), network, addr)
		return err
	})
	return l, err
}

func (h *kernelHost) Dial(ctx context.Context, network, addr string) (c net.Conn, err error) {
	err = h.ns.Run(func() (err error) {
		d := net.Dialer{Control: h.control, KeepAlive: host.NoKeepAlive}
		c, err = d.DialContext(ctx, network, addr)
		return err
	})
	return c, err
}

func (h *kernelHost) ListenPacket(network, addr string) (c net.PacketConn, err error) {
	err = h.ns.Run(func() (err error) {
		c, err = net.ListenPacket(network, addr)
		return err
	})
	return c, err
}

// kernelLoopback is 127.0.0.1.
func kernelLoopback(mtu int) func() (*host.Pair, error) {
	return func() (*host.Pair, error) {
		if err := netns.Tune(); err != nil {
			return nil, err
		}
		if err := netns.Shell(fmt.Sprintf("ip link set lo mtu %d", mtu)); err != nil {
			return nil, err
		}
		h := &kernelHost{addr: netip.MustParseAddr("127.0.0.1"), congestion: "cubic"}
		return &host.Pair{A: h, B: h}, nil
	}
}

// kernelVeth is two namespaces joined by a veth pair, with all its offloads.
func kernelVeth() (*host.Pair, error) {
	ns, err := netns.New()
	if err != nil {
		return nil, err
	}
	var tid int
	if err := ns.Run(func() error { tid = unix.Gettid(); return netns.Tune() }); err != nil {
		return nil, err
	}
	if err := netns.Tune(); err != nil {
		return nil, err
	}
	if err := netns.Shell(fmt.Sprintf(`ip link add va type veth peer name vb netns %d
ip addr add 10.7.0.1/24 dev va
ip link set va address 02:00:00:00:07:01 up
ip neigh add 10.7.0.2 lladdr 02:00:00:00:07:02 dev va nud permanent`, tid)); err != nil {
		return nil, err
	}
	if err := ns.Run(func() error {
		return netns.Shell(`ip addr add 10.7.0.2/24 dev vb
ip link set vb address 02:00:00:00:07:02 up
ip neigh add 10.7.0.1 lladdr 02:00:00:00:07:01 dev vb nud permanent`)
	}); err != nil {
		return nil, err
	}
	time.Sleep(200 * time.Millisecond) // until the carrier is there
	return &host.Pair{
		A: &kernelHost{addr: netip.MustParseAddr("10.7.0.1"), congestion: "cubic"},
		B: &kernelHost{addr: netip.MustParseAddr("10.7.0.2"), ns: ns, congestion: "cubic"},
	}, nil
}

// kernelPath is two namespaces, each with a TUN, joined by an emulated path in
// this process. Packets cross it at the MTU.
func kernelPath(congestion string, buffer int, path emul.Params) func() (*host.Pair, error) {
	return func() (*host.Pair, error) {
		ns, err := netns.New()
		if err != nil {
			return nil, err
		}
		hosts := []*kernelHost{
			{addr: netip.MustParseAddr("10.8.0.1"), congestion: congestion, buffer: buffer},
			{addr: netip.MustParseAddr("10.8.0.2"), ns: ns, congestion: congestion, buffer: buffer},
		}
		var tuns [2]*os.File
		for i, h := range hosts {
			if err := h.ns.Run(func() error {
				if err := netns.Tune(); err != nil {
					return err
				}
				fd, err := netns.OpenTUN(netns.TUNConfig{Name: "tun0", MTU: 1500, Addr: h.addr.String() + "/24"})
				if err != nil {
					return err
				}
				tuns[i] = os.NewFile(uintptr(fd), "tun")
				return nil
			}); err != nil {
				return nil, err
			}
		}
		up := pump(tuns[0], tuns[1], path.Direction(1))
		down := pump(tuns[1], tuns[0], path.Direction(2))
		return &host.Pair{
			A: hosts[0], B: hosts[1],
			Counters: func() host.Metrics { return pathCounters(up.Stats(), down.Stats()) },
		}, nil
	}
}

// pump carries packets from one TUN to another.
func pump(from, to *os.File, p emul.Params) *emul.Line[[]byte] {
	l := emul.New(p, func(batch [][]byte) {
		for _, b := range batch {
			_, _ = to.Write(b) // a full queue loses it, as a cable's end does
		}
	}, func([]byte) {})
	go func() {
		buf := make([]byte, 1<<16)
		for {
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			l.Send(append([]byte(nil), buf[:n]...), n)
		}
	}()
	return l
}

// pathCounters are those of an emulated path.
func pathCounters(up, down emul.Stats) host.Metrics {
	return host.Metrics{
		"up_pkts": float64(up.Sent), "up_lost": float64(up.Lost), "up_overflow": float64(up.Overflow),
		"down_pkts": float64(down.Sent), "down_lost": float64(down.Lost),
	}
}
