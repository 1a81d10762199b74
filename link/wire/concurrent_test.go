package wire_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth/link"
	"example.com/berth/link/wire"
)

func TestOneDeliversAtATimeAndOrderIsKept(t *testing.T) {
	const senders, each = 8, 500
	a, b := wire.Pair(wire.Queue(senders * each))
	var inside atomic.Int32
	in := attach(t, b)
	in.onInput = func([]link.Frame) {
		if inside.Add(1) != 1 {
			t.Error("two goroutines are in Input")
		}
		inside.Add(-1)
	}
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				send(t, a, fmt.Sprintf("%d:%04d", s, i))
			}
		})
	}
	wg.Wait()
	if len(in.frames) != senders*each {
		t.Fatalf("%d frames came in, want %d", len(in.frames), senders*each)
	}
	last := map[byte]string{}
	for _, f := range in.frames {
		if f <= last[f[0]] {
			t.Fatalf("%q came after %q", f, last[f[0]])
		}
		last[f[0]] = f
	}
}

func TestWhoFindsAnotherDeliveringDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wire.Pair()
		in := attach(t, b)
		goOn := make(chan struct{})
		in.onInput = func([]link.Frame) { <-goOn }
		go send(t, a, "1")
		synctest.Wait()
		send(t, a, "2") // returns though the handler does not
		in.wantFrames(t, "1")
		close(goOn)
		synctest.Wait()
		in.wantFrames(t, "1", "2")
	})
}

func TestCloseWaitsForADeliveryAndForNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wire.Pair()
		in := attach(t, b)
		in.onInput = func([]link.Frame) { time.Sleep(time.Second) }
		go send(t, a, "1")
		synctest.Wait()
		send(t, a, "queued")

		start := time.Now()
		go b.Close() // a second one waits as well
		b.Close()
		if took := time.Since(start); took != time.Second {
			t.Errorf("Close took %v, want the second that Input took", took)
		}
		send(t, a, "2")
		in.wantFrames(t, "1")
		if st := b.Stats(); st.Unheard != 1 {
			t.Errorf("counted %+v", st)
		}
	})
}

// slowToChange takes a second to hear of a change.
type slowToChange struct{ collector }

func (c *slowToChange) Changed() { time.Sleep(time.Second) }

func TestCloseWaitsForChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wire.Pair()
		if err := b.Attach(new(slowToChange)); err != nil {
			t.Fatal(err)
		}
		go a.SetUp(false)
		synctest.Wait()
		start := time.Now()
		b.Close()
		if took := time.Since(start); took != time.Second {
			t.Errorf("Close took %v", took)
		}
	})
}

// TestNoFrameIsLeftBehind has both ends send and answer at once: whoever ends a
// delivery must have seen what others put into the queue meanwhile.
func TestNoFrameIsLeftBehind(t *testing.T) {
	const senders, each, answers = 4, 200, 5
	a, b := wire.Pair(wire.Queue(1 << 20))
	var atA, atB atomic.Int64
	count := func(n *atomic.Int64, dev link.Device) func([]link.Frame) {
		return func(in []link.Frame) {
			n.Add(int64(len(in)))
			for i := range in {
				if left := in[i].Payload[0]; left > 0 {
					dev.Output([]link.Frame{{Payload: []byte{left - 1}}})
				}
			}
		}
	}
	a.Attach(handle(count(&atA, a)))
	b.Attach(handle(count(&atB, b)))
	var wg sync.WaitGroup
	for range senders {
		for _, dev := range []*wire.Device{a, b} {
			wg.Go(func() {
				for range each {
					dev.Output([]link.Frame{{Payload: []byte{answers}}})
				}
			})
		}
	}
	wg.Wait()
	// Half of the 1 + answers frames of each exchange go each way.
	if want := int64(senders * each * (1 + answers)); atA.Load() != want || atB.Load() != want {
		t.Errorf("%d and %d frames came in, want %d each", atA.Load(), atB.Load(), want)
	}
}

// handle is a handler that is a function.
type handle func([]link.Frame)

func (h handle) Input(frames []link.Frame) { h(frames) }
func (handle) Changed()                    {}
