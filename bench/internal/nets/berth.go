package nets

import (
	"context"
	"net"
	"net/netip"

	"example.com/berth"
	"example.com/berth/bench/internal/emul"
	"example.com/berth/bench/internal/host"
	"example.com/berth/bench/internal/netns"
	"example.com/berth/link"
	"example.com/berth/link/afpacket"
	"example.com/berth/link/tuntap"
	"example.com/berth/link/wire"
	"example.com/berth/netconn"
	"example.com/berth/socket"
)

// berthHost is a host of berth's through package netconn.
type berthHost struct {
	host    *berth.Host
	addr    netip.Addr
	control netconn.ControlFunc
}

func (h *berthHost) Addr() netip.Addr { return h.addr }

// congestion sets the congestion control of new sockets; accepted ones inherit
// it. It is nil where that is the default one.
func congestion(name string) netconn.ControlFunc {
	if name == "" {
		return nil
	}
	return func(_ context.Context, network, _ string, s socket.Socket) error {
		if network[:3] != "tcp" {
			return nil
		}
		return socket.Set(s, socket.TCP_CONGESTION, name)
	}
}

func (h *berthHost) Listen(network, addr string) (net.Listener, error) {
	c := netconn.ListenConfig{Provider: h.host, Control: h.control, KeepAlive: host.NoKeepAlive}
	return c.Listen(context.Background(), network, addr)
}

func (h *berthHost) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := netconn.Dialer{Provider: h.host, Control: h.control, KeepAlive: host.NoKeepAlive}
	return d.DialContext(ctx, network, addr)
}

func (h *berthHost) ListenPacket(network, addr string) (net.PacketConn, error) {
	return netconn.ListenPacket(h.host, network, addr)
}

// berthOptions tune a host.
type berthOptions struct {
	congestion string
	bigBuffers bool // bounds of 8 MiB instead of Linux's defaults
}

func newBerthHost(addr string, dev link.Device, o berthOptions) (*berthHost, error) {
	config := berth.Config{IPv6: berth.IPv6Config{Disabled: true}}
	config.EphemeralPorts.First, config.EphemeralPorts.Last = 1024, 65535
	if o.bigBuffers {
		big := berth.BufferSize{Min: 4096, Default: 1 << 20, Max: 8 << 20}
		config.TCP.ReceiveBuffer, config.TCP.SendBuffer = big, big
	}
	h := &berthHost{host: berth.NewHost(config), addr: netip.MustParseAddr(addr), control: congestion(o.congestion)}
	_, err := h.host.Attach(dev, addr+"/24")
	return h, err
}

// berthCounters are those of both ends that tell what went wrong, and how much
// was sent again.
func berthCounters(hosts ...*berthHost) func() host.Metrics {
	names := map[string]string{
		"TCP.SegsOut":             "segs_sent",
		"TCP.Machine.Retransmits": "retrans",
		"TCP.Machine.RTOs":        "rto",
		"TCP.Machine.DSACKsSeen":  "spurious",
		"IP.DeviceBusy":           "device_busy",
		"UDP.QueueFull":           "udp_queue_full",
	}
	return func() host.Metrics {
		m := host.Metrics{}
		for _, h := range hosts {
			h.host.Counters().Each(func(name string, value uint64) {
				if short, ok := names[name]; ok {
					m[short] += float64(value)
				}
			})
		}
		return m
	}
}

func berthPair(a, b link.Device, o berthOptions) (*host.Pair, error) {
	ha, err := newBerthHost("10.9.0.1", a, o)
	if err != nil {
		return nil, err
	}
	hb, err := newBerthHost("10.9.0.2", b, o)
	if err != nil {
		return nil, err
	}
	return &host.Pair{A: ha, B: hb, Counters: berthCounters(ha, hb)}, nil
}

// berthWire is two hosts on a wire in memory.
func berthWire(opts ...wire.Option) func() (*host.Pair, error) {
	return func() (*host.Pair, error) {
		a, b := wire.Pair(opts...)
		return berthPair(a, b, berthOptions{})
	}
}

// berthPath is two hosts over an emulated path, packet by packet.
func berthPath(path emul.Params, o berthOptions) func() (*host.Pair, error) {
	return func() (*host.Pair, error) {
		a, b := newBerthLine(path)
		p, err := berthPair(a, b, o)
		if err != nil {
			return nil, err
		}
		ofHosts := p.Counters
		p.Counters = func() host.Metrics {
			return merge(ofHosts(), pathCounters(a.line.Stats(), b.line.Stats()))
		}
		return p, nil
	}
}

// berthTUN is a host on a TUN, and the kernel.
func berthTUN(opts ...tuntap.Option) func() (*host.Pair, error) {
	return func() (*host.Pair, error) {
		if err := netns.Tune(); err != nil {
			return nil, err
		}
		opts := append([]tuntap.Option{tuntap.HostAddr(kernelAddr + "/24"), tuntap.QueueLength(4000)}, opts...)
		dev, err := tuntap.Open("tun0", opts...)
		if err != nil {
			return nil, err
		}
		return berthAndKernel(dev)
	}
}

// berthPacket is a host on a packet socket on one end of a veth pair, and the
// kernel on the other.
func berthPacket() (*host.Pair, error) {
	if err := vethToKernel(""); err != nil {
		return nil, err
	}
	dev, err := afpacket.Open("va")
	if err != nil {
		return nil, err
	}
	return berthAndKernel(dev)
}

func berthAndKernel(dev link.Device) (*host.Pair, error) {
	a, err := newBerthHost(stackAddr, dev, berthOptions{})
	if err != nil {
		return nil, err
	}
	return &host.Pair{A: a, B: kernelSide(), OneSided: true, Counters: berthCounters(a)}, nil
}
