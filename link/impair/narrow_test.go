package impair_test

import (
	"math"
	"strconv"
	"testing"
	"time"

	"example.com/berth/link"
	"example.com/berth/link/impair"
)

// mbit is a rate at which 125 bytes take a millisecond.
const mbit = 1_000_000

// A packet comes at a time and is due at another: -1 if it is dropped.
type packet struct {
	at      time.Duration
	length  int
	due     time.Duration
	comment string
}

// dues gives when each packet leaves the line, or -1. Between them the line is
// driven if lively is true, as a simulator would; else only pushed to.
func dues(l *impair.Line, packets []packet, lively bool) []time.Duration {
	got := make([]time.Duration, len(packets))
	for i := range got {
		got[i] = -1
	}
	batch := make([]*link.Kept, 0, 4)
	run := func(until time.Duration) {
		for {
			at, ok := l.Next()
			if !ok || at > until {
				return
			}
			batch = l.Take(at, batch[:0])
			for _, k := range batch {
				i, _ := strconv.Atoi(k.Comment)
				got[i] = at
				k.Release()
			}
		}
	}
	for i, p := range packets {
		if lively {
			run(p.at)
		}
		l.Push(p.at, []link.Frame{{Payload: make([]byte, p.length), Comment: strconv.Itoa(i)}})
	}
	run(math.MaxInt64)
	return got
}

func wantDues(t *testing.T, cfg impair.Config, packets []packet) {
	t.Helper()
	for _, lively := range []bool{true, false} {
		for i, due := range dues(newLine(t, cfg), packets, lively) {
			if p := packets[i]; due != p.due {
				t.Errorf("packet %d (%s): leaves at %v, want %v (lively %v)", i, p.comment, due, p.due, lively)
			}
		}
	}
}

func TestRateAndQueue(t *testing.T) {
	for _, tt := range []struct {
		name    string
		cfg     impair.Config
		packets []packet
	}{
		{"no rate", impair.Config{}, []packet{
			{0, 60000, 0, ""},
			{0, 60000, 0, "at once, too"},
		}},
		{"one after the other", impair.Config{Rate: mbit}, []packet{
			{0, 125, 1 * ms, "leaves when its last bit is sent"},
			{0, 250, 3 * ms, "waits for the first"},
			{1 * ms, 125, 4 * ms, "waits for both"},
			{10 * ms, 125, 11 * ms, "finds the link free"},
		}},
		{"and then the delay", impair.Config{Rate: mbit, Delay: 20 * ms}, []packet{
			{0, 125, 21 * ms, ""},
			{0, 125, 22 * ms, "on their way at the same time"},
		}},
		{"the queue is full", impair.Config{Rate: mbit, Queue: 250}, []packet{
			{0, 125, 1 * ms, ""},
			{0, 125, 2 * ms, "125 bytes before it"},
			{0, 1, -1, "250 bytes wait"},
			{0, 125, -1, "and still do"},
			{1 * ms, 125, 3 * ms, "one is sent"},
			{1 * ms, 125, -1, "full again"},
			{1*ms + 500*time.Microsecond, 62, 3*ms + 496*time.Microsecond, "half of one is sent"},
		}},
		{"longer than the queue", impair.Config{Rate: mbit, Queue: 100}, []packet{
			{0, 125, 1 * ms, "passes an idle link"},
			{0, 1, -1, "but nothing waits beyond the limit"},
			{1 * ms, 125, 2 * ms, "idle again"},
		}},
		{"the default queue", impair.Config{Rate: mbit}, []packet{
			{0, 60000, 480 * ms, ""},
			{0, 1440000, 12000 * ms, "1.5 MB in all"},
			{0, 1, -1, ""},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) { wantDues(t, tt.cfg, tt.packets) })
	}
}

func TestRateIsExactInTheLongRun(t *testing.T) {
	const packets, length = 5000, 61
	all := make([]packet, packets)
	for i := range all {
		all[i].length = length
	}
	for _, rate := range []int64{1, 9600, 1_000_003, 10 * mbit, 999_999_937, 400_000 * mbit} {
		for _, aqm := range []impair.AQM{{}, {CoDel: true, Target: time.Hour * 1e6}} {
			sent := dues(newLine(t, impair.Config{Rate: rate, AQM: aqm}), all, false)
			want := float64(packets*length*8) / float64(rate)
			if got := sent[packets-1].Seconds(); math.Abs(got-want) > 1e-9+want*1e-12 {
				t.Errorf("at %d bit/s: %v s, want %v", rate, got, want)
			}
		}
	}
}

func TestANewRateIsThatOfTheQueue(t *testing.T) {
	l := newLine(t, impair.Config{Rate: mbit / 1000})
	push := func(now time.Duration, n int) {
		for range n {
			l.Push(now, []link.Frame{{Payload: make([]byte, 125)}})
		}
	}
	push(0, 3) // a second for each
	l.Configure(impair.Config{Rate: mbit, Queue: 500})
	push(0, 1)
	if got, want := len(taken(l, time.Second, 9)), 1; got != want {
		t.Errorf("%d left, want the one that was in transmission", got)
	}
	for i := range 3 {
		if at, _ := l.Next(); at != time.Second+time.Duration(i+1)*ms {
			t.Errorf("next at %v", at)
		}
		if at, _ := l.Next(); len(taken(l, at, 9)) != 1 {
			t.Error("not one by one")
		}
	}
	push(10*time.Second, 3)
	l.Configure(impair.Config{})
	push(10*time.Second, 1)
	if got := drive(l); len(got) != 4 {
		t.Fatal(got)
	}
	if st := l.Stats(); st.Passed != 8 || st.QueueFull != 0 || st.OnTheWay != 0 {
		t.Errorf("counted %+v", st)
	}
}

func TestDelayAndJitter(t *testing.T) {
	many := func(n int, every time.Duration) []packet {
		p := make([]packet, n)
		for i := range p {
			p[i] = packet{at: time.Duration(i) * every, length: 100}
		}
		return p
	}
	least, most := time.Hour, time.Duration(0)
	far := many(10000, 100*ms) // nobody waits for the one ahead
	for i, due := range dues(newLine(t, impair.Config{Delay: 10 * ms, Jitter: 4 * ms}), far, true) {
		least, most = min(least, due-far[i].at), max(most, due-far[i].at)
	}
	if least < 6*ms || least > 6*ms+10*time.Microsecond || most > 14*ms || most < 14*ms-10*time.Microsecond {
		t.Errorf("delays from %v to %v, want 6ms to 14ms", least, most)
	}

	last := time.Duration(0)
	for i, due := range dues(newLine(t, impair.Config{Delay: 10 * ms, Jitter: 10 * ms}), many(1000, ms), true) {
		if due < last {
			t.Fatalf("packet %d leaves at %v, before the one ahead at %v", i, due, last)
		}
		last = due
	}

	for _, due := range dues(newLine(t, impair.Config{Delay: ms, Jitter: time.Second}), many(100, ms), true) {
		if due < 0 {
			t.Fatalf("left at %v, before it came", due)
		}
	}
}

func TestExtraDelayHoldsNobodyElseUp(t *testing.T) {
	rule := func(now time.Duration, _ *link.Frame) (v impair.Verdict) {
		if now == 0 {
			v.Delay = 50 * ms
		}
		return v
	}
	wantDues(t, impair.Config{Delay: 10 * ms, Rule: rule}, []packet{{0, 100, 60 * ms, ""}, {1 * ms, 100, 11 * ms, ""}})
}

func TestANewSeedBeginsAnew(t *testing.T) {
	l := newLine(t, impair.Config{Seed: 1, Loss: 0.5})
	lost := func(cfg impair.Config) (n uint64) {
		l.Configure(cfg)
		before := l.Stats().Lost
		for range 100 {
			l.Push(0, texts("x"))
		}
		drive(l)
		return l.Stats().Lost - before
	}
	first := lost(impair.Config{Seed: 1, Loss: 0.5})
	second := lost(impair.Config{Seed: 1, Loss: 0.5, Delay: ms})
	l.Configure(impair.Config{Seed: 2, Loss: 0.5})
	if again := lost(impair.Config{Seed: 1, Loss: 0.5}); again != first || second == first {
		t.Errorf("lost %d, %d with the same seed, %d with the seed set again", first, second, again)
	}
}
