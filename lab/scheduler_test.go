package lab

import (
	"sync"
	"testing"
	"testing/synctest"

	"example.com/berth"
)

// Hosts post while they hold the lock of a socket, which the task takes: also where
// the network is closed meanwhile, Post must not wait for the task.
func TestTasksOfAClosedLoopTakeTheLocksOfTheirPosters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScheduler()
		s.prepare = func() {}
		s.close()
		var mu sync.Mutex
		done := 0
		task := function(func() {
			mu.Lock()
			defer mu.Unlock()
			done++
		})
		mu.Lock()
		s.Post(berth.Order{}, task)
		s.Wake(berth.Order{}, task)
		mu.Unlock()
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if done != 2 {
			t.Errorf("%d of 2 tasks were done", done)
		}
	})
}
