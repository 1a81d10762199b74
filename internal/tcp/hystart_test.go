package tcp

import (
	"testing"
	"time"
)

// A round of HyStart++: n acknowledgments of a segment each, with these round
// trips.
func hystartRound(h *hystart, total *uint64, n int, rtt time.Duration) (grown int, over bool) {
	for range n {
		*total += 1000
		g, end := h.grow(&Ack{Acked: 1000, Total: *total, InFlight: n * 1000, RTT: rtt})
		grown += g
		over = over || end
	}
	return grown, over
}

// RFC 9406 4.2, with the round trip as the specification's words.
func TestHystart(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name string
		rtts []time.Duration // of rounds of 16 segments
		css  int             // rounds of CSS in the end
		over bool
	}{
		{"a steady path", []time.Duration{20 * ms, 20 * ms, 20 * ms, 20 * ms}, 0, false},
		{"less than the threshold of 4 ms", []time.Duration{20 * ms, 23 * ms, 26 * ms, 29 * ms}, 0, false},
		{"an eighth of a longer round trip", []time.Duration{80 * ms, 89 * ms}, 0, false},
		{"more than that", []time.Duration{80 * ms, 91 * ms}, 1, false},
		{"16 ms are enough", []time.Duration{400 * ms, 417 * ms}, 1, false},
		{"it was too early", []time.Duration{20 * ms, 25 * ms, 24 * ms}, 0, false},
		{"five rounds of it", []time.Duration{20 * ms, 25 * ms, 26 * ms, 26 * ms, 26 * ms, 26 * ms}, 5, false},
		{"and then avoidance", []time.Duration{20 * ms, 25 * ms, 26 * ms, 26 * ms, 26 * ms, 26 * ms, 26 * ms}, 5, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h hystart
			var total uint64
			over := false
			for _, rtt := range tt.rtts {
				_, end := hystartRound(&h, &total, 16, rtt)
				over = over || end
			}
			if h.css != tt.css || over != tt.over {
				t.Errorf("%d rounds of CSS, over: %v", h.css, over)
			}
		})
	}
}

func TestHystartGrowth(t *testing.T) {
	const ms = time.Millisecond
	var h hystart
	var total uint64
	if n, _ := hystartRound(&h, &total, 16, 20*ms); n != 16000 {
		t.Errorf("slow start grows by %d of 16000", n)
	}
	hystartRound(&h, &total, 16, 30*ms)
	if n, _ := hystartRound(&h, &total, 16, 30*ms); n != 4000 {
		t.Errorf("conservative slow start grows by %d of 16000", n)
	}
	h = hystart{}
	if n, _ := h.grow(&Ack{Acked: 20000, Total: 20000}); n != 20000 {
		t.Errorf("an acknowledgment of 20000 grows by %d", n)
	}
}

// slowStartDrops returns how many segments the queue drops until slow start is
// over.
func slowStartDrops(t *testing.T, a *Algorithm, p path) int {
	ch := p.channel(t, 1, a)
	ch.ends[0].send = 64 << 20
	ch.connect(1500, 0)
	for ch.ends[0].c.cc == nil || ch.ends[0].c.cc.Cwnd() < ch.ends[0].c.cc.SSThresh() {
		if !ch.step() {
			t.Fatal(ch.describe())
		}
	}
	return ch.dropped
}

// Without HyStart++ slow start always ends in an overflow of the queue, by as
// much as the queue holds. With it, a long queue does not overflow; a shorter
// one does, since what tells of it takes two round trips to come back, but by
// less.
func TestHystartLeavesSlowStartBeforeTheQueueOverflows(t *testing.T) {
	for _, tt := range []struct {
		queue int // round trips
		spare float64
	}{{10, 1}, {4, 0.5}, {2, 0.5}} {
		const rtt = 10 * time.Millisecond
		p := path{rate: 6_250_000, rtt: rtt, queue: time.Duration(tt.queue) * rtt}
		reno, cubic := slowStartDrops(t, renoAlgorithm, p), slowStartDrops(t, cubicAlgorithm, p)
		if reno == 0 || float64(cubic) > (1-tt.spare)*float64(reno) {
			t.Errorf("a queue of %d round trips drops %d segments, and %d without HyStart++", tt.queue, cubic, reno)
		}
	}
}
