package runner

import (
	"sync"
	"time"

	"example.com/berth/internal/box"
)

// bursts has the process take memory when many flows begin or end one after another,
// and give it back when it is calm again: collections of a heap that is kept small
// would take a twentieth of the time of one connection after another, and of a thousand
// that are open and idle most is what only their beginning needed.
type bursts struct {
	begin, end func()                             // Bustle and Settle of package box
	after      func(time.Duration, func()) func() // calls later, and returns what keeps it from that

	mu     sync.Mutex // guards what follows
	news   int        // flows that began or ended since it was calm
	seen   int        // of them, at the last look
	cancel func()     // the next look, or the last one under way; nil in calm
	closed bool
}

const (
	// burst is how many flows are many.
	burst = 64
	// calm is how long none begins or ends then.
	calm = time.Second
)

func newBursts() *bursts {
	return &bursts{begin: box.Bustle, end: box.Settle, after: func(d time.Duration, f func()) func() {
		t := time.AfterFunc(d, f)
		return func() { t.Stop() }
	}}
}

// note is told that a flow has begun, or ended.
func (b *bursts) note() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.news++
	b.check()
}

// check looks whether there are many.
func (b *bursts) check() {
	if b.news < burst || b.cancel != nil || b.closed {
		return
	}
	b.begin()
	b.look()
}

// look comes back when it may be calm.
func (b *bursts) look() {
	b.seen = b.news
	b.cancel = b.after(calm, b.passed)
}

// passed is the end of that time.
func (b *bursts) passed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
	case b.news != b.seen:
		b.look()
	default:
		b.news = 0
		b.mu.Unlock() // it takes a while, in which flows go on
		b.end()
		b.mu.Lock()
		b.cancel = nil
		b.check()
	}
}

// close ends the looks.
func (b *bursts) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed = true; b.cancel != nil {
		b.cancel()
	}
}
