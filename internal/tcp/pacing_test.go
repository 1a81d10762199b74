package tcp

import (
	"testing"
	"time"

	"example.com/berth/internal/header"
)

// departures returns when how many bytes of payload left side 0 of a transfer,
// and how often its pacing timer was waited for.
func departures(t *testing.T, size, large int, rtt time.Duration, change func(*Conn)) (at []time.Duration, n []int, timers int) {
	ch := newChannel(t, 1)
	ch.delay = rtt / 2
	ch.ends[0].send = size
	ch.trace = func(now time.Duration, from int, s *Segment) {
		if from == 0 && len(s.Payload) > 0 {
			at, n = append(at, now), append(n, len(s.Payload))
		}
	}
	ch.connect(1500, large)
	change(ch.ends[0].c)
	for ch.ends[1].c == nil || !ch.ends[1].eof {
		before := ch.ends[0].c.due(timerPacing)
		if !ch.step() {
			t.Fatal(ch.describe())
		}
		if before != 0 && ch.now == before {
			timers++
		}
	}
	return at, n, timers
}

// Whatever the round trip and the size of what the device takes: the limit
// holds, but for a burst, and is made use of; and there is no more than one
// timer a millisecond.
func TestMaxPacingRate(t *testing.T) {
	const size = 2 << 20
	for _, rate := range []int{1_000_000, 10_000_000, 100_000_000} {
		for _, rtt := range []time.Duration{10 * time.Microsecond, 5 * time.Millisecond, 20 * time.Millisecond} {
			for _, large := range []int{0, 65160} {
				at, n, timers := departures(t, size, large, rtt, func(c *Conn) { c.SetMaxPacingRate(uint64(rate)) })
				took := at[len(at)-1] - at[0]
				ideal := time.Duration(size) * time.Second / time.Duration(rate)
				if took < ideal-5*time.Millisecond || took > ideal+ideal/20+12*rtt {
					t.Errorf("%d B/s, %v, %d: took %v, want %v", rate, rtt, large, took, ideal)
				}
				if most := int(took/paceSlack) + 2; timers > most {
					t.Errorf("%d B/s, %v, %d: %d timers in %v", rate, rtt, large, timers, took)
				}
				wantSpread(t, at, n, rate)
			}
		}
	}
}

// wantSpread checks that no stretch of time sees more leave than the rate allows
// and the bucket holds.
func wantSpread(t *testing.T, at []time.Duration, n []int, rate int) {
	t.Helper()
	const mss = 1460
	bucket := 3*rate/1000 + 2*mss
	level, last := 0, at[0]
	for i := range at {
		level = max(0, level-int(float64(rate)*(at[i]-last).Seconds()))
		last = at[i]
		if level += n[i]; level > bucket {
			t.Fatalf("%d B/s: %d bytes in a burst, at %v", rate, level, at[i]-at[0])
		}
	}
}

// An algorithm that does not pace is not paced.
func TestNoPacingByDefault(t *testing.T) {
	_, _, timers := departures(t, 1<<20, 0, 10*time.Millisecond, func(*Conn) {})
	if timers > 0 {
		t.Errorf("%d timers", timers)
	}
}

// Large segments are as large as a millisecond's worth, two segments at least.
func TestPacingAndLargeSegments(t *testing.T) {
	for rate, want := range map[uint64]int{0: 45, 1 << 40: 45, 100_000_000: 45, 20_000_000: 13, 5_000_000: 3, 1_000_000: 2, 1000: 2} {
		pr := newPair(t, 1500, 65160)
		pr.send(t, 1<<20)
		pr.a.SetMaxPacingRate(rate)
		if _, err := pr.a.Write(pr.now, pr.buf, false); err != nil {
			t.Fatal(err)
		}
		if !pr.a.Next(pr.now, &pr.seg) {
			t.Fatal("nothing sent")
		}
		if got := len(pr.seg.Payload) / pr.a.snd.mss; got != want {
			t.Errorf("%d B/s: a segment of %d, want %d", rate, got, want)
		}
		pr.seg.Buffer.Release()
	}
}

// A machine that is busy calls timers late. What that takes away is given back, up
// to a bound and without bursts, so that the rate is what it should be.
func TestLateTimersDoNotSlowPacing(t *testing.T) {
	const rate, late = 1_000_000, 2 * time.Millisecond
	tc := established(t, noOptions)
	tc.c.SetMaxPacingRate(rate)
	start, sent, burst := tc.now, 0, 0
	for tc.now < start+time.Second {
		tc.c.SetNoDelay(true)
		_, _ = tc.c.Write(tc.now, make([]byte, 20000), false)
		var out Segment
		now := 0
		for tc.c.Next(tc.now, &out) {
			now += len(out.Payload)
			out.Buffer.Release()
		}
		sent, burst = sent+now, max(burst, now)
		ack := Segment{Seq: tc.c.rcv.nxt, Ack: tc.c.snd.nxt, Flags: header.ACK, Window: 50000}
		tc.c.Input(tc.now, &ack)
		tc.now = max(tc.now+100*time.Microsecond, tc.c.Deadline()+late)
		tc.c.Timer(tc.now)
	}
	if want := rate * 95 / 100; sent < want || sent > rate*105/100 {
		t.Errorf("%d bytes in a second, want about %d", sent, rate)
	}
	if burst > 8000 {
		t.Errorf("%d bytes at once", burst)
	}
}
