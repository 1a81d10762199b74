package perf

import (
	"bytes"
	"math"
	"testing"
	"time"
)

func TestDatagramHeader(t *testing.T) {
	want := datagram{kind: datagramData, stream: 300, seq: 1 << 40, sent: time.Hour}
	b := make([]byte, headerLen)
	want.put(b)
	var got datagram
	if !got.parse(b) || got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, bad := range [][]byte{nil, b[:headerLen-1], make([]byte, headerLen)} {
		if got.parse(bad) {
			t.Errorf("% x is a datagram", bad)
		}
	}
}

func TestArrivals(t *testing.T) {
	for _, tt := range []struct {
		name                 string
		seqs                 []uint64
		lost, late, received int64
	}{
		{"in order", []uint64{0, 1, 2, 3}, 0, 0, 4},
		{"a gap", []uint64{0, 3, 4}, 2, 0, 3},
		{"the first ones", []uint64{5}, 5, 0, 1},
		{"swapped", []uint64{0, 2, 1, 3}, 0, 1, 4},
		{"twice", []uint64{0, 1, 1}, 0, 1, 3},
		{"nonsense", []uint64{0, math.MaxUint64, 1}, 0, 0, 2},
	} {
		var a arrivals
		for _, seq := range tt.seqs {
			a.take(&datagram{seq: seq}, 0)
		}
		if a.lost != tt.lost || a.outOfOrder != tt.late || a.received != tt.received {
			t.Errorf("%s: %+v", tt.name, a)
		}
	}
}

// The example is worked by hand from RFC 3550 6.4.1: transits of 10, 26 and 10 ms
// differ by 16 ms twice, so J is 1 ms, then 1 + 15/16 ms.
func TestJitter(t *testing.T) {
	var a arrivals
	for i, transit := range []time.Duration{10, 26, 10} {
		sent := time.Duration(i) * 20 * time.Millisecond
		a.take(&datagram{seq: uint64(i), sent: sent}, sent+transit*time.Millisecond)
	}
	if want := (1 + 15.0/16) * float64(time.Millisecond); a.jitter != want {
		t.Errorf("jitter %v ns, want %v", a.jitter, want)
	}
}

func TestPace(t *testing.T) {
	start := time.Unix(0, 0)
	p := pace{rate: 8000, start: start}
	if w := p.wait(start); w > 0 {
		t.Errorf("the first write waits %v", w)
	}
	p.sent = 500
	if w := p.wait(start.Add(100 * time.Millisecond)); w != 400*time.Millisecond {
		t.Errorf("after 500 bytes it waits %v, want 400ms", w)
	}
}

func TestBudget(t *testing.T) {
	b := newBudget(25)
	for _, want := range []int{10, 10, 5, 0, 0} {
		if got := b.take(10); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
	if newBudget(0).take(10) != 10 {
		t.Error("no budget is a bound")
	}
}

func FuzzHello(f *testing.F) {
	f.Add([]byte(hello{version: 1}.String()))
	f.Add([]byte(hello{1, newCookie(), 3}.String()))
	f.Add([]byte("berth-perf/1 data x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := readHello(bytes.NewReader(b))
		if err != nil {
			return
		}
		again, err := readHello(bytes.NewReader([]byte(h.String())))
		if err != nil || again != h {
			t.Errorf("%q is %+v, which is written %q", b, h, h)
		}
	})
}

func FuzzDatagram(f *testing.F) {
	b := make([]byte, headerLen)
	(&datagram{kind: datagramData, seq: 7}).put(b)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var d datagram
		if !d.parse(b) {
			return
		}
		var a arrivals
		a.take(&d, time.Second)
		if a.lost < 0 {
			t.Errorf("%+v", a)
		}
	})
}
