package linktest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/berth/link"
)

// Run runs the suite. Pair makes two new devices, neither attached, that are
// each other's far end and lose nothing of a few hundred frames; the suite
// closes them.
func Run(t *testing.T, pair func(t *testing.T) (a, b link.Device)) {
	for _, tt := range []struct {
		name string
		run  func(*testing.T, *devices)
	}{
		{"Info", testInfo},
		{"AttachTwice", testAttachTwice},
		{"Order", testOrder},
		{"BothWays", testBothWays},
		{"LentMemory", testLentMemory},
		{"Nothing", testNothing},
		{"MTU", testMTU},
		{"PartialChecksum", testPartialChecksum},
		{"LargeFrame", testLargeFrame},
		{"WithoutOffload", testWithoutOffload},
		{"Concurrent", testConcurrent},
		{"Close", testClose},
		{"CloseWhileReceiving", testCloseWhileReceiving},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := new(devices)
			d.a, d.b = pair(t)
			d.fromA = maker{d.a.Info(), d.b.Info()}
			d.fromB = maker{d.b.Info(), d.a.Info()}
			defer d.a.Close()
			defer d.b.Close()
			tt.run(t, d)
		})
	}
}

// devices are what one case has to play with.
type devices struct {
	a, b         link.Device
	fromA, fromB maker
}

// output sends frames, as often as a device that is busy needs.
func output(t *testing.T, d link.Device, frames []link.Frame) {
	t.Helper()
	for start := time.Now(); len(frames) > 0; {
		n, err := d.Output(frames)
		if err != nil || n < 0 || n > len(frames) {
			t.Errorf("Output of %d frames = %d, %v", len(frames), n, err)
			return
		}
		frames = frames[n:]
		if n == 0 && time.Since(start) > patience {
			t.Errorf("the device was busy for %v", patience)
			return
		}
	}
}

func testInfo(t *testing.T, d *devices) {
	a, b := d.a.Info(), d.b.Info()
	for _, info := range []link.Info{a, b} {
		if info.MTU < 68 || !info.Up {
			t.Errorf("MTU %d, up %v", info.MTU, info.Up)
		}
		if (info.Addr != [6]byte{}) != (info.Medium == link.Ethernet) || info.Addr[0]&1 != 0 {
			t.Errorf("medium %v with address %x", info.Medium, info.Addr)
		}
		if info.Offload != 0 && info.Offload&link.OffloadChecksum == 0 {
			t.Errorf("offload %#x without OffloadChecksum", info.Offload)
		}
	}
	if a.Medium != b.Medium {
		t.Errorf("media %v and %v", a.Medium, b.Medium)
	}
	if a.Medium == link.Ethernet && a.Addr == b.Addr {
		t.Errorf("both ends have the address %x", a.Addr)
	}
}

func testAttachTwice(t *testing.T, d *devices) {
	r := attach(t, d.b)
	if err := d.b.Attach(new(receiver)); err == nil {
		t.Error("a second Attach succeeded")
	}
	output(t, d.a, []link.Frame{d.fromA.text("for the first", 0)})
	r.texts(1)
}

func testOrder(t *testing.T, d *devices) {
	r := attach(t, d.b)
	var want []string
	for size := 1; len(want) < 300; size = size*2%61 + 1 {
		var batch []link.Frame
		for range size {
			want = append(want, fmt.Sprint(len(want)))
			batch = append(batch, d.fromA.text(want[len(want)-1], min(len(want), d.fromA.info.MTU)))
		}
		output(t, d.a, batch)
	}
	if got := r.texts(len(want)); !slices.Equal(got, want) {
		t.Errorf("came in: %q", got)
	}
}

func testBothWays(t *testing.T, d *devices) {
	atA, atB := attach(t, d.a), attach(t, d.b)
	for i := range 10 {
		output(t, d.a, []link.Frame{d.fromA.text(fmt.Sprint("to b ", i), 0)})
		output(t, d.b, []link.Frame{d.fromB.text(fmt.Sprint("to a ", i), 0)})
	}
	for name, r := range map[string]*receiver{"a": atA, "b": atB} {
		for i, got := range r.texts(10) {
			if want := fmt.Sprintf("to %s %d", name, i); got != want {
				t.Errorf("came in: %q, want %q", got, want)
			}
		}
	}
}

// testLentMemory changes what it lent as soon as it has it back.
func testLentMemory(t *testing.T, d *devices) {
	r := attach(t, d.b)
	f := d.fromA.text("0", min(200, d.fromA.info.MTU))
	at := len(mark) + 1
	for i := range 100 {
		f.Payload[at] = byte('0' + i%10)
		output(t, d.a, []link.Frame{f})
		f.Payload[at] = 'x'
	}
	for i, got := range r.texts(100) {
		if want := string(rune('0' + i%10)); got != want {
			t.Fatalf("frame %d carries %q, want %q", i, got, want)
		}
	}
}

func testNothing(t *testing.T, d *devices) {
	attach(t, d.b)
	if n, err := d.a.Output(nil); n != 0 || err != nil {
		t.Errorf("Output of nothing = %d, %v", n, err)
	}
}

func testMTU(t *testing.T, d *devices) {
	r := attach(t, d.b)
	mtu := d.fromA.info.MTU
	first, last := d.fromA.text("first", mtu), d.fromA.text("last", mtu)
	output(t, d.a, []link.Frame{first})
	if mtu < 65535 { // the length field of IPv4 tells no more
		long := d.fromA.text("too long", mtu+1)
		if n, err := d.a.Output([]link.Frame{first, long, last}); n != 1 || !errors.Is(err, link.ErrTooLong) {
			t.Errorf("Output with a frame too long in second place = %d, %v", n, err)
		}
	} else {
		output(t, d.a, []link.Frame{first})
	}
	output(t, d.a, []link.Frame{last})
	if got := r.texts(3); !slices.Equal(got, []string{"first", "first", "last"}) {
		t.Errorf("came in: %q", got)
	}
}

func testPartialChecksum(t *testing.T, d *devices) {
	if d.fromA.info.Offload&link.OffloadChecksum == 0 {
		t.Skip("the device has no such offload")
	}
	r := attach(t, d.b)
	for _, size := range []int{0, 1, 2, 25} {
		output(t, d.a, []link.Frame{d.fromA.udp(pattern(size))})
	}
	for i, p := range r.wait(func(p []packet) bool { return len(p) >= 4 }) {
		if want := pattern([]int{0, 1, 2, 25}[i]); !bytes.Equal(p.payload, want) {
			t.Errorf("came in: % x, want % x", p.payload, want)
		}
	}
}

func testLargeFrame(t *testing.T, d *devices) {
	info := d.fromA.info
	if info.Offload&link.OffloadTCP4 == 0 {
		t.Skip("the device has no such offload")
	}
	size := min(info.MTU-ipv4Header-tcpHeader, 16<<10)
	length := 60000
	if info.MaxSegments > 0 {
		length = min(length, info.MaxSegments*size)
	}
	r := attach(t, d.b)
	want := pattern(length)
	output(t, d.a, []link.Frame{d.fromA.tcp(want, size)})

	got := make([]byte, 0, length)
	r.wait(func(packets []packet) bool {
		got = got[:0]
		for _, p := range packets {
			if p.seq != len(got) {
				t.Fatalf("a segment of %d bytes begins at %d, want %d", len(p.payload), p.seq, len(got))
			}
			got = append(got, p.payload...)
		}
		return len(got) >= length
	})
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes came in, and are not those that were sent", len(got))
	}
}

func testWithoutOffload(t *testing.T, d *devices) {
	attach(t, d.b)
	if d.fromA.info.Offload&link.OffloadChecksum == 0 {
		if n, err := d.a.Output([]link.Frame{d.fromA.udp(nil)}); n != 0 || !errors.Is(err, link.ErrOffload) {
			t.Errorf("Output with a partial checksum = %d, %v", n, err)
		}
	}
	if d.fromA.info.Offload&link.OffloadTCP4 == 0 {
		if n, err := d.a.Output([]link.Frame{d.fromA.tcp(pattern(100), 50)}); n != 0 || !errors.Is(err, link.ErrOffload) {
			t.Errorf("Output of a large frame = %d, %v", n, err)
		}
	}
}

// testConcurrent requires that all arrive, and those of one goroutine in order.
func testConcurrent(t *testing.T, d *devices) {
	const senders, each = 4, 100
	r := attach(t, d.b)
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				output(t, d.a, []link.Frame{d.fromA.text(fmt.Sprintf("%d:%03d", s, i), 0)})
			}
		})
	}
	wg.Wait()
	last := map[byte]string{}
	for _, got := range r.texts(senders * each) {
		if got <= last[got[0]] {
			t.Errorf("%q came after %q", got, last[got[0]])
		}
		last[got[0]] = got
	}
}

func testClose(t *testing.T, d *devices) {
	attach(t, d.a)
	for range 2 {
		if err := d.a.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if n, err := d.a.Output([]link.Frame{d.fromA.text("late", 0)}); n != 0 || !errors.Is(err, link.ErrClosed) {
		t.Errorf("Output after Close = %d, %v", n, err)
	}
	if d.a.Info().Up {
		t.Error("up after Close")
	}
	d.b.Close() // never attached
	if err := d.b.Attach(new(receiver)); !errors.Is(err, link.ErrClosed) {
		t.Errorf("Attach after Close: %v", err)
	}
}

// testCloseWhileReceiving closes a device that frames pour into.
func testCloseWhileReceiving(t *testing.T, d *devices) {
	r := attach(t, d.b)
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for i := 0; !stop.Load(); i++ {
				// What becomes of the frames does not matter.
				d.a.Output([]link.Frame{d.fromA.text(fmt.Sprint(i), 0)})
			}
		})
	}
	r.texts(10)
	d.b.Close()
	r.closed.Store(true)
	sent := make(chan struct{})
	wg.Go(func() {
		defer close(sent)
		for range 100 {
			d.a.Output([]link.Frame{d.fromA.text("after", 0)})
		}
	})
	<-sent
	stop.Store(true)
	wg.Wait()
}

// pattern returns bytes that differ from their neighbors.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}
