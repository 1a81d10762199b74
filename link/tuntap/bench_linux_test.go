package tuntap_test

import (
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"example.com/berth/internal/testnet"
	"example.com/berth/link"
	"example.com/berth/link/tuntap"
)

type sink struct{}

func (sink) Input([]link.Frame) {}
func (sink) Changed()           {}

// datagrams returns what sends a datagram from a socket of the kernel's to the host, cut
// into segments of a size unless that is 0.
func datagrams(tb testing.TB, ns *testnet.NS, seg int) (send func(payload []byte)) {
	tb.Helper()
	var fd int
	var err error
	ns.Do(func() {
		if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0); err != nil {
			return
		}
		tb.Cleanup(func() { unix.Close(fd) })
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{10, 77, 0, 2}})
		if err == nil && seg != 0 {
			err = unix.SetsockoptInt(fd, syscall.IPPROTO_UDP, unix.UDP_SEGMENT, seg)
		}
	})
	if err != nil {
		tb.Fatal(err)
	}
	return func(payload []byte) { unix.Write(fd, payload) }
}

// BenchmarkInput measures what comes in: a socket of the kernel's sends bursts of
// datagrams, and waits until all are in.
func BenchmarkInput(b *testing.B) {
	for _, bb := range []struct {
		name      string
		opts      []tuntap.Option
		size, seg int
	}{
		{"plain/72", []tuntap.Option{tuntap.NoOffload()}, 72, 0},
		{"plain/1472", []tuntap.Option{tuntap.NoOffload()}, 1472, 0},
		{"header/72", nil, 72, 0},
		{"header/1472", nil, 1472, 0},
		{"header/62K", nil, 42 * 1472, 1472},
	} {
		b.Run(bb.name, func(b *testing.B) {
			ns := testnet.New(b)
			dev := ns.TUN(append(bb.opts, hostAddrs...)...)
			if err := dev.Attach(sink{}); err != nil {
				b.Fatal(err)
			}
			send := datagrams(b, ns, bb.seg)
			payload := make([]byte, bb.size)
			const burst = 32
			b.SetBytes(int64(bb.size))
			b.ReportAllocs()
			for b.Loop() {
				before := dev.Stats().FramesIn
				for range burst {
					send(payload)
				}
				for dev.Stats().FramesIn < before+burst {
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*burst), "ns/frame")
			s := dev.Stats()
			b.ReportMetric(float64(s.FramesIn)/float64(s.BatchesIn), "frames/batch")
		})
	}
}

// BenchmarkOutput measures the way to a socket of the kernel's that nobody
// drains.
func BenchmarkOutput(b *testing.B) {
	for _, bb := range []struct {
		name      string
		opts      []tuntap.Option
		size, seg int
	}{
		{"plain/72", []tuntap.Option{tuntap.NoOffload()}, 72, 0},
		{"plain/1472", []tuntap.Option{tuntap.NoOffload()}, 1472, 0},
		{"header/1472", nil, 1472, 0},
		{"header/62K", nil, 42 * 1472, 1472},
	} {
		b.Run(bb.name, func(b *testing.B) {
			ns := testnet.New(b)
			dev := ns.TUN(append(bb.opts, hostAddrs...)...)
			ns.Do(func() {
				c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("10.77.0.1:"+strconv.Itoa(testnet.DstPort))))
				if err != nil {
					b.Error(err)
				}
				b.Cleanup(func() { c.Close() })
			})
			f := testnet.Datagram("10.77.0.2", "10.77.0.1", bb.size, bb.seg)
			if len(bb.opts) > 0 {
				f.Checksum = link.ChecksumFull
				f.Head[26], f.Head[27] = 0, 0 // none
			}
			frames := []link.Frame{f}
			b.SetBytes(int64(bb.size))
			b.ReportAllocs()
			for b.Loop() {
				if n, err := dev.Output(frames); n != 1 || err != nil {
					b.Fatalf("Output = %d, %v", n, err)
				}
			}
		})
	}
}
