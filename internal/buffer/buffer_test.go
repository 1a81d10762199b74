package buffer

import (
	"fmt"
	"testing"
)

func TestGetGivesAtLeastTheSizeAskedFor(t *testing.T) {
	for _, size := range []int{0, 1, Small, Small + 1, Medium, Medium + 1, Large, Large + 1, 1 << 20} {
		b := Get(size)
		if len(b.Bytes()) < size {
			t.Errorf("Get(%d) gave %d bytes", size, len(b.Bytes()))
		}
		if b.Size() != len(b.Bytes()) {
			t.Errorf("Get(%d): Size %d, %d bytes", size, b.Size(), len(b.Bytes()))
		}
		b.Release()
	}
}

func TestSharedWhileSomebodyElseHolds(t *testing.T) {
	b := Get(10)
	if b.Shared() {
		t.Error("a new buffer is shared")
	}
	b.Retain()
	if !b.Shared() {
		t.Error("a retained buffer is not shared")
	}
	b.Release()
	if b.Shared() {
		t.Error("still shared after Release")
	}
	b.Release()
}

func TestJoinOfWhatFollowsInTheBlock(t *testing.T) {
	b, other := Get(Medium), Get(Medium)
	defer b.Release()
	defer other.Release()
	copy(b.Bytes(), "abcdefgh")
	all := b.Bytes()
	for _, tt := range []struct {
		name    string
		p, next []byte
		want    string // empty: they do not join
	}{
		{"one behind the other", all[1:3:3], all[3:6:6], "bcdef"},
		{"from the beginning", all[0:1], all[1:2], "ab"},
		{"a gap", all[1:3], all[4:6], ""},
		{"an overlap", all[1:3], all[2:6], ""},
		{"before it", all[3:6], all[1:3], ""},
		{"the same", all[1:3], all[1:3], ""},
		{"another block", all[1:3], other.Bytes()[3:6], ""},
		{"both in another block", other.Bytes()[:3], other.Bytes()[3:6], ""},
	} {
		got, ok := b.Join(tt.p, tt.next)
		if string(got) != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q, %v", tt.name, got, ok)
		}
		if cap(got) != len(got) {
			t.Errorf("%s: %d bytes, capacity %d", tt.name, len(got), cap(got))
		}
	}
	if got, ok := b.Join(all[Medium-4:Medium-2], all[Medium-2:]); !ok || len(got) != 4 {
		t.Errorf("at the end: %d bytes, %v", len(got), ok)
	}
}

func TestReleaseTwicePanics(t *testing.T) {
	b := Get(1 << 20) // a size of its own: never handed out again
	b.Release()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	b.Release()
}

func TestNilIsNoBuffer(t *testing.T) {
	var b *Buffer
	b.Retain()
	b.Release()
}

func TestNoAllocs(t *testing.T) {
	Get(Medium).Release()
	if n := testing.AllocsPerRun(100, func() { Get(Medium).Release() }); n > 0.1 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkGet(b *testing.B) {
	for _, size := range []int{1, Small, Medium, Large, Large + 1} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Get(size).Release()
			}
		})
	}
}

func TestBudgetRefusesWhatIsOverIt(t *testing.T) {
	b := NewBudget(100)
	if !b.Take(75) || b.Pressure() {
		t.Error("three quarters are refused, or pressure already")
	}
	if b.Take(26) {
		t.Error("took more than there is")
	}
	if !b.Take(25) || !b.Pressure() {
		t.Error("the rest is refused, or no pressure at the limit")
	}
	b.TakeAnyway(10)
	b.Give(110)
	if b.Used() != 0 {
		t.Errorf("%d bytes in use after all was given back", b.Used())
	}
	var none *Budget
	if !none.Take(1<<30) || none.Pressure() || none.Used() != 0 {
		t.Error("no budget has a limit")
	}
}
