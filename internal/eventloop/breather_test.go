package eventloop

import (
	"testing"
	"time"
)

func TestBreather(t *testing.T) {
	var b breather
	now := time.Unix(1000, 0)
	looks := 0
	clock := func() time.Time { looks++; return now }
	// turns takes so many, with time between each, and tells in how many to yield.
	turns := func(n int, between time.Duration) (yields int) {
		for range n {
			now = now.Add(between)
			if b.due(clock) {
				yields++
			}
		}
		return yields
	}
	turns(breathTurns, 0) // the first look only begins
	for _, tt := range []struct {
		name    string
		turns   int
		between time.Duration
		yields  int
	}{
		{"short turns, less than a breath", 39 * breathTurns, breath / (40 * breathTurns), 0},
		{"the same again", 2 * breathTurns, breath / (40 * breathTurns), 1},
		{"turns of half a breath", 10 * breathTurns, breath / 2, 10},
		{"few turns, however long", breathTurns - 1, time.Second, 0},
	} {
		if got := turns(tt.turns, tt.between); got != tt.yields {
			t.Errorf("%s: %d times to yield, want %d", tt.name, got, tt.yields)
		}
	}
	if most := 60; looks > most {
		t.Errorf("the clock was asked %d times, at most %d are to be", looks, most)
	}
}
