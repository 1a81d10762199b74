package tcp

import (
	"testing"
	"time"

	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// RFC 7323 3 and 5: every segment has the option, and echoes the right one.
func TestTimestampsAreEchoed(t *testing.T) {
	tc := established(t, allOptions)
	tc.write(10)
	tc.want("P. 1:11(10) ack 1 <TS val 3601000 ecr 100>")
	tc.now += 5 * time.Millisecond
	tc.input("P. 1:11(10) ack 11 win 512 <TS val 105 ecr 3601000>")
	tc.c.SetQuickAck(true)
	tc.input("P. 11:21(10) ack 11 win 512 <TS val 110 ecr 3601000>")
	// 4.3: the one that the acknowledgment was held back for.
	tc.want(". 11:11(0) ack 11 <TS val 3601005 ecr 105>")
	t.Run("a segment out of order does not count", func(t *testing.T) {
		tc := established(t, allOptions)
		tc.input("P. 11:21(10) ack 1 win 512 <TS val 200 ecr 3601000>")
		tc.want(". 1:1(0) ack 1 <TS val 3601000 ecr 100,sack 11:21>")
		tc.input("P. 1:11(10) ack 1 win 512 <TS val 201 ecr 3601000>")
		tc.want(". 1:1(0) ack 21 <TS val 3601000 ecr 201>")
	})
	t.Run("not without an agreement", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.input("P. 1:11(10) ack 1 win 512 <TS val 200 ecr 0>")
		if s := tc.want(". 1:1(0) ack 11"); s.Options.HasTS {
			t.Error(tc.format(&s))
		}
	})
	t.Run("a segment without is taken", func(t *testing.T) { // as on Linux
		tc := established(t, allOptions)
		tc.input("P. 1:11(10) ack 1 win 512")
		tc.want(". 1:1(0) ack 11 <TS val 3601000 ecr 100>")
	})
}

// RFC 7323 5.
//
// DEF-48.
func TestPAWS(t *testing.T) {
	begin := func(t *testing.T) *conversation {
		tc := established(t, allOptions)
		tc.input("P. 1:11(10) ack 1 win 512 <TS val 1000 ecr 3601000>")
		tc.want(". 1:1(0) ack 11")
		return tc
	}
	tc := begin(t)
	tc.input("P. 11:21(10) ack 1 win 512 <TS val 999 ecr 3601000>")
	tc.want(". 1:1(0) ack 11 <TS val 3601000 ecr 1000>")
	if n, _ := tc.c.Queues(); n != 10 || tc.count().PAWS.Load() != 1 {
		t.Error("it was taken")
	}
	tc.input("R 11:11(0) <TS val 1 ecr 0>") // a reset is not judged by its timestamp
	tc.wantState(socket.TCP_CLOSE)

	t.Run("equal", func(t *testing.T) {
		tc := begin(t)
		tc.input("P. 11:21(10) ack 1 win 512 <TS val 1000 ecr 3601000>")
		tc.want(". 1:1(0) ack 21")
	})
	t.Run("across the wrap of the clock", func(t *testing.T) {
		tc := talk(t)
		tc.accept("S 0:0(0) win 1000 <TS val 4294967290 ecr 0>")
		tc.skip()
		tc.input(". 1:1(0) ack 1 win 1000 <TS val 4294967295 ecr 3601000>")
		tc.input("P. 1:11(10) ack 1 win 1000 <TS val 3 ecr 3601000>")
		tc.want(". 1:1(0) ack 11 <TS val 3601000 ecr 3>")
		tc.input("P. 11:21(10) ack 1 win 1000 <TS val 4294967295 ecr 3601000>")
		tc.want(". 1:1(0) ack 11")
	})
	t.Run("TS.Recent is outdated after 24 days", func(t *testing.T) {
		tc := begin(t)
		tc.now += 24*24*time.Hour - 1
		tc.input("P. 11:21(10) ack 1 win 512 <TS val 999 ecr 3601000>")
		tc.want(". 1:1(0) ack 11")
		tc.now++
		tc.input("P. 11:21(10) ack 1 win 512 <TS val 999 ecr 3601000>")
		tc.want(". 1:1(0) ack 21")
		if tc.c.tsRecent != 999 {
			t.Errorf("TS.Recent is %d", tc.c.tsRecent)
		}
	})
	t.Run("old ACKs without data are answered at a rate", func(t *testing.T) {
		tc := begin(t)
		for range 1000 {
			tc.input(". 11:11(0) ack 1 win 512 <TS val 999 ecr 3601000>")
		}
		if n := len(tc.skip()); n != 1 {
			t.Errorf("%d answers", n)
		}
	})
}

// RFC 7323 4: with timestamps the round trip of what was resent is known.
func TestRoundTripByTimestamps(t *testing.T) {
	tc := established(t, allOptions)
	tc.write(10)
	tc.skip()
	tc.fire() // resent at 3601200
	tc.want("P. 1:11(10) ack 1 <TS val 3601200 ecr 100>")
	tc.advance(30 * time.Millisecond)
	tc.input(". 1:1(0) ack 11 win 512 <TS val 101 ecr 3601200>")
	if i := tc.c.Info(tc.now); i.RTT < 3*time.Millisecond || i.RTT > 30*time.Millisecond || i.Backoff != 0 {
		t.Errorf("RTT %v, backoff %d", i.RTT, i.Backoff)
	}
	t.Run("an echo from the future is none", func(t *testing.T) {
		tc := established(t, allOptions)
		tc.write(10)
		tc.fire()
		before := tc.c.rtt.srtt
		tc.input(". 1:1(0) ack 11 win 512 <TS val 101 ecr 9999999>")
		if tc.c.rtt.srtt != before {
			t.Errorf("RTT %v", tc.c.rtt.srtt)
		}
	})
}

// RFC 6298 2, with Linux's floor.
func TestRoundTripEstimate(t *testing.T) {
	for _, tt := range []struct {
		name    string
		samples []time.Duration
		srtt    time.Duration
		rto     time.Duration
	}{
		{"the first", ms(100), 100 * time.Millisecond, 300 * time.Millisecond},
		{"the first, long", ms(1000), time.Second, 3 * time.Second},
		{"steady", ms(100, 100, 100, 100, 100, 100, 100, 100), 100 * time.Millisecond, 300 * time.Millisecond},
		{"up", ms(100, 180), 110 * time.Millisecond, 340 * time.Millisecond},    // 50 + (80-50)/4 of deviation
		{"down", ms(100, 20), 90 * time.Millisecond, 293750 * time.Microsecond}, // 30/32 of deviation: less weight
		{"at most MaxRTO", ms(300000), 300 * time.Second, 120 * time.Second},
		{"at least the clock", []time.Duration{1}, time.Microsecond, testRTO},
	} {
		tc := talk(t)
		for i, r := range tt.samples {
			tc.c.snd.nxt = seqnum.Value(2 * i)
			tc.c.snd.una = seqnum.Value(2*i - 1)
			tc.c.sampleRTT(tc.now, r)
		}
		if tc.c.rtt.srtt != tt.srtt || tc.c.rtt.rto != tt.rto {
			t.Errorf("%s: SRTT %v, RTO %v; want %v, %v", tt.name, tc.c.rtt.srtt, tc.c.rtt.rto, tt.srtt, tt.rto)
		}
	}
}

func TestManySamplesInARoundTripDoNotWearTheVariationDown(t *testing.T) {
	tc := talk(t)
	tc.c.sampleRTT(tc.now, 100*time.Millisecond)
	tc.c.snd.una, tc.c.snd.nxt = 1, 1000
	tc.c.rtt.turn = 1000
	tc.c.sampleRTT(tc.now, 500*time.Millisecond)
	rto := tc.c.rtt.rto
	for range 100 {
		tc.c.sampleRTT(tc.now, 500*time.Millisecond)
	}
	if tc.c.rtt.rto < rto {
		t.Errorf("RTO fell from %v to %v within one round trip", rto, tc.c.rtt.rto)
	}
}

func ms(d ...int) (r []time.Duration) {
	for _, n := range d {
		r = append(r, time.Duration(n)*time.Millisecond)
	}
	return r
}
