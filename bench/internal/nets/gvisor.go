package nets

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"example.com/berth/bench/internal/host"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// gvisorHost is a stack of gVisor through its own adapter to package net.
type gvisorHost struct {
	stack *stack.Stack
	addr  netip.Addr
}

func (h *gvisorHost) Addr() netip.Addr { return h.addr }

func gvisorAddr(addr string) (tcpip.FullAddress, error) {
	a, err := netip.ParseAddrPort(addr)
	return tcpip.FullAddress{Addr: tcpip.AddrFromSlice(a.Addr().AsSlice()), Port: a.Port()}, err
}

func (h *gvisorHost) Listen(_, addr string) (net.Listener, error) {
	a, err := gvisorAddr(addr)
	if err != nil {
		return nil, err
	}
	return gonet.ListenTCP(h.stack, a, ipv4.ProtocolNumber)
}

func (h *gvisorHost) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	a, err := gvisorAddr(addr)
	if err != nil {
		return nil, err
	}
	if network == "udp" {
		return gonet.DialUDP(h.stack, nil, &a, ipv4.ProtocolNumber)
	}
	return gonet.DialContextTCP(ctx, h.stack, a, ipv4.ProtocolNumber)
}

func (h *gvisorHost) ListenPacket(_, addr string) (net.PacketConn, error) {
	a, err := gvisorAddr(addr)
	if err != nil {
		return nil, err
	}
	return gonet.DialUDP(h.stack, &a, nil, ipv4.ProtocolNumber)
}

// gvisorOptions tune a stack.
type gvisorOptions struct {
	congestion string // cubic if empty
	bigBuffers bool   // autotuned up to 8 MiB for receiving and 6 MiB for sending, as Tailscale has them
}

func newGvisorHost(addr string, ep stack.LinkEndpoint, o gvisorOptions) (*gvisorHost, error) {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, arp.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4},
	})
	h := &gvisorHost{stack: s, addr: netip.MustParseAddr(addr)}
	const nic = 1
	if err := s.CreateNIC(nic, ep); err != nil {
		return nil, errors.New(err.String())
	}
	if err := s.AddProtocolAddress(nic, tcpip.ProtocolAddress{
		Protocol:          ipv4.ProtocolNumber,
		AddressWithPrefix: tcpip.AddressWithPrefix{Address: tcpip.AddrFromSlice(h.addr.AsSlice()), PrefixLen: 24},
	}, stack.AddressProperties{}); err != nil {
		return nil, errors.New(err.String())
	}
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: nic}})
	return h, h.tune(o)
}

// tune sets what makes gVisor's TCP fast.
func (h *gvisorHost) tune(o gvisorOptions) error {
	if o.congestion == "" {
		o.congestion = "cubic"
	}
	congestion := tcpip.CongestionControlOption(o.congestion)
	sack, moderate := tcpip.TCPSACKEnabled(true), tcpip.TCPModerateReceiveBufferOption(true)
	opts := []tcpip.SettableTransportProtocolOption{&congestion, &sack, &moderate}
	if o.bigBuffers {
		opts = append(opts,
			&tcpip.TCPReceiveBufferSizeRangeOption{Min: 4096, Default: 1 << 20, Max: 8 << 20},
			&tcpip.TCPSendBufferSizeRangeOption{Min: 4096, Default: 1 << 20, Max: 6 << 20})
	}
	for _, opt := range opts {
		if err := h.stack.SetTransportProtocolOption(tcp.ProtocolNumber, opt); err != nil {
			return fmt.Errorf("%T: %s", opt, err)
		}
	}
	return nil
}

// counters tell how much of what was sent was sent again.
func (h *gvisorHost) counters() host.Metrics {
	t := h.stack.Stats().TCP
	return host.Metrics{
		"segs_sent": float64(t.SegmentsSent.Value()),
		"retrans":   float64(t.Retransmits.Value()),
		"rto":       float64(t.Timeouts.Value()),
	}
}

// gvisorPair is two stacks on the two ends of a link.
func gvisorPair(a, b stack.LinkEndpoint, o gvisorOptions) (*host.Pair, error) {
	ha, err := newGvisorHost("10.9.0.1", a, o)
	if err != nil {
		return nil, err
	}
	hb, err := newGvisorHost("10.9.0.2", b, o)
	if err != nil {
		return nil, err
	}
	return &host.Pair{A: ha, B: hb, Counters: ha.counters}, nil
}
