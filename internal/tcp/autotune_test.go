package tcp

import (
	"testing"
	"time"
)

// How far a receive buffer grows depends on the shortest round trip: what waits
// in buffers makes round trips longer, and is no reason for larger ones. Where who
// reads the device has to be woken, as for the send buffer, it is at least what comes
// meanwhile.
func TestReceiveBufferFollowsTheShortestRoundTrip(t *testing.T) {
	for _, tt := range []struct {
		min   time.Duration
		woken bool
		want  int64
	}{
		{0, false, maxRcvBuf}, // not known
		{5 * time.Microsecond, false, 256 << 10},
		{20 * time.Microsecond, false, 256 << 10},
		{20 * time.Microsecond, true, 2 << 20},
		{200 * time.Microsecond, false, 1_200_000}, // 24 Gbit/s, twice
		{200 * time.Microsecond, true, 2 << 20},
		{time.Millisecond, true, 6_000_000},
		{time.Millisecond, false, 6_000_000},
		{20 * time.Millisecond, false, maxRcvBuf},
	} {
		c := NewConn(DefaultParams())
		c.rtt.min, c.woken = tt.min, tt.woken
		if got := c.rcvBufLimit(); got != tt.want {
			t.Errorf("%v: up to %d bytes, want %d", tt.min, got, tt.want)
		}
	}
	c := NewConn(DefaultParams())
	c.rtt.min = 5 * time.Microsecond
	c.rate.init(1, 0, 1000, 1000)
	c.rate.rtt = 5 * time.Millisecond // what is under way waits for the reader
	for now := time.Duration(1); now < time.Second; now += 5 * time.Millisecond {
		c.measureReader(now, c.rcvBuf)
	}
	if c.rcvBuf != 256<<10 {
		t.Errorf("the buffer grew to %d bytes", c.rcvBuf)
	}
}

// The send buffer follows two congestion windows, but not beyond what the shortest
// round trip is worth; where a reader has to be woken for acknowledgments that takes
// longer than the round trip.
func TestSendBufferFollowsTheShortestRoundTrip(t *testing.T) {
	for _, tt := range []struct {
		min   time.Duration
		woken bool
		want  int
	}{
		{5 * time.Microsecond, false, 128 << 10},
		{5 * time.Microsecond, true, 512 << 10},
		{50 * time.Microsecond, true, 512 << 10},
		{200 * time.Microsecond, true, 1_200_000},
		{200 * time.Microsecond, false, 1_200_000},
		{20 * time.Millisecond, true, maxSndBuf},
	} {
		tc := established(t, sackOnly)
		tc.c.rtt.min, tc.c.woken = tt.min, tt.woken
		tc.c.cc.(*Reno).cwnd = 1 << 30
		tc.c.growSndBuf()
		if tc.c.sndBuf != tt.want {
			t.Errorf("%v, woken %v: %d bytes, want %d", tt.min, tt.woken, tc.c.sndBuf, tt.want)
		}
	}
}
