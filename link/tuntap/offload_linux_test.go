package tuntap_test

import (
	"bytes"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"example.com/berth/internal/testnet"
	"example.com/berth/link"
	"example.com/berth/link/tuntap"
)

// router makes a namespace that forwards between two TUNs.
func router(t *testing.T, b ...tuntap.Option) (from, to *tuntap.Device) {
	t.Helper()
	ns := testnet.New(t)
	from = ns.TUN(tuntap.HostAddr("10.1.0.1/24"), tuntap.HostAddr("fd01::1/64"))
	to = ns.TUN(append(b, tuntap.HostAddr("10.2.0.1/24"), tuntap.HostAddr("fd02::1/64"))...)
	ns.Sysctl("net.ipv4.ip_forward", "1")
	ns.Sysctl("net.ipv6.conf.all.forwarding", "1")
	return from, to
}

var flows = []struct {
	name   string
	frame  func(src, dst string, n, seg int) link.Frame
	v6     bool
	length int
	seg    int
}{
	{"UDP4", testnet.Datagram, false, 1001, 0},
	{"UDP6", testnet.Datagram, true, 1001, 0},
	{"TCP4", testnet.Segment, false, 1001, 0},
	{"TCP6", testnet.Segment, true, 1001, 0},
	{"empty UDP4", testnet.Datagram, false, 0, 0},
	{"large UDP4", testnet.Datagram, false, 40001, 1200},
	{"large UDP6", testnet.Datagram, true, 40001, 1200},
	{"large TCP4", testnet.Segment, false, 64001, 1448},
	{"large TCP6", testnet.Segment, true, 64001, 1428},
	{"large TCP4 of one segment", testnet.Segment, false, 1448, 1448},
}

func addresses(v6 bool) (src, dst string) {
	if v6 {
		return "fd01::2", "fd02::2"
	}
	return "10.1.0.2", "10.2.0.2"
}

// TestTheKernelCutsAndSums sends frames with partial checksums, and large ones,
// to an interface from where the kernel forwards them to one without offload:
// what comes out there, the kernel has cut and summed by what we told it.
func TestTheKernelCutsAndSums(t *testing.T) {
	from, to := router(t, tuntap.NoOffload())
	in := testnet.Receive(t, to)
	for _, tt := range flows {
		src, dst := addresses(tt.v6)
		f := tt.frame(src, dst, tt.length, tt.seg)
		if f.GSO == link.GSOUDP && from.Info().Offload&link.OffloadUDP == 0 {
			t.Logf("%s: not before Linux 6.2", tt.name)
			continue
		}
		if n, err := from.Output([]link.Frame{f}); n != 1 || err != nil {
			t.Fatalf("%s: Output = %d, %v", tt.name, n, err)
		}
		all, got := in.NextSegments(tt.length)
		at := 0
		for _, r := range all {
			if r.Checksum != link.ChecksumFull || r.GSO != link.GSONone {
				t.Errorf("%s: checksum %d and GSO %d at an interface without", tt.name, r.Checksum, r.GSO)
			}
			if f.GSO != link.GSONone && len(r.Payload) != min(tt.seg, tt.length-at) {
				t.Errorf("%s: a segment of %d bytes at %d", tt.name, len(r.Payload), at)
			}
			if f.GSO != link.GSOUDP && int(r.Seq) != at {
				t.Errorf("%s: sequence number %d at %d", tt.name, r.Seq, at)
			}
			at += len(r.Payload)
		}
		if !bytes.Equal(got, testnet.Pattern(tt.length)) {
			t.Errorf("%s: %d bytes came through, and are not those sent", tt.name, len(got))
		}
	}
}

// TestLargeFramesComeThroughWhole is the same with offload on both sides.
func TestLargeFramesComeThroughWhole(t *testing.T) {
	from, to := router(t)
	in := testnet.Receive(t, to)
	for _, tt := range flows {
		src, dst := addresses(tt.v6)
		f := tt.frame(src, dst, tt.length, tt.seg)
		if f.GSO == link.GSOUDP && from.Info().Offload&link.OffloadUDP == 0 {
			continue
		}
		if n, err := from.Output([]link.Frame{f}); n != 1 || err != nil {
			t.Fatalf("%s: Output = %d, %v", tt.name, n, err)
		}
		r := in.Next()
		if !bytes.Equal(r.Payload, f.Payload) || r.Checksum != link.ChecksumPartial {
			t.Errorf("%s: %d bytes with checksum %d", tt.name, len(r.Payload), r.Checksum)
		}
		if tt.length > tt.seg && (r.GSO != f.GSO || r.SegSize != tt.seg) {
			t.Errorf("%s: GSO %d of %d, want %d of %d", tt.name, r.GSO, r.SegSize, f.GSO, tt.seg)
		}
	}
}

// TestDatagramsReachASocket: to a socket of the kernel's.
func TestDatagramsReachASocket(t *testing.T) {
	ns := testnet.New(t)
	dev := ns.TUN(hostAddrs...)
	for _, tt := range []struct{ src, dst string }{{"10.77.0.2", "10.77.0.1"}, {"fd77::2", "fd77::1"}} {
		var c *net.UDPConn
		var err error
		ns.Do(func() {
			c, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(tt.dst), testnet.DstPort)))
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		frames := []link.Frame{testnet.Datagram(tt.src, tt.dst, 1000, 0)}
		want := []int{1000}
		if dev.Info().Offload&link.OffloadUDP != 0 {
			frames = append(frames, testnet.Datagram(tt.src, tt.dst, 2500, 1200))
			want = append(want, 1200, 1200, 100)
		}
		if n, err := dev.Output(frames); n != len(frames) || err != nil {
			t.Fatalf("Output = %d, %v", n, err)
		}
		b := make([]byte, 2000)
		c.SetReadDeadline(time.Now().Add(testnet.Patience))
		for _, size := range want {
			if n, from, err := c.ReadFromUDPAddrPort(b); n != size || err != nil || from.Port() != testnet.SrcPort {
				t.Errorf("%s: %d bytes from %v, %v; want %d", tt.dst, n, from, err, size)
			}
		}
	}
}

// TestASocketSendsLargeFrames: from a socket of the kernel's with UDP_SEGMENT.
func TestASocketSendsLargeFrames(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts []tuntap.Option
	}{
		{"offload", nil},
		{"no offload", []tuntap.Option{tuntap.NoOffload()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ns := testnet.New(t)
			dev := ns.TUN(append(tt.opts, hostAddrs...)...)
			in := testnet.Receive(t, dev)
			const length, seg = 30001, 1300
			ns.Do(func() { send(t, "10.77.0.2", testnet.Pattern(length), seg) })
			if dev.Info().Offload&link.OffloadUDP != 0 {
				r := in.Next()
				if r.GSO != link.GSOUDP || r.SegSize != seg || r.Checksum != link.ChecksumPartial || !bytes.Equal(r.Payload, testnet.Pattern(length)) {
					t.Errorf("%d bytes, GSO %d of %d, checksum %d", len(r.Payload), r.GSO, r.SegSize, r.Checksum)
				}
				return
			}
			all, got := in.NextSegments(length)
			for i, r := range all {
				if len(r.Payload) != min(seg, length-i*seg) {
					t.Errorf("datagram %d of %d bytes", i, len(r.Payload))
				}
			}
			if !bytes.Equal(got, testnet.Pattern(length)) {
				t.Error("other bytes came in than were sent")
			}
		})
	}
}

// send sends a payload in datagrams of seg bytes, by the calling thread's
// namespace.
func send(t *testing.T, to string, payload []byte, seg int) {
	t.Helper()
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(to), testnet.DstPort)))
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	rc, _ := c.SyscallConn()
	rc.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), syscall.IPPROTO_UDP, unix.UDP_SEGMENT, seg) })
	if err == nil {
		_, err = c.Write(payload)
	}
	if err != nil {
		t.Error(err)
	}
}
