package half

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// waiter is an operation that ends when the deadline that is set has passed.
type waiter struct {
	deadline chan time.Time
	current  time.Time
}

func newHalf() (*Half, *waiter) {
	w := &waiter{deadline: make(chan time.Time, 16)}
	return &Half{
		Set:   func(t time.Time) error { w.deadline <- t; return nil },
		Errno: func(err error) error { return err },
	}, w
}

// wait ends when a deadline in the past is set.
func (w *waiter) wait() error {
	for w.current.IsZero() || w.current.After(time.Now()) {
		w.current = <-w.deadline
	}
	// As the poller: the deadline stands until another is set.
	select {
	case w.current = <-w.deadline:
	default:
	}
	return os.ErrDeadlineExceeded
}

func TestAwaitGivesTheOperationsResult(t *testing.T) {
	h, _ := newHalf()
	var closed atomic.Bool
	for _, want := range []error{nil, syscall.ECONNRESET} {
		if err := h.Await(context.Background(), &closed, func() error { return want }); err != want {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

func TestAwaitEndsByDeadline(t *testing.T) {
	h, w := newHalf()
	var closed atomic.Bool
	if err := h.SetDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if got := h.Deadline(); !got.Equal(time.Unix(1, 0)) {
		t.Errorf("Deadline: %v", got)
	}
	if err := h.Await(context.Background(), &closed, w.wait); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

func TestAwaitEndsByContextAndRestoresTheDeadline(t *testing.T) {
	h, w := newHalf()
	var closed atomic.Bool
	later := time.Now().Add(time.Hour)
	if err := h.SetDeadline(later); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	started := make(chan struct{})
	go func() { <-started; cancel() }()
	err := h.Await(ctx, &closed, func() error { close(started); return w.wait() })
	if err != context.Canceled {
		t.Error(err)
	}
	last := w.current
	for len(w.deadline) > 0 {
		last = <-w.deadline
	}
	if !last.Equal(later) {
		t.Errorf("the deadline is %v afterwards, want %v", last, later)
	}
}

func TestAwaitOfAnEndedContextDoesNothing(t *testing.T) {
	h, _ := newHalf()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := h.Await(ctx, new(atomic.Bool), func() error { t.Error("called"); return nil }); err != context.Canceled {
		t.Error(err)
	}
}

func TestAwaitOfAClosedSocket(t *testing.T) {
	h, _ := newHalf()
	var closed atomic.Bool
	err := h.Await(context.Background(), &closed, func() error { closed.Store(true); return os.ErrClosed })
	if err != syscall.EBADF {
		t.Errorf("closed meanwhile: %v, want EBADF", err)
	}
	if err := h.Await(context.Background(), &closed, func() error { return nil }); err != syscall.EBADF {
		t.Errorf("closed before: %v, want EBADF", err)
	}
}

func TestAwaitGoesOnWhenAnotherWasMeant(t *testing.T) {
	// The poller's deadline passed because the context of another call ended.
	h, _ := newHalf()
	calls := 0
	err := h.Await(context.Background(), new(atomic.Bool), func() error {
		if calls++; calls == 1 {
			return os.ErrDeadlineExceeded
		}
		return nil
	})
	if err != nil || calls != 2 {
		t.Errorf("%d calls, %v", calls, err)
	}
}
