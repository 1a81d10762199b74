package tcp

import (
	"math"
	"testing"
	"time"
)

// cruising returns a BBR in ProbeBW that knows 10 MB/s and 20 ms: a flight of 200
// segments. Its rounds have begun at 1 MB delivered.
func cruising() *BBR {
	b := NewBBR(1000)
	b.Init(time.Hour, Window{Initial: 10_000, Cwnd: 400_000, SSThresh: NoThreshold})
	b.maxFilter, b.bw = [2]float64{10e6, 10e6}, 10e6
	b.minRTT, b.minRTTStamp = 20*msec, time.Hour
	b.probeRTTMin, b.probeRTTStamp = 20*msec, time.Hour
	b.fullBwReached, b.pacingRate = true, 10e6
	b.startDown(time.Hour, 1e6)
	b.startCruise()
	b.ackPhase = acksInit
	b.nextRound, b.lossRound, b.fromTotal = 1e6, 1e6, 1e6
	return b
}

// ackOf is an acknowledgment of what was sent at prior, when so much was in flight,
// in the midst of a busy flow.
func ackOf(prior, total uint64, inFlight, lost int, rate float64) Ack {
	return Ack{Delivered: 1000, Total: total, InFlight: inFlight, Rate: RateSample{
		Rate: rate, RTT: 20 * msec, Prior: prior, InFlight: inFlight, Delivered: int(total - prior), Lost: lost, TotalLost: uint64(lost),
	}}
}

// A round lowers the short-term bounds if it lost more than two percent and
// delivered less than was expected; neither alone does.
func TestBBRShortTermBounds(t *testing.T) {
	for _, tt := range []struct {
		name string
		lost int
		rate float64
		want float64 // bwShort
	}{
		{"nothing lost, slow", 0, 8e6, math.Inf(1)},
		{"one percent lost, slow", 2000, 8e6, math.Inf(1)},
		{"five percent lost, fast", 10_000, 9.8e6, math.Inf(1)},
		{"five percent lost, slow", 10_000, 8e6, 8e6},
		{"half lost: never by more than beta", 150_000, 2e6, 7e6},
	} {
		b := cruising()
		a := ackOf(900_000, 1.1e6, 200_000, tt.lost, tt.rate)
		a.Lost = tt.lost
		b.OnAck(time.Hour+10*msec, a) // the loss begins a round to look back at
		b.OnAck(time.Hour+30*msec, ackOf(1.1e6, 1.3e6, 200_000, tt.lost, tt.rate))
		if b.bwShort != tt.want {
			t.Errorf("%s: the bound is %v, want %v", tt.name, b.bwShort, tt.want)
		}
	}
}

// A probe ends by losses when these are more than two percent of what was in
// flight, and more than chance makes of two percent.
func TestBBRProbeEndsByLoss(t *testing.T) {
	for _, tt := range []struct {
		name           string
		inFlight, lost int
		limited        bool
		state          bbrState
		long           int
	}{
		{"one segment of twenty", 20_000, 1000, false, bbrUp, unbounded},
		{"two segments of twenty", 20_000, 2000, false, bbrDown, 140_000}, // beta of the target
		{"two percent", 300_000, 6000, false, bbrUp, unbounded},
		{"a little more, which may be chance", 300_000, 8000, false, bbrUp, unbounded},
		{"more: the bound is where two percent were lost", 300_000, 9000, false, bbrDown, 300_000 - 3061},
		{"by an application that had no more: no bound", 300_000, 9000, true, bbrDown, unbounded},
	} {
		b := cruising()
		b.startRefill(1e6)
		b.probeSamples = true
		a := ackOf(900_000, 1.1e6, tt.inFlight, 0, 10e6)
		b.startUp(time.Hour, &a)
		a.Lost, a.InFlight = tt.lost, 500_000 // there is a queue to drain
		a.Rate.LossInFlight, a.Rate.LossLost, a.Rate.TotalLost = tt.inFlight, tt.lost, uint64(tt.lost)
		a.Rate.LossAppLimited = tt.limited
		b.OnAck(time.Hour+10*msec, a)
		if b.state != tt.state || b.inflightLong != tt.long {
			t.Errorf("%s: state %d, bound %d; want %d, %d", tt.name, b.state, b.inflightLong, tt.state, tt.long)
		}
	}
}

// The long-term bound rises in each round of a probe in which the window was full
// at any time, though it may not be at the end.
func TestBBRRaisesTheLongTermBound(t *testing.T) {
	for _, full := range []bool{true, false} {
		b := cruising()
		b.inflightLong, b.cwnd = 200_000, 200_000
		b.startRefill(1e6)
		a := ackOf(900_000, 1e6, 150_000, 0, 10e6)
		b.startUp(time.Hour, &a)
		if full {
			b.OnAck(time.Hour+msec, ackOf(900_000, 1e6+1000, 199_000, 0, 10e6))
		}
		for total := uint64(1e6); total < 1.6e6; total += 1000 {
			a := ackOf(total-200_000, total, 150_000, 0, 10e6)
			a.InFlight = 150_000
			b.OnAck(time.Hour+2*msec, a)
			if full {
				b.fullNow = true // once a round
			}
		}
		if grown := b.inflightLong > 200_000; grown != full {
			t.Errorf("full %v: the bound is %d", full, b.inflightLong)
		}
	}
}

// A segment that a time-out takes for lost counts among the losses.
func TestDeliveryRateCountsTimeouts(t *testing.T) {
	g, a := gaugeAlgorithm()
	tc := established(t, sackOnly, func(p *Params) { p.Algorithms = []*Algorithm{a} })
	tc.write(3000)
	tc.skip()
	for tc.count().RTOs.Load() == 0 {
		tc.fire()
		tc.skip()
	}
	tc.advance(20 * msec)
	tc.input(". 1:1(0) ack 1001 win 50000")
	if s := g.samples[len(g.samples)-1]; s.TotalLost != 3000 {
		t.Errorf("%d bytes are lost, want 3000", s.TotalLost)
	}
}

// A recovery that was for nothing gives back the probe that it ended.
func TestBBRUndoGoesOnProbing(t *testing.T) {
	b := cruising()
	b.startRefill(1e6)
	b.probeSamples = true
	a := ackOf(900_000, 1.1e6, 300_000, 0, 10e6)
	b.startUp(time.Hour, &a)
	b.OnLoss(time.Hour, 300_000)
	a.Rate.LossInFlight, a.Rate.LossLost = 300_000, 20_000
	b.OnAck(time.Hour+10*msec, a)
	if b.state != bbrDown {
		t.Fatalf("state %d after many losses", b.state)
	}
	b.OnUndo(time.Hour + 20*msec)
	if b.state != bbrRefill || b.inflightLong != unbounded {
		t.Errorf("up: state %d, bound %d", b.state, b.inflightLong)
	}

	b = NewBBR(1000)
	b.Init(time.Hour, Window{Initial: 10_000, Cwnd: 50_000, SSThresh: NoThreshold})
	b.OnLoss(time.Hour, 50_000)
	b.lossEvents, b.lossRoundStart = bbrFullLosses, true
	a = ackOf(0, 50_000, 50_000, 5000, 1e6)
	b.checkStartup(&a)
	if b.state != bbrDrain {
		t.Fatalf("state %d after many losses", b.state)
	}
	b.OnUndo(time.Hour)
	if b.state != bbrStartup || b.fullBwReached {
		t.Errorf("startup: state %d", b.state)
	}
}

// One percent that is lost at random costs little, whether the flight is
// of twenty segments or of two thousand, and not much more on hosts that are
// kept waiting for a quarter of the time. (At two percent, the threshold, what is acceptable is a
// matter of chance.)
func TestBBRStandsOnePercent(t *testing.T) {
	if raceEnabled {
		t.Skip("slow under the race detector, and races are not what it looks for")
	}
	for _, tt := range []struct {
		mbits       int
		rtt, stalls time.Duration
		least       float64 // of all that could arrive
	}{
		{20, 20 * msec, 0, 0.9},
		{20, 100 * msec, 0, 0.85},
		{200, 20 * msec, 0, 0.9},
		{200, 20 * msec, 3 * msec, 0.7},
		{200, 100 * msec, 0, 0.65}, // what the buffers hold is the limit
	} {
		p := path{rate: tt.mbits * 125_000, rtt: tt.rtt, loss: 0.01, stalls: tt.stalls}
		got := p.share(t, time.Second, 6*time.Second, bbrAlgorithm)[0]
		if most := 0.99 * 1448 / 1508 * float64(tt.mbits); got < tt.least*most {
			t.Errorf("%v, stalls of %v: %.1f of %.1f Mbit/s", tt.rtt, tt.stalls, got, most)
		}
	}
}

// What may leave at once is a millisecond's worth, two segments at least and 64 KiB
// at most, however fast the path is.
func TestBBRQuantum(t *testing.T) {
	for rate, want := range map[float64]float64{1e5: 2000, 1e7: 10_000, 1e9: 64 << 10} {
		b := cruising()
		if b.pacingRate = rate; b.quantum() != want {
			t.Errorf("%v bytes a second: %v, want %v", rate, b.quantum(), want)
		}
	}
}
