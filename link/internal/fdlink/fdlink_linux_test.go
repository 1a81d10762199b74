package fdlink_test

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"example.com/berth/link"
	"example.com/berth/link/internal/fdlink"
	"example.com/berth/link/internal/virtio"
	"example.com/berth/link/linktest"
)

// pair returns the two ends of a socket of messages.
func pair(t testing.TB, typ int) (ours, theirs int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, typ|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fds[0], fds[1]
}

// open returns a device on one end, and the other end.
func open(t testing.TB, typ int, cfg fdlink.Config) (*fdlink.Device, int) {
	t.Helper()
	ours, theirs := pair(t, typ)
	t.Cleanup(func() { unix.Close(theirs) })
	return onto(t, ours, cfg), theirs
}

func onto(t testing.TB, fd int, cfg fdlink.Config) *fdlink.Device {
	t.Helper()
	if cfg.Info.MTU == 0 {
		cfg.Info.MTU = 1500
	}
	cfg.Info.Up = true
	d, err := fdlink.New(fd, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// handler hands batches to a function, and changes to a channel.
type handler struct {
	input   func([]link.Frame)
	changed chan struct{}
}

func handle(input func([]link.Frame)) handler { return handler{input, make(chan struct{}, 10)} }

func (h handler) Input(frames []link.Frame) { h.input(frames) }
func (h handler) Changed()                  { h.changed <- struct{}{} }

func TestContract(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  fdlink.Config
	}{
		{"plain", fdlink.Config{}},
		{"header", fdlink.Config{VnetHeader: 10, Info: link.Info{Offload: link.OffloadAll}}},
		{"socket", fdlink.Config{VnetHeader: 10, Socket: true, Info: link.Info{Offload: link.OffloadAll}}},
		{"long header", fdlink.Config{VnetHeader: 12, Info: link.Info{Offload: link.OffloadAll, MTU: 9000}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			linktest.Run(t, func(t *testing.T) (a, b link.Device) {
				x, y := pair(t, unix.SOCK_DGRAM)
				return onto(t, x, tt.cfg), onto(t, y, tt.cfg)
			})
		})
	}
}

func TestBytesOfAFrameOut(t *testing.T) {
	d, theirs := open(t, unix.SOCK_DGRAM, fdlink.Config{VnetHeader: 12, Info: link.Info{Offload: link.OffloadAll}})
	frames := []link.Frame{
		{Head: []byte("head and "), Payload: []byte("payload")},
		{Payload: []byte("payload alone")},
		{Head: []byte("head alone")},
		{Payload: make([]byte, 100), Checksum: link.ChecksumPartial, CsumStart: 20, CsumOffset: 6},
	}
	if n, err := d.Output(frames); n != len(frames) || err != nil {
		t.Fatalf("Output = %d, %v", n, err)
	}
	for i := range frames {
		var h virtio.Header
		h.FromFrame(&frames[i])
		want := append(h.Append(nil), 0, 0) // num_buffers is not ours to fill in
		want = frames[i].AppendTo(want)
		got := make([]byte, 200)
		n, err := unix.Read(theirs, got)
		if err != nil || !bytes.Equal(got[:n], want) {
			t.Errorf("frame %d: % x, %v; want % x", i, got[:n], err, want)
		}
	}
	if c := d.Counters(); c.FramesOut != 4 || c.BytesOut != 16+13+10+100 {
		t.Errorf("counted %+v", c)
	}
}

// TestSmallPacketsHoldLittleMemory is why a packet is read across two buffers.
func TestSmallPacketsHoldLittleMemory(t *testing.T) {
	d, theirs := open(t, unix.SOCK_DGRAM, fdlink.Config{})
	type seen struct{ length, size int }
	sizes := []seen{{1, 256}, {256, 256}, {257, 2048}, {2048, 2048}, {2049, 65<<10 - 512}, {65535, 65<<10 - 512}, {40, 256}}
	got := make(chan seen)
	packet := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	if err := d.Attach(handle(func(frames []link.Frame) {
		for _, f := range frames {
			if !bytes.Equal(f.Payload, packet[:len(f.Payload)]) {
				t.Errorf("%d bytes came in, and are not those sent", len(f.Payload))
			}
			if f.Time.IsZero() {
				t.Error("a frame without its time")
			}
			got <- seen{len(f.Payload), f.Buffer.Size()}
		}
	})); err != nil {
		t.Fatal(err)
	}
	for _, want := range sizes {
		if _, err := unix.Write(theirs, packet[:want.length]); err != nil {
			t.Fatal(err)
		}
		if s := <-got; s != want {
			t.Errorf("%d bytes came in a buffer of %d; want %d in %d", s.length, s.size, want.length, want.size)
		}
	}
}

// TestWhatIsReadyComesInOneBatch also shows the bounds of a batch.
func TestWhatIsReadyComesInOneBatch(t *testing.T) {
	for _, tt := range []struct {
		sent, size int
		want       []int
	}{
		{sent: 5, size: 100, want: []int{5}},
		{sent: 80, size: 100, want: []int{64, 16}},
		{sent: 6, size: 60000, want: []int{5, 1}},
	} {
		d, theirs := open(t, unix.SOCK_DGRAM, fdlink.Config{})
		unix.SetsockoptInt(theirs, unix.SOL_SOCKET, unix.SO_SNDBUF, 1<<20)
		unix.SetNonblock(theirs, true)
		packet := make([]byte, tt.size)
		sent := 0
		for range tt.sent {
			if _, err := unix.Write(theirs, packet); err == nil {
				sent++
			}
		}
		if sent < tt.sent { // the queue of a datagram socket is short (net.unix.max_dgram_qlen)
			t.Logf("%d packets of %d fit the queue", sent, tt.sent)
		}
		batches := make(chan int, tt.sent)
		d.Attach(handle(func(frames []link.Frame) { batches <- len(frames) }))
		for left := sent; left > 0; {
			n := <-batches
			left -= n
			if sent == tt.sent && n != tt.want[0] {
				t.Errorf("%d packets of %d bytes: a batch of %d, want %v", tt.sent, tt.size, n, tt.want)
			}
			tt.want = tt.want[min(1, len(tt.want)-1):]
		}
	}
}

func TestMalformedHeadersAreCounted(t *testing.T) {
	d, theirs := open(t, unix.SOCK_DGRAM, fdlink.Config{VnetHeader: 10})
	got := make(chan string)
	d.Attach(handle(func(frames []link.Frame) {
		for _, f := range frames {
			got <- string(f.Payload)
		}
	}))
	good := virtio.Header{}
	outside := virtio.Header{Flags: virtio.NeedsCsum, CsumStart: 1000}
	unknown := virtio.Header{Type: 99, SegSize: 10}
	for _, b := range [][]byte{
		[]byte("short"),
		good.Append(nil), // a header and nothing behind it
		append(outside.Append(nil), "checksum outside"...),
		append(unknown.Append(nil), "unknown kind"...),
		append(good.Append(nil), "good"...),
	} {
		unix.Write(theirs, b)
	}
	if s := <-got; s != "good" {
		t.Errorf("%q came in", s)
	}
	if c := d.Counters(); c.Malformed != 4 || c.FramesIn != 1 || c.BytesIn != 4 || c.BatchesIn != 1 {
		t.Errorf("counted %+v", c)
	}
}

func TestABusyKernelTakesFewer(t *testing.T) {
	for _, socket := range []bool{false, true} {
		d, theirs := open(t, unix.SOCK_DGRAM, fdlink.Config{Socket: socket})
		frames := make([]link.Frame, 1000)
		for i := range frames {
			frames[i].Payload = make([]byte, 1000)
		}
		n, err := d.Output(frames)
		if n == 0 || n == len(frames) || err != nil {
			t.Fatalf("Output = %d, %v", n, err)
		}
		if c := d.Counters(); c.Busy != 1 || c.Refused != 0 || int(c.FramesOut) != n || int(c.BytesOut) != n*1000 {
			t.Errorf("%d taken, counted %+v", n, c)
		}
		unix.Read(theirs, make([]byte, 2000))
		if n, err := d.Output(frames); n != 1 || err != nil {
			t.Errorf("with room for one, Output = %d, %v", n, err)
		}
	}
}

func TestTheOtherEndIsGone(t *testing.T) {
	for _, socket := range []bool{false, true} {
		d, theirs := open(t, unix.SOCK_SEQPACKET, fdlink.Config{Socket: socket})
		h := handle(func([]link.Frame) {})
		if err := d.Attach(h); err != nil {
			t.Fatal(err)
		}
		unix.Shutdown(theirs, unix.SHUT_RDWR)
		<-h.changed
		if d.Info().Up {
			t.Error("still up")
		}
		f := link.Frame{Payload: []byte("x")}
		if n, err := d.Output([]link.Frame{f, f}); n != 0 || !errors.Is(err, syscall.ENODEV) {
			t.Errorf("Output = %d, %v", n, err)
		}
		if c := d.Counters(); c.Refused != 1 {
			t.Errorf("counted %+v", c)
		}
	}
}

func TestCloseEndsEverything(t *testing.T) {
	before := runtime.NumGoroutine()
	d, _ := open(t, unix.SOCK_DGRAM, fdlink.Config{})
	d.Attach(handle(func([]link.Frame) {}))
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := readers(); n != 0 {
		t.Errorf("%d readers left, %d goroutines after %d", n, runtime.NumGoroutine(), before)
	}
	if err := d.Control(func(int) error { return nil }); !errors.Is(err, link.ErrClosed) {
		t.Errorf("Control after Close: %v", err)
	}
	if err := d.Attach(handle(nil)); !errors.Is(err, link.ErrClosed) {
		t.Errorf("Attach after Close: %v", err)
	}
}

// readers counts goroutines that read a device.
func readers() int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return strings.Count(string(stacks), "fdlink.(*reader).run(")
}

func TestNewRefuses(t *testing.T) {
	for _, n := range []int{-1, 1, 9, 25} {
		fd, theirs := pair(t, unix.SOCK_DGRAM)
		if _, err := fdlink.New(fd, fdlink.Config{VnetHeader: n}); err == nil {
			t.Errorf("a virtio header of %d bytes is taken", n)
		}
		if _, err := unix.Write(theirs, []byte("x")); err == nil {
			t.Errorf("the descriptor was left open")
		}
		unix.Close(theirs)
	}
	if _, err := fdlink.New(1<<20, fdlink.Config{}); !errors.Is(err, unix.EBADF) {
		t.Errorf("a descriptor that is not open: %v", err)
	}
}

func TestNoAllocs(t *testing.T) {
	for _, socket := range []bool{false, true} {
		d, theirs := open(t, unix.SOCK_DGRAM, fdlink.Config{VnetHeader: 10, Socket: socket, Info: link.Info{Offload: link.OffloadAll}})
		in := make(chan int)
		d.Attach(handle(func(frames []link.Frame) { in <- len(frames) }))
		packets := [][]byte{make([]byte, 70), make([]byte, 1510), make([]byte, 60000)}
		buf := make([]byte, link.MaxFrame)
		f := link.Frame{Head: make([]byte, 40), Payload: make([]byte, 1400)}
		frames := []link.Frame{f, f}
		linktest.NoAllocs(t, func() {
			for _, b := range packets {
				syscall.Write(theirs, b)
				<-in
			}
			if n, err := d.Output(frames); n != 2 || err != nil {
				t.Fatalf("Output = %d, %v", n, err)
			}
			unix.Read(theirs, buf)
			unix.Read(theirs, buf)
		})
	}
}

// TestAFrameThatIsWrong keeps back what is behind it, not what is before.
func TestAFrameThatIsWrong(t *testing.T) {
	for _, socket := range []bool{false, true} {
		d, theirs := open(t, unix.SOCK_DGRAM, fdlink.Config{Socket: socket})
		good, long, empty := link.Frame{Payload: []byte("good")}, link.Frame{Payload: make([]byte, 1501)}, link.Frame{}
		if n, err := d.Output([]link.Frame{good, good, long, good}); n != 2 || !errors.Is(err, link.ErrTooLong) {
			t.Errorf("Output with one too long = %d, %v", n, err)
		}
		if n, err := d.Output([]link.Frame{good, empty}); n != 1 || !errors.Is(err, syscall.EINVAL) {
			t.Errorf("Output with an empty one = %d, %v", n, err)
		}
		unix.SetNonblock(theirs, true)
		got := 0
		for buf := make([]byte, 2000); ; got++ {
			if n, err := unix.Read(theirs, buf); err != nil {
				break
			} else if string(buf[:n]) != "good" {
				t.Errorf("%q came out", buf[:n])
			}
		}
		if c := d.Counters(); got != 3 || c.FramesOut != 3 || c.Refused != 2 {
			t.Errorf("%d came out, counted %+v", got, c)
		}
	}
}
