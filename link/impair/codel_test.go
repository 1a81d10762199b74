package impair

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestCoDelFollowsItsLaw takes a packet each millisecond from a queue in which
// all have waited too long.
func TestCoDelFollowsItsLaw(t *testing.T) {
	var c codel
	var q AQM
	var got []time.Duration
	for now := ms; now < time.Second; now += ms {
		for c.signal(&q, now, 50*ms, 1500, 15000, true) {
			got = append(got, now)
		}
	}
	// The first when all of an interval were above the target, and the n-th
	// an interval/sqrt(n-1) after the one before, at the next packet.
	want := []time.Duration{101 * ms}
	for next, n := 101*ms+100*ms, 2; next < time.Second; n++ {
		want = append(want, next.Round(0)+(ms-next%ms)%ms)
		next += time.Duration(float64(100*ms) / math.Sqrt(float64(n)))
	}
	if !slices.Equal(got, want) {
		t.Errorf("drops at %v, want %v", got, want)
	}
}

func TestCoDelLeavesShortQueuesAlone(t *testing.T) {
	for _, tt := range []struct {
		name    string
		sojourn func(now time.Duration) time.Duration
		backlog int
		q       AQM
		drops   bool
	}{
		{"below the target", func(time.Duration) time.Duration { return 5*ms - 1 }, 15000, AQM{}, false},
		{"at the target", func(time.Duration) time.Duration { return 5 * ms }, 15000, AQM{}, true},
		{"no more than a packet", func(time.Duration) time.Duration { return time.Second }, 1500, AQM{}, false},
		{"below once an interval", func(now time.Duration) time.Duration { return now % (100 * ms) }, 15000, AQM{}, false},
		{"another target", func(time.Duration) time.Duration { return 50 * ms }, 15000, AQM{Target: 51 * ms}, false},
		{"another interval", func(time.Duration) time.Duration { return 50 * ms }, 15000, AQM{Interval: 2 * time.Second}, false},
	} {
		var c codel
		drops := false
		for now := ms; now < time.Second; now += ms {
			drops = drops || c.signal(&tt.q, now, tt.sojourn(now), 1500, tt.backlog, true)
		}
		if drops != tt.drops {
			t.Errorf("%s: drops is %v", tt.name, drops)
		}
	}
}

// A textbook is CoDel as RFC 8289 section 5 writes it, with a queue of its own.
type textbook struct {
	q      AQM
	queue  []queued
	codel  codel // only its variables
	signal func(p queued)
}

type queued struct {
	came   time.Duration
	length int
}

func (b *textbook) bytes() (n int) {
	for _, p := range b.queue {
		n += p.length
	}
	return n
}

// doDequeue is 5.6.
func (b *textbook) doDequeue(now time.Duration) (p queued, some, ok bool) {
	c := &b.codel
	if len(b.queue) == 0 {
		c.firstAbove = 0
		return p, false, false
	}
	p, b.queue = b.queue[0], b.queue[1:]
	if now-p.came < b.q.target() || b.bytes() <= 1500 {
		c.firstAbove = 0
	} else if c.firstAbove == 0 {
		c.firstAbove = now + b.q.interval()
	} else {
		ok = now >= c.firstAbove
	}
	return p, true, ok
}

// dequeue is 5.5.
func (b *textbook) dequeue(now time.Duration) (queued, bool) {
	c := &b.codel
	p, some, ok := b.doDequeue(now)
	law := func(t time.Duration) time.Duration {
		return t + time.Duration(float64(b.q.interval())/math.Sqrt(float64(c.count)))
	}
	if c.dropping {
		if !ok {
			c.dropping = false
		}
		for c.dropping && now >= c.dropNext {
			b.signal(p)
			c.count++
			if p, some, ok = b.doDequeue(now); ok {
				c.dropNext = law(c.dropNext)
			} else {
				c.dropping = false
			}
		}
	} else if ok {
		b.signal(p)
		p, some, _ = b.doDequeue(now)
		c.dropping = true
		delta := c.count - c.lastCount
		c.count = 1
		if delta > 1 && now-c.dropNext < 16*b.q.interval() {
			c.count = delta
		}
		c.dropNext = law(now)
		c.lastCount = c.count
	}
	return p, some
}

// TestCoDelAgainstTheTextbook has both serve the same traffic, whose load
// changes between idle and far too much.
func TestCoDelAgainstTheTextbook(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 8289))
	const service = ms
	signals := 0
	for run := range 10 {
		q := AQM{Target: time.Duration(1+rng.IntN(10)) * ms, Interval: time.Duration(20+rng.IntN(100)) * ms}
		var want, got []queued
		book := textbook{q: q, signal: func(p queued) { want = append(want, p) }}
		var c codel
		c.largest = 1500
		var queue []queued
		load := 0.5
		for now := ms; now < 10*time.Second; now += service {
			if rng.IntN(500) == 0 {
				load = 1.5 * rng.Float64()
			}
			for range 3 {
				if rng.Float64()*3 < load {
					p := queued{now - time.Duration(rng.Int64N(int64(ms))), 500 + rng.IntN(1000)}
					queue, book.queue = append(queue, p), append(book.queue, p)
				}
			}
			sent, some := book.dequeue(now)
			if len(queue) == 0 {
				c.idle()
			}
			for len(queue) > 0 {
				p := queue[0]
				queue = queue[1:]
				backlog := 0
				for _, x := range queue {
					backlog += x.length
				}
				if !c.signal(&q, now, now-p.came, p.length, backlog, true) {
					if !some || p != sent {
						t.Fatalf("run %d at %v: sent %v, want %v", run, now, p, sent)
					}
					break
				}
				got = append(got, p)
			}
			if !slices.Equal(queue, book.queue) || !slices.Equal(got, want) {
				t.Fatalf("run %d at %v: dropped %d, want %d", run, now, len(got), len(want))
			}
		}
		signals += len(got)
	}
	if signals < 500 {
		t.Errorf("only %d drops: the test shows little", signals)
	}
}

func TestCoDelMarksOneEachTime(t *testing.T) {
	var c codel
	var q AQM
	marks := 0
	for now := ms; now < 10*time.Second; now += ms {
		if c.signal(&q, now, 50*ms, 1500, 15000, false) {
			marks++
		}
	}
	// With n signals in t, the law is t = interval * sum of 1/sqrt(n), about
	// 2 * sqrt(n) intervals: (9.9 s / 0.2 s)^2.
	if marks < 2300 || marks > 2600 {
		t.Errorf("%d marks in 10 s", marks)
	}
}
