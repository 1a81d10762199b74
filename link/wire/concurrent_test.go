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
