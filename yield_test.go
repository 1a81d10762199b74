package berth_test

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// Who waits for the end of a connection runs before Close of the other end returns, on
// the one processor there is, though not without exception: the runtime is fair to
// others too.
func TestCloseLetsThePeerRun(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	alice, bob := pair(t)
	const rounds = 50
	early := 0
	for range rounds {
		client, server := connected(t, alice, bob, bob4)
		var waits, ended atomic.Bool
		done := make(chan struct{})
		go func() {
			defer close(done)
			waits.Store(true)
			if n, err := server.Recv(make([]byte, 1), 0); n != 0 || err != nil {
				t.Errorf("Recv: %d, %v", n, err)
			}
			ended.Store(true)
		}()
		for !waits.Load() {
			runtime.Gosched()
		}
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
		if ended.Load() {
			early++
		}
		<-done
	}
	if early < rounds/2 {
		t.Errorf("%d of %d were told in time", early, rounds)
	}
}
