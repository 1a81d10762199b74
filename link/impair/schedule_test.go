package impair

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"example.com/berth/link"
)

func named(name string) *link.Kept {
	f := link.Frame{Payload: []byte(name)}
	return f.Keep()
}

// leaving takes all that is due at now.
func leaving(s *schedule, now time.Duration) string {
	var names []string
	for k := s.take(now); k != nil; k = s.take(now) {
		names = append(names, string(k.Payload))
		k.Release()
	}
	return fmt.Sprint(names)
}

func TestScheduleIsOrderedByTimeAndThenByArrival(t *testing.T) {
	var s schedule
	for i, due := range []time.Duration{3, 1, 2, 1, 3, 0} {
		s.add(named(fmt.Sprint(i)), due)
	}
	for now, want := range []string{"[5]", "[1 3]", "[2]", "[0 4]"} {
		if at, ok := s.next(); !ok || at != time.Duration(now) {
			t.Errorf("next at %v, %v; want %d", at, ok, now)
		}
		if got := leaving(&s, time.Duration(now)); got != want {
			t.Errorf("at %d left %v, want %v", now, got, want)
		}
	}
	if _, ok := s.next(); ok || !s.empty() || s.bytes != 0 {
		t.Errorf("not empty: %+v", s)
	}
}

func TestScheduleAgainstSorting(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var s schedule
	var want []string
	dues := make([]int, 1000)
	for i := range dues {
		dues[i] = rng.IntN(50)
		s.add(named(fmt.Sprint(i)), time.Duration(dues[i]))
	}
	order := make([]int, len(dues))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return dues[a] - dues[b] })
	for _, i := range order {
		want = append(want, fmt.Sprint(i))
	}
	if got := leaving(&s, 50); got != fmt.Sprint(want) {
		t.Error("the order is not that of a stable sort")
	}
}

func TestHeldBackUntilOvertaken(t *testing.T) {
	var s schedule
	add := func(name string, due time.Duration) {
		s.add(named(name), due)
		s.overtaken(due)
	}
	s.holdBack(named("h"), 10, 2, 100)
	add("1", 11)
	add("2", 12)
	add("3", 13)
	if got := leaving(&s, 13); got != "[1 2 h 3]" {
		t.Errorf("left %v", got)
	}
}

func TestHeldBackNoLongerThanHold(t *testing.T) {
	var s schedule
	s.holdBack(named("h"), 10, 2, 100)
	s.add(named("1"), 11)
	s.overtaken(11)
	if got := leaving(&s, 109); got != "[1]" {
		t.Errorf("left %v", got)
	}
	if at, _ := s.next(); at != 110 {
		t.Errorf("next at %v", at)
	}
	if got := leaving(&s, 110); got != "[h]" {
		t.Errorf("left %v", got)
	}
}

func TestHeldBackAreBounded(t *testing.T) {
	var s schedule
	for i := range maxHeld + 1 {
		s.holdBack(named(fmt.Sprint(i)), 1, 5, 100)
	}
	if got := leaving(&s, 1); got != fmt.Sprintf("[%d]", maxHeld) {
		t.Errorf("left %v, want the one that is too much", got)
	}
	s.clear()
	if !s.empty() || s.bytes != 0 {
		t.Error("not empty after clear")
	}
}
