package impair_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/berth/link"
	"example.com/berth/link/impair"
)

// everything is a config with all that chance can do, and a queue.
func everything() impair.Config {
	return impair.Config{
		Seed: 7, Loss: 0.05, Burst: impair.Bursts(0.05, 3), Corrupt: 0.05, Duplicate: 0.05,
		Reorder: 0.05, ReorderGap: 3, ReorderHold: 4 * ms, Delay: 10 * ms, Jitter: 5 * ms,
		Rate: 8 * mbit, Queue: 50000, // a byte takes a microsecond
	}
}

// A fault is something that happened to a packet.
type fault struct {
	packet uint64
	cause  impair.Cause
}

// A story is what happened to the packets of a run: when each left, and how it
// was then, with the faults.
type story struct {
	left   map[int][]string
	order  []string
	faults []fault
	stats  impair.Stats
}

// tell sends n packets through a line and tells its story. They come at random
// times that depend on nothing but n. If restless, the line is looked at more
// often than it asks for.
func tell(t *testing.T, cfg impair.Config, n int, restless bool) story {
	t.Helper()
	s := story{left: map[int][]string{}}
	cfg.Observe = func(e impair.Event) { s.faults = append(s.faults, fault{e.Packet, e.Cause}) }
	l := newLine(t, cfg)
	batch := make([]*link.Kept, 0, 3)
	run := func(until time.Duration) {
		for {
			at, ok := l.Next()
			if !ok || at > until {
				return
			}
			batch = l.Take(at, batch[:0])
			for _, k := range batch {
				i, how := 0, fmt.Sprintf("%v %x %s", at, k.AppendTo(nil), k.Comment)
				fmt.Sscanf(k.Comment, "%d", &i)
				s.left[i] = append(s.left[i], how)
				s.order = append(s.order, how)
				k.Release()
			}
		}
	}
	arrivals, looks := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(2, 2))
	now := time.Duration(0)
	for i := range n {
		step := time.Duration(arrivals.Int64N(int64(200 * time.Microsecond)))
		if restless {
			for at := now; at < now+step; at += time.Duration(looks.Int64N(int64(ms))) {
				run(at)
				l.Take(at, nil)
			}
		}
		now += step
		run(now)
		f := text(strings.Repeat(string(rune('a'+i%26)), 50+i%50))
		f.Comment = fmt.Sprintf("%d:", i)
		l.Push(now, []link.Frame{f})
	}
	run(1 << 62)
	s.stats = l.Stats()
	return s
}

func TestTheSameCallsAreTheSameStory(t *testing.T) {
	codel, traced := everything(), everything()
	codel.Rate, codel.AQM = 4*mbit, impair.AQM{CoDel: true}
	traced.Rate, traced.Trace = 0, parse(t, "1\n1\n2\n7\n")
	for name, cfg := range map[string]impair.Config{"drop-tail": everything(), "CoDel": codel, "trace": traced} {
		one, again, restless := tell(t, cfg, 2000, false), tell(t, cfg, 2000, false), tell(t, cfg, 2000, true)
		if !slices.Equal(one.order, again.order) || !slices.Equal(one.faults, again.faults) || one.stats != again.stats {
			t.Errorf("%s: two runs differ", name)
		}
		if !slices.Equal(one.order, restless.order) || !slices.Equal(one.faults, restless.faults) {
			t.Errorf("%s: to look at the line more often changes it", name)
		}
		cfg.Seed++
		if other := tell(t, cfg, 2000, false); slices.Equal(one.order, other.order) {
			t.Errorf("%s: another seed, the same story", name)
		}
		if st := one.stats; st.Lost == 0 || st.LostBurst == 0 || st.Corrupted == 0 || st.Duplicated == 0 || st.Reordered == 0 ||
			st.Passed+st.Lost+st.LostBurst+st.QueueFull+st.QueueAQM != st.Packets+st.Duplicated {
			t.Errorf("%s: counted %+v", name, st)
		}
	}
}

// TestAPardonConcernsOnePacket lets packets off one by one, and requires that
// all others fare as before.
func TestAPardonConcernsOnePacket(t *testing.T) {
	const packets = 400
	before := tell(t, everything(), packets, false)
	if len(before.faults) < 60 {
		t.Fatalf("only %d faults", len(before.faults))
	}
	for _, spare := range before.faults {
		if spare.cause == impair.QueueFull {
			continue
		}
		asked := false
		cfg := everything()
		cfg.Pardon = func(packet uint64, c impair.Cause) bool {
			asked = asked || fault{packet, c} == spare
			return packet == spare.packet
		}
		after := tell(t, cfg, packets, false)
		if !asked {
			t.Errorf("%v: not asked", spare)
		}
		if slices.Contains(after.faults, spare) {
			t.Errorf("%v: happened", spare)
		}
		for i := range packets {
			if i != int(spare.packet) && !slices.Equal(before.left[i], after.left[i]) {
				t.Errorf("%v: packet %d leaves %q, before %q", spare, i, after.left[i], before.left[i])
			}
		}
		if got := after.left[int(spare.packet)]; len(got) != 1 || !strings.HasSuffix(got[0], ":") {
			t.Errorf("%v: left %q", spare, got)
		}
	}
}

func TestPardonForAllIsACleanLine(t *testing.T) {
	cfg := everything()
	cfg.Pardon = func(uint64, impair.Cause) bool { return true }
	s := tell(t, cfg, 500, false)
	if len(s.faults) != 0 || s.stats.Passed != 500 {
		t.Errorf("%d faults, counted %+v", len(s.faults), s.stats)
	}
}

func TestPardonIsNotAskedAboutTheRest(t *testing.T) {
	cfg := impair.Config{
		Rate: 8000, Queue: 2, Rule: func(_ time.Duration, f *link.Frame) impair.Verdict {
			return impair.Verdict{Drop: f.Payload[0] == 'd'}
		},
		Pardon: func(p uint64, c impair.Cause) bool { t.Errorf("asked about packet %d: %v", p, c); return true },
	}
	l := newLine(t, cfg)
	l.Push(0, texts("a", "d", "b", "c", "e"))
	drive(l)
	if st := l.Stats(); st.ByRule != 1 || st.QueueFull != 2 {
		t.Errorf("counted %+v", st)
	}
}

// TestOneFaultDoesNotShiftAnother switches everything on or off apart.
func TestOneFaultDoesNotShiftAnother(t *testing.T) {
	with := func(c impair.Cause, cfg impair.Config) (packets []uint64) {
		for _, f := range tell(t, cfg, 1000, false).faults {
			if f.cause == c {
				packets = append(packets, f.packet)
			}
		}
		slices.Sort(packets)
		return packets
	}
	for c, cfg := range map[impair.Cause]impair.Config{
		impair.Lost:      {Seed: 7, Loss: 0.05},
		impair.LostBurst: {Seed: 7, Burst: impair.Bursts(0.05, 3)},
	} {
		quiet := with(c, cfg)
		// Another fault may only hide this one, by dropping the packet first.
		loud := cfg
		loud.Corrupt, loud.Duplicate, loud.Reorder, loud.Jitter = 0.5, 0.5, 0.5, ms
		loud.Rate, loud.AQM = 800*mbit, impair.AQM{CoDel: true}
		if got := with(c, loud); !slices.Equal(got, quiet) {
			t.Errorf("%v: packets %v, with everything else %v", c, quiet, got)
		}
	}
}

// TestTheFateOfAPacketIsThatOfItsNumber has packets pass a link that does
// nothing before it begins to lose some.
func TestTheFateOfAPacketIsThatOfItsNumber(t *testing.T) {
	lossy := impair.Config{Seed: 5, Loss: 0.3}
	lost := func(before impair.Config) (packets []uint64) {
		run(t, before, func(t *testing.T, d *impair.Device, in *collector) {
			for range 50 {
				send(t, d, "x")
				sleep(ms)
			}
			after := lossy
			after.Observe = func(e impair.Event) { packets = append(packets, e.Packet) }
			d.SetOutput(after)
			for range 50 {
				send(t, d, "x")
			}
		})
		return packets
	}
	first := lost(lossy)
	for _, before := range []impair.Config{{Seed: 5}, {Seed: 5, Delay: ms}, {Seed: 5, Rate: mbit}, {Seed: 5, Duplicate: 0.5}} {
		if got := lost(before); len(got) < 5 || !slices.Equal(got, first) {
			t.Errorf("after %+v lost %v, want %v", before, got, first)
		}
	}
}

func TestPacketsAreNumberedAfterCutting(t *testing.T) {
	var got []uint64
	l := newLine(t, impair.Config{Loss: 1, Observe: func(e impair.Event) { got = append(got, e.Packet) }})
	l.Push(0, []link.Frame{text("0"), large(), text("11")})
	want := []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	if !slices.Equal(got, want) {
		t.Errorf("numbers %v", got)
	}
}

// FuzzLine drives a line through anything, and requires that no packet is lost
// without being counted, and no buffer is kept.
func FuzzLine(f *testing.F) {
	f.Add(uint64(1), []byte("\x00\x10\x20\x30\x40\x50\x60\x70\x80\x90"))
	f.Add(uint64(99), []byte("pppppTTTcccpppCppNNTpp"))
	f.Fuzz(func(t *testing.T, seed uint64, ops []byte) {
		rng := rand.New(rand.NewPCG(seed, 1))
		trace := parse(t, "0\n1\n1\n4\n")
		b := link.NewBuffer(link.MaxFrame)
		defer b.Release()
		config := func() (c impair.Config) {
			c = impair.Config{Seed: rng.Uint64N(3), Delay: time.Duration(rng.IntN(5)) * ms, Queue: rng.IntN(9000)}
			if rng.IntN(2) == 0 {
				c.Loss, c.Duplicate, c.Reorder, c.Corrupt = 0.1, 0.2, 0.3, 0.1
				c.Jitter, c.ReorderGap = time.Duration(rng.IntN(9))*ms, rng.IntN(5)
			}
			switch rng.IntN(3) {
			case 0:
				c.Rate = 1 + rng.Int64N(10*mbit)
			case 1:
				c.Trace = trace
			}
			if rng.IntN(2) == 0 {
				c.AQM = impair.AQM{CoDel: true, ECN: rng.IntN(2) == 0, MarkAt: rng.IntN(5000), MarkAfter: time.Duration(rng.IntN(3)) * ms}
			}
			return c
		}
		l := newLine(t, config())
		now := time.Duration(0)
		take := func() {
			for _, k := range l.Take(now, make([]*link.Kept, 0, 1+rng.IntN(4))) {
				k.Release()
			}
		}
		for _, op := range ops[:min(len(ops), 500)] {
			switch op % 8 {
			case 0, 1, 2, 3:
				p := b.Bytes()[:rng.IntN(2000)]
				copy(p, ip(4, uint8(op>>3), 40))
				l.Push(now, []link.Frame{{Payload: p, Buffer: b}})
			case 4:
				take()
			case 5:
				if at, ok := l.Next(); ok {
					now = max(now, at)
					take()
				}
			case 6:
				now += time.Duration(rng.IntN(int(op)+1)) * ms / 8
			case 7:
				if op < 32 {
					l.Clear()
				} else if err := l.Configure(config()); err != nil {
					t.Fatal(err)
				}
			}
		}
		for rounds := 0; ; rounds++ {
			at, ok := l.Next()
			if !ok {
				break
			}
			if rounds > 10000 {
				t.Fatal("the line never ends")
			}
			now = max(now, at)
			take()
		}
		s := l.Stats()
		if gone := s.Passed + s.QueueFull + s.QueueAQM + s.Lost + s.LostBurst + s.Overflow + s.Cleared; gone != s.Packets+s.Duplicated {
			t.Errorf("%d are gone of %+v", gone, s)
		}
		if b.Shared() || s.OnTheWay != 0 || s.OnTheWayBytes != 0 || s.Queued != 0 || s.QueuedBytes != 0 {
			t.Errorf("kept: shared %v, %+v", b.Shared(), s)
		}
	})
}
