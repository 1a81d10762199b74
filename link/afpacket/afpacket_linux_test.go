package afpacket_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"example.com/berth/internal/testnet"
	"example.com/berth/link"
	"example.com/berth/link/afpacket"
	"example.com/berth/link/linktest"
	"example.com/berth/link/tuntap"
)

// open opens an interface of a namespace for the length of the test.
func open(t testing.TB, ns *testnet.NS, name string, opts ...afpacket.Option) *afpacket.Device {
	t.Helper()
	d, err := afpacket.Open(name, append(opts[:len(opts):len(opts)], afpacket.NamespaceFD(ns.FD()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// addrOf returns the Ethernet address of the kernel's interface.
func addrOf(t testing.TB, ns *testnet.NS, name string) (mac [6]byte) {
	t.Helper()
	ns.Do(func() {
		l, err := netlink.LinkByName(name)
		if err != nil {
			t.Error(err)
			return
		}
		copy(mac[:], l.Attrs().HardwareAddr)
	})
	return mac
}

// ip runs the command of that name.
func ip(t testing.TB, ns *testnet.NS, args ...string) {
	t.Helper()
	if out, err := ns.Command(t.Context(), "ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func ping(t *testing.T, ns *testnet.NS, addr string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testnet.Patience)
	defer cancel()
	_, err := ns.Command(ctx, "ping", "-c3", "-i0.01", "-W2", "-s", "1300", addr).CombinedOutput()
	return err
}

func TestContract(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b []afpacket.Option
	}{
		{"own addresses", nil, nil},
		{"the interfaces' addresses", []afpacket.Option{afpacket.InterfaceAddr()}, []afpacket.Option{afpacket.InterfaceAddr()}},
		{"no offload", []afpacket.Option{afpacket.NoOffload()}, []afpacket.Option{afpacket.NoOffload()}},
		{"large packets", []afpacket.Option{afpacket.MTU(9000)}, []afpacket.Option{afpacket.MTU(9000)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			linktest.Run(t, func(t *testing.T) (a, b link.Device) {
				x, y := testnet.New(t), testnet.New(t)
				x.Veth("v0", y, "v1")
				return open(t, x, "v0", tt.a...), open(t, y, "v1", tt.b...)
			})
		})
	}
}

// TestContractWithATAP: a TAP, and the kernel's side of it.
func TestContractWithATAP(t *testing.T) {
	linktest.Run(t, func(t *testing.T) (a, b link.Device) {
		ns := testnet.New(t)
		tap := ns.TUN(tuntap.TAP())
		return tap, open(t, ns, tap.Info().Name)
	})
}

func TestTheKernelPings(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts []afpacket.Option
	}{
		{"own address", nil},
		{"given address", []afpacket.Option{afpacket.HardwareAddr([6]byte{2, 0, 0, 0, 0, 7})}},
		{"interface's address", []afpacket.Option{afpacket.InterfaceAddr()}},
		{"promiscuous", []afpacket.Option{afpacket.Promiscuous()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			kernel, ours := testnet.New(t), testnet.New(t)
			kernel.Veth("v0", ours, "v1")
			kernel.Addr("v0", "10.77.0.1/24")
			kernel.Addr("v0", "fd77::1/64")
			dev := open(t, ours, "v1", tt.opts...)
			testnet.NewEcho(t, dev, "10.77.0.2", "fd77::2").Attach()
			for _, addr := range []string{"10.77.0.2", "fd77::2"} {
				if err := ping(t, kernel, addr); err != nil {
					t.Error(err)
				}
			}
			if s := dev.Stats(); s.Dropped != 0 || s.Malformed != 0 || s.FramesIn < 8 {
				t.Errorf("counted %+v", s)
			}
		})
	}
}

func TestInfo(t *testing.T) {
	ns := testnet.New(t)
	ns.Veth("v0", ns, "v1")
	own := addrOf(t, ns, "v0")
	given := [6]byte{2, 0, 0, 0, 0, 7}
	all := open(t, ns, "v0").Info()
	if all.Addr == own || all.Addr[0]&3 != 2 {
		t.Errorf("address % x; the interface has % x", all.Addr, own)
	}
	if all.Offload&^link.OffloadUDP != link.OffloadAll&^link.OffloadUDP {
		t.Errorf("offload %#x", all.Offload)
	}
	for _, tt := range []struct {
		name string
		opts []afpacket.Option
		want link.Info
	}{
		{
			"interface's address",
			[]afpacket.Option{afpacket.InterfaceAddr()},
			link.Info{MTU: 1500, Addr: own, Offload: all.Offload, MaxSegments: all.MaxSegments},
		},
		{
			"given address",
			[]afpacket.Option{afpacket.HardwareAddr(given), afpacket.NoOffload(), afpacket.MTU(1400)},
			link.Info{MTU: 1400, Addr: given},
		},
	} {
		tt.want.Name, tt.want.Medium, tt.want.Up = "v0", link.Ethernet, true
		if got := open(t, ns, "v0", tt.opts...).Info(); got != tt.want {
			t.Errorf("%s:\ngot  %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
	ip(t, ns, "link", "set", "v0", "down")
	if open(t, ns, "v0").Info().Up {
		t.Error("up, but the interface is down")
	}
	if !open(t, ns, "v0", afpacket.Up()).Info().Up {
		t.Error("down, but it was to be brought up")
	}
}

// TestTheKernelCutsAndSums sends frames with partial checksums, and large ones,
// into a kernel that forwards them to a TUN without offload, where each packet
// has its whole checksum.
func TestTheKernelCutsAndSums(t *testing.T) {
	router, ours := testnet.New(t), testnet.New(t)
	router.Veth("v0", ours, "v1")
	router.Addr("v0", "10.1.0.1/24")
	router.Addr("v0", "fd01::1/64")
	to := router.TUN(tuntap.NoOffload(), tuntap.HostAddr("10.2.0.1/24"), tuntap.HostAddr("fd02::1/64"))
	router.Sysctl("net.ipv4.ip_forward", "1")
	router.Sysctl("net.ipv6.conf.all.forwarding", "1")
	from := open(t, ours, "v1")
	testnet.NewEcho(t, from).Attach()
	in := testnet.Receive(t, to)
	gateway := addrOf(t, router, "v0")
	for _, tt := range []struct {
		name   string
		f      link.Frame
		length int
	}{
		{"UDP4", testnet.Datagram("10.1.0.2", "10.2.0.2", 1001, 0), 1001},
		{"TCP6", testnet.Segment("fd01::2", "fd02::2", 1001, 0), 1001},
		{"large UDP4", testnet.Datagram("10.1.0.2", "10.2.0.2", 40001, 1200), 40001},
		{"large UDP6", testnet.Datagram("fd01::2", "fd02::2", 40001, 1200), 40001},
		{"large TCP4", testnet.Segment("10.1.0.2", "10.2.0.2", 64001, 1448), 64001},
		{"large TCP6", testnet.Segment("fd01::2", "fd02::2", 64001, 1428), 64001},
	} {
		if tt.f.GSO == link.GSOUDP && from.Info().Offload&link.OffloadUDP == 0 {
			t.Logf("%s: not before Linux 6.2", tt.name)
			continue
		}
		f := testnet.OnEthernet(tt.f, gateway, from.Info().Addr)
		if n, err := from.Output([]link.Frame{f}); n != 1 || err != nil {
			t.Fatalf("%s: Output = %d, %v", tt.name, n, err)
		}
		_, got := in.NextSegments(tt.length)
		if !bytes.Equal(got, testnet.Pattern(tt.length)) {
			t.Errorf("%s: %d bytes came through, and are not those sent", tt.name, len(got))
		}
	}
}

// TestAVethPeerSendsLargeFrames: what a kernel sends into a veth has partial
// checksums, and may be large.
func TestAVethPeerSendsLargeFrames(t *testing.T) {
	router, ours := testnet.New(t), testnet.New(t)
	router.Veth("v0", ours, "v1")
	router.Addr("v0", "10.1.0.1/24")
	router.Addr("v0", "fd01::1/64")
	from := router.TUN(tuntap.HostAddr("10.2.0.1/24"), tuntap.HostAddr("fd02::1/64"))
	router.Sysctl("net.ipv4.ip_forward", "1")
	router.Sysctl("net.ipv6.conf.all.forwarding", "1")
	to := open(t, ours, "v1")
	in := testnet.Receive(t, to, "10.1.0.2", "fd01::2")
	for _, tt := range []struct {
		name string
		f    link.Frame
	}{
		{"UDP6", testnet.Datagram("fd02::2", "fd01::2", 1001, 0)},
		{"large UDP4", testnet.Datagram("10.2.0.2", "10.1.0.2", 40001, 1200)},
		{"large TCP4", testnet.Segment("10.2.0.2", "10.1.0.2", 64001, 1448)},
		{"large TCP6", testnet.Segment("fd02::2", "fd01::2", 64001, 1428)},
	} {
		if tt.f.GSO == link.GSOUDP && from.Info().Offload&link.OffloadUDP == 0 {
			continue
		}
		if n, err := from.Output([]link.Frame{tt.f}); n != 1 || err != nil {
			t.Fatalf("%s: Output = %d, %v", tt.name, n, err)
		}
		r := in.Next()
		if r.Checksum != link.ChecksumPartial || r.GSO != tt.f.GSO || r.SegSize != int(tt.f.SegSize) || !bytes.Equal(r.Payload, tt.f.Payload) {
			t.Errorf("%s: %d bytes, GSO %d of %d, checksum %d", tt.name, len(r.Payload), r.GSO, r.SegSize, r.Checksum)
		}
	}
}

// TestWhatComesIn tells the frames of a few senders apart by their text.
func TestWhatComesIn(t *testing.T) {
	own, given := [6]byte{2, 0, 0, 0, 0, 1}, [6]byte{2, 0, 0, 0, 0, 7}
	group, everybody := [6]byte{3, 0, 0, 0, 0, 1}, [6]byte{255, 255, 255, 255, 255, 255}
	near := [6]byte{2, 0, 0, 0, 0, 8}
	far := [6]byte{6, 0, 0, 0, 0, 7}
	for _, tt := range []struct {
		name string
		opts []afpacket.Option
		want [][6]byte
	}{
		{"given address", []afpacket.Option{afpacket.HardwareAddr(given)}, [][6]byte{given, group, everybody}},
		{"interface's address", []afpacket.Option{afpacket.InterfaceAddr()}, [][6]byte{own, group, everybody}},
		{"promiscuous", []afpacket.Option{afpacket.Promiscuous()}, [][6]byte{own, given, near, far, group, everybody}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := testnet.New(t), testnet.New(t)
			a.Veth("v0", b, "v1")
			ip(t, b, "link", "set", "v1", "address", "02:00:00:00:00:01")
			from, to := open(t, a, "v0"), open(t, b, "v1", tt.opts...)
			const (
				experimental = "\x88\xb5"         // EtherType for experiments (IEEE 802)
				tag          = "\x81\x00\x00\x05" // VLAN 5 (IEEE 802.1Q)
			)
			got := make(chan [6]byte, 100)
			e := testnet.NewEcho(t, to)
			e.Other = func(f *link.Frame) {
				if len(f.Payload) >= 14 && string(f.Payload[12:14]) == experimental {
					if !bytes.HasSuffix(f.Payload, []byte("untagged")) {
						t.Errorf("a frame with a VLAN tag came in: %q", f.Payload)
					}
					got <- [6]byte(f.Payload)
				}
			}
			e.Attach()
			for _, dst := range [][6]byte{own, given, near, far, group, everybody} {
				src := from.Info().Addr
				for _, rest := range []string{tag + experimental + "tagged", experimental + "untagged"} {
					f := link.Frame{Head: append(append(dst[:], src[:]...), rest...)}
					if n, err := from.Output([]link.Frame{f}); n != 1 || err != nil {
						t.Fatalf("Output = %d, %v", n, err)
					}
				}
			}
			for _, want := range tt.want {
				select {
				case dst := <-got:
					if dst != want {
						t.Errorf("a frame to % x came in; want % x", dst, want)
					}
				case <-time.After(testnet.Patience):
					t.Fatalf("no frame to % x came in", want)
				}
			}
		})
	}
}

func TestChangesFromOutsideAreNoticed(t *testing.T) {
	kernel, ours := testnet.New(t), testnet.New(t)
	kernel.Veth("v0", ours, "v1")
	kernel.Addr("v0", "10.77.0.1/24")
	dev := open(t, ours, "v1", afpacket.InterfaceAddr())
	changes := make(chan link.Info, 100)
	e := testnet.NewEcho(t, dev, "10.77.0.2")
	e.OnChange = func(info link.Info) { changes <- info }
	e.Attach()
	wait := func(what string, ok func(link.Info) bool) {
		t.Helper()
		for late := time.After(testnet.Patience); ; {
			select {
			case info := <-changes:
				if ok(info) {
					return
				}
			case <-late:
				t.Fatalf("%s was not noticed: %+v", what, dev.Info())
			}
		}
	}
	hello := []link.Frame{{Head: make([]byte, 60)}}
	ip(t, ours, "link", "set", "v1", "mtu", "1400")
	wait("the MTU", func(i link.Info) bool { return i.MTU == 1400 })
	ip(t, ours, "link", "set", "v1", "address", "02:00:00:00:00:09")
	wait("the address", func(i link.Info) bool { return i.Addr == [6]byte{2, 0, 0, 0, 0, 9} })
	ip(t, ours, "link", "set", "v1", "down")
	wait("down", func(i link.Info) bool { return !i.Up })
	if n, err := dev.Output(hello); n != 0 || !errors.Is(err, syscall.ENETDOWN) {
		t.Errorf("Output to an interface that is down = %d, %v", n, err)
	}
	ip(t, ours, "link", "set", "v1", "up")
	wait("up again", func(i link.Info) bool { return i.Up })
	if err := ping(t, kernel, "10.77.0.2"); err != nil {
		t.Errorf("after it was down: %v", err)
	}
	ip(t, kernel, "link", "set", "v0", "down")
	wait("the peer's end down", func(i link.Info) bool { return !i.Up })
	ip(t, kernel, "link", "del", "v0")
	for _, err := dev.Output(hello); !errors.Is(err, syscall.ENODEV); _, err = dev.Output(hello) {
		if !errors.Is(err, syscall.ENETDOWN) { // on its way out
			t.Fatalf("Output to an interface that was removed: %v", err)
		}
	}
	if dev.Info().Up {
		t.Error("up, but removed")
	}
}

func TestCloseEndsEverything(t *testing.T) {
	ns := testnet.New(t)
	ns.Veth("v0", ns, "v1")
	promiscuity := func() (n int) {
		ns.Do(func() {
			if l, err := netlink.LinkByName("v0"); err == nil {
				n = l.Attrs().Promisc
			}
		})
		return n
	}
	dev := open(t, ns, "v0")
	testnet.NewEcho(t, dev).Attach()
	if promiscuity() != 1 {
		t.Errorf("promiscuity %d while open", promiscuity())
	}
	for range 2 {
		if err := dev.Close(); err != nil {
			t.Error(err)
		}
	}
	if promiscuity() != 0 {
		t.Errorf("promiscuity %d after Close", promiscuity())
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, f := range []string{"fdlink.(*reader).run(", "rtnl.(*Interface).Watch("} {
		if strings.Contains(string(stacks), f) {
			t.Errorf("a goroutine is left in %s", f)
		}
	}
	if n, err := dev.Output([]link.Frame{{Head: make([]byte, 60)}}); n != 0 || !errors.Is(err, link.ErrClosed) {
		t.Errorf("Output after Close = %d, %v", n, err)
	}
}

// TestDropsAreCounted: a reader that does not keep up.
func TestDropsAreCounted(t *testing.T) {
	a, b := testnet.New(t), testnet.New(t)
	a.Veth("v0", b, "v1")
	from, to := open(t, a, "v0"), open(t, b, "v1", afpacket.Buffer(4096))
	dst, src := to.Info().Addr, from.Info().Addr
	f := link.Frame{Head: append(append(dst[:], src[:]...), 0x88, 0xb5), Payload: make([]byte, 1000)}
	const sent = 200
	for range sent {
		if n, err := from.Output([]link.Frame{f}); n != 1 || err != nil {
			t.Fatalf("Output = %d, %v", n, err)
		}
	}
	for range 2 { // the kernel forgets what it told
		if s := to.Stats(); s.Dropped < sent/2 || s.Dropped > sent*2 {
			t.Errorf("%d dropped of %d", s.Dropped, sent)
		}
	}
	want := to.Stats().Dropped
	to.Close()
	if got := to.Stats().Dropped; got < want {
		t.Errorf("%d dropped after Close, %d before", got, want)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	ns := testnet.New(t)
	ns.Veth("v0", ns, "v1")
	ns.TUN(tuntap.TAP()) // bt0, whose MTU has a limit
	in := afpacket.NamespaceFD(ns.FD())
	for _, tt := range []struct {
		what string
		name string
		opts []afpacket.Option
		is   error
		says []string
	}{
		{"no interface", "v9", []afpacket.Option{in}, syscall.ENODEV, []string{`no interface "v9"`, "network namespace of descriptor"}},
		{"no Ethernet", "lo", []afpacket.Option{in}, syscall.EAFNOSUPPORT, []string{`"lo"`, "no Ethernet interface"}},
		{"MTU too large", "bt0", []afpacket.Option{in, afpacket.MTU(65535)}, syscall.EINVAL, []string{`"bt0"`, "set MTU 65535"}},
		{"no namespace", "v0", []afpacket.Option{afpacket.Namespace("/nowhere")}, syscall.ENOENT, []string{"/nowhere"}},
	} {
		d, err := afpacket.Open(tt.name, tt.opts...)
		if err == nil {
			d.Close()
			t.Errorf("%s: no error", tt.what)
			continue
		}
		check(t, tt.what, err, tt.is, tt.says...)
	}
	ns.Do(func() { // capabilities belong to the thread
		var none [2]unix.CapUserData
		if err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0]); err != nil {
			t.Error(err)
			return
		}
		for _, opts := range [][]afpacket.Option{nil, {afpacket.MTU(1400)}} {
			d, err := afpacket.Open("v0", opts...)
			if err == nil {
				d.Close()
				t.Error("without capabilities: no error")
				continue
			}
			check(t, "without capabilities", err, syscall.EPERM, "CAP_NET_RAW", "setcap", "unshare -rn")
		}
	})
}

func check(t *testing.T, what string, err, is error, says ...string) {
	t.Helper()
	if !errors.Is(err, is) {
		t.Errorf("%s: %v; want %v", what, err, is)
	}
	for _, s := range append(says, "afpacket: ") {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%s: %v; does not say %q", what, err, s)
		}
	}
}

func TestNamespaceByPath(t *testing.T) {
	ns := testnet.New(t)
	ns.Veth("v0", ns, "v1")
	d, err := afpacket.Open("v0", afpacket.Namespace("/proc/self/fd/"+strconv.Itoa(ns.FD())))
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
}

func TestNoAllocs(t *testing.T) {
	a, b := testnet.New(t), testnet.New(t)
	a.Veth("v0", b, "v1")
	from, to := open(t, a, "v0"), open(t, b, "v1")
	in := make(chan int, 100)
	testnet.NewEcho(t, from).Attach()
	if err := to.Attach(counter{in}); err != nil {
		t.Fatal(err)
	}
	dst, src := to.Info().Addr, from.Info().Addr
	head := append(append(dst[:], src[:]...), 0x88, 0xb5)
	frames := []link.Frame{{Head: head, Payload: make([]byte, 50)}, {Head: head, Payload: make([]byte, 1500)}}
	linktest.NoAllocs(t, func() {
		if n, err := from.Output(frames); n != 2 || err != nil {
			t.Fatalf("Output = %d, %v", n, err)
		}
		for n := 0; n < len(frames); n += <-in {
		}
	})
}

// counter tells how many frames of the test came in.
type counter struct{ in chan int }

func (c counter) Changed() {}

func (c counter) Input(frames []link.Frame) {
	n := 0
	for i := range frames {
		if p := frames[i].Payload; len(p) > 14 && p[12] == 0x88 {
			n++
		}
	}
	c.in <- n
}
