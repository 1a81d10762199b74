package fdlink_test

import (
	"encoding/binary"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"example.com/berth/link"
	"example.com/berth/link/internal/fdlink"
	"example.com/berth/link/linktest"
)

// Who has drained a device has seen all that was sent before, in order, whoever
// read it; and the device's own reader misses nothing for it.
func TestDrain(t *testing.T) {
	for _, socket := range []bool{false, true} {
		d, theirs := open(t, unix.SOCK_DGRAM, fdlink.Config{Socket: socket})
		var seen atomic.Uint32
		var reading atomic.Int32
		d.Drain() // nobody to hand it to yet
		d.Attach(handle(func(frames []link.Frame) {
			if reading.Add(1) > 1 {
				t.Error("two read at once")
			}
			for _, f := range frames {
				if n := binary.BigEndian.Uint32(f.Payload); n != seen.Load() {
					t.Errorf("frame %d came in place of %d", n, seen.Load())
				}
				seen.Add(1)
			}
			reading.Add(-1)
		}))
		var wg sync.WaitGroup
		stop := make(chan struct{})
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					d.Drain()
				}
			}
		})
		b := make([]byte, 4)
		for n := range uint32(5000) {
			binary.BigEndian.PutUint32(b, n)
			if _, err := unix.Write(theirs, b); err != nil {
				t.Fatal(err)
			}
			if n%7 == 0 {
				if d.Drain(); seen.Load() != n+1 {
					t.Fatalf("drained, %d frames had come in of %d", seen.Load(), n+1)
				}
			}
		}
		close(stop)
		wg.Wait()
		for seen.Load() < 5000 { // the reader's to bring in, if somebody else did not
			runtime.Gosched()
		}
	}
}

// A device that is drained as it is closed hands in nothing afterwards.
func TestDrainOfAClosedDevice(t *testing.T) {
	for range 100 {
		d, theirs := open(t, unix.SOCK_DGRAM, fdlink.Config{})
		var closed atomic.Bool
		d.Attach(handle(func([]link.Frame) {
			if closed.Load() {
				t.Error("a frame came in after Close")
			}
		}))
		unix.SetNonblock(theirs, true)
		var wg sync.WaitGroup
		wg.Go(func() {
			for !closed.Load() {
				unix.Write(theirs, []byte("x"))
				d.Drain()
			}
		})
		d.Close()
		closed.Store(true)
		wg.Wait()
		d.Drain()
	}
}

func TestDrainAllocatesNothing(t *testing.T) {
	d, theirs := open(t, unix.SOCK_DGRAM, fdlink.Config{})
	d.Attach(handle(func([]link.Frame) {}))
	linktest.NoAllocs(t, func() {
		unix.Write(theirs, []byte("packet"))
		d.Drain()
	})
}
