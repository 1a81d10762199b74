package tcp

import (
	"strconv"
	"testing"
	"time"
)

// A gauge is an algorithm that keeps the samples it gets.
type gauge struct {
	Reno
	samples []RateSample
}

func (g *gauge) OnAck(now time.Duration, a Ack) {
	if a.Rate.Rate > 0 {
		g.samples = append(g.samples, a.Rate)
	}
	g.Reno.OnAck(now, a)
}

func gaugeAlgorithm() (*gauge, *Algorithm) {
	g := &gauge{Reno: *NewReno(1000)}
	return g, &Algorithm{Name: "gauge", Rates: true, New: func(mss int) CongestionControl {
		g.SetMSS(mss)
		return g
	}}
}

// On a busy path the samples tell its speed, on an idle one no more than the
// application's, and say so.
func TestDeliveryRate(t *testing.T) {
	g, a := gaugeAlgorithm()
	p := path{rate: 12_500_000, rtt: 20 * time.Millisecond}
	p.share(t, time.Millisecond, time.Second, a)
	const want = 12_500_000 * 1448.0 / 1508
	busy, most := 0, 0.0
	for _, s := range g.samples[len(g.samples)/2:] {
		most = max(most, s.Rate)
		if s.Rate > 0.97*want {
			busy++
		}
		if s.AppLimited {
			t.Fatalf("limited by the application: %+v", s)
		}
	}
	if most > 1.03*want || busy < len(g.samples)/4 {
		t.Errorf("%d of %d samples are near %.0f B/s, the highest is %.0f", busy, len(g.samples)/2, want, most)
	}
}

func TestDeliveryRateOfAnIdleApplication(t *testing.T) {
	g, a := gaugeAlgorithm()
	tc := established(t, noOptions, func(p *Params) { p.Algorithms = []*Algorithm{a} })
	for i := range 20 {
		tc.write(1000)
		tc.skip()
		tc.advance(10 * time.Millisecond)
		tc.input(". 1:1(0) ack " + strconv.Itoa(1001+1000*i) + " win 50000")
		tc.advance(40 * time.Millisecond)
	}
	if len(g.samples) == 0 {
		t.Fatal("no samples")
	}
	for i, s := range g.samples {
		if s.Rate > 110_000 || s.InFlight != 1000 || i > 0 && !s.AppLimited {
			t.Errorf("sample %d: %+v", i, s)
		}
	}
}

// What is lost while a segment is in flight is told with it.
func TestDeliveryRateCountsLosses(t *testing.T) {
	g, a := gaugeAlgorithm()
	tc := established(t, sackOnly, func(p *Params) { p.Algorithms = []*Algorithm{a} })
	tc.write(10_000)
	tc.skip()
	tc.advance(20 * time.Millisecond)
	tc.input(". 1:1(0) ack 1 win 50000 <sack 2001:6001>")
	s := g.samples[len(g.samples)-1]
	if got := tc.c.Info(tc.now).DeliveryRate; got != 200_000 {
		t.Errorf("TCP_INFO tells of %d B/s", got)
	}
	if s.Delivered != 4000 || s.Lost != 2000 || s.LossLost != 2000 || s.LossInFlight != 2000 || s.InFlight != 6000 {
		t.Errorf("%+v", s)
	}
}
