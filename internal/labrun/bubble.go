package labrun

import (
	"context"
	"fmt"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"
)

// glance is how often, on fake time, a run looks whether it was interrupted. It
// must not wait for that: a goroutine that waits for the world outside holds fake
// time up.
const glance = 100 * time.Millisecond

// onFakeTime calls f in a bubble of testing/synctest, and waits until all that it
// started has ended. Ctx is that of the world outside; f's ends a moment after it.
//
// Synctest gives fake time to tests. Of its test it needs no more than the value:
// the zero T does, as long as nothing fails it and nothing panics through it. So
// panics are caught here, inside and outside of the bubble, and are errors.
func onFakeTime(ctx context.Context, f func(context.Context) error) (err error) {
	var panicked error
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("fake time: %v", p)
		}
		if panicked != nil { // it left goroutines behind, which is what was recovered
			err = panicked
		}
	}()
	synctest.Test(new(testing.T), func(*testing.T) {
		inside, cancel := context.WithCancelCause(context.Background())
		defer cancel(nil)
		defer func() {
			if p := recover(); p != nil {
				panicked = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		go func() {
			look := time.NewTicker(glance)
			defer look.Stop()
			for inside.Err() == nil {
				select {
				case <-look.C:
					if ctx.Err() != nil {
						cancel(context.Cause(ctx))
					}
				case <-inside.Done():
				}
			}
		}()
		err = f(inside)
	})
	return err
}
