package box

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestAwaitStop: the next process is not stopped before this one has, however long it
// waits for its turn on a busy machine; who cannot stop now, or is gone, is not waited
// for.
func TestAwaitStop(t *testing.T) {
	const never = time.Hour
	for _, tt := range []struct {
		name   string
		state  rune // from the beginning
		stops  time.Duration
		takes  time.Duration
		isGone bool
	}{
		{"at once", 'T', 0, 0, false},
		{"late", 'R', 3 * time.Second, 3 * time.Second, false},
		{"in its sleep, late", 'S', 3 * time.Second, 3 * time.Second, false},
		{"never", 'S', never, pauseTime, false},
		{"the kernel holds it", 'D', never, 0, false},
		{"it has ended", 'Z', never, 0, false},
		{"it is gone", 'R', never, 0, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			awaitStop(begin.Add(pauseTime), func() (process, bool) {
				p := process{state: tt.state}
				if time.Since(begin) >= tt.stops {
					p.state = 'T'
				}
				return p, !tt.isGone
			})
			if took := time.Since(begin); took != tt.takes {
				t.Errorf("%s: it took %v, want %v", tt.name, took, tt.takes)
			}
		})
	}
}
