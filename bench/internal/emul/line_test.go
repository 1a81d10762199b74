package emul

import (
	"slices"
	"testing"
	"time"
)

func TestAdmit(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, tt := range []struct {
		name string
		p    Params
		want Stats
		last time.Duration // when the last of those that pass has left
	}{
		{"perfect", Params{}, Stats{Sent: 10}, 0},
		{"a rate", Params{Rate: 8e6}, Stats{Sent: 10}, 10 * time.Millisecond},
		{"a queue", Params{Rate: 8e6, Queue: 4000}, Stats{Sent: 10, Overflow: 5}, 5 * time.Millisecond},
		{"all lost", Params{Loss: 1}, Stats{Sent: 10, Lost: 10}, 0},
	} {
		l := New(tt.p, func([]int) {}, func(int) {})
		last := now
		for range 10 {
			if left, ok := l.admit(now, 1000); ok {
				last = left
			}
		}
		if l.Stats() != tt.want || last.Sub(now) != tt.last {
			t.Errorf("%s: %+v, the last after %v; want %+v, %v", tt.name, l.Stats(), last.Sub(now), tt.want, tt.last)
		}
	}
}

func TestLineKeepsTheOrder(t *testing.T) {
	const n = 1000
	done := make(chan []int)
	var got []int
	l := New(Params{Delay: time.Millisecond}, func(batch []int) {
		if got = append(got, batch...); len(got) == n {
			done <- got
		}
	}, func(int) { t.Error("a packet was lost") })
	for i := range n {
		l.Send(i, 100)
	}
	if got := <-done; !slices.IsSorted(got) {
		t.Error("packets overtook each other")
	}
}

func TestTheSeedSaysWhichAreLost(t *testing.T) {
	lost := func(seed uint64) (which []int) {
		l := New(Params{Loss: 0.1, Seed: seed}, func([]int) {}, func(i int) { which = append(which, i) })
		for i := range 1000 {
			l.Send(i, 100)
		}
		return which
	}
	if a, b := lost(1), lost(1); !slices.Equal(a, b) || len(a) == 0 {
		t.Errorf("one seed loses %v and %v", a, b)
	}
	if slices.Equal(lost(1), lost(2)) {
		t.Error("two seeds lose the same packets")
	}
}
