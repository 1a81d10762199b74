package tcp

import (
	"testing"
	"time"
	"unsafe"

	"example.com/berth/internal/buffer"
	"example.com/berth/socket"
)

// A pair is two connections without a network: what one sends the other has at
// once.
type pair struct {
	a, b *Conn
	now  time.Duration
	seg  Segment
	buf  []byte
}

func newPair(t testing.TB, mtu, large int, change ...func(*Params)) *pair {
	p := DefaultParams()
	p.Budget = buffer.NewBudget(1 << 30)
	for _, f := range change {
		f(p)
	}
	pr := &pair{now: time.Hour, buf: make([]byte, 64<<10)}
	pr.a = NewConn(p)
	o := Opening{ISS: 1, MTU: mtu, LargeSend: large}
	if err := pr.a.Connect(pr.now, o); err != nil {
		t.Fatal(err)
	}
	pr.a.Next(pr.now, &pr.seg)
	pr.b = Passive(p, pr.now, o, &pr.seg, nil)
	pr.a.SetNoDelay(true)
	pr.exchange()
	if pr.a.State() != socket.TCP_ESTABLISHED || pr.b.State() != socket.TCP_ESTABLISHED {
		t.Fatal("not established")
	}
	return pr
}

// request moves a byte from a to b and another one back, as a host does it.
func (pr *pair) request(t testing.TB) {
	for _, leg := range [...][2]*Conn{{pr.a, pr.b}, {pr.b, pr.a}} {
		from, to := leg[0], leg[1]
		pr.now += 2 * time.Microsecond
		if _, err := from.Write(pr.now, pr.buf[:1], false); err != nil {
			t.Fatal(err)
		}
		for from.Next(pr.now, &pr.seg) {
			buf := pr.seg.Buffer
			to.Input(pr.now, &pr.seg)
			buf.Release()
		}
		for to.Next(pr.now, &pr.seg) {
			t.Fatal("an acknowledgment of its own")
		}
		if n, err := to.Read(pr.now, pr.buf); n != 1 {
			t.Fatal(n, err)
		}
	}
}

// exchange passes segments back and forth until both are quiet.
func (pr *pair) exchange() {
	for moved := true; moved; {
		moved = pr.pass(pr.a, pr.b)
		moved = pr.pass(pr.b, pr.a) || moved
	}
}

func (pr *pair) pass(from, to *Conn) bool {
	any := false
	for from.Next(pr.now, &pr.seg) {
		buf := pr.seg.Buffer
		to.Input(pr.now, &pr.seg)
		buf.Release()
		any = true
	}
	return any
}

// send moves n bytes from a to b.
func (pr *pair) send(t testing.TB, n int) {
	for got := 0; got < n; {
		w, _ := pr.a.Write(pr.now, pr.buf[:min(n-got, len(pr.buf))], false)
		pr.exchange()
		r := 0
		for r < w {
			k, err := pr.b.Read(pr.now, pr.buf)
			if err != nil {
				t.Fatal(err)
			}
			r += k
		}
		pr.exchange()
		got += r
	}
}

func TestNoAllocationsForASegment(t *testing.T) {
	if raceEnabled {
		t.Skip("pools drop at random under the race detector")
	}
	for _, tt := range []struct {
		name          string
		mtu, large, n int
	}{
		{"bulk", 1500, 0, 1 << 20},
		{"bulk in large segments", 1500, 65160, 1 << 20},
		{"a small message", 1500, 0, 100},
		{"a message", 1500, 0, 3000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, a := range Algorithms() {
				pr := newPair(t, tt.mtu, tt.large, func(p *Params) { p.Algorithms = []*Algorithm{a} })
				run := func() {
					pr.now += 50 * time.Millisecond
					pr.a.Timer(pr.now)
					pr.b.Timer(pr.now)
					pr.send(t, tt.n)
				}
				run()
				if n := testing.AllocsPerRun(50, run); n > 0 {
					t.Errorf("%s: %v allocations", a.Name, n)
				}
			}
		})
	}
}

func TestNoAllocationsForATimer(t *testing.T) {
	if raceEnabled {
		t.Skip("pools drop at random under the race detector")
	}
	pr := newPair(t, 1500, 0)
	if _, err := pr.a.Write(pr.now, pr.buf[:5000], false); err != nil {
		t.Fatal(err)
	}
	for pr.a.Next(pr.now, &pr.seg) {
		pr.seg.Buffer.Release()
	}
	fire := func() {
		pr.now = pr.a.Deadline()
		pr.a.Timer(pr.now)
		for pr.a.Next(pr.now, &pr.seg) {
			pr.seg.Buffer.Release()
		}
	}
	for range 8 { // until segments are as small as a black hole makes them: cutting takes memory
		fire()
	}
	n := testing.AllocsPerRun(10, fire)
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
	if pr.a.p.Counters.RTOs.Load() == 0 {
		t.Error("the timer did nothing")
	}
}

func TestSizeOfAConnection(t *testing.T) {
	// The allocator adds 8 bytes to objects above 512 that have pointers, and
	// has a class of 896; the next is 1024.
	if n := unsafe.Sizeof(Conn{}); n > 896-8 {
		t.Errorf("a Conn takes %d bytes", n)
	}
	pr := newPair(t, 1500, 0)
	pr.send(t, 1<<20)
	for _, c := range []*Conn{pr.a, pr.b} {
		if n := c.Memory(); n > 1536 {
			t.Errorf("an idle connection holds %d bytes", n)
		}
	}
	if n := pr.a.p.Budget.Used(); n != 0 {
		t.Errorf("idle connections hold %d bytes of the budget", n)
	}
}

func benchmarkSend(b *testing.B, mtu, large, n int) {
	pr := newPair(b, mtu, large)
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		pr.now += 10 * time.Microsecond
		pr.send(b, n)
	}
}

func BenchmarkBulk(b *testing.B)      { benchmarkSend(b, 1500, 0, 1<<20) }
func BenchmarkBulkLarge(b *testing.B) { benchmarkSend(b, 1500, 65160, 1<<20) }
func BenchmarkMessage(b *testing.B)   { benchmarkSend(b, 1500, 0, 64) }

func BenchmarkRequest(b *testing.B) {
	pr := newPair(b, 1500, 0)
	pr.send(b, 1<<16)
	for range 20 { // until it is a dialogue
		pr.exchange()
		pr.send(b, 1)
	}
	b.ReportAllocs()
	for b.Loop() {
		pr.request(b)
	}
}
