package tuntap_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"example.com/berth/internal/eventloop"
	"example.com/berth/internal/testnet"
	"example.com/berth/link"
	"example.com/berth/link/linktest"
	"example.com/berth/link/tuntap"
)

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), testnet.Patience)
	t.Cleanup(cancel)
	return ctx
}

var hostAddrs = []tuntap.Option{tuntap.HostAddr("10.77.0.1/24"), tuntap.HostAddr("fd77::1/64")}

func TestTheKernelPings(t *testing.T) {
	loop, err := eventloop.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { loop.Close() }) // after the devices
	for _, tt := range []struct {
		name string
		opts []tuntap.Option
	}{
		{"TUN", nil},
		{"TUN without offload", []tuntap.Option{tuntap.NoOffload()}},
		{"TAP", []tuntap.Option{tuntap.TAP()}},
		{"TUN on a poller", []tuntap.Option{tuntap.OnPoller(loop)}},
		{"TAP without offload", []tuntap.Option{tuntap.TAP(), tuntap.NoOffload(), tuntap.HardwareAddr([6]byte{2, 0, 0, 0, 0, 7})}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ns := testnet.New(t)
			dev := ns.TUN(append(tt.opts, hostAddrs...)...)
			testnet.NewEcho(t, dev, "10.77.0.2", "fd77::2").Attach()
			for _, addr := range []string{"10.77.0.2", "fd77::2"} {
				for _, size := range []string{"56", "1400"} {
					out, err := ns.Command(within(t), "ping", "-c3", "-i0.01", "-W2", "-s", size, addr).CombinedOutput()
					if err != nil {
						t.Errorf("%v: %s", err, out)
					}
				}
			}
		})
	}
}

func TestInfo(t *testing.T) {
	ns := testnet.New(t)
	own := [6]byte{2, 0, 0, 0, 0, 7}
	for _, tt := range []struct {
		name string
		opts []tuntap.Option
		want link.Info
	}{
		{"TUN", nil, link.Info{Name: "bt0", MTU: 1500, Offload: link.OffloadAll, MaxSegments: 64}},
		{"plain", []tuntap.Option{tuntap.NoOffload(), tuntap.MTU(1280)}, link.Info{Name: "bt0", MTU: 1280}},
		{
			"TAP",
			[]tuntap.Option{tuntap.TAP(), tuntap.NoOffload(), tuntap.HardwareAddr(own), tuntap.MTU(9000)},
			link.Info{Name: "bt0", Medium: link.Ethernet, Addr: own, MTU: 9000},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dev := ns.TUN(append(tt.opts, tuntap.QueueLength(1000))...)
			tt.want.Up = true
			got := dev.Info()
			if tt.want.Offload != 0 && got.Offload&link.OffloadUDP == 0 {
				t.Log("the kernel has no UDP segmentation offload (Linux 6.2)")
				tt.want.Offload, tt.want.MaxSegments = tt.want.Offload&^link.OffloadUDP, 0
			}
			if got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			dev.Close()
		})
	}
	a, b := ns.TUN(tuntap.TAP()).Info().Addr, ns.TUN(tuntap.TAP()).Info().Addr
	if a == b || a[0]&3 != 2 || b[0]&3 != 2 {
		t.Errorf("addresses % x and % x: not two of single stations, locally administered", a, b)
	}
}

func TestChangesFromOutsideAreNoticed(t *testing.T) {
	ns := testnet.New(t)
	dev := ns.TUN()
	// Before the handler is there, too.
	ns.Do(func() { setMTU(t, "bt0", 1400) })
	changes := make(chan link.Info, 10)
	e := testnet.NewEcho(t, dev)
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
	wait("the MTU set before Attach", func(i link.Info) bool { return i.MTU == 1400 })
	ns.Do(func() { setMTU(t, "bt0", 1300) })
	wait("the MTU", func(i link.Info) bool { return i.MTU == 1300 })
	long := []link.Frame{{Payload: make([]byte, 1301)}}
	if n, err := dev.Output(long); n != 0 || !errors.Is(err, link.ErrTooLong) {
		t.Errorf("Output above the new MTU = %d, %v", n, err)
	}

	ns.Do(func() { setUp(t, "bt0", false) })
	wait("down", func(i link.Info) bool { return !i.Up })
	if n, err := dev.Output([]link.Frame{{Payload: []byte{0x45}}}); n != 0 || !errors.Is(err, syscall.ENETDOWN) {
		t.Errorf("Output to an interface that is down = %d, %v", n, err)
	}
	ns.Do(func() { setUp(t, "bt0", true) })
	wait("up again", func(i link.Info) bool { return i.Up })

	ns.Do(func() { remove(t, "bt0") })
	wait("removal", func(i link.Info) bool { return !i.Up })
	if n, err := dev.Output([]link.Frame{{Payload: []byte{0x45}}}); n != 0 || !errors.Is(err, syscall.ENODEV) {
		t.Errorf("Output to an interface that was removed = %d, %v", n, err)
	}
	if err := dev.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	ns := testnet.New(t)
	for _, attach := range []bool{false, true} {
		dev := ns.TUN(hostAddrs...)
		if attach {
			testnet.NewEcho(t, dev, "10.77.0.2").Attach()
		}
		for range 2 {
			if err := dev.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		ns.Do(func() {
			if exists("bt0") {
				t.Error("the interface is still there")
			}
		})
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		for _, f := range []string{"fdlink.(*reader).run(", "rtnl.(*Interface).Watch("} {
			if strings.Contains(string(stacks), f) {
				t.Errorf("a goroutine is left in %s", f)
			}
		}
		if n, err := dev.Output([]link.Frame{{Payload: []byte{0x45}}}); n != 0 || !errors.Is(err, link.ErrClosed) {
			t.Errorf("Output after Close = %d, %v", n, err)
		}
		if err := dev.Attach(testnet.NewEcho(t, dev)); !errors.Is(err, link.ErrClosed) {
			t.Errorf("Attach after Close: %v", err)
		}
	}
}

func TestNamespaceByPath(t *testing.T) {
	ns := testnet.New(t)
	testnet.NeedTUN(t)
	path := "/proc/self/fd/" + strconv.Itoa(ns.FD())
	dev, err := tuntap.Open("elsewhere", tuntap.Namespace(path))
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	if exists("elsewhere") {
		t.Error("the interface is in the process's own namespace")
	}
	ns.Do(func() {
		if !exists("elsewhere") {
			t.Error("the interface is not in the namespace")
		}
	})
	_, err = tuntap.Open("x", tuntap.Namespace("/nowhere"))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "network namespace /nowhere") {
		t.Errorf("a namespace that is not there: %v", err)
	}
	_, err = tuntap.Open("x", tuntap.NamespaceFD(0))
	if err == nil {
		t.Error("standard input is a network namespace")
	}
}

// TestPersistentInterface: somebody made it with a virtio header of 12 bytes.
func TestPersistentInterface(t *testing.T) {
	ns := testnet.New(t)
	testnet.NeedTUN(t)
	ns.Do(func() { persist(t, "bt0") })
	for range 2 {
		dev, err := tuntap.Open("bt0", append(hostAddrs, tuntap.NamespaceFD(ns.FD()))...)
		if err != nil {
			t.Fatal(err)
		}
		testnet.NewEcho(t, dev, "10.77.0.2").Attach()
		if out, err := ns.Command(within(t), "ping", "-c1", "-W2", "10.77.0.2").CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		dev.Close()
		ns.Do(func() {
			if !exists("bt0") {
				t.Error("Close removed an interface that is persistent")
			}
		})
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	ns := testnet.New(t)
	testnet.NeedTUN(t)
	in := tuntap.NamespaceFD(ns.FD())
	taken := ns.TUN() // bt0
	defer taken.Close()
	for _, tt := range []struct {
		what string
		open func() (*tuntap.Device, error)
		errs error
		says []string
	}{
		{
			"name taken", func() (*tuntap.Device, error) { return tuntap.Open("bt0", in) },
			syscall.EBUSY,
			[]string{`"bt0"`, "in use by another program"},
		},
		{
			"name of another kind", func() (*tuntap.Device, error) { return tuntap.Open("lo", in) },
			syscall.EINVAL,
			[]string{`"lo"`, "another kind"},
		},
		{
			"name too long", func() (*tuntap.Device, error) { return tuntap.Open("a-name-of-16-byt", in) },
			nil,
			[]string{`"a-name-of-16-byt"`, "at most 15 bytes"},
		},
		{
			"MTU above the driver's", func() (*tuntap.Device, error) { return tuntap.Open("big", in, tuntap.TAP(), tuntap.MTU(65535)) },
			syscall.EINVAL,
			[]string{`"big"`, "set MTU 65535"},
		},
	} {
		dev, err := tt.open()
		if err == nil {
			dev.Close()
			t.Errorf("%s: no error", tt.what)
			continue
		}
		check(t, tt.what, err, tt.errs, tt.says...)
	}
	ns.Do(func() {
		if exists("big") {
			t.Error("an interface is left after an error")
		}
	})
}

func check(t *testing.T, what string, err, is error, says ...string) {
	t.Helper()
	if is != nil && !errors.Is(err, is) {
		t.Errorf("%s: %v; want %v", what, err, is)
	}
	for _, s := range append(says, "tuntap: ") {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%s: %v; does not say %q", what, err, s)
		}
	}
}

// TestWithoutPrivilege drops CAP_NET_ADMIN on one thread.
func TestWithoutPrivilege(t *testing.T) {
	ns := testnet.New(t)
	testnet.NeedTUN(t)
	ns.Do(func() {
		var none [2]unix.CapUserData
		if err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0]); err != nil {
			t.Error(err)
			return
		}
		dev, err := tuntap.Open("bt%d")
		if err == nil {
			dev.Close()
			t.Error("no error")
			return
		}
		check(t, "without CAP_NET_ADMIN", err, syscall.EPERM, "CAP_NET_ADMIN", "setcap", "unshare -rn", "ip tuntap add")
	})
}

func TestFromFDOfATUN(t *testing.T) {
	for _, tt := range []struct {
		name    string
		flags   uint16
		header  int
		opts    []tuntap.Option
		offload bool
	}{
		{name: "plain", flags: unix.IFF_TUN | unix.IFF_NO_PI},
		{name: "header", flags: unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR, offload: true},
		{name: "long header", flags: unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR, header: 12, offload: true},
		{
			name: "header, offload unwanted", flags: unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR,
			opts: []tuntap.Option{tuntap.NoOffload()},
		},
		{name: "TAP", flags: unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_VNET_HDR, offload: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ns := testnet.New(t)
			testnet.NeedTUN(t)
			var fd int
			ns.Do(func() { fd = openTUN(t, "other0", tt.flags, tt.header) })
			ns.Addr("other0", "10.77.0.1/24")
			dev, err := tuntap.FromFD(fd, tt.opts...)
			if err != nil {
				t.Fatal(err)
			}
			defer dev.Close()
			info := dev.Info()
			if info.Name != "other0" || (info.Offload != 0) != tt.offload || (info.Medium == link.Ethernet) != (tt.flags&unix.IFF_TAP != 0) {
				t.Errorf("%+v", info)
			}
			changes := make(chan link.Info, 10)
			e := testnet.NewEcho(t, dev, "10.77.0.2")
			e.OnChange = func(info link.Info) { changes <- info }
			e.Attach()
			ns.Do(func() { setMTU(t, "other0", 1400); setUp(t, "other0", true) })
			for late := time.After(testnet.Patience); ; {
				select {
				case <-changes:
				case <-late:
					t.Fatalf("changes not noticed: %+v", dev.Info())
				}
				if info := dev.Info(); info.MTU == 1400 && info.Up {
					break
				}
			}
			if out, err := ns.Command(within(t), "ping", "-c3", "-i0.01", "-W2", "10.77.0.2").CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

func TestFromFDOfASocket(t *testing.T) {
	linktest.Run(t, func(t *testing.T) (a, b link.Device) {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		var ends [2]link.Device
		for i, fd := range fds {
			dev, err := tuntap.FromFD(fd, tuntap.TAP(), tuntap.VnetHeader(10), tuntap.MTU(9000))
			if err != nil {
				t.Fatal(err)
			}
			ends[i] = dev
		}
		return ends[0], ends[1]
	})
}

func TestFromFDRefuses(t *testing.T) {
	ns := testnet.New(t)
	testnet.NeedTUN(t)
	file := func() int {
		fd, err := unix.Open(t.TempDir(), unix.O_RDONLY|unix.O_DIRECTORY, 0)
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	stream := func() int {
		fds, _ := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		t.Cleanup(func() { unix.Close(fds[1]) })
		return fds[0]
	}
	tun := func(flags uint16) func() int {
		return func() (fd int) {
			ns.Do(func() { fd = openTUN(t, "bt%d", flags, 0) })
			return fd
		}
	}
	for _, tt := range []struct {
		what string
		fd   func() int
		opts []tuntap.Option
		errs error
		says string
	}{
		{"directory", file, nil, syscall.EINVAL, "neither a TUN or TAP"},
		{"stream", stream, nil, syscall.EINVAL, "neither a TUN or TAP"},
		{"not open", func() int { return 1 << 20 }, nil, syscall.EBADF, ""},
		{"no interface", tun(0), nil, syscall.EBADFD, "TUNSETIFF"},
		{"header too short", tun(unix.IFF_TUN | unix.IFF_NO_PI), []tuntap.Option{tuntap.VnetHeader(4)}, nil, "virtio header of 4 bytes"},
		{"host address", tun(unix.IFF_TUN | unix.IFF_NO_PI), hostAddrs, nil, "set up by somebody else"},
		{"bad option", tun(unix.IFF_TUN | unix.IFF_NO_PI), []tuntap.Option{tuntap.MTU(1)}, nil, "MTU 1 "},
	} {
		fd := tt.fd()
		dev, err := tuntap.FromFD(fd, tt.opts...)
		if err == nil {
			dev.Close()
			t.Errorf("%s: no error", tt.what)
			continue
		}
		check(t, tt.what, err, tt.errs, tt.says)
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			t.Errorf("%s: the descriptor is still open", tt.what)
		}
	}
}

func TestNoAllocsOnOutput(t *testing.T) {
	ns := testnet.New(t)
	dev := ns.TUN(hostAddrs...)
	frame := testnet.Datagram("10.77.0.2", "10.77.0.1", 1000, 0)
	frames := []link.Frame{frame, frame}
	linktest.NoAllocs(t, func() {
		if n, err := dev.Output(frames); n != 2 || err != nil {
			t.Fatalf("Output = %d, %v", n, err)
		}
	})
}

func TestNoAllocsOnInput(t *testing.T) {
	for _, opts := range [][]tuntap.Option{nil, {tuntap.NoOffload()}} {
		ns := testnet.New(t)
		dev := ns.TUN(append(opts, hostAddrs...)...)
		payload := make([]byte, 1000)
		in := counter{size: 28 + len(payload), in: make(chan int)}
		if err := dev.Attach(in); err != nil {
			t.Fatal(err)
		}
		send := datagrams(t, ns, 0)
		linktest.NoAllocs(t, func() {
			send(payload)
			<-in.in
		})
	}
}

// counter tells how many packets of one size came in.
type counter struct {
	size int
	in   chan int
}

func (c counter) Changed() {}

func (c counter) Input(frames []link.Frame) {
	n := 0
	for i := range frames {
		if frames[i].Len() == c.size {
			n++
		}
	}
	if n > 0 {
		c.in <- n
	}
}
