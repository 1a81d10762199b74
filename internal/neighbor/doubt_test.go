package neighbor

import (
	"testing"
	"time"
)

// answered are the actions where a neighbor that was lost may have answered.
func answered(from, next State, want []string) []string {
	if from == Unreachable && next == Reachable {
		return append([]string{"found"}, want...)
	}
	return want
}

// A neighbor that is doubted is asked at once (RFC 1122 3.3.1.4), and it is told
// whether it answers.
func TestDoubt(t *testing.T) {
	acts := func(a ...string) []string { return a }
	for _, row := range []struct {
		from State
		want []string
		next State
	}{
		{None, acts("ask"), Incomplete},
		{Failed, acts("ask"), Incomplete},
		{Incomplete, nil, Incomplete},
		{Reachable, acts("probe:1"), Probe},
		{Stale, acts("probe:1"), Probe},
		{Delay, acts("probe:1"), Probe},
		{Probe, nil, Probe},
		{Unreachable, nil, Unreachable},
		{Permanent, nil, Permanent},
	} {
		t.Run(row.from.String(), func(t *testing.T) {
			w := newWorld(t, Config{})
			w.enterState(row.from, peer)
			if row.from == Reachable {
				w.advance(second) // it was asked just now
			}
			w.Doubt(w.now, peer)
			w.want("at once", row.want...)
			w.wantState("at once", peer, row.next)
			if row.from == Permanent {
				return
			}
			answer := advert(true, true, mac1)
			answer.do(w)
			w.wantState("when it has answered", peer, Reachable)
			want := acts("found")
			if row.from == Incomplete {
				want = append(want, "send:1:p")
			}
			w.want("when it has answered", want...)
			answer.do(w)
			w.want("when it answers once more")
		})
	}
	t.Run("it does not answer", func(t *testing.T) {
		w := newWorld(t, Config{})
		w.Doubt(w.now, peer)
		w.want("at once", "ask")
		w.advance(3 * time.Second)
		w.want("later", "ask", "ask", "lost")
		w.wantState("later", peer, Failed)
	})
	t.Run("one that rests is asked again", func(t *testing.T) {
		w := newWorld(t, Config{})
		w.enterState(Unreachable, peer)
		w.advance(10 * time.Minute)
		w.Take(nil)
		w.Doubt(w.now, peer)
		w.advance(0)
		w.want("asked", "ask")
	})
	t.Run("the table is full", func(t *testing.T) {
		w := newWorld(t, Config{MaxEntries: 1})
		w.enterState(Reachable, peer)
		w.Doubt(w.now, self)
		w.want("nothing can be asked")
	})
}
