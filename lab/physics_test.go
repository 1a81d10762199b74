package lab_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/lab"
	"example.com/berth/netconn"
	"example.com/berth/socket"
)

// stream sends from one host to another as fast as TCP lets it, and returns how
// many bytes arrive in a second on average, between two times after the start.
func stream(t *testing.T, from, to *lab.Host, congestion string, buffer int, begin, end time.Duration) float64 {
	t.Helper()
	ln, err := to.Listen("tcp4", ":9")
	if err != nil {
		t.Fatal(err)
	}
	c, err := from.Dial("tcp4", to.Name()+":9")
	if err != nil {
		t.Fatal(err)
	}
	r, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s := c.(*netconn.TCPConn).Socket()
	if err := socket.Set(s, socket.TCP_CONGESTION, congestion); err != nil {
		t.Fatal(err)
	}
	if buffer > 0 {
		c.(*netconn.TCPConn).SetWriteBuffer(buffer)
		r.(*netconn.TCPConn).SetReadBuffer(buffer)
	}
	go func() {
		b := make([]byte, 64<<10)
		for {
			if _, err := c.Write(b); err != nil {
				return
			}
		}
	}()
	count := func(until time.Time) (n int) {
		b := make([]byte, 64<<10)
		r.SetReadDeadline(until)
		for {
			k, err := r.Read(b)
			n += k
			if err != nil {
				return n
			}
		}
	}
	start := time.Now()
	count(start.Add(begin))
	n := count(start.Add(end))
	c.Close()
	r.Close()
	ln.Close()
	return float64(n) / (end - begin).Seconds()
}

// mss is the payload of a full segment with timestamps at MTU 1500.
const mss = 1448

// Goodput against loss and round trip: that of Mathis and others (1997) for Reno,
// and of RFC 9438 section 5.1 for CUBIC, or of Reno where that is more. The models
// are about losses at regular distances and know no time-outs; with independent
// losses the mean is within a third of them.
func TestGoodputFollowsTheModels(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("transfers of many megabytes")
	}
	mathis := func(p float64, _ time.Duration) float64 { return math.Sqrt(1.5 / p) }
	cubic := func(p float64, rtt time.Duration) float64 {
		w := math.Pow(0.4*3.7/(4*0.3), 0.25) * math.Pow(rtt.Seconds(), 0.75) / math.Pow(p, 0.75)
		return max(w, mathis(p, rtt))
	}
	for _, tt := range []struct {
		name   string
		window func(p float64, rtt time.Duration) float64
		rtt    time.Duration
		p      float64
	}{
		{"reno", mathis, 20 * time.Millisecond, 0.01},
		{"reno", mathis, 20 * time.Millisecond, 0.002},
		{"reno", mathis, 100 * time.Millisecond, 0.01},
		{"reno", mathis, 100 * time.Millisecond, 0.002},
		{"cubic", cubic, 20 * time.Millisecond, 0.01}, // here CUBIC is Reno
		{"cubic", cubic, 20 * time.Millisecond, 0.002},
		{"cubic", cubic, 100 * time.Millisecond, 0.01},
		{"cubic", cubic, 100 * time.Millisecond, 0.002},
		{"cubic", cubic, 200 * time.Millisecond, 0.0003}, // and here twice as fast
	} {
		t.Run(fmt.Sprintf("%s, %v, %g", tt.name, tt.rtt, tt.p), func(t *testing.T) {
			lab.Test(t, func(t *testing.T, n *lab.Network) {
				a, b := n.Host("a"), n.Host("b")
				n.Link(a, b, lab.Delay(tt.rtt/2), lab.From(a, lab.Loss(tt.p)))
				got := stream(t, a, b, tt.name, 0, 10*time.Second, 10*time.Second+2000*tt.rtt)
				want := tt.window(tt.p, tt.rtt) * mss / tt.rtt.Seconds()
				t.Logf("%.2f Mbit/s, the model %.2f", got*8/1e6, want*8/1e6)
				if r := got / want; r < 0.67 || r > 1.5 {
					t.Errorf("goodput is %.2f of the model's", r)
				}
			}, lab.Record(-1))
		})
	}
}

// Bigger buffers are not slower, which they are where a window that has grown past
// what the path holds makes a queue that is lost at once. Losses are the same for
// both by number, but a few packets more or less meet others of them.
func TestBiggerBuffersAreNotSlower(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("transfers of many megabytes")
	}
	const rate = 200e6
	for _, tt := range []struct {
		rtt  time.Duration
		loss float64
	}{{20 * time.Millisecond, 0}, {20 * time.Millisecond, 0.01}, {100 * time.Millisecond, 0}} {
		goodput := func(opts ...lab.HostOption) (sum float64) {
			for seed := range uint64(3) {
				synctest.Test(t, func(t *testing.T) {
					n := lab.New(t, lab.Record(-1), lab.Seed(seed))
					a, b := n.Host("a", opts...), n.Host("b", opts...)
					n.Link(a, b, lab.Delay(tt.rtt/2), lab.Rate(rate), lab.Queue(int(tt.rtt.Seconds()*rate/8)), lab.Loss(tt.loss))
					sum += stream(t, a, b, "cubic", 0, 0, 3*time.Second) * 8 / 1e6
				})
			}
			return sum / 3
		}
		big := berth.BufferSize{Min: 4096, Default: 1 << 20, Max: 8 << 20}
		usual, bigger := goodput(), goodput(func(c *berth.Config) { c.TCP.ReceiveBuffer, c.TCP.SendBuffer = big, big })
		if t.Logf("%v, %g lost: %.2f and %.2f Mbit/s", tt.rtt, tt.loss, usual, bigger); bigger < 0.98*usual {
			t.Errorf("%v, %g lost: %.2f Mbit/s with big buffers, %.2f with the usual ones", tt.rtt, tt.loss, bigger, usual)
		}
	}
}

// A link with a rate delivers that rate, to within a percent: what is missing is
// headers.
func TestRateIsDelivered(t *testing.T) {
	for _, rate := range []int64{1e6, 10e6, 50e6} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			lab.Test(t, func(t *testing.T, n *lab.Network) {
				a, b := n.Host("a"), n.Host("b")
				n.Link(a, b, lab.Delay(5*time.Millisecond), lab.Rate(rate), lab.Queue(int(rate/8/20)))
				got := stream(t, a, b, "cubic", 0, 3*time.Second, 8*time.Second) * 8
				want := float64(rate) * mss / 1500
				if math.Abs(got/want-1) > 0.01 {
					t.Errorf("%.3f Mbit/s of payload, want %.3f", got/1e6, want/1e6)
				}
			}, lab.Record(-1))
		})
	}
}

// On fake time a delay is exact: to the nanosecond, over any number of hops.
func TestDelayIsExact(t *testing.T) {
	const delay = 12_345_678 * time.Nanosecond
	for hops := range 4 {
		lab.Test(t, func(t *testing.T, n *lab.Network) {
			a, b, _ := n.Chain(hops, lab.Delay(delay))
			pc, err := b.ListenPacket("udp4", ":53")
			if err != nil {
				t.Fatal(err)
			}
			c, err := a.Dial("udp4", "b:53")
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			for i := range 10 {
				if _, err := c.Write([]byte{byte(i)}); err != nil {
					t.Fatal(err)
				}
				if _, _, err := pc.ReadFrom(make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
			}
			if got, want := time.Since(start), 10*time.Duration(hops+1)*delay; got != want {
				t.Errorf("over %d hops ten datagrams took %v, want %v", hops+1, got, want)
			}
		})
	}
}

var update = flag.Bool("update", false, "write testdata anew")

// The golden table: goodput over the size of the queue at a bottleneck of 20
// Mbit/s with a round trip of 40 ms, and over loss. What changes it is seen in
// review.
func TestGoodputTable(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("transfers of many megabytes")
	}
	const rate, rtt = 20e6, 40 * time.Millisecond
	var b strings.Builder
	fmt.Fprintf(&b, "Goodput in Mbit/s over 20 Mbit/s and a round trip of 40 ms, from the third second to\nthe 13th, by loss in both directions and by the queue in parts of the bandwidth-delay product.\n")
	for _, cc := range []string{"cubic", "reno", "bbr"} {
		fmt.Fprintf(&b, "\n%-8s", cc)
		losses := []float64{0, 0.001, 0.01, 0.05}
		for _, p := range losses {
			fmt.Fprintf(&b, "%8g%%", p*100)
		}
		for _, part := range []float64{0.1, 0.5, 1, 4} {
			fmt.Fprintf(&b, "\n%-8g", part)
			for _, p := range losses {
				synctest.Test(t, func(t *testing.T) {
					n := lab.New(t, lab.Record(-1))
					x, y := n.Host("x"), n.Host("y")
					bdp := rate / 8 * rtt.Seconds()
					n.Link(x, y, lab.Delay(rtt/2), lab.Rate(rate), lab.Queue(int(part*bdp)), lab.Loss(p))
					fmt.Fprintf(&b, "%9.2f", stream(t, x, y, cc, 0, 3*time.Second, 13*time.Second)*8/1e6)
				})
			}
		}
		fmt.Fprintln(&b)
	}
	golden := filepath.Join("testdata", "goodput.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the table has changed; if that is meant, run go test -run TestGoodputTable -update\n%s\nwas\n%s", b.String(), want)
	}
}
