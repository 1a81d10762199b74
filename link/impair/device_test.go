package impair_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/link/linktest"
	"example.com/berth/link/wire"
)

const ms = time.Millisecond

// A collector is a handler that notes what came in, and when.
type collector struct {
	mu       sync.Mutex // guards all below
	start    time.Time
	got      []string
	frames   []link.Frame // copies
	batches  []int
	comments []string
	changes  int
	onInput  func()
}

func (c *collector) Input(frames []link.Frame) {
	c.mu.Lock()
	at := time.Since(c.start)
	for i := range frames {
		f := frames[i]
		f.Payload, f.Head, f.Buffer = f.AppendTo(nil), nil, nil
		c.frames = append(c.frames, f)
		c.got = append(c.got, fmt.Sprint(at, " ", string(f.Payload)))
		c.comments = append(c.comments, f.Comment)
	}
	c.batches = append(c.batches, len(frames))
	f := c.onInput
	c.mu.Unlock()
	if f != nil {
		f()
	}
}

func (c *collector) Changed() { c.changes++ }

// want requires what came in since the last call.
func (c *collector) want(t *testing.T, want ...string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.got) == 1 && len(want) == 1 && strings.HasPrefix(want[0], "0s ") { // also on the wall clock
		c.got[0] = "0s " + c.got[0][strings.Index(c.got[0], " ")+1:]
	}
	if !slices.Equal(c.got, want) {
		t.Errorf("came in: %q, want %q", c.got, want)
	}
	c.got, c.frames, c.batches, c.comments = nil, nil, nil, nil
}

func attach(t *testing.T, d link.Device) *collector {
	t.Helper()
	c := &collector{start: time.Now()}
	if err := d.Attach(c); err != nil {
		t.Fatal(err)
	}
	return c
}

func text(s string) link.Frame { return link.Frame{Payload: []byte(s)} }

func texts(s ...string) (f []link.Frame) {
	for _, s := range s {
		f = append(f, text(s))
	}
	return f
}

func send(t *testing.T, d link.Device, s ...string) {
	t.Helper()
	if n, err := d.Output(texts(s...)); n != len(s) || err != nil {
		t.Errorf("Output of %d frames = %d, %v", len(s), n, err)
	}
}

// sleep lets fake time pass, and what happens at its end.
func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// run runs a test on fake time with an impaired device, and what comes in at
// the other end.
func run(t *testing.T, cfg impair.Config, f func(t *testing.T, d *impair.Device, in *collector)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a, b := wire.Pair()
		d := impair.New(a, cfg)
		defer d.Close()
		f(t, d, attach(t, b))
	})
}

func TestContract(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  impair.Config
		opts []wire.Option
	}{
		{"nothing", impair.Config{}, nil},
		{"nothing without offload", impair.Config{}, []wire.Option{wire.Offload(0)}},
		{"rule", impair.Config{Rule: func(time.Duration, *link.Frame) impair.Verdict { return impair.Verdict{} }}, nil},
		{"delay", impair.Config{Delay: ms}, []wire.Option{wire.Ethernet()}},
		{"jitter without offload", impair.Config{Delay: ms, Jitter: ms}, []wire.Option{wire.Offload(0)}},
		{"rate", impair.Config{Rate: 1e9, Queue: 1e9}, nil},
		{"CoDel", impair.Config{Rate: 1e9, Queue: 1e9, AQM: impair.AQM{CoDel: true, Target: time.Minute}}, []wire.Option{wire.Ethernet()}},
		{"trace", impair.Config{Trace: parse(t, strings.Repeat("1\n", 100)), Queue: 1e9}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			linktest.Run(t, func(t *testing.T) (a, b link.Device) {
				x, y := wire.Pair(tt.opts...)
				out, both := impair.New(x, tt.cfg), impair.New(y, impair.Config{})
				if err := both.SetInput(tt.cfg); err != nil {
					t.Fatal(err)
				}
				return out, both
			})
		})
	}
}

func TestDelayIsExact(t *testing.T) {
	run(t, impair.Config{Delay: 20 * ms}, func(t *testing.T, d *impair.Device, in *collector) {
		send(t, d, "a", "b")
		sleep(5 * ms)
		send(t, d, "c")
		in.want(t)
		if st := d.OutputStats(); st.OnTheWay != 3 || st.OnTheWayBytes != 3 || st.Passed != 0 {
			t.Errorf("counted %+v", st)
		}
		sleep(time.Second)
		if got := fmt.Sprint(in.batches); got != "[2 1]" {
			t.Errorf("batches of %v", got)
		}
		in.want(t, "20ms a", "20ms b", "25ms c")
		if st := d.OutputStats(); st.OnTheWay != 0 || st.OnTheWayBytes != 0 || st.Passed != 3 {
			t.Errorf("counted %+v", st)
		}
	})
}

func TestInputIsImpairedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wire.Pair()
		d := impair.New(a, impair.Config{Delay: 10 * ms})
		defer d.Close()
		if err := d.SetInput(impair.Config{Delay: 30 * ms}); err != nil {
			t.Fatal(err)
		}
		atA, atB := attach(t, d), attach(t, b)
		send(t, d, "out")
		send(t, b, "in")
		sleep(time.Second)
		atA.want(t, "30ms in")
		atB.want(t, "10ms out")
		if st := d.InputStats(); st.Packets != 1 || st.Bytes != 2 || st.Passed != 1 {
			t.Errorf("counted %+v", st)
		}
		b.Close()
		if atA.changes != 1 || d.Info().Up {
			t.Errorf("told of %d changes, up %v", atA.changes, d.Info().Up)
		}
	})
}

func TestRateSpacesPackets(t *testing.T) {
	// A byte takes a millisecond.
	run(t, impair.Config{Rate: 8000, Queue: 3}, func(t *testing.T, d *impair.Device, in *collector) {
		send(t, d, "a", "b", "c", "lost")
		sleep(time.Second)
		in.want(t, "1ms a", "2ms b", "3ms c")
		if st := d.OutputStats(); st.QueueFull != 1 {
			t.Errorf("counted %+v", st)
		}
	})
}

func TestChangedWhileRunning(t *testing.T) {
	run(t, impair.Config{Delay: 50 * ms}, func(t *testing.T, d *impair.Device, in *collector) {
		send(t, d, "slow")
		d.SetOutput(impair.Config{Delay: 10 * ms})
		send(t, d, "as slow: it does not overtake")
		d.SetOutput(impair.Config{Loss: 1})
		send(t, d, "lost")
		sleep(100 * ms)
		in.want(t, "50ms slow", "50ms as slow: it does not overtake")
		d.SetOutput(impair.Config{})
		send(t, d, "at once")
		in.want(t, "100ms at once")
	})
}

func TestANewRateWakesTheQueue(t *testing.T) {
	run(t, impair.Config{Trace: parse(t, "10000\n")}, func(t *testing.T, d *impair.Device, in *collector) {
		send(t, d, "a", "b")
		sleep(time.Second)
		d.SetOutput(impair.Config{Rate: 8000})
		sleep(time.Second)
		in.want(t, "1.001s a", "1.002s b")
		send(t, d, "c")
		sleep(ms)
		in.want(t, "2.001s c")
	})
}

func TestReorder(t *testing.T) {
	reordered := 0
	cfg := impair.Config{Reorder: 0.3, ReorderGap: 2, ReorderHold: 500 * ms, Delay: 10 * ms, Seed: 3}
	cfg.Observe = func(e impair.Event) {
		if e.Cause == impair.Reordered {
			reordered++
		}
	}
	run(t, cfg, func(t *testing.T, d *impair.Device, in *collector) {
		for i := range 12 {
			send(t, d, fmt.Sprint(i))
			sleep(ms)
		}
		sleep(time.Second)
		want := []string{
			"10ms 0", "11ms 1", "12ms 2", "13ms 3", "15ms 5", "16ms 6", "16ms 4",
			"18ms 8", "20ms 10", "20ms 7", "21ms 11", "21ms 9",
		}
		if reordered != 3 || !slices.Equal(in.comments, commentsAt(12, "reordered", 6, 9, 11)) {
			t.Errorf("%d reordered, comments %q", reordered, in.comments)
		}
		in.want(t, want...)
	})
}

func commentsAt(n int, comment string, at ...int) []string {
	c := make([]string, n)
	for _, i := range at {
		c[i] = comment
	}
	return c
}

func TestTheLastIsNotHeldBackForever(t *testing.T) {
	run(t, impair.Config{Reorder: 1, Delay: 5 * ms}, func(t *testing.T, d *impair.Device, in *collector) {
		send(t, d, "only")
		sleep(time.Second)
		in.want(t, "15ms only")
	})
}

func TestOutputRefusesWhatTheDeviceWould(t *testing.T) {
	run(t, impair.Config{Delay: ms}, func(t *testing.T, d *impair.Device, in *collector) {
		long := link.Frame{Payload: make([]byte, 1501)}
		if n, err := d.Output([]link.Frame{text("a"), long, text("b")}); n != 1 || err != link.ErrTooLong {
			t.Errorf("Output = %d, %v", n, err)
		}
		sleep(2 * ms)
		in.want(t, "1ms a")
	})
}

func TestWhatTheDeviceDoesNotTakeIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wire.Pair()
		d := impair.New(a, impair.Config{Delay: ms})
		in := attach(t, b)
		send(t, d, "short", "longer than 68 bytes"+strings.Repeat(".", 60), "short")
		a.SetMTU(68) // meanwhile
		sleep(2 * ms)
		in.want(t, "1ms short", "1ms short")
		if st := d.OutputStats(); st.Passed != 2 || st.Refused != 1 {
			t.Errorf("counted %+v", st)
		}
		send(t, d, "late")
		a.Close() // under its feet
		sleep(2 * ms)
		if st := d.OutputStats(); st.Refused != 2 {
			t.Errorf("counted %+v", st)
		}
		d.Close()
	})
}

func TestTooMuchOnTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := wire.Pair()
		d := impair.New(a, impair.Config{Delay: time.Hour})
		b := link.NewBuffer(link.MaxFrame)
		defer b.Release()
		f := large()
		f.Payload, f.Buffer = b.Bytes()[:64000], b
		batch := slices.Repeat([]link.Frame{f}, 100)
		for range 21 {
			d.Output(batch)
		}
		st := d.OutputStats()
		if st.OnTheWayBytes > 128<<20 || st.OnTheWay != 2095 || st.Overflow != 5 {
			t.Errorf("counted %+v", st)
		}
		d.Close()
		if st := d.OutputStats(); st.OnTheWay != 0 || b.Shared() {
			t.Errorf("after Close %+v, shared %v", st, b.Shared())
		}
	})
}

func TestCloseEndsWhatIsLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wire.Pair()
		d := impair.New(b, impair.Config{})
		d.SetInput(impair.Config{Delay: 10 * ms})
		in := attach(t, d)
		in.onInput = func() { time.Sleep(time.Second) }
		send(t, a, "1")
		sleep(11 * ms)
		send(t, a, "on its way")
		start := time.Now()
		d.Close()
		if took := time.Since(start); took != time.Second-ms {
			t.Errorf("Close took %v, want what was left of the second that Input took", took)
		}
		sleep(time.Minute)
		in.want(t, "10ms 1")
	})
}

func TestConcurrentWithATimer(t *testing.T) {
	run(t, impair.Config{Delay: ms, Jitter: ms, Loss: 0.1}, func(t *testing.T, d *impair.Device, in *collector) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 250 {
					send(t, d, "x")
					time.Sleep(100 * time.Microsecond)
				}
			})
		}
		wg.Wait()
		sleep(time.Second)
		st := d.OutputStats()
		if st.Packets != 1000 || st.Passed+st.Lost != 1000 || len(in.got) != int(st.Passed) {
			t.Errorf("%d came in, counted %+v", len(in.got), st)
		}
	})
}

// TestTheSameRun requires that two runs with one seed look the same from
// outside, times and all.
func TestTheSameRun(t *testing.T) {
	trace := func(seed uint64) (got []string) {
		cfg := impair.Config{
			Seed: seed, Loss: 0.1, Burst: impair.Bursts(0.05, 3), Duplicate: 0.1, Reorder: 0.1, ReorderGap: 3,
			Corrupt: 0.1, Delay: 10 * ms, Jitter: 5 * ms, Rate: 1e6, Queue: 200,
		}
		run(t, cfg, func(t *testing.T, d *impair.Device, in *collector) {
			for i := range 300 {
				send(t, d, fmt.Sprintf("packet %03d", i))
				sleep(50 * time.Microsecond)
			}
			sleep(time.Second)
			got = in.got
		})
		return got
	}
	one, again, two := trace(1), trace(1), trace(2)
	if !slices.Equal(one, again) {
		t.Error("one seed, two runs")
	}
	if slices.Equal(one, two) || len(one) < 100 {
		t.Errorf("two seeds, one run, or nothing came in (%d)", len(one))
	}
}

// sink is a handler that does nothing.
type sink struct{}

func (sink) Input([]link.Frame) {}
func (sink) Changed()           {}

func TestNoAllocs(t *testing.T) {
	b := link.NewBuffer(1400)
	batch := slices.Repeat([]link.Frame{{Head: make([]byte, 54), Payload: b.Bytes()[:1400], Buffer: b}}, 8)
	pass := func(time.Duration, *link.Frame) impair.Verdict { return impair.Verdict{} }
	for _, tt := range []struct {
		name string
		cfg  impair.Config
	}{
		{"nothing", impair.Config{}},
		{"loss", impair.Config{Loss: 0.5}},
		{"rule", impair.Config{Rule: pass}},
		{"duplicate", impair.Config{Duplicate: 0.5}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x, y := wire.Pair(wire.MTU(9000))
			y.Attach(sink{})
			d := impair.New(x, tt.cfg)
			linktest.NoAllocs(t, func() { d.Output(batch) })
		})
	}
}

func BenchmarkOutput(b *testing.B) {
	for name, cfg := range map[string]impair.Config{
		"nothing": {}, "loss": {Loss: 0.01}, "delay": {Delay: 10 * time.Microsecond},
	} {
		b.Run(name, func(b *testing.B) {
			x, y := wire.Pair(wire.MTU(9000))
			y.Attach(sink{})
			d := impair.New(x, cfg)
			defer d.Close()
			buf := link.NewBuffer(1400)
			batch := slices.Repeat([]link.Frame{{Head: make([]byte, 54), Payload: buf.Bytes()[:1400], Buffer: buf}}, 8)
			b.ReportAllocs()
			for b.Loop() {
				d.Output(batch)
			}
		})
	}
}
