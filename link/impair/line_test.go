package impair_test

import (
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
