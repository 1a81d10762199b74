package limits

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// switches are costs of going from one goroutine to another, and of what guards
// their data.
func switches() []Row {
	var mu sync.Mutex
	var x atomic.Int64
	locked := 0
	timer := time.NewTimer(time.Hour)
	return []Row{
		ns("runtime.Gosched, one of two goroutines on one P", func() float64 { return wall(yields) }),
		ns("channel there and back, one P", func() float64 { return wall(func(n int) { channel(1, n) }) }),
		ns("channel there and back, two Ps", func() float64 { return wall(func(n int) { channel(2, n) }) }),
		ns("condition variable there and back", func() float64 { return wall(condition) }),
		ns("futex to another thread and back", func() float64 { return wall(futexes) }),
		ns("mutex, free", repeat(func() {
			mu.Lock()
			locked++
			mu.Unlock()
		})),
		ns("atomic add, free", repeat(func() { x.Add(1) })),
		ns("time.Now", repeat(func() { _ = time.Now() })),
		ns("time.Timer.Reset", repeat(func() { timer.Reset(time.Hour) })),
	}
}

func yields(n int) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			for range n / 2 {
				runtime.Gosched()
			}
		})
	}
	both.Wait()
}

func channel(procs, n int) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	forth, back := make(chan int), make(chan int)
	go func() {
		for range forth {
			back <- 1
		}
	}()
	for range n {
		forth <- 1
		<-back
	}
	close(forth)
}

func condition(n int) {
	var mu sync.Mutex
	c := sync.NewCond(&mu)
	turn := 0
	play := func(mine int) {
		mu.Lock()
		defer mu.Unlock()
		for range n {
			for turn != mine {
				c.Wait()
			}
			turn = 1 - mine
			c.Signal()
		}
	}
	var other sync.WaitGroup
	other.Go(func() { play(1) })
	play(0)
	other.Wait()
}
