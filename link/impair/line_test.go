package impair_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"example.com/berth/link"
	"example.com/berth/link/impair"
)

func newLine(t testing.TB, cfg impair.Config) *impair.Line {
	t.Helper()
	l, err := impair.NewLine(link.IP, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// taken takes all that leaves by now, in batches of size.
func taken(l *impair.Line, now time.Duration, size int) (got []string) {
	batch := make([]*link.Kept, 0, size)
	for {
		batch = l.Take(now, batch[:0])
		if len(batch) == 0 {
			return got
		}
		for _, k := range batch {
			got = append(got, string(k.AppendTo(nil)))
			k.Release()
		}
	}
}

// drive lets all leave, each when it is due.
func drive(l *impair.Line) (got []string) {
	for {
		at, ok := l.Next()
		if !ok {
			return got
		}
		for _, s := range taken(l, at, 10) {
			got = append(got, fmt.Sprint(at, " ", s))
		}
	}
}

func TestAnUnimpairedLinePassesAtOnceAndInOrder(t *testing.T) {
	l := newLine(t, impair.Config{})
	if _, ok := l.Next(); ok {
		t.Error("something leaves an empty line")
	}
	l.Push(ms, texts("a", "b"))
	l.Push(ms, texts("c", "d", "e"))
	if at, ok := l.Next(); at != ms || !ok {
		t.Errorf("Next = %v, %v", at, ok)
	}
	if got := taken(l, ms, 2); !slices.Equal(got, []string{"a", "b", "c", "d", "e"}) {
		t.Errorf("left: %q", got)
	}
	if st := l.Stats(); st.Packets != 5 || st.Bytes != 5 || st.Passed != 5 || st.OnTheWay != 0 {
		t.Errorf("counted %+v", st)
	}
}

func TestALineIsDrivenByItsTimes(t *testing.T) {
	l := newLine(t, impair.Config{Delay: 20 * ms})
	l.Push(0, texts("a", "b"))
	l.Push(5*ms, texts("c"))
	if got := taken(l, 19*ms, 10); got != nil {
		t.Errorf("left early: %q", got)
	}
	if got, want := drive(l), []string{"20ms a", "20ms b", "25ms c"}; !slices.Equal(got, want) {
		t.Errorf("left: %q, want %q", got, want)
	}
}

func TestTakeAppendsUpToTheCapacity(t *testing.T) {
	l := newLine(t, impair.Config{})
	l.Push(0, texts("a", "b", "c"))
	batch := l.Take(0, make([]*link.Kept, 0, 2))
	if len(batch) != 2 {
		t.Fatalf("took %d", len(batch))
	}
	if at, ok := l.Next(); at != 0 || !ok {
		t.Errorf("Next = %v, %v", at, ok)
	}
	if full := l.Take(0, batch); len(full) != 2 {
		t.Errorf("took %d into a full batch", len(full)-2)
	}
	if st := l.Stats(); st.Passed != 2 || st.OnTheWay != 1 {
		t.Errorf("counted %+v", st)
	}
	for _, k := range batch {
		k.Release()
	}
	l.Clear()
}

func TestClearLosesWhatIsOnItsWay(t *testing.T) {
	l := newLine(t, impair.Config{Delay: ms, Reorder: 0.5, Rate: 8000})
	b := link.NewBuffer(10)
	defer b.Release()
	for range 10 {
		l.Push(0, []link.Frame{{Payload: b.Bytes()[:10], Buffer: b}})
	}
	l.Clear()
	if _, ok := l.Next(); ok || b.Shared() {
		t.Errorf("something is on its way, shared %v", b.Shared())
	}
	if st := l.Stats(); st.Cleared != 10 || st.OnTheWay != 0 || st.OnTheWayBytes != 0 {
		t.Errorf("counted %+v", st)
	}
	l.Push(0, texts("the link is free"))
	if at, _ := l.Next(); at > 30*ms {
		t.Errorf("waits for what was lost: until %v", at)
	}
	l.Clear()
}

func TestConfigureALine(t *testing.T) {
	l := newLine(t, impair.Config{Delay: ms})
	if err := l.Configure(impair.Config{Loss: 2}); err == nil || l.Config().Delay != ms {
		t.Errorf("Configure = %v, and then it does %+v", err, l.Config())
	}
	l.Push(0, texts("stays"))
	if err := l.Configure(impair.Config{Loss: 1}); err != nil {
		t.Fatal(err)
	}
	l.Push(0, texts("lost"))
	if got := drive(l); !slices.Equal(got, []string{"1ms stays"}) {
		t.Errorf("left: %q", got)
	}
	if _, err := impair.NewLine(link.IP, impair.Config{Loss: 2}); err == nil {
		t.Error("a line that cannot be was made")
	}
}

func TestWhatIsOnTheWayIsBounded(t *testing.T) {
	for name, cfg := range map[string]impair.Config{
		"delay": {Delay: time.Hour}, "queue": {Rate: 1, Queue: 1 << 30},
	} {
		const most = 1 << 18
		l := newLine(t, cfg)
		batch := slices.Repeat(texts("x"), 1000)
		for range most/1000 + 1 {
			l.Push(0, batch)
		}
		st := l.Stats()
		if st.OnTheWay != most || st.Overflow != st.Packets-most {
			t.Errorf("%s: counted %+v", name, st)
		}
		l.Clear()
	}
}

func TestAnObserverSeesWholePackets(t *testing.T) {
	var seen []link.Frame
	l := newLine(t, impair.Config{Rate: 1e9, Queue: 2100, Observe: func(e impair.Event) { seen = append(seen, *e.Frame) }})
	f := large()
	f.GSO, f.SegSize, f.Payload = link.GSONone, 0, f.Payload[:1000]
	f.Head[2], f.Head[3] = 1040>>8, 1040&0xff
	l.Push(0, slices.Repeat([]link.Frame{f}, 10))
	if len(seen) != 8 || seen[0].Checksum != link.ChecksumFull {
		t.Errorf("saw %d", len(seen))
	}
	// Those that go on are as they were: nobody else looks inside.
	batch := l.Take(time.Second, make([]*link.Kept, 0, 9))
	if len(batch) != 2 || batch[0].Checksum != link.ChecksumPartial {
		t.Errorf("left: %d", len(batch))
	}
	for _, k := range batch {
		k.Release()
	}
}

func TestTheSerialStays(t *testing.T) {
	l := newLine(t, impair.Config{Rate: 8000, Duplicate: 1, Corrupt: 1, Reorder: 1, Rule: impair.Change(impair.All(), bytes.ToUpper)})
	l.Push(0, []link.Frame{{Payload: []byte("a"), Serial: 42}})
	batch := l.Take(time.Second, make([]*link.Kept, 0, 9))
	if len(batch) != 2 {
		t.Errorf("left: %d", len(batch))
	}
	for _, k := range batch {
		if k.Serial != 42 {
			t.Errorf("serial %d", k.Serial)
		}
		k.Release()
	}
}

func TestLinesOfEthernet(t *testing.T) {
	// An opportunity carries 1500 bytes of IP and the header before them.
	l, err := impair.NewLine(link.Ethernet, impair.Config{Trace: parse(t, "1\n")})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		l.Push(0, []link.Frame{{Payload: make([]byte, 1514)}})
	}
	for want := ms; want <= 3*ms; want += ms {
		if got := len(taken(l, want, 9)); got != 1 {
			t.Errorf("%d leave at %v", got, want)
		}
	}
}
