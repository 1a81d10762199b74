package tcp

import (
	"math"
	"testing"
	"time"
)

// RFC 8257 3.3: alpha = alpha(1-g) + gM for each window, and the window shrinks
// by half of alpha.
func TestDCTCP(t *testing.T) {
	const mss = 1000
	begin := func() *DCTCP {
		d := NewDCTCP(mss)
		d.Init(0, Window{Initial: 10 * mss, Cwnd: 100 * mss, SSThresh: 100 * mss})
		return d
	}
	total := uint64(0)
	// window acknowledges 100 segments, of which the first marked ones carry
	// an echo.
	window := func(d *DCTCP, marked int) {
		for i := range 100 {
			total += mss
			a := Ack{Acked: mss, Delivered: mss, Total: total, InFlight: 99 * mss, Recovery: true}
			if i < marked {
				a.Marked = mss
			}
			d.OnAck(0, a)
		}
	}
	t.Run("alpha is 1 in the beginning", func(t *testing.T) {
		d := begin()
		d.OnECN(0, 100*mss)
		if d.Cwnd() != 50*mss || d.SSThresh() != 50*mss {
			t.Error(d.Cwnd(), d.SSThresh())
		}
	})
	t.Run("and follows the fraction of marks", func(t *testing.T) {
		for _, marked := range []int{0, 10, 50, 100} {
			d := begin()
			want := 1.0
			d.OnAck(0, Ack{Delivered: 1, Total: total, InFlight: 100 * mss, Recovery: true})
			want *= 1 - dctcpGain
			for range 40 {
				window(d, marked)
				want = want*(1-dctcpGain) + dctcpGain*float64(marked)/100
			}
			if math.Abs(d.alpha-want) > 0.02 {
				t.Errorf("%d %% marked: alpha %f, want %f", marked, d.alpha, want)
			}
			d.OnECN(0, 100*mss)
			if w := float64(d.Cwnd()) / mss; math.Abs(w-100*(1-d.alpha/2)) > 0.1 {
				t.Errorf("%d %% marked: the window falls from 100 to %.1f", marked, w)
			}
		}
	})
	t.Run("a loss halves", func(t *testing.T) { // 3.5
		d := begin()
		d.alpha = 0
		d.OnLoss(0, 100*mss)
		if d.Cwnd() != 50*mss {
			t.Error(d.Cwnd())
		}
	})
}

func withDCTCP(p *Params) { p.Algorithms = []*Algorithm{dctcpAlgorithm}; p.ECN = ECNOff }

// DCTCP brings ECN about by itself, and its receiver tells of each mark: an
// acknowledgment covers either marked segments or others (RFC 8257 3.2).
func TestDCTCPReceiver(t *testing.T) {
	tc := ecnEstablished(t, noOptions, withDCTCP)
	tc.c.delack.quick = 0
	tc.inputs(". 1:1001(1000) ack 1 win 50000 ecn 2", ". 1001:2001(1000) ack 1 win 50000 ecn 3")
	tc.want(". 1:1(0) ack 1001")
	tc.want(".E 1:1(0) ack 2001")
	tc.inputs(". 2001:3001(1000) ack 1 win 50000 ecn 3", ". 3001:4001(1000) ack 1 win 50000 ecn 3", ". 4001:5001(1000) ack 1 win 50000 ecn 2")
	tc.want(".E 1:1(0) ack 4001")
	tc.want(". 1:1(0) ack 5001")
	tc.wantNothing()
}

// On a queue that marks beyond one millisecond DCTCP keeps it short and the link
// busy; Reno, which halves for the same marks, does not.
func TestDCTCPKeepsTheQueueShort(t *testing.T) {
	if raceEnabled {
		t.Skip("slow under the race detector, and races are not what it looks for")
	}
	measure := func(a *Algorithm) (mbits float64, srtt time.Duration) {
		p := path{rate: 125_000_000, rtt: 2 * time.Millisecond, queue: time.Second}
		ch := p.channel(t, 1, a)
		ch.mark = 600 * time.Microsecond
		for _, s := range ch.ends {
			s.p.ECN, s.p.Algorithms = ECNOn, []*Algorithm{a}
		}
		ch.ends[0].send = 32 << 20
		start := ch.now
		ch.connect(1500, 0)
		for ch.ends[1].c == nil || !ch.ends[1].eof {
			if !ch.step() {
				t.Fatal(ch.describe())
			}
			srtt = max(srtt, ch.ends[0].c.rtt.srtt)
		}
		return float64(32<<20) * 8 / (ch.now - start).Seconds() / 1e6, ch.ends[0].c.rtt.srtt
	}
	dctcp, queue := measure(dctcpAlgorithm)
	reno, _ := measure(renoAlgorithm)
	if dctcp < 800 || queue > 4*time.Millisecond || dctcp < reno {
		t.Errorf("DCTCP: %.0f Mbit/s, round trip %v; Reno: %.0f Mbit/s", dctcp, queue, reno)
	}
}
