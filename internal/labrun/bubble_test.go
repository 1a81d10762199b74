package labrun

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestFakeTimeTakesNone(t *testing.T) {
	real := time.Now()
	want := errors.New("its error")
	err := onFakeTime(t.Context(), func(ctx context.Context) error {
		start := time.Now()
		time.Sleep(24 * time.Hour)
		if d := time.Since(start); d != 24*time.Hour {
			t.Errorf("a day took %v", d)
		}
		return want
	})
	if err != want {
		t.Errorf("%v", err)
	}
	if time.Since(real) > time.Hour {
		t.Error("it took real time")
	}
}

func TestPanicsOnFakeTimeAreErrors(t *testing.T) {
	err := onFakeTime(t.Context(), func(context.Context) error { panic("oh") })
	if err == nil || !strings.HasPrefix(err.Error(), "panic: oh\n") || !strings.Contains(err.Error(), "TestPanicsOnFakeTime") {
		t.Errorf("%v", err)
	}
}

func TestWhatIsLeftBehindIsAnError(t *testing.T) {
	err := onFakeTime(t.Context(), func(context.Context) error {
		blocked := make(chan int)
		go func() { <-blocked }()
		return nil
	})
	if err == nil || !strings.HasPrefix(err.Error(), "fake time: deadlock") {
		t.Errorf("%v", err)
	}
}

func TestInterruptReachesFakeTime(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	cancel(why)
	err := onFakeTime(ctx, func(ctx context.Context) error {
		<-ctx.Done()
		return context.Cause(ctx)
	})
	if err != why {
		t.Errorf("%v", err)
	}
}
