package nets

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"time"

	"example.com/berth/bench/internal/host"
	"github.com/soypat/lneto"
	"github.com/soypat/lneto/x/xnet"
	"golang.org/x/sys/unix"
)

// lnetoHost is a stack of lneto through its own adapter to package net.
type lnetoHost struct {
	stack *xnet.StackAsync
	net   xnet.StackGo
	addr  netip.Addr
}

func (h *lnetoHost) Addr() netip.Addr { return h.addr }

// lnetoSocket makes a socket of the type that the caller wants of it.
func lnetoSocket[T any](ctx context.Context, h *lnetoHost, network string, typ int, local, remote netip.AddrPort) (t T, err error) {
	s, err := h.net.SocketNetip(ctx, network, unix.AF_INET, typ, local, remote)
	if err != nil {
		return t, err
	}
	t, ok := s.(T)
	if !ok {
		return t, fmt.Errorf("lneto gives a %T", s)
	}
	return t, nil
}

func (h *lnetoHost) Listen(network, addr string) (net.Listener, error) {
	return lnetoSocket[net.Listener](context.Background(), h, network, unix.SOCK_STREAM, netip.MustParseAddrPort(addr), netip.AddrPort{})
}

func (h *lnetoHost) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	typ := unix.SOCK_STREAM
	if network == "udp" {
		typ = unix.SOCK_DGRAM
	}
	// Connecting fails now and then on a busy machine: it gets more tries.
	var c net.Conn
	var err error
	for range lnetoTries {
		once, cancel := context.WithTimeout(ctx, lnetoPatience)
		c, err = lnetoSocket[net.Conn](once, h, network, typ, netip.AddrPortFrom(h.addr, 0), netip.MustParseAddrPort(addr))
		cancel()
		if err == nil {
			break
		}
	}
	return c, err
}

// lnetoTries is how often a connection is tried, lnetoPatience for how long.
const (
	lnetoTries    = 5
	lnetoPatience = 2 * time.Second
)

func (h *lnetoHost) ListenPacket(network, addr string) (net.PacketConn, error) {
	return lnetoSocket[net.PacketConn](context.Background(), h, network, unix.SOCK_DGRAM, netip.MustParseAddrPort(addr), netip.AddrPort{})
}

// lnetoPause is how an idle lneto waits: it yields, and later sleeps. It is
// polled, so a blocked call and the pump below both wait like this.
const (
	lnetoYields = 1000
	lnetoPause  = 20 * time.Microsecond
)

func lnetoBackoff(n uint) time.Duration {
	if n < lnetoYields {
		return lneto.BackoffFlagGosched
	}
	return lnetoPause
}

func newLnetoHost(i int, mtu uint16, buffer int) (*lnetoHost, error) {
	h := &lnetoHost{stack: new(xnet.StackAsync), addr: netip.AddrFrom4([4]byte{10, 9, 0, byte(i)})}
	err := h.stack.Reset(xnet.StackConfig{
		Hostname: fmt.Sprintf("h%d", i), RandSeed: int64(i), MTU: mtu,
		HardwareAddress: [6]byte{2, 0, 0, 0, 0, byte(i)}, StaticAddress4: h.addr.As4(),
		MaxActiveTCPPorts: 4096, MaxActiveUDPPorts: 16,
	})
	if err != nil {
		return nil, err
	}
	h.stack.SetGatewayHardwareAddr([6]byte{2, 0, 0, 0, 0, byte(3 - i)})
	h.net = h.stack.StackGo(lnetoBackoff, xnet.StackGoConfig{ListenerPoolConfig: xnet.TCPPoolConfig{
		PoolSize: 256, QueueSize: 256, TxBufSize: buffer, RxBufSize: buffer,
		EstablishedTimeout: 5 * time.Second, ClosingTimeout: 5 * time.Second,
		NewBackoff: func() lneto.BackoffStrategy { return lnetoBackoff },
	}})
	return h, nil
}

// lnetoPair is two stacks and a goroutine that moves packets between them.
func lnetoPair(mtu uint16, buffer int) func() (*host.Pair, error) {
	return func() (*host.Pair, error) {
		a, err := newLnetoHost(1, mtu, buffer)
		if err != nil {
			return nil, err
		}
		b, err := newLnetoHost(2, mtu, buffer)
		if err != nil {
			return nil, err
		}
		go lnetoPump(a.stack, b.stack)
		return &host.Pair{A: a, B: b}, nil
	}
}

func lnetoPump(a, b *xnet.StackAsync) {
	buf := make([]byte, 1<<16)
	for idle := 0; ; {
		forth, back := lnetoMove(a, b, buf), lnetoMove(b, a, buf)
		if forth || back {
			idle = 0
		} else if idle++; idle < lnetoYields {
			runtime.Gosched()
		} else {
			time.Sleep(lnetoPause)
		}
	}
}

// lnetoMove carries a batch of packets one way.
func lnetoMove(from, to *xnet.StackAsync, buf []byte) (moved bool) {
	for range 16 {
		n, err := from.EgressEthernet(buf)
		if n == 0 || err != nil {
			break
		}
		_ = to.IngressEthernet(buf[:n]) // what it does not want is lost
		moved = true
	}
	return moved
}
