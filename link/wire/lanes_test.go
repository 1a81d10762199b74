package wire_test

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"

	"example.com/berth/link"
	"example.com/berth/link/wire"
)

// segment is a packet of TCP, or of another protocol, with a number behind the
// ports.
func segment(src, dst netip.AddrPort, protocol byte, number int) []byte {
	var b []byte
	if src.Addr().Is4() {
		b = append(make([]byte, 12), src.Addr().AsSlice()...)
		b[0], b[9] = 0x45, protocol
	} else {
		b = append(make([]byte, 8), src.Addr().AsSlice()...)
		b[0], b[6] = 0x60, protocol
	}
	b = append(b, dst.Addr().AsSlice()...)
	b = binary.BigEndian.AppendUint16(b, src.Port())
	b = binary.BigEndian.AppendUint16(b, dst.Port())
	return binary.BigEndian.AppendUint32(b, uint32(number))
}

// flows are n flows of TCP, half of them of each family.
func flows(n int) (all [][2]netip.AddrPort) {
	for i := range n {
		src, dst := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
		if i%2 == 1 {
			src, dst = netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::2")
		}
		all = append(all, [2]netip.AddrPort{netip.AddrPortFrom(src, uint16(30000+i)), netip.AddrPortFrom(dst, 80)})
	}
	return all
}

// concurrent is a handler that says it may be called by several at once.
type concurrent struct{ input func([]link.Frame) }

func (c concurrent) Input(frames []link.Frame) { c.input(frames) }
func (concurrent) Changed()                    {}
func (concurrent) Concurrent() bool            { return true }

func output(t *testing.T, d *wire.Device, packets ...[]byte) {
	t.Helper()
	frames := make([]link.Frame, len(packets))
	for i, p := range packets {
		frames[i] = link.Frame{Head: p}
	}
	if n, err := d.Output(frames); n != len(frames) || err != nil {
		t.Errorf("Output: %d, %v", n, err)
	}
}

func TestFlowsDoNotWaitForOneAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wire.Pair()
		var mu sync.Mutex
		got := map[uint16]int{} // by port
		goOn := make(chan struct{})
		if err := b.Attach(concurrent{func(frames []link.Frame) {
			mu.Lock()
			for _, f := range frames {
				ports := f.Head[20:]
				if len(f.Head) > 28 {
					ports = f.Head[40:]
				}
				got[binary.BigEndian.Uint16(ports)]++
			}
			mu.Unlock()
			<-goOn
		}}); err != nil {
			t.Fatal(err)
		}
		const n = 64
		for _, f := range flows(n) {
			go output(t, a, segment(f[0], f[1], 6, 1))
			go output(t, a, segment(f[0], f[1], 6, 2))
		}
		synctest.Wait()
		if len(got) < n/16 {
			t.Errorf("%d flows come in at once", len(got))
		}
		for port, count := range got {
			if count != 1 {
				t.Errorf("of flow %d %d frames are under way", port, count)
			}
		}
		close(goOn)
		synctest.Wait()
		if s := b.Stats(); s.InFrames != 2*n || len(got) != n {
			t.Errorf("%d frames of %d flows came in", s.InFrames, len(got))
		}
		b.Close()
		output(t, a, segment(flows(1)[0][0], flows(1)[0][1], 6, 3))
		if s := b.Stats(); s.InFrames != 2*n {
			t.Error("a device that is closed delivers")
		}
	})
}

func TestFlowsStayInOrder(t *testing.T) {
	const n, each = 8, 500
	a, b := wire.Pair(wire.Queue(n * each))
	var mu sync.Mutex
	last := map[string]uint32{}
	if err := b.Attach(concurrent{func(frames []link.Frame) {
		mu.Lock()
		defer mu.Unlock()
		for _, f := range frames {
			flow, number := string(f.Head[:len(f.Head)-4]), binary.BigEndian.Uint32(f.Head[len(f.Head)-4:])
			if number != last[flow]+1 {
				t.Errorf("%d came after %d", number, last[flow])
			}
			last[flow] = number
		}
	}}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, f := range flows(n) {
		wg.Go(func() {
			for i := 0; i < each; i += 2 {
				output(t, a, segment(f[0], f[1], 6, i+1), segment(f[0], f[1], 6, i+2))
			}
		})
	}
	wg.Wait()
	if s := b.Stats(); s.InFrames != n*each || s.QueueFull != 0 {
		t.Errorf("%+v", s)
	}
}

// What has no ports is of one flow: one of it at a time.
func TestAllElseIsOneFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wire.Pair()
		goOn := make(chan struct{})
		if err := b.Attach(concurrent{func([]link.Frame) { <-goOn }}); err != nil {
			t.Fatal(err)
		}
		for i, f := range flows(16) {
			go output(t, a, segment(f[0], f[1], 58, i))
			fragment := segment(f[0], f[1], 6, i)
			if f[0].Addr().Is4() {
				fragment[6] = 0x20
			} else {
				fragment[6] = 44
			}
			go output(t, a, fragment)
		}
		synctest.Wait()
		if s := b.Stats(); s.InFrames != 1 || s.Queued != 31 {
			t.Errorf("%d frames come in at once, %d wait", s.InFrames, s.Queued)
		}
		close(goOn)
	})
}
