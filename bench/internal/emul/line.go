// Package emul is a line in one direction: delay, loss, a rate, and the queue
// before it. It carries packets of any type, so that every stack meets the very
// same line; packets drop by a seeded generator in the order of their sending.
package emul

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Params describe one direction. The zero value is a perfect line.
type Params struct {
	Delay time.Duration // one way
	Loss  float64       // probability for each packet
	Rate  float64       // bits a second; 0 has no limit
	Queue int           // bytes that may wait for the rate; 0 has no limit
	Seed  uint64
}

// Perfect tells whether the line neither delays nor drops.
func (p Params) Perfect() bool { return p.Delay == 0 && p.Loss == 0 && p.Rate == 0 }

// Direction returns the parameters of one of the two directions of a path: the
// same, with a seed of its own.
func (p Params) Direction(n uint64) Params {
	p.Seed += n
	return p
}

// Stats count packets.
type Stats struct{ Sent, Lost, Overflow int64 }

type waiting[T any] struct {
	due    time.Time
	packet T
}

// Line carries packets in order.
type Line[T any] struct {
	params  Params
	deliver func([]T)
	drop    func(T)
	wake    chan struct{}

	mu    sync.Mutex // guards what follows
	rng   *rand.Rand
	queue []waiting[T]
	free  time.Time // when the transmitter is
	stats Stats
}

// New starts a line, which runs as long as the process. It calls deliver from
// one goroutine, with batches of packets that are due, and drop for a packet
// that the line loses.
func New[T any](p Params, deliver func([]T), drop func(T)) *Line[T] {
	l := &Line[T]{
		params: p, deliver: deliver, drop: drop,
		rng:  rand.New(rand.NewPCG(p.Seed, 0x9e3779b97f4a7c15)),
		wake: make(chan struct{}, 1),
	}
	go l.run()
	return l
}

// Send puts a packet of so many bytes on the line.
func (l *Line[T]) Send(packet T, size int) {
	l.mu.Lock()
	due, ok := l.admit(time.Now(), size)
	if !ok {
		l.mu.Unlock()
		l.drop(packet)
		return
	}
	l.queue = append(l.queue, waiting[T]{due.Add(l.params.Delay), packet})
	first := len(l.queue) == 1
	l.mu.Unlock()
	if first {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// admit decides whether a packet passes, and when it has left the transmitter.
func (l *Line[T]) admit(now time.Time, size int) (left time.Time, ok bool) {
	p := &l.params
	l.stats.Sent++
	if p.Loss > 0 && l.rng.Float64() < p.Loss {
		l.stats.Lost++
		return now, false
	}
	if p.Rate == 0 {
		return now, true
	}
	start := now
	if l.free.After(now) {
		start = l.free
		if p.Queue > 0 && start.Sub(now).Seconds()*p.Rate/8 > float64(p.Queue) {
			l.stats.Overflow++
			return now, false
		}
	}
	l.free = start.Add(time.Duration(float64(size) * 8 / p.Rate * 1e9))
	return l.free, true
}

// Stats returns the counters.
func (l *Line[T]) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stats
}

// run delivers what is due.
func (l *Line[T]) run() {
	var batch []T
	for {
		var wait time.Duration
		batch, wait = l.due(batch[:0])
		switch {
		case len(batch) > 0:
			l.deliver(batch)
			clear(batch)
		case wait > 0:
			time.Sleep(wait)
		default:
			<-l.wake
		}
	}
}

// due takes what is due from the queue. If there is nothing, it says how long
// until there will be; 0 if nothing waits.
func (l *Line[T]) due(batch []T) ([]T, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		return batch, 0
	}
	now := time.Now()
	n := 0
	for ; n < len(l.queue) && !l.queue[n].due.After(now); n++ {
		batch = append(batch, l.queue[n].packet)
	}
	if n == 0 {
		return batch, l.queue[0].due.Sub(now)
	}
	rest := copy(l.queue, l.queue[n:])
	clear(l.queue[rest:])
	l.queue = l.queue[:rest]
	return batch, 0
}
