package tcp

import (
	"testing"
	"time"
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
