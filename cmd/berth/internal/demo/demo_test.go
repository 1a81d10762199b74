package demo

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth/internal/header"
)

// On the time of a bubble a wire may be as slow and bad as it likes.
func TestPlayOnTerribleWires(t *testing.T) {
	for _, c := range []Config{
		{Seed: 1, Loss: 0.3, Delay: 50 * time.Millisecond},
		{Seed: 2, Loss: 0.1, Delay: 300 * time.Millisecond},
		{Seed: 3, Delay: time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			var told []string
			r, err := Play(t.Context(), c, func(s *Scene) { told = append(told, s.Name) })
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(told, " "); got != "stream datagram ping download" {
				t.Errorf("told of %s", got)
			}
			for _, s := range r.Scenes {
				// Only the time may run out: nothing may come back changed.
				if s.Err != nil && !strings.HasPrefix(s.Err.Error(), "gave up after") && !strings.Contains(s.Err.Error(), "timed out") {
					t.Errorf("%+v: %s: %v", c, s.Name, s.Err)
				}
			}
			if c.Loss == 0 && !r.OK() {
				t.Error("a wire that loses nothing lost something")
			}
		})
	}
}

func TestPlayGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r, err := Play(t.Context(), Config{Loss: 1}, func(*Scene) {})
		if err != nil {
			t.Fatal(err)
		}
		if r.OK() || time.Since(start) > 2*Limit {
			t.Errorf("ok %v after %v", r.OK(), time.Since(start))
		}
		var b strings.Builder
		s := Screen{Out: &b, Width: 80}
		for _, scene := range r.Scenes {
			s.Scene(scene)
		}
		if err := s.End(r); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"✗ stream", "✗ download", "Not every byte came back"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("no %q in\n%s", want, b.String())
			}
		}
	})
}

func TestPlayEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := Play(ctx, Config{Loss: 1}, func(s *Scene) { t.Errorf("told of %s", s.Name) })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Play gives %v", err)
		}
	})
}

// The same seed loses the same packets. What the host's goroutines do at one
// instant may differ in order, so this looks at the first scene's start, where
// there is one conversation.
func TestASeedRepeatsTheLosses(t *testing.T) {
	lost := func() (labels []string) {
		synctest.Test(t, func(t *testing.T) {
			r, err := Play(t.Context(), Config{Seed: 10733, Loss: 0.03, Delay: 2 * time.Millisecond}, func(*Scene) {})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range r.Scenes[0].Events {
				if e.Packet != nil && e.Packet.Lost != "" {
					labels = append(labels, e.Packet.Label())
				}
			}
		})
		return labels
	}
	first := lost()
	if again := lost(); len(first) == 0 || strings.Join(again, ";") != strings.Join(first, ";") {
		t.Errorf("lost %q, and then %q", first, again)
	}
}

func TestScenesShowTheirOwnPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := Play(t.Context(), Config{Delay: time.Millisecond}, func(*Scene) {})
		if err != nil {
			t.Fatal(err)
		}
		for i, protocols := range [][]uint8{
			{header.ProtocolTCP}, {header.ProtocolUDP}, {header.ProtocolICMP, header.ProtocolICMPv6}, {header.ProtocolTCP},
		} {
			packets := 0
			for _, e := range r.Scenes[i].Events {
				if p := e.Packet; p != nil {
					packets++
					if !strings.ContainsRune(string(protocols), rune(p.Protocol)) {
						t.Errorf("%s has %s", r.Scenes[i].Name, p.Label())
					}
				}
			}
			if packets == 0 {
				t.Errorf("%s has no packets", r.Scenes[i].Name)
			}
		}
		for i, h := range r.Hosts {
			if h.Name != names[i] || len(h.Sockets) == 0 {
				t.Errorf("table %d is %+v", i, h)
			}
		}
	})
}

func TestCapture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := Play(t.Context(), Config{Keep: true}, func(*Scene) {})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := r.Capture(&b); err != nil || b.Len() < FileSize {
			t.Errorf("%d bytes, %v", b.Len(), err)
		}
		if err := r.Capture(brokenWriter{}); err == nil {
			t.Error("no error of the writer")
		}
	})
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken") }

func TestNumbers(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int]string{100: "100 bytes", 5000: "5,000 bytes", FileSize: "3 MiB"} {
		if got := size(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
	for p, want := range map[float64]string{0: "0%", 0.03: "3%", 0.0251: "2.5%", 1: "100%"} {
		if got := percent(p); got != want {
			t.Errorf("%v is %s, want %s", p, got, want)
		}
	}
}
