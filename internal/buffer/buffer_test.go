package buffer

import "testing"

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
