package autoconf

import (
	"testing"
	"time"

	"example.com/berth/internal/header"
)

// solicitations gives when solicitations were sent within d.
func (w *world) solicitations(d time.Duration) (at []time.Duration) {
	start := w.now
	for end := w.now + d; w.now < end; {
		step := end - w.now
		if next := w.Deadline(); next != 0 {
			step = min(step, max(next-w.now, 0))
		}
		w.advance(step)
		for _, a := range w.Take(nil) {
			if a.Op == SendRS {
				at = append(at, w.now-start)
			}
		}
		if step == 0 {
			w.now++
		}
	}
	return at
}

// RFC 7559 section 2: 4 s, doubled up to an hour, and no end.
func TestRouterSolicitationsBackOff(t *testing.T) {
	w := newWorld(t, Config{MAC: mac, EUI64: true})
	w.Start(w.now)
	at := w.solicitations(6 * hour)
	want, next, wait := []time.Duration(nil), second, 4*second
	for next < 6*hour {
		want = append(want, next)
		next += wait
		wait = min(2*wait, hour)
	}
	if len(at) != len(want) {
		t.Fatalf("sent at %v, want %v", at, want)
	}
	for k := range at {
		if d := at[k] - want[k]; d < 0 || d > time.Millisecond {
			t.Errorf("solicitation %d at %v, want %v", k, at[k], want[k])
		}
	}
}

func TestIntervalsAreSpreadByATenth(t *testing.T) {
	for _, tt := range []struct {
		bits uint64
		want time.Duration
	}{
		{0, 3600 * time.Millisecond},
		{uint64(400 * time.Millisecond), 4 * second},
		{uint64(800 * time.Millisecond), 4400 * time.Millisecond},
	} {
		i := New(Config{Rand: func() uint64 { return tt.bits }})
		if got := i.spread(rsInterval, rsInterval); got != tt.want {
			t.Errorf("%v, want %v", got, tt.want)
		}
	}
}

func TestSolicitationsEndWithADefaultRouter(t *testing.T) {
	w := newWorld(t, Config{MAC: mac, EUI64: true})
	w.Start(w.now)
	w.advance(2 * second)
	w.Take(nil)
	w.advert(header.RouterAdvert{}) // no default router (RFC 7559 section 2.1)
	if at := w.solicitations(20 * second); len(at) != 2 {
		t.Errorf("sent at %v after an advertisement without a default router", at)
	}
	w.advert(header.RouterAdvert{RouterLifetime: 1000 * second})
	if at := w.solicitations(hour); len(at) != 0 {
		t.Errorf("sent at %v with a default router", at)
	}
}

func TestOneSolicitationEvenIfARouterWasHeard(t *testing.T) {
	w := newWorld(t, Config{MAC: mac, EUI64: true})
	w.Start(w.now)
	w.advert(header.RouterAdvert{RouterLifetime: 1000 * second})
	if at := w.solicitations(500 * second); len(at) != 1 {
		t.Errorf("sent at %v, want one", at)
	}
}

func TestNoSolicitationsWithoutALinkLocalAddress(t *testing.T) {
	w := newWorld(t, Config{MAC: mac, EUI64: true})
	w.Start(w.now)
	w.advance(2 * second)
	w.Remove(eui.Addr())
	w.Take(nil)
	if at := w.solicitations(hour); len(at) != 0 || w.Deadline() != 0 {
		t.Errorf("sent at %v", at)
	}
	_ = w.Add(w.now, eui, Lifetimes{}, false)
	if at := w.solicitations(6 * second); len(at) != 2 {
		t.Errorf("sent at %v with a new address, want two", at)
	}
}
