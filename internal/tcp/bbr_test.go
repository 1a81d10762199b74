package tcp

import (
	"testing"
	"time"

	"example.com/berth/socket"
)

// followBBR runs one flow of BBR for a time, and calls f after each step.
func followBBR(t *testing.T, p path, d time.Duration, f func(now time.Duration, ch *channel, b *BBR)) (mbits float64) {
	t.Helper()
	ch := p.channel(t, 1, bbrAlgorithm)
	ch.ends[0].send = 1 << 30
	start := ch.now
	ch.connect(1500, 0)
	for ch.now-start < d {
		if !ch.step() {
			t.Fatal(ch.describe())
		}
		if b, ok := ch.ends[0].c.cc.(*BBR); ok {
			f(ch.now-start, ch, b)
		}
	}
	return float64(ch.ends[1].read) * 8 / d.Seconds() / 1e6
}

// The states follow each other as in the draft's figure 5.1.1, the model finds
// rate and round trip, and the queue, of four round trips, stays empty but for
// probes.
func TestBBRFindsTheModel(t *testing.T) {
	const rtt = 20 * time.Millisecond
	follows := map[bbrState][]bbrState{
		bbrStartup: {bbrDrain}, bbrDrain: {bbrDown, bbrCruise}, bbrDown: {bbrCruise, bbrRefill}, bbrCruise: {bbrRefill, bbrProbeRTT},
		bbrRefill: {bbrUp, bbrProbeRTT}, bbrUp: {bbrDown, bbrProbeRTT}, bbrProbeRTT: {bbrCruise},
	}
	entered := map[bbrState]int{}
	state := bbrStartup
	var queued, all time.Duration
	p := path{rate: 6_250_000, rtt: rtt, queue: 4 * rtt}
	var last time.Duration
	mbits := followBBR(t, p, 12*time.Second, func(now time.Duration, ch *channel, b *BBR) {
		if b.state != state {
			ok := false
			for _, s := range follows[state] {
				ok = ok || s == b.state
			}
			if !ok {
				t.Fatalf("at %v: state %d after %d", now, b.state, state)
			}
			state = b.state
			entered[state]++
		}
		if now > 2*time.Second {
			all += now - last
			if ch.ends[0].c.rtt.srtt > rtt+rtt/4 {
				queued += now - last
			}
		}
		last = now
		if now > 11*time.Second && (b.maxBw() < 0.94*6_250_000 || b.maxBw() > 6_250_000 || b.minRTT < rtt || b.minRTT > rtt+time.Millisecond) {
			t.Fatalf("at %v: %.0f B/s, %v", now, b.maxBw(), b.minRTT)
		}
	})
	if mbits < 0.9*50 {
		t.Errorf("%.1f of 50 Mbit/s", mbits)
	}
	if queued > all/4 {
		t.Errorf("in %v of %v there was a queue", queued, all)
	}
	for s, least := range map[bbrState]int{bbrDrain: 1, bbrUp: 3, bbrCruise: 3, bbrProbeRTT: 2} {
		if entered[s] < least {
			t.Errorf("state %d was entered %d times, want %d", s, entered[s], least)
		}
	}
}

// Random losses of one percent cost little, where a window that is halved for
// each would be a tenth of what the path holds.
func TestBBRStandsRandomLoss(t *testing.T) {
	if raceEnabled {
		t.Skip("slow under the race detector, and races are not what it looks for")
	}
	for _, tt := range []struct {
		loss  float64
		rtt   time.Duration
		least float64
	}{
		{0, 20 * time.Millisecond, 92},
		{0.001, 20 * time.Millisecond, 82},
		{0.01, 20 * time.Millisecond, 75},
		{0.01, 5 * time.Millisecond, 75},
	} {
		p := path{rate: 12_500_000, rtt: tt.rtt, loss: tt.loss}
		if got := p.share(t, time.Second, 6*time.Second, bbrAlgorithm)[0]; got < tt.least {
			t.Errorf("loss %v, %v: %.1f of 100 Mbit/s", tt.loss, tt.rtt, got)
		}
	}
}

// More losses than two percent mean that too much is in flight.
func TestBBRYieldsToHeavyLoss(t *testing.T) {
	p := path{rate: 6_250_000, rtt: 20 * time.Millisecond, queue: 2 * time.Millisecond}
	resent := uint64(0)
	mbits := followBBR(t, p, 6*time.Second, func(_ time.Duration, ch *channel, _ *BBR) {
		resent = ch.ends[0].p.Counters.Retransmits.Load()
	})
	share := float64(resent) * 1448 / (mbits * 1e6 / 8 * 6)
	if mbits < 35 || share > 0.03 {
		t.Errorf("%.1f of 50 Mbit/s over a queue of a tenth of a round trip, %.1f %% resent", mbits, share*100)
	}
}

func TestBBRFlowsShareABottleneck(t *testing.T) {
	if raceEnabled {
		t.Skip("slow under the race detector, and races are not what it looks for")
	}
	for _, n := range []int{2, 4} {
		p := path{rate: 1_250_000, rtt: 20 * time.Millisecond, queue: 40 * time.Millisecond}
		all := make([]*Algorithm, n)
		for i := range all {
			all[i] = bbrAlgorithm
		}
		got := p.share(t, 20*time.Second, 40*time.Second, all...)
		sum := 0.0
		for _, v := range got {
			sum += v
		}
		t.Logf("%.2f of 10 Mbit/s, index %.3f", got, jain(got))
		if jain(got) < 0.8 || sum < 8.7 {
			t.Errorf("%.2f of 10 Mbit/s, index %.3f", got, jain(got))
		}
	}
}

// With a flow of CUBIC neither starves.
func TestBBRAndCubicCoexist(t *testing.T) {
	if raceEnabled {
		t.Skip("slow under the race detector, and races are not what it looks for")
	}
	p := path{rate: 2_500_000, rtt: 20 * time.Millisecond, queue: 30 * time.Millisecond}
	got := p.share(t, 10*time.Second, 40*time.Second, bbrAlgorithm, cubicAlgorithm)
	t.Logf("%.2f of 20 Mbit/s", got)
	if min(got[0], got[1]) < 2 || got[0]+got[1] < 17.5 {
		t.Errorf("%.2f of 20 Mbit/s", got)
	}
}

func TestBBRUndo(t *testing.T) {
	b := NewBBR(1000)
	b.Init(time.Hour, Window{Initial: 10_000, Cwnd: 50_000, SSThresh: NoThreshold})
	b.inflightLong = 90_000
	b.OnRTO(time.Hour, 50_000, true)
	if b.Cwnd() != 1000 {
		t.Error(b.Cwnd())
	}
	b.OnRTO(time.Hour, 1000, false)
	b.inflightLong = 30_000
	b.OnUndo(time.Hour)
	if b.Cwnd() != 50_000 || b.inflightLong != 90_000 {
		t.Error(b.Cwnd(), b.inflightLong)
	}
	b.OnLoss(time.Hour, 50_000)
	b.cwnd = 20_000
	b.OnRecovered(time.Hour, 20_000)
	if b.Cwnd() != 50_000 {
		t.Error(b.Cwnd())
	}
}

// What TCP_CC_INFO tells on a path of 100 Mbit/s and 20 ms.
func TestCongestionInfo(t *testing.T) {
	for _, a := range []*Algorithm{bbrAlgorithm, dctcpAlgorithm, cubicAlgorithm} {
		p := path{rate: 12_500_000, rtt: 20 * time.Millisecond, queue: time.Second}
		ch := p.channel(t, 1, a)
		ch.ends[0].send = 16 << 20
		ch.connect(1500, 0)
		for ch.ends[1].c == nil || ch.ends[1].read < 12<<20 {
			if !ch.step() {
				t.Fatal(ch.describe())
			}
		}
		i := ch.ends[0].c.CongestionInfo()
		switch a {
		case bbrAlgorithm:
			if i.Bandwidth < 11_000_000 || i.Bandwidth > 13_500_000 || i.MinRTT < 20*time.Millisecond || i.MinRTT > 22*time.Millisecond || i.PacingGain == 0 || i.CwndGain == 0 {
				t.Errorf("bbr: %+v", i)
			}
		case dctcpAlgorithm:
			if i.Alpha <= 0 || i.Alpha > 1 {
				t.Errorf("dctcp: %+v", i)
			}
		default:
			if i != (socket.TCPCCInfo{}) {
				t.Errorf("%s: %+v", a.Name, i)
			}
		}
	}
}

// What was resent, and arrived as it was sent first, tells nothing of the round
// trip: one that is too short would make the window too small for ten seconds.
func TestBBRTakesNoRoundTripOfWhatWasResent(t *testing.T) {
	tc := talk(t, func(p *Params) { p.Algorithms = []*Algorithm{bbrAlgorithm} })
	tc.accept("S 0:0(0) win 50000 " + sackOnly)
	tc.advance(20 * time.Millisecond)
	tc.input(". 1:1(0) ack 1 win 50000")
	tc.write(5000)
	tc.advance(20 * time.Millisecond)
	tc.skip()
	tc.input(". 1:1(0) ack 1 win 50000 <sack 1001:5001>")
	tc.advance(time.Millisecond)
	tc.want(". 1:1001(1000) ack 1")
	tc.input(". 1:1(0) ack 5001 win 50000")
	if got := tc.c.cc.(*BBR).minRTT; got < 10*time.Millisecond {
		t.Errorf("%v: that is no round trip", got)
	}
}
