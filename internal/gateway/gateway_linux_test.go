package gateway_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"example.com/berth/internal/gateway"
	"example.com/berth/internal/testnet"
	"example.com/berth/link/tuntap"
	"golang.org/x/sys/unix"
)

// A kernelProgram is the kernel of a namespace behind a gateway: what runs in the
// namespace is as programs are.
type kernelProgram struct {
	*testnet.NS
	g      *gateway.Gateway
	events *events
}

// kernelBehind returns the kernel behind a gateway, over a TUN.
func kernelBehind(t testing.TB, cfg gateway.Config, opts ...tuntap.Option) *kernelProgram {
	t.Helper()
	testnet.NeedRoot(t)
	p := &kernelProgram{NS: testnet.New(t), events: new(events)}
	cfg.Device = p.TUN(append(opts, tuntap.HostAddr(prog4), tuntap.HostAddr(prog6))...)
	cfg.Addrs, cfg.Observe = []netip.Prefix{gate4, gate6}, p.events.add
	cfg.Alias = map[netip.Addr]netip.Addr{loop4: netip.AddrFrom4([4]byte{127, 0, 0, 1}), loop6: netip.IPv6Loopback()}
	for _, via := range []netip.Prefix{gate4, gate6} {
		family := "-4"
		if via.Addr().Is6() {
			family = "-6"
		}
		if out, err := p.Command(t.Context(), "ip", family, "route", "add", "default", "via", via.Addr().String()).CombinedOutput(); err != nil {
			t.Fatal(err, out)
		}
	}
	p.Sysctl("net.ipv4.ping_group_range", "0 2147483647")
	var err error
	if p.g, err = gateway.New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.g.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// dialKernel opens a connection in the namespace.
func (p *kernelProgram) dial(network, to string) (c net.Conn, err error) {
	p.Do(func() { c, err = net.Dial(network, to) })
	return c, err
}

// A large transfer each way, at once, arrives as it was sent.
func TestTheKernelReachesTheWorld(t *testing.T) {
	for _, tt := range []struct {
		network string
		alias   netip.Addr
		opts    []tuntap.Option
	}{
		{"tcp4", loop4, nil},
		{"tcp6", loop6, nil},
		{"tcp4", loop4, []tuntap.Option{tuntap.NoOffload()}},
		{"tcp4", loop4, []tuntap.Option{tuntap.MTU(65520)}},
	} {
		t.Run(fmt.Sprint(tt.network, len(tt.opts)), func(t *testing.T) {
			const size = 16 << 20
			sum := make(chan [32]byte, 1)
			at := serve(t, tt.network, func(c net.Conn) {
				var sending sync.WaitGroup
				sending.Go(func() {
					io.Copy(c, newPattern(size))
					c.(*net.TCPConn).CloseWrite()
				})
				sum <- hashOf(c)
				sending.Wait()
			})
			p := kernelBehind(t, gateway.Config{}, tt.opts...)
			c, err := p.dial("tcp", netip.AddrPortFrom(tt.alias, at.Port()).String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			var sending sync.WaitGroup
			sending.Go(func() {
				io.Copy(c, newPattern(size))
				c.(*net.TCPConn).CloseWrite()
			})
			want := hashOf(newPattern(size))
			if hashOf(c) != want || <-sum != want {
				t.Error("what arrives is not what was sent")
			}
			sending.Wait()
		})
	}
}

// newPattern reads as size bytes that differ.
func newPattern(size int64) io.Reader { return io.LimitReader(&pattern{}, size) }

type pattern struct{ at uint64 }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(p.at * 0x9e3779b97f4a7c15 >> 56)
		p.at++
	}
	return len(b), nil
}

func hashOf(r io.Reader) (sum [32]byte) {
	h := sha256.New()
	io.Copy(h, r)
	h.Sum(sum[:0])
	return sum
}

func TestTheKernelSeesRefusals(t *testing.T) {
	p := kernelBehind(t, gateway.Config{Judge: denying})
	for _, to := range []string{"198.51.100.1:22", "[2001:db8::1]:22"} {
		if _, err := p.dial("tcp", to); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: %v, want ECONNREFUSED", to, err)
		}
		u, err := p.dial("udp", to)
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close()
		u.SetDeadline(time.Now().Add(10 * time.Second))
		u.Write([]byte("hello"))
		if _, err := u.Read(make([]byte, 1)); !errors.Is(err, syscall.EHOSTUNREACH) && !errors.Is(err, syscall.EACCES) {
			t.Errorf("udp %s: %v", to, err)
		}
	}
}

func TestTheKernelPings(t *testing.T) {
	p := kernelBehind(t, gateway.Config{Ping: func(context.Context, netip.Addr, []byte) error { return nil }})
	for _, to := range []string{"198.51.100.1", "2001:db8::1"} {
		out, err := p.Command(t.Context(), "ping", "-c3", "-i0.01", "-s1000", to).CombinedOutput()
		if err != nil || !strings.Contains(out, "3 received") {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// A thousand connections at once.
func TestAThousandConnections(t *testing.T) {
	at := serve(t, "tcp4", echoBack)
	p := kernelBehind(t, gateway.Config{})
	to := netip.AddrPortFrom(loop4, at.Port()).String()
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			c, err := p.dial("tcp", to)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			text := fmt.Append(nil, i)
			c.Write(text)
			c.(*net.TCPConn).CloseWrite()
			if in, err := io.ReadAll(c); err != nil || !bytes.Equal(in, text) {
				t.Errorf("connection %d: %q, %v", i, in, err)
			}
		})
	}
	all.Wait()
}

// BenchmarkKernel measures what the kernel, as a program behind the gateway, gets
// from a server on the loopback outside. Of pasta and its like it takes the same
// measure with iperf3.
//
//	sudo go test -run '^$' -bench Kernel ./internal/gateway
func BenchmarkKernel(b *testing.B) {
	for _, mtu := range []int{1500, 65520} {
		b.Run(fmt.Sprintf("up/%d", mtu), func(b *testing.B) {
			at := serve(b, "tcp4", func(c net.Conn) { io.Copy(io.Discard, c); c.(*net.TCPConn).CloseWrite() })
			c := benchConn(b, at, mtu)
			data := make([]byte, 1<<20)
			b.SetBytes(int64(len(data)))
			b.ResetTimer()
			for range b.N {
				if _, err := c.Write(data); err != nil {
					b.Fatal(err)
				}
			}
			c.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, c)
		})
		b.Run(fmt.Sprintf("down/%d", mtu), func(b *testing.B) {
			at := serve(b, "tcp4", func(c net.Conn) {
				data := make([]byte, 1<<20)
				for {
					if _, err := c.Write(data); err != nil {
						return
					}
				}
			})
			c := benchConn(b, at, mtu)
			data := make([]byte, 1<<20)
			b.SetBytes(int64(len(data)))
			b.ResetTimer()
			for range b.N {
				if _, err := io.ReadFull(c, data); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("request/%d", mtu), func(b *testing.B) {
			at := serve(b, "tcp4", echoBack)
			c := benchConn(b, at, mtu)
			for b.Loop() {
				c.Write([]byte("x"))
				if _, err := c.Read(make([]byte, 1)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("connect/%d", mtu), func(b *testing.B) {
			at := serve(b, "tcp4", echoBack)
			p := kernelBehind(b, gateway.Config{}, tuntap.MTU(mtu))
			to := netip.AddrPortFrom(loop4, at.Port()).String()
			for b.Loop() {
				c, err := p.dial("tcp", to)
				if err != nil {
					b.Fatal(err)
				}
				c.(*net.TCPConn).SetLinger(0)
				c.Close()
			}
		})
	}
}

func benchConn(b *testing.B, at netip.AddrPort, mtu int) net.Conn {
	b.Helper()
	p := kernelBehind(b, gateway.Config{}, tuntap.MTU(mtu))
	c, err := p.dial("tcp", netip.AddrPortFrom(loop4, at.Port()).String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}

// What a program hands over as one large frame of datagrams (UDP_SEGMENT, as QUIC
// does) is as many datagrams outside.
func TestSegmentedDatagrams(t *testing.T) {
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	for _, opts := range [][]tuntap.Option{nil, {tuntap.NoOffload()}} {
		p := kernelBehind(t, gateway.Config{}, opts...)
		c, err := p.dial("udp", netip.AddrPortFrom(loop4, pc.LocalAddr().(*net.UDPAddr).AddrPort().Port()).String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		const size, sum = 1000, 3500
		out := make([]byte, sum)
		io.ReadFull(newPattern(sum), out)
		cmsg := make([]byte, unix.CmsgSpace(2))
		h := (*unix.Cmsghdr)(unsafe.Pointer(&cmsg[0]))
		h.Level, h.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
		h.SetLen(unix.CmsgLen(2))
		binary.NativeEndian.PutUint16(cmsg[unix.CmsgLen(0):], size)
		if _, _, err := c.(*net.UDPConn).WriteMsgUDP(out, cmsg, nil); err != nil {
			t.Skip("this kernel does not segment datagrams: ", err)
		}
		b := make([]byte, 10_000)
		for at := 0; at < sum; at += size {
			pc.SetReadDeadline(time.Now().Add(10 * time.Second))
			n, _, err := pc.ReadFrom(b)
			if want := out[at:min(at+size, sum)]; err != nil || !bytes.Equal(b[:n], want) {
				t.Fatalf("%d bytes, %v; want %d", n, err, len(want))
			}
		}
	}
}
