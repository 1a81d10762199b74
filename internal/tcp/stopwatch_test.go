package tcp

import (
	"testing"
	"time"

	"example.com/berth/socket"
)

const tick = time.Millisecond / 2 // ten are less than a tail loss probe waits for

func TestStopwatch(t *testing.T) {
	var w stopwatch
	for _, tt := range []struct {
		at    time.Duration
		do    func(time.Duration)
		total time.Duration
	}{
		{5 * tick, w.stop, 0},
		{10 * tick, w.start, 0},
		{20 * tick, w.start, 10 * tick},
		{30 * tick, w.stop, 20 * tick},
		{90 * tick, w.stop, 20 * tick},
		{100 * tick, w.start, 20 * tick},
		{105 * tick, w.stop, 25 * tick},
	} {
		tt.do(tt.at)
		if got := w.total(tt.at); got != tt.total {
			t.Errorf("at %v it shows %v, want %v", tt.at, got, tt.total)
		}
	}
}

// wantTimes compares those of TCP_INFO.
func (tc *conversation) wantTimes(busy, window, buffer time.Duration) {
	tc.t.Helper()
	i := tc.c.Info(tc.now)
	if i.BusyTime != busy || i.RwndLimited != window || i.SndbufLimited != buffer {
		tc.t.Errorf("busy for %v, limited by the window %v, by the buffer %v; want %v, %v, %v",
			i.BusyTime, i.RwndLimited, i.SndbufLimited, busy, window, buffer)
	}
}

// What a sender waited for: nothing but the network, the peer's window, the user
// whom the buffer held up.
func TestBusyTimes(t *testing.T) {
	tc := established(t, sackOnly)
	tc.advance(time.Second)
	tc.wantTimes(0, 0, 0)
	tc.write(3000)
	tc.advance(10 * tick)
	tc.wantTimes(10*tick, 0, 0)
	tc.input(". 1:1(0) ack 3001 win 2000")
	tc.advance(time.Second)
	tc.wantTimes(10*tick, 0, 0)
	tc.write(5000) // 2000 may go
	tc.advance(10 * tick)
	tc.input(". 1:1(0) ack 5001 win 50000")
	tc.wantTimes(20*tick, 10*tick, 0)
	tc.advance(5 * tick)
	tc.input(". 1:1(0) ack 8001 win 50000")
	tc.wantTimes(25*tick, 10*tick, 0)

	tc.c.SetSndBuf(4000)
	if n, err := tc.c.Write(tc.now, make([]byte, 9000), false); n != 4000 || err != nil {
		t.Fatal(n, err)
	}
	tc.pull()
	tc.advance(10 * tick)
	tc.input(". 1:1(0) ack 12001 win 50000")
	tc.advance(time.Second)
	tc.wantTimes(35*tick, 10*tick, 10*tick)
}

// Time-outs, in rows, and how long these lasted.
func TestTimeoutsAreTold(t *testing.T) {
	tc := established(t, sackOnly)
	tc.write(1000)
	for tc.count().RTOs.Load() < 3 {
		tc.fire()
	}
	tc.advance(50 * tick)
	since := tc.c.Info(tc.now).TotalRTOTime
	if since < 50*tick {
		t.Errorf("they last %v", since)
	}
	tc.input(". 1:1(0) ack 1001 win 50000")
	tc.advance(time.Second)
	tc.skip()
	tc.write(1000)
	for tc.count().RTOs.Load() < 4 {
		tc.fire()
	}
	i := tc.c.Info(tc.now)
	if i.TotalRTO != 4 || i.TotalRTORecoveries != 2 || i.TotalRTOTime != since {
		t.Errorf("%d time-outs in %d rows of %v", i.TotalRTO, i.TotalRTORecoveries, i.TotalRTOTime)
	}
}

// The rate of delivery is told under every algorithm; one that the application
// limits replaces only a lower one.
func TestDeliveryRateIsTold(t *testing.T) {
	tc := established(t, sackOnly)
	rate := func() (uint64, bool) {
		i := tc.c.Info(tc.now)
		return i.DeliveryRate, i.DeliveryRateAppLimited
	}
	tc.write(10_000)
	tc.write(4000) // more than the window lets go
	tc.advance(10 * tick)
	tc.skip()
	tc.input(". 1:1(0) ack 10001 win 50000")
	if r, limited := rate(); r != 2_000_000 || limited {
		t.Errorf("%d B/s, limited %v", r, limited)
	}
	tc.advance(10 * tick)
	tc.input(". 1:1(0) ack 14001 win 50000")
	tc.advance(time.Second)
	tc.write(500)
	tc.advance(10 * tick)
	tc.input(". 1:1(0) ack 14501 win 50000")
	if r, _ := rate(); r < 400_000 {
		t.Errorf("an idle application made %d B/s of it", r)
	}
	if tc.c.delivery != nil || tc.c.State() != socket.TCP_ESTABLISHED {
		t.Error("an idle connection keeps the sampler")
	}
}

func TestOutOfOrderSegmentsAreTold(t *testing.T) {
	tc := established(t, sackOnly)
	tc.input(". 1001:2001(1000) ack 1 win 50000")
	tc.input(". 3001:4001(1000) ack 1 win 50000")
	tc.input(". 1:1001(1000) ack 1 win 50000")
	if n := tc.c.Info(tc.now).RcvOOOPack; n != 2 {
		t.Errorf("%d segments out of order", n)
	}
}
