package linktest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/berth/link"
)

// patience is how long a frame may take to come in before it is called lost.
var patience = 10 * time.Second

// A receiver is a handler that keeps the suite's packets.
type receiver struct {
	t      *testing.T
	medium link.Medium
	inside atomic.Int32
	closed atomic.Bool // Close has returned

	mu      sync.Mutex // guards packets
	packets []packet
	more    chan struct{} // has room for one: packets came in
}

func attach(t *testing.T, d link.Device) *receiver {
	t.Helper()
	r := &receiver{t: t, medium: d.Info().Medium, more: make(chan struct{}, 1)}
	if err := d.Attach(r); err != nil {
		t.Fatalf("Attach: %v", err)
	}
	return r
}

func (r *receiver) Input(frames []link.Frame) {
	if r.closed.Load() {
		r.t.Error("Input after Close has returned")
	}
	if r.inside.Add(1) > 1 {
		r.t.Error("Input is called from two goroutines at a time")
	}
	defer r.inside.Add(-1)
	for i := range frames {
		p, ok, err := read(r.medium, &frames[i])
		if err != nil {
			r.t.Errorf("came in: %v", err)
		}
		if !ok {
			continue
		}
		r.mu.Lock()
		r.packets = append(r.packets, p)
		r.mu.Unlock()
	}
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *receiver) Changed() {
	if r.closed.Load() {
		r.t.Error("Changed after Close has returned")
	}
}

// wait waits until enough packets are there and returns them all.
func (r *receiver) wait(enough func([]packet) bool) []packet {
	r.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		r.mu.Lock()
		p := r.packets
		r.mu.Unlock()
		if enough(p) {
			return p
		}
		select {
		case <-r.more:
		case <-late.C:
			r.t.Errorf("%d packets came in within %v, and that is not all", len(p), patience)
			return p
		}
	}
}

// texts waits for n packets and returns their texts.
func (r *receiver) texts(n int) []string {
	r.t.Helper()
	var texts []string
	for _, p := range r.wait(func(p []packet) bool { return len(p) >= n }) {
		texts = append(texts, p.text)
	}
	return texts
}
